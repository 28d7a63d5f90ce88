"""make people.email unique, which leaves an invalid index where one stands twice

Rollback plan:
    Drops the index, without blocking.
"""

from alembic import op

revision = "f6"
down_revision = "e5"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("CREATE UNIQUE INDEX CONCURRENTLY uq_people_email ON people (email)")


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY uq_people_email")
