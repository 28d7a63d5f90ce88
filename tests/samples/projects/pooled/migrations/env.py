"""The application's own asynchronous engine, whose pool outlives the step and its event loop."""

import asyncio

from alembic import context
from app.database import engine


def migrate(connection):
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()


async def main():
    async with engine.connect() as connection:
        await connection.run_sync(migrate)


asyncio.run(main())
