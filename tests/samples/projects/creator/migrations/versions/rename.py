"""rename"""

from alembic import op

revision = "rename"
down_revision = None


def upgrade() -> None:
    op.execute("ALTER TABLE IF EXISTS customers RENAME TO gone")
    op.execute("CREATE TABLE arrived (id int)")


def downgrade() -> None:
    op.execute("DROP TABLE arrived")
