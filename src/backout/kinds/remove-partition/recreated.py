"""created again empty

Revision ID: recreated
Revises: shop
"""

from alembic import op

revision = "recreated"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_table("events_2025")


def downgrade() -> None:
    op.execute("CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')")
