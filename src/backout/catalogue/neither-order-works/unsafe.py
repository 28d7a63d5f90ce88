"""count stock per warehouse

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
    op.add_column("products", sa.Column("stock_in_hamburg", sa.Integer()))
    op.execute("UPDATE products SET stock_in_hamburg = stock")
    op.drop_column("products", "stock")


def downgrade() -> None:
    op.add_column("products", sa.Column("stock", sa.Integer(), server_default="0", nullable=False))
    op.execute("UPDATE products SET stock = coalesce(stock_in_hamburg, 0)")
    op.drop_column("products", "stock_in_hamburg")
