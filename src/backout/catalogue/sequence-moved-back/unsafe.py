"""number orders in tens

Revision ID: unsafe
Revises: shop
"""

from alembic import op

revision = "unsafe"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER SEQUENCE order_numbers INCREMENT BY 10 RESTART WITH 1000")


def downgrade() -> None:
    op.execute("ALTER SEQUENCE order_numbers INCREMENT BY 1")
