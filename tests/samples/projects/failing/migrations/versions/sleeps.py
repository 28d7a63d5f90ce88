"""sleeps"""

import subprocess
import time

from alembic import op

revision = "sleeps"
down_revision = None


def upgrade() -> None:
    op.execute("CREATE TABLE half (id int)")
    print(subprocess.Popen(["sleep", "600"]).pid)  # noqa: T201
    time.sleep(600)


def downgrade() -> None:
    pass
