"""call paused customers resting

Revision ID: unsafe
Revises: shop
"""

from alembic import op

revision = "unsafe"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TYPE customer_status RENAME VALUE 'paused' TO 'resting'")


def downgrade() -> None:
    op.execute("ALTER TYPE customer_status RENAME VALUE 'resting' TO 'paused'")
