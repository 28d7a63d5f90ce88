"""limit quantities to a hundred

Revision ID: unsafe
Revises: shop
"""

from alembic import op

revision = "unsafe"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_constraint("order_items_quantity_check", "order_items")
    op.execute("ALTER TABLE order_items ADD CONSTRAINT order_items_quantity_limit CHECK (quantity <= 100) NOT VALID")


def downgrade() -> None:
    op.drop_constraint("order_items_quantity_limit", "order_items")
