"""let no quantity be zero

Revision ID: unsafe
Revises: shop
"""

from alembic import op

revision = "unsafe"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_check_constraint("order_items_quantity_not_zero", "order_items", "quantity <> 0")


def downgrade() -> None:
    op.drop_constraint("order_items_quantity_not_zero", "order_items")
