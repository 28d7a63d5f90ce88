"""concurrently

Revision ID: concurrently
Revises: shop
"""

from alembic import op

revision = "concurrently"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.create_index("orders_placed_at_idx", "orders", ["placed_at"], postgresql_concurrently=True)


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index("orders_placed_at_idx", "orders", postgresql_concurrently=True)
