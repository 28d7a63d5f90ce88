"""Create users, and let a role read them that is made elsewhere"""

from alembic import op

revision = "users"
down_revision = None


def upgrade() -> None:
    op.execute("CREATE TABLE users (id int PRIMARY KEY, email text)")
    op.execute("GRANT SELECT ON users TO backout_reporting")


def downgrade() -> None:
    op.execute("DROP TABLE users")
