"""Add nicknames"""

import sqlalchemy as sa
from alembic import op

revision = "nickname"
down_revision = "users"


def upgrade() -> None:
    op.add_column("users", sa.Column("nickname", sa.String(20)))
    users = sa.table("users", sa.column("id", sa.Integer), sa.column("email", sa.Text), sa.column("nickname", sa.Text))
    op.bulk_insert(users, [{"id": 1, "email": "ann@example.org"}, {"id": 2, "email": "bob@example.org"}])
    op.execute(users.update().where(users.c.email == "ann@example.org").values(nickname="Ann"))
    op.execute("UPDATE users SET nickname = 'B' WHERE email LIKE 'bob%'")


def downgrade() -> None:
    op.drop_column("users", "nickname")
