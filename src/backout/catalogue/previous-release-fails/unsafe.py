"""let nobody change reviews

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
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'reviews are closed';
        END
        $$
        """
    )
    op.execute("CREATE TRIGGER reviews_closed BEFORE INSERT ON reviews FOR EACH STATEMENT EXECUTE FUNCTION refuse()")


def downgrade() -> None:
    op.execute("DROP TRIGGER reviews_closed ON reviews")
    op.execute("DROP FUNCTION refuse()")
