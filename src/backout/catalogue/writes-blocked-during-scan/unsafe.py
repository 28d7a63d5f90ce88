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
    op.execute(
        """
        ALTER TABLE reviews ADD CONSTRAINT reviews_product_id_fkey
        FOREIGN KEY (product_id) REFERENCES products NOT VALID
        """
    )
    op.execute("ALTER TABLE reviews VALIDATE CONSTRAINT reviews_product_id_fkey")


def downgrade() -> None:
    op.drop_constraint("reviews_product_id_fkey", "reviews")
