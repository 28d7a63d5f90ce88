"""NOT NULL, without a default

Works on an empty table only.

Revision ID: not_null_without_default
Revises: shop
"""

import sqlalchemy as sa
from alembic import op

revision = "not_null_without_default"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("customers", sa.Column("tax_id", sa.Text(), nullable=False))


def downgrade() -> None:
    op.drop_column("customers", "tax_id")
