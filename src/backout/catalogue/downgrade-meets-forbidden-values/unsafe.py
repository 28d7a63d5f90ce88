"""let prices be negative

For vouchers.

Revision ID: unsafe
Revises: shop
"""

from alembic import op

revision = "unsafe"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_constraint("products_price_check", "products")


def downgrade() -> None:
    op.create_check_constraint("products_price_check", "products", "price >= 0")
