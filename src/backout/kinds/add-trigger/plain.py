"""before each write

Revision ID: plain
Revises: shop
"""

from alembic import op

revision = "plain"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE FUNCTION trim_method() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            NEW.method := btrim(NEW.method);
            RETURN NEW;
        END
        $$
        """
    )
    op.execute(
        "CREATE TRIGGER payments_trim_method BEFORE INSERT OR UPDATE OF method ON payments "
        "FOR EACH ROW EXECUTE FUNCTION trim_method()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER payments_trim_method ON payments")
    op.execute("DROP FUNCTION trim_method()")
