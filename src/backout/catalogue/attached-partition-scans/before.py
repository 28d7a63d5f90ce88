"""create events_2024

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
        "events_2024",
        sa.Column("id", sa.BigInteger(), autoincrement=False, primary_key=True),
        sa.Column("happened_on", sa.Date(), primary_key=True),
        sa.Column("kind", sa.Text()),
    )


def downgrade() -> None:
    op.drop_table("events_2024")
