"""with an index and a foreign key, added again bare

Revision ID: indexed
Revises: shop
"""

import sqlalchemy as sa
from alembic import op

revision = "indexed"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_column("orders", "customer_id")


def downgrade() -> None:
    op.add_column("orders", sa.Column("customer_id", sa.BigInteger()))
