"""call reviews opinions

Revision ID: unsafe
Revises: shop
"""

from alembic import op

revision = "unsafe"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.rename_table("reviews", "opinions")


def downgrade() -> None:
    op.rename_table("opinions", "reviews")
