"""second"""

from alembic import op
from sqlalchemy import create_engine, text

revision = "second"
down_revision = "users"


def upgrade() -> None:
    op.execute("ALTER TABLE users ADD nickname text")
    with create_engine(op.get_bind().engine.url).begin() as connection:
        connection.execute(text("SELECT count(*) FROM users"))


def downgrade() -> None:
    pass
