"""timestamp to timestamptz, the zone named

Revision ID: timestamp_to_timestamptz
Revises: shop
"""

import sqlalchemy as sa
from alembic import op

revision = "timestamp_to_timestamptz"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column(
        "payments", "paid_at", type_=sa.DateTime(timezone=True), postgresql_using="paid_at AT TIME ZONE 'UTC'"
    )


def downgrade() -> None:
    op.alter_column("payments", "paid_at", type_=sa.DateTime(), postgresql_using="paid_at AT TIME ZONE 'UTC'")
