"""at once

Revision ID: at_once
Revises: at_once_before
"""

import sqlalchemy as sa
from alembic import op

revision = "at_once"
down_revision = "at_once_before"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("customers", sa.Column("address", sa.Text()))
    op.execute("UPDATE customers SET address = concat_ws(', ', street, town)")
    op.drop_column("customers", "town")
    op.drop_column("customers", "street")


def downgrade() -> None:
    op.add_column("customers", sa.Column("street", sa.Text()))
    op.add_column("customers", sa.Column("town", sa.Text()))
    op.execute("UPDATE customers SET street = split_part(address, ', ', 1), town = split_part(address, ', ', 2)")
    op.drop_column("customers", "address")
