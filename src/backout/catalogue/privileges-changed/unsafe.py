"""keep products private

Revision ID: unsafe
Revises: shop
"""

from alembic import op

revision = "unsafe"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("REVOKE SELECT ON products FROM PUBLIC")


def downgrade() -> None:
    op.execute("GRANT SELECT ON products TO PUBLIC")
