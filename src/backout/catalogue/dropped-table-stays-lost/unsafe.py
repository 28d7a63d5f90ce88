"""replace reviews by ratings

Nobody writes reviews any more; stars are enough.

Revision ID: unsafe
Revises: shop
"""

import sqlalchemy as sa
from alembic import op

revision = "unsafe"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ratings",
        sa.Column("product_id", sa.BigInteger(), autoincrement=False, primary_key=True),
        sa.Column("stars", sa.Numeric(2, 1)),
    )
    op.drop_table("reviews")


def downgrade() -> None:
    op.drop_table("ratings")
