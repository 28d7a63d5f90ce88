"""another default

Revision ID: default_changed
Revises: shop
"""

from alembic import op

revision = "default_changed"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("customers", "country", server_default="AT")


def downgrade() -> None:
    op.alter_column("customers", "country", server_default="DE")
