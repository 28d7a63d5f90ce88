"""an ordinary one

Revision ID: plain
Revises: shop
"""

from alembic import op

revision = "plain"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE VIEW open_payments AS SELECT id, order_id, amount FROM payments WHERE state = 'open'")


def downgrade() -> None:
    op.execute("DROP VIEW open_payments")
