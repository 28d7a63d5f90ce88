"""make all json jsonb

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
        DO $$
        DECLARE
            name text;
        BEGIN
            FOR name IN SELECT column_name FROM information_schema.columns
                        WHERE table_name = 'customers' AND data_type = 'json' LOOP
                EXECUTE format('ALTER TABLE customers ALTER COLUMN %I TYPE jsonb USING %I::jsonb', name, name);
            END LOOP;
        END
        $$
        """
    )


def downgrade() -> None:
    op.execute("ALTER TABLE customers ALTER COLUMN settings TYPE json USING settings::json")
