"""number reviews

Revision ID: before
Revises: shop
"""

from alembic import op

revision = "before"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE SEQUENCE review_numbers")
    op.execute("ALTER TABLE reviews ADD COLUMN number bigint NOT NULL DEFAULT nextval('review_numbers') UNIQUE")


def downgrade() -> None:
    op.drop_column("reviews", "number")
    op.execute("DROP SEQUENCE review_numbers")
