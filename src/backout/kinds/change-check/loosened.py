"""it allows more

Revision ID: loosened
Revises: shop
"""

from alembic import op

revision = "loosened"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_constraint("orders_status_check", "orders")
    op.create_check_constraint("orders_status_check", "orders", "status IN ('new', 'paid', 'sent', 'returned', 'lost')")


def downgrade() -> None:
    op.drop_constraint("orders_status_check", "orders")
    op.create_check_constraint("orders_status_check", "orders", "status IN ('new', 'paid', 'sent', 'returned')")
