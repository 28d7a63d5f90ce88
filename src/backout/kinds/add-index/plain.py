"""in the migration's transaction

Revision ID: plain
Revises: shop
"""

from alembic import op

revision = "plain"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("orders_placed_at_idx", "orders", ["placed_at"])


def downgrade() -> None:
    op.drop_index("orders_placed_at_idx", "orders")
