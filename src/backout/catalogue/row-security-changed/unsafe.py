"""show reviews of listed products only

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
        """
        CREATE POLICY listed ON reviews FOR SELECT
        USING (product_id IN (SELECT id FROM products WHERE listed_at IS NOT NULL))
        """
    )
    op.execute("ALTER TABLE reviews ENABLE ROW LEVEL SECURITY")


def downgrade() -> None:
    op.execute("ALTER TABLE reviews DISABLE ROW LEVEL SECURITY")
    op.execute("DROP POLICY listed ON reviews")
