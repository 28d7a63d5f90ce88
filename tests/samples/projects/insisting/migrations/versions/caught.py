"""caught"""

from sqlalchemy import create_engine

revision = "caught"
down_revision = "elsewhere"


def upgrade() -> None:
    try:
        create_engine("sqlite://").connect()
    except Exception as error:
        print("caught:", error)  # noqa: T201


def downgrade() -> None:
    pass
