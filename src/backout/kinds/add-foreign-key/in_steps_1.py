"""in steps: NOT VALID

New rows must fulfil it; the others are not looked at.

Revision ID: in_steps_1
Revises: shop
"""

from alembic import op

revision = "in_steps_1"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_foreign_key(
        "reviews_product_id_fkey", "reviews", "products", ["product_id"], ["id"], postgresql_not_valid=True
    )


def downgrade() -> None:
    op.drop_constraint("reviews_product_id_fkey", "reviews")
