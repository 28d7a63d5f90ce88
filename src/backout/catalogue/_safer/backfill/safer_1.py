"""add orders.currency

Nullable and without default: that takes an instant.

Revision ID: safer_1
Revises: shop
"""

import sqlalchemy as sa
from alembic import op

revision = "safer_1"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.add_column("orders", sa.Column("currency", sa.Text()))


def downgrade() -> None:
    op.drop_column("orders", "currency")
