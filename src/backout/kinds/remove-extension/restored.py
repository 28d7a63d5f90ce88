"""made again

Revision ID: restored
Revises: restored_before
"""

from alembic import op

revision = "restored"
down_revision = "restored_before"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("DROP EXTENSION citext")


def downgrade() -> None:
    op.execute("CREATE EXTENSION citext")
