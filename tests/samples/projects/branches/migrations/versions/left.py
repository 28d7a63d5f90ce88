"""left"""

from alembic import op

revision = "left"
down_revision = "trunk"


def upgrade() -> None:
    op.execute("CREATE TABLE a_left (id int)")


def downgrade() -> None:
    op.execute("DROP TABLE a_left")
