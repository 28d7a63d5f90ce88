"""store reviews.author as bytes

Revision ID: unsafe
Revises: shop
"""

from alembic import op

revision = "unsafe"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        ALTER TABLE reviews ALTER COLUMN author TYPE bytea
        USING convert_to(regexp_replace(author, '[^[:ascii:]]', '?', 'g'), 'SQL_ASCII')
        """
    )


def downgrade() -> None:
    op.execute("ALTER TABLE reviews ALTER COLUMN author TYPE text USING convert_from(author, 'SQL_ASCII')")
