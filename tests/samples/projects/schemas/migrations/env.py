"""Configures twice: the same chain in two schemas, each with a version table of its own."""

from alembic import context
from sqlalchemy import create_engine, text

with create_engine("postgresql://app@db.example/app").connect() as connection:
    for schema, options in (("Second one", {}), ("first", {"version_table_schema": "first"})):
        connection.execute(text(f'CREATE SCHEMA IF NOT EXISTS "{schema}"'))
        connection.execute(text(f'SET search_path TO "{schema}"'))
        connection.commit()
        context.configure(connection=connection, version_table="versions", **options)
        with context.begin_transaction():
            context.run_migrations()
