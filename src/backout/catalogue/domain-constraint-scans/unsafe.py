"""let ratings not be negative

Revision ID: unsafe
Revises: before
"""

from alembic import op

revision = "unsafe"
down_revision = "before"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER DOMAIN stars ADD CONSTRAINT stars_check CHECK (VALUE >= 0)")


def downgrade() -> None:
    op.execute("ALTER DOMAIN stars DROP CONSTRAINT stars_check")
