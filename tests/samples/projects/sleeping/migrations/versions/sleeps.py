"""Comes, and does not go: the downgrade says so, and sleeps, here or on the server"""

import os
import time
from pathlib import Path

from alembic import op

revision = "sleeps"
down_revision = None


def upgrade() -> None:
    op.execute("CREATE TABLE sleeps (id int)")


def downgrade() -> None:
    Path(os.environ["ASLEEP"]).touch()
    if os.environ["WHERE"] == "server":
        op.execute("SELECT pg_sleep(600)")
    time.sleep(600)
