"""elsewhere"""

from sqlalchemy import create_engine

revision = "elsewhere"
down_revision = "raw"


def upgrade() -> None:
    create_engine("sqlite://").connect()


def downgrade() -> None:
    pass
