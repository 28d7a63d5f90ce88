"""NOT NULL, in steps: nullable first

Rows that come from now on have it.

Revision ID: not_null_in_steps_1
Revises: shop
"""

import sqlalchemy as sa
from alembic import op

revision = "not_null_in_steps_1"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("customers", sa.Column("language", sa.Text()))
    op.alter_column("customers", "language", server_default="de")


def downgrade() -> None:
    op.drop_column("customers", "language")
