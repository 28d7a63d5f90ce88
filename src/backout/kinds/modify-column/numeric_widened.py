"""numeric, with more digits before the point

Revision ID: numeric_widened
Revises: shop
"""

import sqlalchemy as sa
from alembic import op

revision = "numeric_widened"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("products", "price", type_=sa.Numeric(14, 2))


def downgrade() -> None:
    op.alter_column("products", "price", type_=sa.Numeric(10, 2))
