"""Commits by itself"""

from alembic import op

revision = "commits"
down_revision = None


def upgrade() -> None:
    op.execute("CREATE TABLE one (id int)")
    op.execute("COMMIT")
    op.execute("CREATE TABLE two (id int)")
    op.get_bind().connection.commit()
    op.execute("CREATE TABLE three (id int)")


def downgrade() -> None:
    op.execute("DROP TABLE one, two, three")
