"""the old columns stay

Revision ID: old_kept
Revises: old_kept_before
"""

import sqlalchemy as sa
from alembic import op

revision = "old_kept"
down_revision = "old_kept_before"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("customers", sa.Column("address", sa.Text()))
    op.execute("UPDATE customers SET address = concat_ws(', ', street, town)")


def downgrade() -> None:
    op.drop_column("customers", "address")
