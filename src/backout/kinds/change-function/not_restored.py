"""not put back

Revision ID: not_restored
Revises: shop
"""

from alembic import op

revision = "not_restored"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE OR REPLACE FUNCTION count_words() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            NEW.words := cardinality(regexp_split_to_array(btrim(NEW.body), '\\s+'));
            RETURN NEW;
        END
        $$
        """
    )


def downgrade() -> None:
    pass
