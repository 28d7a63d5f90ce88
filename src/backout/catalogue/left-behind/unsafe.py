"""add a discount and its reason

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
    op.add_column("orders", sa.Column("discount", sa.Numeric(12, 2)))
    op.add_column("orders", sa.Column("discount_reason", sa.Text()))


def downgrade() -> None:
    op.drop_column("orders", "discount_reason")
