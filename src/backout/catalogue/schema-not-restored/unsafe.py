"""let order numbers be multiples of ten

Revision ID: unsafe
Revises: shop
"""

from alembic import op

revision = "unsafe"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER SEQUENCE order_numbers INCREMENT BY 10")
    op.execute("COMMENT ON SEQUENCE order_numbers IS 'multiples of ten'")


def downgrade() -> None:
    op.execute("COMMENT ON SEQUENCE order_numbers IS NULL")
