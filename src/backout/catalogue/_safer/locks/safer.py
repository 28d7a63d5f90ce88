"""add orders.channel

One table, an instant, and a lock_timeout: better to fail and try again than to let everybody queue.

Revision ID: safer
Revises: shop
"""

import sqlalchemy as sa
from alembic import op

revision = "safer"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.add_column("orders", sa.Column("channel", sa.Text()))


def downgrade() -> None:
    op.drop_column("orders", "channel")
