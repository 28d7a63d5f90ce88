"""double precision to real

Revision ID: double_to_real
Revises: shop
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "double_to_real"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("products", "weight", type_=sa.REAL())


def downgrade() -> None:
    op.alter_column("products", "weight", type_=postgresql.DOUBLE_PRECISION())
