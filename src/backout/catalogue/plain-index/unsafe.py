"""index orders by time

Revision ID: unsafe
Revises: shop
"""

from alembic import op

revision = "unsafe"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("orders_placed_at_idx", "orders", ["placed_at"])


def downgrade() -> None:
    op.drop_index("orders_placed_at_idx", table_name="orders")
