"""create the extension pg_trgm

Revision ID: before
Revises: shop
"""

from alembic import op

revision = "before"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE EXTENSION pg_trgm")


def downgrade() -> None:
    op.execute("DROP EXTENSION pg_trgm")
