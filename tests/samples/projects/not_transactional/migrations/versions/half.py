"""half"""

from alembic import op

revision = "half"
down_revision = None


def upgrade() -> None:
    op.execute("CREATE TABLE half (id int)")
    raise ValueError("no further")


def downgrade() -> None:
    pass
