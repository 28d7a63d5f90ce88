"""at once

Revision ID: at_once
Revises: shop
"""

from alembic import op

revision = "at_once"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TYPE payment_state RENAME VALUE 'refused' TO 'declined'")


def downgrade() -> None:
    op.execute("ALTER TYPE payment_state RENAME VALUE 'declined' TO 'refused'")
