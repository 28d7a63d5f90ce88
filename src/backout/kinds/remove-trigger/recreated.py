"""created again

Revision ID: recreated
Revises: shop
"""

from alembic import op

revision = "recreated"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("DROP TRIGGER reviews_words ON reviews")


def downgrade() -> None:
    op.execute(
        "CREATE TRIGGER reviews_words BEFORE INSERT OR UPDATE ON reviews FOR EACH ROW EXECUTE FUNCTION count_words()"
    )
