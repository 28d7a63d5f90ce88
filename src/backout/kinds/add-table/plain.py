"""that refers to no other

Revision ID: plain
Revises: shop
"""

import sqlalchemy as sa
from alembic import op

revision = "plain"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "suppliers",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("website", sa.Text()),
    )


def downgrade() -> None:
    op.drop_table("suppliers")
