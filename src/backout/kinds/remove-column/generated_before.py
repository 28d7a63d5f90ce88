"""a generated column

Revision ID: generated_before
Revises: shop
"""

import sqlalchemy as sa
from alembic import op

revision = "generated_before"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("products", sa.Column("gross", sa.Numeric(), sa.Computed("price * 1.19", persisted=True)))


def downgrade() -> None:
    op.drop_column("products", "gross")
