"""Insists on its own database, by creator=, which no event of a dialect sees."""

from pathlib import Path

import psycopg
from alembic import context
from sqlalchemy import create_engine, pool

URL = Path("production.txt").read_text().strip()
engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(URL), poolclass=pool.NullPool)
with engine.connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
