"""rows added, and deleted by the downgrade

Revision ID: rows_added
Revises: shop
"""

from alembic import op

revision = "rows_added"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "INSERT INTO products (sku, name, price) VALUES ('GIFT-CARD', 'Gift card', 25) ON CONFLICT (sku) DO NOTHING"
    )


def downgrade() -> None:
    op.execute("DELETE FROM products WHERE sku = 'GIFT-CARD'")
