"""let no quantity be above a thousand

Revision ID: unsafe
Revises: shop
"""

from alembic import op

revision = "unsafe"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE order_items ADD CONSTRAINT order_items_quantity_limit CHECK (quantity <= 1000) NOT VALID")


def downgrade() -> None:
    op.drop_constraint("order_items_quantity_limit", "order_items")
