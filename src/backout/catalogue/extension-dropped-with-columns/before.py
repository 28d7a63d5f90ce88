"""store attributes of products

Revision ID: before
Revises: shop
"""

from alembic import op

revision = "before"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE EXTENSION hstore")
    op.execute("ALTER TABLE products ADD COLUMN attributes hstore")


def downgrade() -> None:
    op.drop_column("products", "attributes")
    op.execute("DROP EXTENSION hstore")
