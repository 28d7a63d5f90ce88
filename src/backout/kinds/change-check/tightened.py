"""it allows less

Revision ID: tightened
Revises: shop
"""

from alembic import op

revision = "tightened"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_constraint("orders_status_check", "orders")
    op.create_check_constraint("orders_status_check", "orders", "status IN ('new', 'paid', 'sent')")


def downgrade() -> None:
    op.drop_constraint("orders_status_check", "orders")
    op.create_check_constraint("orders_status_check", "orders", "status IN ('new', 'paid', 'sent', 'returned')")
