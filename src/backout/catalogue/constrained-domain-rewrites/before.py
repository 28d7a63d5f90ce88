"""create the domain percentage

Revision ID: before
Revises: shop
"""

from alembic import op

revision = "before"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE DOMAIN percentage AS numeric(5, 2) CHECK (VALUE BETWEEN 0 AND 100)")


def downgrade() -> None:
    op.execute("DROP DOMAIN percentage")
