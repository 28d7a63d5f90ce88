"""delete reviews of products that do not exist

So that reviews can get a foreign key.

Revision ID: unsafe
Revises: shop
"""

from alembic import op

revision = "unsafe"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("DELETE FROM reviews WHERE NOT EXISTS (SELECT FROM products WHERE products.id = reviews.product_id)")


def downgrade() -> None:
    pass
