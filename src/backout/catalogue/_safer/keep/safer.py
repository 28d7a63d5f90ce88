"""drop customers.nickname, and keep its values

The values move into a table of their own, from which the downgrade brings them back. A later revision drops
that table, when nobody will roll back any more.

Revision ID: safer
Revises: shop
"""

import sqlalchemy as sa
from alembic import op

revision = "safer"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE customers_nickname_before AS
        SELECT id AS customer_id, nickname FROM customers WHERE nickname IS NOT NULL
        """
    )
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.drop_column("customers", "nickname")


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.add_column("customers", sa.Column("nickname", sa.Text(), comment="what the newsletter calls them"))
    op.execute(
        """
        UPDATE customers SET nickname = kept.nickname
        FROM customers_nickname_before AS kept WHERE kept.customer_id = customers.id
        """
    )
    op.drop_table("customers_nickname_before")
