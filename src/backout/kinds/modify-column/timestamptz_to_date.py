"""timestamptz to date

Revision ID: timestamptz_to_date
Revises: shop
"""

import sqlalchemy as sa
from alembic import op

revision = "timestamptz_to_date"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("products", "listed_at", type_=sa.Date())


def downgrade() -> None:
    op.alter_column("products", "listed_at", type_=sa.DateTime(timezone=True))
