"""say when orders were counted

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
    op.execute("LOCK TABLE orders IN SHARE ROW EXCLUSIVE MODE")
    op.create_table("order_counts", sa.Column("counted", sa.BigInteger()), sa.Column("counted_on", sa.Date()))
    op.execute("INSERT INTO order_counts (counted, counted_on) SELECT count(*), '2026-01-01' FROM orders")


def downgrade() -> None:
    op.drop_table("order_counts")
