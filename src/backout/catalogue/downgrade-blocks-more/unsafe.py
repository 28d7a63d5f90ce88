"""drop the index of orders by customer

Revision ID: unsafe
Revises: shop
"""

from alembic import op

revision = "unsafe"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("orders_customer_id_idx", table_name="orders")


def downgrade() -> None:
    op.create_index("orders_customer_id_idx", "orders", ["customer_id"])
