"""a state that the way back writes over, and one whose rows it deletes"""

from alembic import op

revision = "written"
down_revision = "widened"


def upgrade() -> None:
    op.execute("UPDATE users SET state = 'open' WHERE state = 'waiting'")


def downgrade() -> None:
    op.execute("UPDATE users SET state = 'waiting' WHERE state = 'open'")
    op.execute("DELETE FROM users WHERE state = 'draft'")
