"""a check proves that all rows fit

Revision ID: with_check
Revises: with_check_before
"""

from alembic import op

revision = "with_check"
down_revision = "with_check_before"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE events ATTACH PARTITION events_2024 FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')")


def downgrade() -> None:
    op.execute("ALTER TABLE events DETACH PARTITION events_2024")
