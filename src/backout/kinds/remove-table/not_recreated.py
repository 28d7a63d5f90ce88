"""not created again

Revision ID: not_recreated
Revises: shop
"""

from alembic import op

revision = "not_recreated"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_table("reviews")


def downgrade() -> None:
    pass
