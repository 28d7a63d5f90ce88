"""add orders.currency

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
    op.add_column("orders", sa.Column("currency", sa.Text()))
    op.execute("UPDATE orders SET currency = 'EUR'")


def downgrade() -> None:
    op.drop_column("orders", "currency")
