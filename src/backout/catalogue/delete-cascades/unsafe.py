"""forget returned orders

Revision ID: unsafe
Revises: shop
"""

from alembic import op

revision = "unsafe"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("DELETE FROM payments USING orders WHERE orders.id = payments.order_id AND orders.status = 'returned'")
    op.execute("DELETE FROM orders WHERE status = 'returned'")


def downgrade() -> None:
    pass
