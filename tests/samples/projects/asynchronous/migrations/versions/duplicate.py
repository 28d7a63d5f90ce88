"""Fail on what is there"""

from alembic import op

revision = "duplicate"
down_revision = "index"


def upgrade() -> None:
    op.execute("INSERT INTO users VALUES (1, 'x', 'Ann')")


def downgrade() -> None:
    pass
