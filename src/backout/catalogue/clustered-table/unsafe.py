"""sort orders by customer

Revision ID: unsafe
Revises: shop
"""

from alembic import op

revision = "unsafe"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CLUSTER orders USING orders_customer_id_idx")


def downgrade() -> None:
    op.execute("ALTER TABLE orders SET WITHOUT CLUSTER")
