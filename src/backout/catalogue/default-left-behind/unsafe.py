"""drop order_items.unit_price

The price is the product's.

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
    op.drop_column("order_items", "unit_price")


def downgrade() -> None:
    op.add_column("order_items", sa.Column("unit_price", sa.Numeric(10, 2), server_default="0", nullable=False))
