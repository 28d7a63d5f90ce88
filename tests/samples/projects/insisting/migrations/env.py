"""Insists on its own database, whose URL it reads from a file."""

from pathlib import Path

from alembic import context
from sqlalchemy import create_engine

with create_engine(Path("production.txt").read_text().strip()).connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
