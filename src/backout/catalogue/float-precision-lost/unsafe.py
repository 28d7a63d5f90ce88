"""store weights in four bytes

Revision ID: unsafe
Revises: shop
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "unsafe"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("products", "weight", type_=sa.REAL(), existing_type=postgresql.DOUBLE_PRECISION())


def downgrade() -> None:
    op.alter_column("products", "weight", type_=postgresql.DOUBLE_PRECISION(), existing_type=sa.REAL())
