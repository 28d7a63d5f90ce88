"""number orders from one, in tens

Revision ID: unsafe
Revises: shop
"""

from alembic import op

revision = "unsafe"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER SEQUENCE order_numbers INCREMENT BY 10 RESTART WITH 10")


def downgrade() -> None:
    op.execute("ALTER SEQUENCE order_numbers INCREMENT BY 1")
