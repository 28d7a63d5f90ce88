"""a column added earlier, filled, not undone

Revision ID: backfill
Revises: backfill_before
"""

from alembic import op

revision = "backfill"
down_revision = "backfill_before"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("UPDATE customers SET display_name = coalesce(nickname, full_name, email) WHERE display_name IS NULL")


def downgrade() -> None:
    pass
