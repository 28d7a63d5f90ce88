"""let phone numbers be short

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
    op.alter_column("customers", "phone", existing_type=sa.String(40), type_=sa.String(20))


def downgrade() -> None:
    op.alter_column("customers", "phone", existing_type=sa.String(20), type_=sa.String(40))
