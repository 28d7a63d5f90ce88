"""show reviews of unlisted products

Revision ID: unsafe
Revises: before
"""

from alembic import op

revision = "unsafe"
down_revision = "before"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("DROP POLICY listed ON reviews")
    op.create_table_comment("reviews", "visible to everybody")


def downgrade() -> None:
    op.drop_table_comment("reviews")
