"""both"""

from alembic import op

revision = "both"
down_revision = ("left", "right")


def upgrade() -> None:
    op.execute("CREATE TABLE merged (id int)")


def downgrade() -> None:
    op.execute("DROP TABLE merged")
