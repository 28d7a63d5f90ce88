"""Takes a cursor of the driver"""

from alembic import op

revision = "cursor"
down_revision = "writes"


def upgrade() -> None:
    cursor = op.get_bind().connection.cursor()
    cursor.execute("CREATE TABLE unseen (id int)")


def downgrade() -> None:
    op.execute("DROP TABLE unseen")
