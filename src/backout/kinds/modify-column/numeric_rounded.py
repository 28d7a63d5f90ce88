"""numeric, with fewer digits behind the point

Revision ID: numeric_rounded
Revises: shop
"""

import sqlalchemy as sa
from alembic import op

revision = "numeric_rounded"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("customers", "credit", type_=sa.Numeric(12, 2))


def downgrade() -> None:
    op.alter_column("customers", "credit", type_=sa.Numeric(12, 4))
