"""create people

Rollback plan:
    Drops the table, with everybody in it.
"""

from alembic import op

revision = "a1"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "CREATE TABLE people (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, email text)"
    )


def downgrade() -> None:
    op.execute("DROP TABLE people")
