"""concurrently

Revision ID: concurrently
Revises: shop
"""

from alembic import op

revision = "concurrently"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("ALTER TABLE events DETACH PARTITION events_2025 CONCURRENTLY")


def downgrade() -> None:
    op.execute("ALTER TABLE events ATTACH PARTITION events_2025 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')")
