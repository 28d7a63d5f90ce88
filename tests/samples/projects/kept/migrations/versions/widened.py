"""widen users.note; the way back cuts it off"""

from alembic import op

revision = "widened"
down_revision = "tables"


def upgrade() -> None:
    op.execute("ALTER TABLE users ALTER note TYPE text")


def downgrade() -> None:
    op.execute("ALTER TABLE users ALTER note TYPE varchar(200) USING left(note, 20)")
