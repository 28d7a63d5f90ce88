"""drop the extension hstore

Revision ID: unsafe
Revises: before
"""

from alembic import op

revision = "unsafe"
down_revision = "before"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("DROP EXTENSION hstore CASCADE")


def downgrade() -> None:
    op.execute("CREATE EXTENSION hstore")
    op.execute("ALTER TABLE products ADD COLUMN attributes hstore")
