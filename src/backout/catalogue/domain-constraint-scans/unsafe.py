"""let ratings have one to five stars

Revision ID: unsafe
Revises: before
"""

from alembic import op

revision = "unsafe"
down_revision = "before"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER DOMAIN stars ADD CONSTRAINT stars_range CHECK (VALUE BETWEEN 1 AND 5)")


def downgrade() -> None:
    op.execute("ALTER DOMAIN stars DROP CONSTRAINT stars_range")
