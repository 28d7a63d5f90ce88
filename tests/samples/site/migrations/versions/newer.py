"""names are required of new rows, as PostgreSQL 18 can say it"""

from alembic import op

revision = "newer"
down_revision = "both"


def upgrade() -> None:
    op.execute("ALTER TABLE customers ADD CONSTRAINT named NOT NULL name NOT VALID")


def downgrade() -> None:
    op.execute("ALTER TABLE customers DROP CONSTRAINT named")
