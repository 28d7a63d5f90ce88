"""attach the events of 2024

Revision ID: unsafe
Revises: before
"""

from alembic import op

revision = "unsafe"
down_revision = "before"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE events ATTACH PARTITION events_2024 FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')")


def downgrade() -> None:
    op.execute("ALTER TABLE events DETACH PARTITION events_2024")
