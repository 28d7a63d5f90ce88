"""not created again

Revision ID: not_recreated
Revises: not_recreated_before
"""

from alembic import op

revision = "not_recreated"
down_revision = "not_recreated_before"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("DROP FUNCTION gross(numeric)")


def downgrade() -> None:
    pass
