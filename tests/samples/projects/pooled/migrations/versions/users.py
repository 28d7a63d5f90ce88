"""Create users"""

from alembic import op

revision = "users"
down_revision = None


def upgrade() -> None:
    op.execute("CREATE TABLE users (id int PRIMARY KEY, email text)")


def downgrade() -> None:
    op.execute("DROP TABLE users")
