"""Migrations that commit, print, log, read and write files, start programs, change global state."""

import logging

from alembic import context
from sqlalchemy import engine_from_config, pool

logging.basicConfig(format="%(name)s says: %(message)s")
engine = engine_from_config(context.config.get_section(context.config.config_ini_section), poolclass=pool.NullPool)
with engine.connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
