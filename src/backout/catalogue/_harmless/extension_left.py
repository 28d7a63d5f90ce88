"""create the extension pg_trgm

An extension that stays harms nobody.

Revision ID: harmless
Revises: shop
"""

from alembic import op

revision = "harmless"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")


def downgrade() -> None:
    pass
