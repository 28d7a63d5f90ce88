"""customers.display_name

Revision ID: backfill_emptied_before
Revises: shop
"""

import sqlalchemy as sa
from alembic import op

revision = "backfill_emptied_before"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("customers", sa.Column("display_name", sa.Text()))


def downgrade() -> None:
    op.drop_column("customers", "display_name")
