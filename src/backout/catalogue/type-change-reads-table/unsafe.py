"""let prices be higher

Revision ID: unsafe
Revises: shop
"""

import sqlalchemy as sa
from alembic import op

revision = "unsafe"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("products", "price", existing_type=sa.Numeric(10, 2), type_=sa.Numeric(14, 2))


def downgrade() -> None:
    op.alter_column("products", "price", existing_type=sa.Numeric(14, 2), type_=sa.Numeric(10, 2))
