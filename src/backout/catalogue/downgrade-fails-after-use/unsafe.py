"""create wishlists

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
        "wishlists", sa.Column("customer_id", sa.BigInteger(), primary_key=True), sa.Column("wish", sa.Text())
    )


def downgrade() -> None:
    if op.get_bind().execute(sa.text("SELECT count(*) FROM wishlists")).scalar():
        raise RuntimeError("somebody has wishes: copy them first")
    op.drop_table("wishlists")
