"""reindex orders

After the great deletion.

Revision ID: unsafe
Revises: shop
"""

from alembic import op

revision = "unsafe"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("REINDEX TABLE orders")


def downgrade() -> None:
    pass
