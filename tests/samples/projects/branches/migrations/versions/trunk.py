"""trunk"""

from alembic import op

revision = "trunk"
down_revision = None


def upgrade() -> None:
    op.execute("CREATE TABLE trunk (id int)")


def downgrade() -> None:
    op.execute("DROP TABLE trunk")
