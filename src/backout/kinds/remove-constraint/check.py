"""a check

Revision ID: check
Revises: shop
"""

from alembic import op

revision = "check"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_constraint("orders_status_check", "orders")


def downgrade() -> None:
    op.create_check_constraint("orders_status_check", "orders", "status IN ('new', 'paid', 'sent', 'returned')")
