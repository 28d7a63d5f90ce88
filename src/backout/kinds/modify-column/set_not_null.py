"""NOT NULL, set

Revision ID: set_not_null
Revises: shop
"""

from alembic import op

revision = "set_not_null"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("orders", "placed_at", nullable=False)


def downgrade() -> None:
    op.alter_column("orders", "placed_at", nullable=True)
