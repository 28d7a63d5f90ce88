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
    op.create_unique_constraint("payments_reference_key", "payments", ["reference"])


def downgrade() -> None:
    op.drop_constraint("payments_reference_key", "payments")
