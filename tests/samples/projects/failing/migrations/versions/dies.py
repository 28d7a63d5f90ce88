"""dies"""

import os

from alembic import op

revision = "dies"
down_revision = None


def upgrade() -> None:
    op.execute("CREATE TABLE half (id int)")
    print("last words")  # noqa: T201
    os._exit(3)


def downgrade() -> None:
    pass
