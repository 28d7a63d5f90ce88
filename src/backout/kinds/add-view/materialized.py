"""a materialized one

Revision ID: materialized
Revises: shop
"""

from alembic import op

revision = "materialized"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "CREATE MATERIALIZED VIEW best_customers AS "
        "SELECT customer_id, sum(total) AS total FROM orders GROUP BY customer_id"
    )
    op.execute("CREATE UNIQUE INDEX best_customers_key ON best_customers (customer_id)")


def downgrade() -> None:
    op.execute("DROP MATERIALIZED VIEW best_customers")
