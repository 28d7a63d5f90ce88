"""create the materialized view sales

Revision ID: before
Revises: shop
"""

from alembic import op

revision = "before"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "CREATE MATERIALIZED VIEW sales AS SELECT customer_id, sum(total) AS total FROM orders GROUP BY customer_id"
    )


def downgrade() -> None:
    op.execute("DROP MATERIALIZED VIEW sales")
