"""start with one in stock

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
    op.alter_column("products", "stock", existing_type=sa.Integer(), server_default="1")


def downgrade() -> None:
    op.alter_column("products", "stock", existing_type=sa.Integer(), server_default="0")
