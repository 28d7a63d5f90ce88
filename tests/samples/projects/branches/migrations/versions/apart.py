"""apart"""

from alembic import op

revision = "apart"
down_revision = None
branch_labels = ("billing",)


def upgrade() -> None:
    op.execute("CREATE TABLE apart (id int)")


def downgrade() -> None:
    op.execute("DROP TABLE apart")
