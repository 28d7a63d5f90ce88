"""in the migration's transaction

Revision ID: plain
Revises: shop
"""

from alembic import op

revision = "plain"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("orders_customer_id_idx", "orders")


def downgrade() -> None:
    op.create_index("orders_customer_id_idx", "orders", ["customer_id"])
