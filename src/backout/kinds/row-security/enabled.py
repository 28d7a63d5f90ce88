"""switched on

Revision ID: enabled
Revises: shop
"""

from alembic import op

revision = "enabled"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE POLICY own_orders ON orders USING (customer_id = current_setting('shop.customer')::bigint)")
    op.execute("ALTER TABLE orders ENABLE ROW LEVEL SECURITY")


def downgrade() -> None:
    op.execute("ALTER TABLE orders DISABLE ROW LEVEL SECURITY")
    op.execute("DROP POLICY own_orders ON orders")
