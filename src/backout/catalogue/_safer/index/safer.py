"""index orders by time

Concurrently in both directions: that waits for others instead of making them wait.

Revision ID: safer
Revises: shop
"""

from alembic import op

revision = "safer"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.create_index("orders_placed_at_idx", "orders", ["placed_at"], postgresql_concurrently=True)


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index("orders_placed_at_idx", table_name="orders", postgresql_concurrently=True)
