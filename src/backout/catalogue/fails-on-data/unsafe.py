"""rate with one to five stars

Revision ID: unsafe
Revises: shop
"""

from alembic import op

revision = "unsafe"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_check_constraint("reviews_rating_check", "reviews", "rating BETWEEN 1 AND 5")


def downgrade() -> None:
    op.drop_constraint("reviews_rating_check", "reviews")
