"""count words and dashes

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
        CREATE OR REPLACE FUNCTION count_words() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            NEW.words := cardinality(regexp_split_to_array(NEW.body, '[\\s-]+'));
            RETURN NEW;
        END
        $$
        """
    )
    op.execute("COMMENT ON FUNCTION count_words() IS 'dashes separate, too'")


def downgrade() -> None:
    op.execute("COMMENT ON FUNCTION count_words() IS NULL")
