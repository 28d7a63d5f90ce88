"""not made again

Revision ID: not_restored
Revises: shop
"""

from alembic import op

revision = "not_restored"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_constraint("products_price_check", "products")


def downgrade() -> None:
    pass
