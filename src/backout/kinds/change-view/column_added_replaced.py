"""one more column, replaced by the downgrade as well

Revision ID: column_added_replaced
Revises: shop
"""

from alembic import op

revision = "column_added_replaced"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "CREATE OR REPLACE VIEW active_customers AS "
        "SELECT id, email, full_name, nickname FROM customers WHERE status = 'active'"
    )


def downgrade() -> None:
    op.execute(
        "CREATE OR REPLACE VIEW active_customers AS SELECT id, email, full_name FROM customers WHERE status = 'active'"
    )
