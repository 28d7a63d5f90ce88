"""NOT NULL, added again with a default

Revision ID: not_null
Revises: shop
"""

import sqlalchemy as sa
from alembic import op

revision = "not_null"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_column("products", "stock")


def downgrade() -> None:
    op.add_column("products", sa.Column("stock", sa.Integer(), server_default="0", nullable=False))
