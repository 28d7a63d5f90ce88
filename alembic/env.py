"""Alembic's environment: which database, which models, which options.

The database is, first match wins,

1. ``config.attributes["connection"]``: a connection that the program driving Alembic has opened;
2. ``DATABASE_URL``.

With ``--sql`` neither is needed. One transaction a revision: a revision that needs none
(``CREATE INDEX CONCURRENTLY``) then commits nothing but its own work, and a run that fails stops at a
revision, not at the one it started from.
"""

from logging.config import fileConfig
from typing import Any

from alembic import context
from alembic.util import CommandError
from sqlalchemy.engine import Connection
from sqlalchemy.pool import NullPool

from content_creation_crew.db.engine import DatabaseUrlError, create_engine
from content_creation_crew.db.models import Base

OPTIONS: dict[str, Any] = {
    "target_metadata": Base.metadata,
    "transaction_per_migration": True,
    "compare_type": True,
    "compare_server_default": True,
    # Alembic compares CHECK constraints, by name, only when told to.
    "autogenerate_plugins": ["alembic.autogenerate.*", "alembic.ext.checkconstraint_byname"],
}


def write_sql() -> None:
    context.configure(dialect_name="postgresql", literal_binds=True, dialect_opts={"paramstyle": "named"}, **OPTIONS)
    with context.begin_transaction():
        context.run_migrations()


def migrate(connection: Connection) -> None:
    context.configure(connection=connection, **OPTIONS)
    with context.begin_transaction():
        context.run_migrations()


def main() -> None:
    config = context.config
    if config.config_file_name is not None and config.cmd_opts is not None:
        fileConfig(config.config_file_name, disable_existing_loggers=False)
    if context.is_offline_mode():
        write_sql()
    elif (given := config.attributes.get("connection")) is not None:
        migrate(given)
    else:
        try:
            engine = create_engine(poolclass=NullPool)
        except DatabaseUrlError as error:
            raise CommandError(str(error)) from None
        with engine.connect() as connection:
            migrate(connection)


main()
