"""one more column, dropped and created again

Revision ID: column_added
Revises: shop
"""

from alembic import op

revision = "column_added"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "CREATE OR REPLACE VIEW active_customers AS "
        "SELECT id, email, full_name, nickname FROM customers WHERE status = 'active'"
    )


def downgrade() -> None:
    op.execute("DROP VIEW active_customers")
    op.execute("CREATE VIEW active_customers AS SELECT id, email, full_name FROM customers WHERE status = 'active'")
