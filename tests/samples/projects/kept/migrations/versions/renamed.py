"""another name for a table, and a column in it"""

from alembic import op

revision = "renamed"
down_revision = "index"


def upgrade() -> None:
    op.execute("ALTER TABLE letters RENAME TO mails; ALTER TABLE mails ADD subject text")


def downgrade() -> None:
    op.execute("ALTER TABLE mails DROP subject; ALTER TABLE mails RENAME TO letters")
