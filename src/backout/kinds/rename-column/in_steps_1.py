"""in steps: both columns, kept equal

Each release uses the name that it knows.

Revision ID: in_steps_1
Revises: shop
"""

import sqlalchemy as sa
from alembic import op

revision = "in_steps_1"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("products", sa.Column("published_at", sa.DateTime(timezone=True)))
    op.execute(
        """
        CREATE FUNCTION sync_published_at() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'INSERT' THEN
                NEW.listed_at := coalesce(NEW.published_at, NEW.listed_at);
            ELSIF NEW.published_at IS DISTINCT FROM OLD.published_at THEN
                NEW.listed_at := NEW.published_at;
            END IF;
            NEW.published_at := NEW.listed_at;
            RETURN NEW;
        END
        $$
        """
    )
    op.execute(
        "CREATE TRIGGER products_sync_published_at BEFORE INSERT OR UPDATE OF listed_at, published_at ON products "
        "FOR EACH ROW EXECUTE FUNCTION sync_published_at()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER products_sync_published_at ON products")
    op.execute("DROP FUNCTION sync_published_at()")
    op.drop_column("products", "published_at")
