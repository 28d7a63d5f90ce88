"""Insists on its own database: by its settings, by variables that it sets, and before anybody asks."""

import os

from alembic import context
from app import settings, ways
from sqlalchemy import create_engine

os.environ["DATABASE_URL"] = settings.URL
ways.go("env.py", ("by_psycopg", "by_psycopg2", "by_asyncpg", "by_an_engine_with_a_creator", "by_psql_and_a_variable"))
with create_engine(settings.URL).connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
