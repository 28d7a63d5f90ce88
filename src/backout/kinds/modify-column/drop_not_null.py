"""NOT NULL, dropped

Revision ID: drop_not_null
Revises: shop
"""

from alembic import op

revision = "drop_not_null"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("products", "name", nullable=True)


def downgrade() -> None:
    op.alter_column("products", "name", nullable=False)
