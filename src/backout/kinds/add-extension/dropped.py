"""dropped by the downgrade

Revision ID: dropped
Revises: shop
"""

from alembic import op

revision = "dropped"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE EXTENSION citext")


def downgrade() -> None:
    op.execute("DROP EXTENSION citext")
