"""NOT NULL, added again as nullable

Revision ID: not_null_as_nullable
Revises: shop
"""

import sqlalchemy as sa
from alembic import op

revision = "not_null_as_nullable"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_column("products", "name")


def downgrade() -> None:
    op.add_column("products", sa.Column("name", sa.Text()))
