"""count paused customers as active

Revision ID: unsafe
Revises: shop
"""

from alembic import op

revision = "unsafe"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "CREATE OR REPLACE VIEW active_customers AS SELECT id, email, full_name FROM customers WHERE status <> 'closed'"
    )


def downgrade() -> None:
    op.execute(
        "CREATE OR REPLACE VIEW active_customers AS SELECT id, email, full_name FROM customers WHERE status = 'active'"
    )
