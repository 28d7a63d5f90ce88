"""index"""

from alembic import op

revision = "index"
down_revision = "users"


def upgrade() -> None:
    op.execute("UPDATE users SET email = lower(email)")
    with op.get_context().autocommit_block():
        op.execute("CREATE INDEX CONCURRENTLY ix_users_email ON users (email)")


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY ix_users_email")
