"""hide reviews of unlisted products

Revision ID: before
Revises: shop
"""

from alembic import op

revision = "before"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE reviews ENABLE ROW LEVEL SECURITY")
    op.execute(
        """
        CREATE POLICY listed ON reviews FOR SELECT
        USING (product_id IN (SELECT id FROM products WHERE listed_at < now()))
        """
    )


def downgrade() -> None:
    op.execute("DROP POLICY listed ON reviews")
    op.execute("ALTER TABLE reviews DISABLE ROW LEVEL SECURITY")
