"""put back by the downgrade

Revision ID: back
Revises: shop
"""

from alembic import op

revision = "back"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER SEQUENCE order_numbers RESTART WITH 100000")


def downgrade() -> None:
    op.execute("ALTER SEQUENCE order_numbers RESTART WITH 1000")
