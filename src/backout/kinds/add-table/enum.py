"""with an enum type of its own

Revision ID: enum
Revises: shop
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "enum"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "shipments",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("carrier", postgresql.ENUM("post", "courier", name="carrier"), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("shipments")
    op.execute("DROP TYPE carrier")
