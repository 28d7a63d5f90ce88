"""sort product numbers bytewise

Revision ID: unsafe
Revises: shop
"""

from alembic import op

revision = "unsafe"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute('ALTER TABLE products ALTER COLUMN sku TYPE text COLLATE "C"')


def downgrade() -> None:
    op.execute('ALTER TABLE products ALTER COLUMN sku TYPE text COLLATE "default"')
