"""let a product have no description twice

Revision ID: unsafe
Revises: shop
"""

from alembic import op

revision = "unsafe"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_check_constraint("products_description_check", "products", "description <> ''")


def downgrade() -> None:
    op.drop_constraint("ck_products_description", "products")
