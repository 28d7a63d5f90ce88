"""an index, outside of a transaction"""

from alembic import op

revision = "index"
down_revision = "partition"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("CREATE INDEX CONCURRENTLY users_state ON users (state)")


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY users_state")
