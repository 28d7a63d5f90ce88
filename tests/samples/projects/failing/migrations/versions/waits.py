"""waits"""

from alembic import op

revision = "waits"
down_revision = None


def upgrade() -> None:
    op.execute("CREATE TABLE half (id int)")
    op.execute("SELECT pg_sleep(600)")


def downgrade() -> None:
    pass
