"""the events of 2024, with a check

Revision ID: with_check_before
Revises: shop
"""

import sqlalchemy as sa
from alembic import op

revision = "with_check_before"
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
    op.create_check_constraint(
        "events_2024_check", "events_2024", "happened_on >= '2024-01-01' AND happened_on < '2025-01-01'"
    )


def downgrade() -> None:
    op.drop_table("events_2024")
