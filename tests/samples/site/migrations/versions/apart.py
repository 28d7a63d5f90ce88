"""create bills"""

from alembic import op

revision = "apart"
down_revision = None
branch_labels = ("billing",)


def upgrade() -> None:
    op.execute("CREATE TABLE bills (id int PRIMARY KEY, paid boolean)")


def downgrade() -> None:
    op.execute("DROP TABLE bills")
