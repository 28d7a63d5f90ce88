"""Takes a connection from the program that drives Alembic, else the application's pool."""

from alembic import context
from sqlalchemy import create_engine


class Application:
    engine = None


if not hasattr(context.config, "application"):
    context.config.application = Application()
    context.config.application.engine = create_engine("postgresql://app@db.example/app", pool_size=2)

connectable = context.config.attributes.get("connection") or context.config.application.engine
with connectable.connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
