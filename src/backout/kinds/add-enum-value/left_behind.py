"""left by the downgrade

Revision ID: left_behind
Revises: shop
"""

from alembic import op

revision = "left_behind"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("ALTER TYPE payment_state ADD VALUE 'charged_back'")


def downgrade() -> None:
    pass
