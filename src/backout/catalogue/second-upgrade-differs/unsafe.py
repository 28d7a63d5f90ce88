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
    if sa.inspect(op.get_bind()).has_table("wishlists_before"):
        op.rename_table("wishlists_before", "wishlists")
    else:
        op.create_table("wishlists", sa.Column("customer_id", sa.BigInteger(), primary_key=True))
        op.execute("CREATE INDEX wishlists_by_customer ON wishlists (customer_id)")


def downgrade() -> None:
    op.execute("DROP INDEX IF EXISTS wishlists_by_customer")
    op.rename_table("wishlists", "wishlists_before")
