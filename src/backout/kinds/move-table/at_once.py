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
    op.execute("CREATE SCHEMA feedback")
    op.execute("ALTER TABLE reviews SET SCHEMA feedback")


def downgrade() -> None:
    op.execute("ALTER TABLE feedback.reviews SET SCHEMA public")
    op.execute("DROP SCHEMA feedback")
