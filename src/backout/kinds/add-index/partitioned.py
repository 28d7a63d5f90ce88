"""on a partitioned table

Revision ID: partitioned
Revises: shop
"""

from alembic import op

revision = "partitioned"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("events_kind_idx", "events", ["kind"])


def downgrade() -> None:
    op.drop_index("events_kind_idx", "events")
