"""replaced

Revision ID: replaced
Revises: shop
"""

from alembic import op

revision = "replaced"
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
    op.execute(
        """
        CREATE OR REPLACE FUNCTION count_words() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            NEW.words := cardinality(regexp_split_to_array(NEW.body, '\\s+'));
            RETURN NEW;
        END
        $$
        """
    )
