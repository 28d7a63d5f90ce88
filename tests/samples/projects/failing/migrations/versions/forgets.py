"""forgets"""

from sqlalchemy import create_engine, text

revision = "forgets"
down_revision = None

LEFT = []


def upgrade() -> None:
    engine = create_engine("postgresql://db.example/app")
    connection = engine.connect()
    connection.execute(text("CREATE TABLE forgotten (id int)"))
    LEFT.append(connection)


def downgrade() -> None:
    pass
