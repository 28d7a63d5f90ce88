"""show the country of customers

Revision ID: unsafe
Revises: shop
"""

from alembic import op

revision = "unsafe"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("DROP VIEW active_customers")
    op.execute(
        "CREATE VIEW customers_by_country AS SELECT country, count(*) AS customers FROM customers GROUP BY country"
    )


def downgrade() -> None:
    op.execute("DROP VIEW customers_by_country")
