"""let payments have no amount yet

The bank tells it a day later.

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
    op.alter_column("payments", "amount", existing_type=sa.Numeric(12, 2), nullable=True)


def downgrade() -> None:
    op.alter_column("payments", "amount", existing_type=sa.Numeric(12, 2), nullable=False)
