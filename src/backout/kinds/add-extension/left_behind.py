"""left by the downgrade

Revision ID: left_behind
Revises: shop
"""

from alembic import op

revision = "left_behind"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS citext")


def downgrade() -> None:
    pass
