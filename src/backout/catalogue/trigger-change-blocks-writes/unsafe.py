"""count words after the fact

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
        "CREATE TRIGGER reviews_words_again BEFORE UPDATE ON reviews FOR EACH ROW EXECUTE FUNCTION count_words()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER reviews_words_again ON reviews")
