"""Needs the application: for its models, and for how it connects."""

from alembic import context
from library import models
from sqlalchemy import engine_from_config, pool

settings = {"sqlalchemy.url": "postgresql://library:secret@db.example/library", **context.config.get_section("alembic")}
with engine_from_config(settings, poolclass=pool.NullPool).connect() as connection:
    context.configure(connection=connection, target_metadata=models.metadata, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
