"""more

Revision ID: grant
Revises: shop
"""

from alembic import op

revision = "grant"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("GRANT SELECT ON orders TO PUBLIC")


def downgrade() -> None:
    op.execute("REVOKE SELECT ON orders FROM PUBLIC")
