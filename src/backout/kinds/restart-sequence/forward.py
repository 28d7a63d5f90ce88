"""at a higher number

Revision ID: forward
Revises: shop
"""

from alembic import op

revision = "forward"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER SEQUENCE order_numbers RESTART WITH 100000")


def downgrade() -> None:
    pass
