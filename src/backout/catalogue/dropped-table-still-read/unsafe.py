"""drop coupons

Revision ID: unsafe
Revises: before
"""

import sqlalchemy as sa
from alembic import op

revision = "unsafe"
down_revision = "before"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_table("coupons")


def downgrade() -> None:
    op.create_table("coupons", sa.Column("code", sa.Text(), primary_key=True), sa.Column("percent", sa.Integer()))
