"""killed"""

import os
import signal

from alembic import op

revision = "killed"
down_revision = None


def upgrade() -> None:
    op.execute("CREATE TABLE half (id int)")
    os.kill(os.getpid(), signal.SIGKILL)


def downgrade() -> None:
    pass
