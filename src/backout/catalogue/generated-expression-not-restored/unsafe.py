"""let line totals be set by hand

Discounts.

Revision ID: unsafe
Revises: before
"""

import sqlalchemy as sa
from alembic import op

revision = "unsafe"
down_revision = "before"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE order_items ALTER COLUMN line_total DROP EXPRESSION")
    op.alter_column("order_items", "line_total", existing_type=sa.Numeric(12, 2), comment="after all discounts")


def downgrade() -> None:
    op.alter_column("order_items", "line_total", existing_type=sa.Numeric(12, 2), comment=None)
