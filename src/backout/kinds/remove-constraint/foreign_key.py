"""a foreign key

Revision ID: foreign_key
Revises: shop
"""

from alembic import op

revision = "foreign_key"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_constraint("payments_order_id_fkey", "payments")


def downgrade() -> None:
    op.create_foreign_key("payments_order_id_fkey", "payments", "orders", ["order_id"], ["id"])
