"""an ordinary one

Revision ID: plain
Revises: shop
"""

from alembic import op

revision = "plain"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "CREATE FUNCTION gross(net numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT round(net * 1.19, 2)'"
    )


def downgrade() -> None:
    op.execute("DROP FUNCTION gross(numeric)")
