"""refresh sales

Revision ID: unsafe
Revises: before
"""

from alembic import op

revision = "unsafe"
down_revision = "before"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("REFRESH MATERIALIZED VIEW sales")


def downgrade() -> None:
    pass
