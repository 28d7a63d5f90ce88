"""keep reviews private

Revision ID: unsafe
Revises: shop
"""

from alembic import op

revision = "unsafe"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("REVOKE SELECT ON reviews FROM PUBLIC")
    op.create_table_comment("reviews", "private")


def downgrade() -> None:
    op.drop_table_comment("reviews")
