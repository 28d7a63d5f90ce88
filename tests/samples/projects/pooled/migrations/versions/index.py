"""Index e-mail addresses"""

from alembic import op

revision = "index"
down_revision = "nickname"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("CREATE INDEX CONCURRENTLY ix_users_email ON users (email)")


def downgrade() -> None:
    op.execute("DROP INDEX ix_users_email")
