"""a partition"""

from alembic import op

revision = "partition"
down_revision = "label"


def upgrade() -> None:
    op.execute("CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')")


def downgrade() -> None:
    op.execute("DROP TABLE events_2026")
