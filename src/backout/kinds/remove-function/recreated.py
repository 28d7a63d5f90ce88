"""created again

Revision ID: recreated
Revises: recreated_before
"""

from alembic import op

revision = "recreated"
down_revision = "recreated_before"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("DROP FUNCTION gross(numeric)")


def downgrade() -> None:
    op.execute(
        "CREATE FUNCTION gross(net numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT round(net * 1.19, 2)'"
    )
