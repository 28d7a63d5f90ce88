"""Starts a program, and tells it an address"""

import subprocess
from pathlib import Path

from alembic import op

revision = "elsewhere"
down_revision = None


def upgrade() -> None:
    op.execute("CREATE TABLE here (id int)")
    address = Path("address.txt").read_text()
    subprocess.run(["psql", "-q", address, "-c", "CREATE TABLE IF NOT EXISTS there (id int)"], check=True)


def downgrade() -> None:
    op.execute("DROP TABLE here")
