"""NOT NULL, with a default that differs for each row

Revision ID: not_null_volatile
Revises: shop
"""

import sqlalchemy as sa
from alembic import op

revision = "not_null_volatile"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "customers",
        sa.Column("public_id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
    )


def downgrade() -> None:
    op.drop_column("customers", "public_id")
