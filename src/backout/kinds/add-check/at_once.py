"""validated at once

Revision ID: at_once
Revises: shop
"""

from alembic import op

revision = "at_once"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_check_constraint("payments_amount_check", "payments", "amount > 0")


def downgrade() -> None:
    op.drop_constraint("payments_amount_check", "payments")
