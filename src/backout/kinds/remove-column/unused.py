"""empty, and kept empty by a check

Revision ID: unused
Revises: unused_before
"""

import sqlalchemy as sa
from alembic import op

revision = "unused"
down_revision = "unused_before"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_column("customers", "fax")


def downgrade() -> None:
    op.add_column("customers", sa.Column("fax", sa.Text()))
    op.create_check_constraint("customers_fax_unused", "customers", "fax IS NULL")
