"""drop the extension pg_trgm

Search moved to another service.

Revision ID: unsafe
Revises: before
"""

from alembic import op

revision = "unsafe"
down_revision = "before"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("DROP EXTENSION pg_trgm")
    op.create_table_comment("products", "searched elsewhere")


def downgrade() -> None:
    op.drop_table_comment("products")
