"""index orders by customer and time

Replaces the index by customer alone.

Revision ID: unsafe
Revises: shop
"""

from alembic import op

revision = "unsafe"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.create_index(
            "orders_customer_id_placed_at_idx", "orders", ["customer_id", "placed_at"], postgresql_concurrently=True
        )
        op.drop_index("orders_customer_id_idx", table_name="orders", postgresql_concurrently=True)


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index("orders_customer_id_placed_at_idx", table_name="orders", postgresql_concurrently=True)
