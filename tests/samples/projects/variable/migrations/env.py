"""An env.py that wants a variable of its own, and hands it on through alembic.ini."""

import os

from alembic import context
from sqlalchemy import engine_from_config

config = context.config
config.set_main_option("sqlalchemy.url", os.environ["APP_DB"])
with engine_from_config(config.get_section("alembic")).connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
