"""the same columns

Revision ID: replaced
Revises: shop
"""

from alembic import op

revision = "replaced"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "CREATE OR REPLACE VIEW active_customers AS "
        "SELECT id, email, full_name FROM customers WHERE status IN ('active', 'paused')"
    )


def downgrade() -> None:
    op.execute(
        "CREATE OR REPLACE VIEW active_customers AS SELECT id, email, full_name FROM customers WHERE status = 'active'"
    )
