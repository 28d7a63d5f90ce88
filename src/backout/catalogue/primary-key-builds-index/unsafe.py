"""give reviews a primary key

Revision ID: unsafe
Revises: before
"""

from alembic import op

revision = "unsafe"
down_revision = "before"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_primary_key("reviews_pkey", "reviews", ["number"])


def downgrade() -> None:
    op.drop_constraint("reviews_pkey", "reviews")
