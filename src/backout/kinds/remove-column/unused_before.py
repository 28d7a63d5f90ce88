"""a column that a check keeps empty

Nobody may write into it any more.

Revision ID: unused_before
Revises: shop
"""

import sqlalchemy as sa
from alembic import op

revision = "unused_before"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("customers", sa.Column("fax", sa.Text()))
    op.create_check_constraint("customers_fax_unused", "customers", "fax IS NULL")


def downgrade() -> None:
    op.drop_column("customers", "fax")
