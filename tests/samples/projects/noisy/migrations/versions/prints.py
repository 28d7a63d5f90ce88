"""Prints, logs, starts a program"""

import logging
import subprocess

revision = "prints"
down_revision = "commits"


def upgrade() -> None:
    print("printed: Grüße, 漢字")  # noqa: T201
    logging.getLogger("migration").warning("logged")
    subprocess.run(["sh", "-c", "echo started; echo to standard error >&2"], check=True)


def downgrade() -> None:
    pass
