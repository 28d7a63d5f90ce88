"""store orders.placed_at without a time zone

The shop sells in one country only.

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
    op.alter_column("orders", "placed_at", type_=sa.DateTime(), existing_type=sa.DateTime(timezone=True))


def downgrade() -> None:
    op.alter_column("orders", "placed_at", type_=sa.DateTime(timezone=True), existing_type=sa.DateTime())
