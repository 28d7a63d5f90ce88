"""timestamptz to timestamp

Both casts go by the zone of the session.

Revision ID: timestamptz_to_timestamp
Revises: shop
"""

import sqlalchemy as sa
from alembic import op

revision = "timestamptz_to_timestamp"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("orders", "placed_at", type_=sa.DateTime())


def downgrade() -> None:
    op.alter_column("orders", "placed_at", type_=sa.DateTime(timezone=True))
