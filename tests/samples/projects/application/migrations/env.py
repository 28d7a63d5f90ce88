"""Needs an application context, and an extension that is made outside the chain: hooks.py."""

import threading

from alembic import context
from app import config
from sqlalchemy import create_engine

with create_engine(config()["DATABASE"]).connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations(thread=threading.current_thread().name)
