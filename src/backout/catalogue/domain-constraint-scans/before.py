"""create the domain rating

Revision ID: before
Revises: shop
"""

from alembic import op

revision = "before"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE DOMAIN stars AS smallint")
    op.execute("ALTER TABLE reviews ALTER COLUMN rating TYPE stars")


def downgrade() -> None:
    op.execute("ALTER TABLE reviews ALTER COLUMN rating TYPE smallint")
    op.execute("DROP DOMAIN stars")
