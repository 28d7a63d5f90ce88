"""create suppliers

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
    op.create_table(
        "suppliers",
        sa.Column("id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("name", sa.Text()),
    )


def downgrade() -> None:
    op.drop_table("suppliers")
