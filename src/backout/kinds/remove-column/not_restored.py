"""not added again

Revision ID: not_restored
Revises: shop
"""

from alembic import op

revision = "not_restored"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_column("products", "weight")


def downgrade() -> None:
    pass
