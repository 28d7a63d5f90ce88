"""fill orders.currency

Revision ID: unsafe
Revises: before
"""

from alembic import op

revision = "unsafe"
down_revision = "before"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("UPDATE orders SET currency = 'EUR' WHERE currency IS NULL")


def downgrade() -> None:
    pass
