"""fill people.greeting

Takes as long as ``ALTER DATABASE … SET sample.sleep`` says, in the middle of its work, in both directions.

Data loss:
    people.greeting: every value.
Rollback plan:
    Drops the column.
"""

from alembic import op

revision = "d4"
down_revision = "c3"
branch_labels = None
depends_on = None

# backout: accept backfill-under-lock: there are a dozen people

SLEEP = "SELECT pg_sleep(coalesce(current_setting('sample.sleep', true), '0')::float)"


def upgrade() -> None:
    op.execute("ALTER TABLE people ADD COLUMN greeting text")
    op.execute(SLEEP)
    op.execute("UPDATE people SET greeting = 'Dear ' || name")


def downgrade() -> None:
    op.execute("UPDATE people SET greeting = NULL")
    op.execute(SLEEP)
    op.execute("ALTER TABLE people DROP COLUMN greeting")
