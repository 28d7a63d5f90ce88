"""add customers.vat_number

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
    op.add_column("customers", sa.Column("vat_number", sa.Text()))
    op.create_table("vat_checks", sa.Column("customer_id", sa.BigInteger(), primary_key=True))


def downgrade() -> None:
    op.drop_column("customers", "vat_number")
