"""add order_items.line_total

Revision ID: before
Revises: shop
"""

import sqlalchemy as sa
from alembic import op

revision = "before"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "order_items", sa.Column("line_total", sa.Numeric(12, 2), sa.Computed("quantity * unit_price", persisted=True))
    )


def downgrade() -> None:
    op.drop_column("order_items", "line_total")
