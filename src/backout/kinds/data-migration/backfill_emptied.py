"""a column added earlier, filled, and emptied by the downgrade

Revision ID: backfill_emptied
Revises: backfill_emptied_before
"""

from alembic import op

revision = "backfill_emptied"
down_revision = "backfill_emptied_before"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("UPDATE customers SET display_name = coalesce(nickname, full_name, email) WHERE display_name IS NULL")


def downgrade() -> None:
    op.execute("UPDATE customers SET display_name = NULL")
