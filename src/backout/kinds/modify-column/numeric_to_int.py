"""numeric to int

Revision ID: numeric_to_int
Revises: shop
"""

import sqlalchemy as sa
from alembic import op

revision = "numeric_to_int"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("orders", "total", type_=sa.BigInteger())


def downgrade() -> None:
    op.alter_column("orders", "total", type_=sa.Numeric(12, 2))
