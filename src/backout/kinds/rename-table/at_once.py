"""at once

Revision ID: at_once
Revises: shop
"""

from alembic import op

revision = "at_once"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.rename_table("reviews", "ratings")


def downgrade() -> None:
    op.rename_table("ratings", "reviews")
