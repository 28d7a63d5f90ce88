"""default, dropped

Revision ID: default_dropped
Revises: shop
"""

from alembic import op

revision = "default_dropped"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("customers", "credit", server_default=None)


def downgrade() -> None:
    op.alter_column("customers", "credit", server_default="0")
