"""let ratings not be negative

Revision ID: unsafe
Revises: shop
"""

from alembic import op

revision = "unsafe"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_check_constraint("reviews_rating_check", "reviews", "rating >= 0")


def downgrade() -> None:
    op.drop_constraint("reviews_rating_check", "reviews")
