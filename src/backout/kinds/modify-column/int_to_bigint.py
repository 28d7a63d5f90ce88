"""int to bigint

Revision ID: int_to_bigint
Revises: shop
"""

import sqlalchemy as sa
from alembic import op

revision = "int_to_bigint"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("products", "stock", type_=sa.BigInteger())


def downgrade() -> None:
    op.alter_column("products", "stock", type_=sa.Integer())
