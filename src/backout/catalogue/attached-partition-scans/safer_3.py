"""attach the events of 2027

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
    op.execute("ALTER TABLE events ATTACH PARTITION events_2027 FOR VALUES FROM ('2027-01-01') TO ('2028-01-01')")


def downgrade() -> None:
    op.execute("ALTER TABLE events DETACH PARTITION events_2027")
