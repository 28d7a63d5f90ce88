"""make products.name unique

Revision ID: unsafe
Revises: shop
"""

from alembic import op

revision = "unsafe"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("ALTER TABLE products ADD COLUMN short_name text")
        op.execute("ALTER TABLE reviews ADD CONSTRAINT reviews_rating_check CHECK (rating >= 0)")


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_constraint("reviews_rating_check", "reviews")
        op.drop_column("products", "short_name")
