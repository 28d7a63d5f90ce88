"""at once

Revision ID: at_once
Revises: shop
"""

from alembic import op

revision = "at_once"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("products", "listed_at", new_column_name="published_at")


def downgrade() -> None:
    op.alter_column("products", "published_at", new_column_name="listed_at")
