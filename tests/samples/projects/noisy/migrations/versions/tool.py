"""Starts psql, which finds the database in the environment"""

import subprocess

from alembic import op

revision = "tool"
down_revision = "cursor"


def upgrade() -> None:
    done = subprocess.run(["psql", "-XAtc", "SELECT current_database()"], capture_output=True, text=True, check=True)
    op.execute(f"COMMENT ON SCHEMA public IS '{done.stdout.strip()}'")


def downgrade() -> None:
    op.execute("COMMENT ON SCHEMA public IS NULL")
