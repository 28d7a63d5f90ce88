"""say that events_2024 holds the events of 2024

Revision ID: safer_1
Revises: before
"""

from alembic import op

revision = "safer_1"
down_revision = "before"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        ALTER TABLE events_2024 ADD CONSTRAINT events_2024_bounds
        CHECK (happened_on >= '2024-01-01' AND happened_on < '2025-01-01') NOT VALID
        """
    )


def downgrade() -> None:
    op.drop_constraint("events_2024_bounds", "events_2024")
