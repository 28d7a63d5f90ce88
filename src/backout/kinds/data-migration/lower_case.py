"""values overwritten

Revision ID: lower_case
Revises: shop
"""

from alembic import op

revision = "lower_case"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("UPDATE payments SET method = lower(method) WHERE method <> lower(method)")


def downgrade() -> None:
    pass
