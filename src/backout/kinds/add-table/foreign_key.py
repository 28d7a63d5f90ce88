"""with a foreign key

Revision ID: foreign_key
Revises: shop
"""

import sqlalchemy as sa
from alembic import op

revision = "foreign_key"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "addresses",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("customer_id", sa.BigInteger(), sa.ForeignKey("customers.id"), nullable=False),
        sa.Column("street", sa.Text(), nullable=False),
        sa.Column("town", sa.Text()),
    )
    op.create_index("addresses_customer_id_idx", "addresses", ["customer_id"])


def downgrade() -> None:
    op.drop_table("addresses")
