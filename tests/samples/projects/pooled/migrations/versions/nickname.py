"""Add nicknames"""

import sqlalchemy as sa
from alembic import op

revision = "nickname"
down_revision = "users"


def upgrade() -> None:
    op.add_column("users", sa.Column("nickname", sa.String(20), unique=True))
    users = sa.table("users", sa.column("id", sa.Integer), sa.column("nickname", sa.Text))
    op.bulk_insert(users, [{"id": 1, "nickname": "Ann"}])


def downgrade() -> None:
    op.execute("ALTER TABLE users DROP nickname")
