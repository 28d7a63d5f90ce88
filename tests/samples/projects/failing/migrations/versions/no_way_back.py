"""no way back"""

from alembic import op

revision = "no_way_back"
down_revision = None


def upgrade() -> None:
    op.execute("CREATE TABLE half (id int)")
