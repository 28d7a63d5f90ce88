"""less, not given back

Revision ID: revoke_not_restored
Revises: shop
"""

from alembic import op

revision = "revoke_not_restored"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("REVOKE SELECT ON products FROM PUBLIC")


def downgrade() -> None:
    pass
