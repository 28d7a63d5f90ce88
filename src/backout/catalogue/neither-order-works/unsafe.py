"""count stock per warehouse

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
    op.add_column("products", sa.Column("stock_by_warehouse", postgresql.JSONB()))
    op.execute("UPDATE products SET stock_by_warehouse = jsonb_build_object('main', greatest(stock, 0))")
    op.drop_column("products", "stock")


def downgrade() -> None:
    op.add_column("products", sa.Column("stock", sa.Integer(), server_default="0", nullable=False))
    op.execute("UPDATE products SET stock = (stock_by_warehouse ->> 'main')::integer WHERE stock_by_warehouse ? 'main'")
    op.drop_column("products", "stock_by_warehouse")
