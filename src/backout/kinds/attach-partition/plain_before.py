"""the events of 2024

Revision ID: plain_before
Revises: shop
"""

import sqlalchemy as sa
from alembic import op

revision = "plain_before"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "events_2024",
        sa.Column("id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("happened_on", sa.Date(), primary_key=True),
        sa.Column("kind", sa.Text()),
    )


def downgrade() -> None:
    op.drop_table("events_2024")
