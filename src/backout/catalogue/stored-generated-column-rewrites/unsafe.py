"""compute line totals

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
    op.add_column(
        "order_items", sa.Column("line_total", sa.Numeric(), sa.Computed("quantity * unit_price", persisted=True))
    )


def downgrade() -> None:
    op.drop_column("order_items", "line_total")
