"""let reviews be of products that exist

Revision ID: unsafe
Revises: shop
"""

from alembic import op

revision = "unsafe"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_foreign_key("reviews_product_id_fkey", "reviews", "products", ["product_id"], ["id"])


def downgrade() -> None:
    op.drop_constraint("reviews_product_id_fkey", "reviews")
