"""make reviews faster

Revision ID: unsafe
Revises: shop
"""

from alembic import op

revision = "unsafe"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE reviews SET UNLOGGED")


def downgrade() -> None:
    op.execute("ALTER TABLE reviews SET LOGGED")
