"""raises"""

from alembic import op

revision = "raises"
down_revision = None


def upgrade() -> None:
    op.execute("CREATE TABLE half (id int)")
    raise ValueError("schön: \udcff 漢字")


def downgrade() -> None:
    pass
