"""created as a partition

Revision ID: plain
Revises: shop
"""

from alembic import op

revision = "plain"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE TABLE events_2027 PARTITION OF events FOR VALUES FROM ('2027-01-01') TO ('2028-01-01')")


def downgrade() -> None:
    op.drop_table("events_2027")
