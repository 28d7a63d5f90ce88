"""leave a gap in the order numbers

A sequence that moved forward gives no number out twice.

Revision ID: harmless
Revises: shop
"""

from alembic import op

revision = "harmless"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SELECT setval('order_numbers', nextval('order_numbers') + 1000)")


def downgrade() -> None:
    pass
