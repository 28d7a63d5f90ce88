"""forget reviews

Revision ID: unsafe
Revises: shop
"""

from alembic import op

revision = "unsafe"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("TRUNCATE reviews")


def downgrade() -> None:
    pass
