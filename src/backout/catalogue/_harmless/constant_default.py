"""add orders.gift

A constant default is kept with the table's definition: no row is written.

Revision ID: harmless
Revises: shop
"""

import sqlalchemy as sa
from alembic import op

revision = "harmless"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("orders", sa.Column("gift", sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade() -> None:
    op.drop_column("orders", "gift")
