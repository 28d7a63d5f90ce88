"""in steps: NOT VALID

New rows must fulfil it; the others are not looked at.

Revision ID: in_steps_1
Revises: shop
"""

from alembic import op

revision = "in_steps_1"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE payments ADD CONSTRAINT payments_amount_check CHECK (amount > 0) NOT VALID")


def downgrade() -> None:
    op.drop_constraint("payments_amount_check", "payments")
