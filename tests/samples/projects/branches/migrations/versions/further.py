"""further"""

from alembic import op

revision = "further"
down_revision = "apart"
depends_on = "left"


def upgrade() -> None:
    op.execute("CREATE TABLE further (id int)")


def downgrade() -> None:
    op.execute("DROP TABLE further")
