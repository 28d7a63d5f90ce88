"""add customers.loyalty_points

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
    op.add_column("customers", sa.Column("loyalty_points", sa.Integer()))


def downgrade() -> None:
    op.drop_column("customers", "loyalty_points")
