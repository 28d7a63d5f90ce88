"""Add nicknames"""

from alembic import op

revision = "nickname"
down_revision = "users"


def upgrade() -> None:
    op.execute("ALTER TABLE users ADD nickname varchar(20)")


def downgrade() -> None:
    op.execute("ALTER TABLE users DROP nickname")
