"""drop the view of active customers

Revision ID: unsafe
Revises: shop
"""

from alembic import op

revision = "unsafe"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("DROP VIEW active_customers")


def downgrade() -> None:
    op.execute("CREATE VIEW active_customers AS SELECT id, email, full_name FROM customers WHERE status = 'active'")
