"""street and town

Revision ID: old_kept_before
Revises: shop
"""

import sqlalchemy as sa
from alembic import op

revision = "old_kept_before"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("customers", sa.Column("street", sa.Text()))
    op.add_column("customers", sa.Column("town", sa.Text()))


def downgrade() -> None:
    op.drop_column("customers", "town")
    op.drop_column("customers", "street")
