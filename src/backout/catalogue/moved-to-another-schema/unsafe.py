"""move reviews to the schema community

Revision ID: unsafe
Revises: shop
"""

from alembic import op

revision = "unsafe"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE SCHEMA community")
    op.execute("ALTER TABLE reviews SET SCHEMA community")


def downgrade() -> None:
    op.execute("ALTER TABLE community.reviews SET SCHEMA public")
    op.execute("DROP SCHEMA community")
