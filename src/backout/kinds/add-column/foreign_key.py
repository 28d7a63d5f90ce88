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
    op.add_column("customers", sa.Column("favourite_product_id", sa.BigInteger()))
    op.create_foreign_key(
        "customers_favourite_product_id_fkey", "customers", "products", ["favourite_product_id"], ["id"]
    )


def downgrade() -> None:
    op.drop_column("customers", "favourite_product_id")
