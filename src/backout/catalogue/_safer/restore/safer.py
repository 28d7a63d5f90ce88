"""start with one in stock, and show more of active customers

The downgrade undoes everything, last one first.

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
    op.alter_column(
        "products", "stock", existing_type=sa.Integer(), server_default="1", comment="in the main warehouse"
    )
    op.execute(
        """
        CREATE OR REPLACE VIEW active_customers AS
        SELECT id, email, full_name, country FROM customers WHERE status = 'active'
        """
    )
    op.execute("GRANT SELECT ON active_customers TO PUBLIC")


def downgrade() -> None:
    op.execute("DROP VIEW active_customers")
    op.execute("CREATE VIEW active_customers AS SELECT id, email, full_name FROM customers WHERE status = 'active'")
    op.alter_column("products", "stock", existing_type=sa.Integer(), server_default="0", comment=None)
