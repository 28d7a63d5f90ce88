"""add and index orders.channel

Revision ID: unsafe
Revises: shop
"""

import sqlalchemy as sa
from alembic import op

revision = "unsafe"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("orders", sa.Column("channel", sa.Text()))
    op.create_index("orders_channel_idx", "orders", ["channel"])


def downgrade() -> None:
    op.drop_index("orders_channel_idx", table_name="orders")
    op.drop_column("orders", "channel")
