"""with a view in the old schema

Revision ID: with_view
Revises: shop
"""

from alembic import op

revision = "with_view"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE SCHEMA feedback")
    op.execute("ALTER TABLE reviews SET SCHEMA feedback")
    op.execute("CREATE VIEW public.reviews AS SELECT * FROM feedback.reviews")


def downgrade() -> None:
    op.execute("DROP VIEW public.reviews")
    op.execute("ALTER TABLE feedback.reviews SET SCHEMA public")
    op.execute("DROP SCHEMA feedback")
