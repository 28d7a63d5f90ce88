"""an extension

Revision ID: restored_before
Revises: shop
"""

from alembic import op

revision = "restored_before"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE EXTENSION citext")


def downgrade() -> None:
    op.execute("DROP EXTENSION citext")
