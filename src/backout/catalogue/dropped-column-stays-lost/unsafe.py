"""move the birthdays to the newsletter service

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
    op.drop_column("customers", "birthday")
    op.create_table("newsletter_outbox", sa.Column("customer_id", sa.BigInteger(), primary_key=True))


def downgrade() -> None:
    op.drop_table("newsletter_outbox")
