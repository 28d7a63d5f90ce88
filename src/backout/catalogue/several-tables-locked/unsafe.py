"""note sales channels

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
    op.add_column("payments", sa.Column("channel", sa.Text()))


def downgrade() -> None:
    op.drop_column("payments", "channel")
    op.drop_column("orders", "channel")
