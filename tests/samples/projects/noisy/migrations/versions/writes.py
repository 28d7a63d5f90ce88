"""Reads and writes files, imports the application"""

import os
from pathlib import Path

from alembic import op
from app.names import normal

revision = "writes"
down_revision = "prints"


def upgrade() -> None:
    name = normal(Path("names.txt").read_text())
    Path("out.txt").write_text(name)
    Path("app", "out.txt").write_text(name)
    os.environ["LEFT_BEHIND"] = "1"
    os.chdir("/")
    op.execute(f"CREATE TABLE {name} (id int)")


def downgrade() -> None:
    op.execute("DROP TABLE ann")
