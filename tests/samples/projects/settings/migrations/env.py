"""An env.py that builds its own engine, from the application's settings."""

from alembic import context
from app.settings import DATABASE
from sqlalchemy import create_engine

with create_engine(DATABASE, connect_args={"options": "-c search_path=public"}).connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
