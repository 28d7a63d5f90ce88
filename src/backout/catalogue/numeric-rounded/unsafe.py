"""count orders.total in whole euros

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
    op.alter_column(
        "orders",
        "total",
        type_=sa.BigInteger(),
        existing_type=sa.Numeric(12, 2),
        postgresql_using="trunc(total)::bigint",
    )


def downgrade() -> None:
    op.alter_column("orders", "total", type_=sa.Numeric(12, 2), existing_type=sa.BigInteger())
