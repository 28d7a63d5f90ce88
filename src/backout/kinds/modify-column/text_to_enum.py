"""text to enum

Revision ID: text_to_enum
Revises: shop
"""

from alembic import op

revision = "text_to_enum"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE TYPE order_status AS ENUM ('new', 'paid', 'sent', 'returned')")
    op.drop_constraint("orders_status_check", "orders")
    op.alter_column("orders", "status", server_default=None)
    op.execute("ALTER TABLE orders ALTER COLUMN status TYPE order_status USING status::order_status")
    op.alter_column("orders", "status", server_default="new")


def downgrade() -> None:
    op.alter_column("orders", "status", server_default=None)
    op.execute("ALTER TABLE orders ALTER COLUMN status TYPE text")
    op.alter_column("orders", "status", server_default="new")
    op.create_check_constraint("orders_status_check", "orders", "status IN ('new', 'paid', 'sent', 'returned')")
    op.execute("DROP TYPE order_status")
