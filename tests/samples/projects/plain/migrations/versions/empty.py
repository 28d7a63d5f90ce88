"""Nothing, and no way back"""

revision = "empty"
down_revision = "nickname"


def upgrade() -> None:
    pass
