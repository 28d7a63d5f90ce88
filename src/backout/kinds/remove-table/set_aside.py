"""renamed instead, to be dropped later

Revision ID: set_aside
Revises: shop
"""

from alembic import op

revision = "set_aside"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.rename_table("reviews", "unused_reviews")


def downgrade() -> None:
    op.rename_table("unused_reviews", "reviews")
