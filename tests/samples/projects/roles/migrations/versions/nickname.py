"""Nothing of that"""

from alembic import op

revision = "nickname"
down_revision = "orders"


def upgrade() -> None:
    op.execute("ALTER TABLE users ADD nickname text")


def downgrade() -> None:
    op.execute("ALTER TABLE users DROP nickname")
