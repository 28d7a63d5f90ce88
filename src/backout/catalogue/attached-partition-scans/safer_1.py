"""say that events_2027 holds the events of 2027

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
        ALTER TABLE events_2027 ADD CONSTRAINT events_2027_bounds
        CHECK (happened_on >= '2027-01-01' AND happened_on < '2028-01-01') NOT VALID
        """
    )


def downgrade() -> None:
    op.drop_constraint("events_2027_bounds", "events_2027")
