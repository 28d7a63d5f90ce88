"""nullable, without a default

Revision ID: nullable
Revises: shop
"""

import sqlalchemy as sa
from alembic import op

revision = "nullable"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("customers", sa.Column("loyalty_tier", sa.Text()))


def downgrade() -> None:
    op.drop_column("customers", "loyalty_tier")
