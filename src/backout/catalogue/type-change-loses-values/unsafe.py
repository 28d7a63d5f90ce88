"""rate reviews by thumbs up and down

Revision ID: unsafe
Revises: shop
"""

from alembic import op

revision = "unsafe"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE reviews ALTER COLUMN rating TYPE boolean USING rating >= 3")


def downgrade() -> None:
    op.execute("ALTER TABLE reviews ALTER COLUMN rating TYPE smallint USING CASE WHEN rating THEN 5 ELSE 1 END")
