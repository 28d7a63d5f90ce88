"""drop reviews

They moved to another service.

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
    op.drop_table("reviews")


def downgrade() -> None:
    op.create_table(
        "reviews",
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("rating", sa.SmallInteger()),
        sa.Column("author", sa.Text()),
        sa.Column("body", sa.Text()),
        sa.Column("words", sa.Integer()),
    )
