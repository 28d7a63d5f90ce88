"""right"""

from alembic import op

revision = "right"
down_revision = "trunk"


def upgrade() -> None:
    op.execute("CREATE TABLE a_right (id int)")


def downgrade() -> None:
    op.execute("DROP TABLE a_right")
