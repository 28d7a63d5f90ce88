"""absent extension"""

from alembic import op

revision = "absent_extension"
down_revision = None


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS backout_absent")
    op.execute("CREATE TABLE half (id int)")


def downgrade() -> None:
    op.execute("DROP TABLE half")
