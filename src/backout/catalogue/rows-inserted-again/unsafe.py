"""sell gift cards

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
    products = sa.table(
        "products", sa.column("sku", sa.Text()), sa.column("name", sa.Text()), sa.column("price", sa.Numeric())
    )
    op.bulk_insert(
        products,
        [
            {"sku": "GIFT-25", "name": "Gift card, 25 euros", "price": 25},
            {"sku": "GIFT-50", "name": "Gift card, 50 euros", "price": 50},
        ],
    )


def downgrade() -> None:
    pass
