"""create coupons

Revision ID: before
Revises: shop
"""

import sqlalchemy as sa
from alembic import op

revision = "before"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table("coupons", sa.Column("code", sa.Text(), primary_key=True), sa.Column("percent", sa.Integer()))


def downgrade() -> None:
    op.drop_table("coupons")
