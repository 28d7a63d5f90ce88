"""its values kept in a table of their own

Revision ID: kept
Revises: shop
"""

import sqlalchemy as sa
from alembic import op

revision = "kept"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE TABLE kept_nicknames AS SELECT id, nickname FROM customers WHERE nickname IS NOT NULL")
    op.drop_column("customers", "nickname")


def downgrade() -> None:
    op.add_column("customers", sa.Column("nickname", sa.Text(), comment="what the newsletter calls them"))
    op.execute("UPDATE customers SET nickname = kept.nickname FROM kept_nicknames AS kept WHERE kept.id = customers.id")
    op.drop_table("kept_nicknames")
