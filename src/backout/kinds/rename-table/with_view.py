"""with a view under the old name

Revision ID: with_view
Revises: shop
"""

from alembic import op

revision = "with_view"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.rename_table("reviews", "ratings")
    op.execute("CREATE VIEW reviews AS SELECT * FROM ratings")


def downgrade() -> None:
    op.execute("DROP VIEW reviews")
    op.rename_table("ratings", "reviews")
