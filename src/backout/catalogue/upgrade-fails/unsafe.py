"""drop the index of orders by day

It was created by hand, in production.

Revision ID: unsafe
Revises: shop
"""

from alembic import op

revision = "unsafe"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("orders_day_idx", table_name="orders")


def downgrade() -> None:
    op.create_index("orders_day_idx", "orders", ["placed_at"])
