"""attach the events of 2024

The CHECK proves the bounds, so that no row is read.

Revision ID: safer_3
Revises: safer_2
"""

from alembic import op

revision = "safer_3"
down_revision = "safer_2"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE events ATTACH PARTITION events_2024 FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')")


def downgrade() -> None:
    op.execute("ALTER TABLE events DETACH PARTITION events_2024")
