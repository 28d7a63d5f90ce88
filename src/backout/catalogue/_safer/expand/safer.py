"""add products.weight_in_grams

Beside products.weight, which stays as it is: the previous release reads and writes it, the next one writes
both. Rows from before are filled in batches by another revision, and products.weight is dropped when nobody
will roll back any more.

Revision ID: safer
Revises: shop
"""

import sqlalchemy as sa
from alembic import op

revision = "safer"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.add_column("products", sa.Column("weight_in_grams", sa.BigInteger(), comment="products.weight, as an integer"))


def downgrade() -> None:
    op.drop_column("products", "weight_in_grams")
