"""Create users, in a thread"""

from alembic import context, op

revision = "users"
down_revision = None


def upgrade(thread: str) -> None:
    op.execute("CREATE TABLE outside.users (id int)")
    op.execute(f"COMMENT ON TABLE outside.users IS '{thread}, {context.config.get_main_option('greeting')}'")


def downgrade(thread: str) -> None:
    op.execute("DROP TABLE outside.users")
