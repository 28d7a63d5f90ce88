"""not built again

Revision ID: not_rebuilt
Revises: shop
"""

from alembic import op

revision = "not_rebuilt"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("orders_customer_id_idx", "orders")


def downgrade() -> None:
    pass
