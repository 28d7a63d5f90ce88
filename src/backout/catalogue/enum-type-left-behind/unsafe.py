"""create shipments

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
    op.create_table(
        "shipments",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("carrier", sa.Text(), nullable=False),
        sa.Column("state", sa.Enum("packed", "sent", "delivered", name="shipment_state"), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("shipments")
