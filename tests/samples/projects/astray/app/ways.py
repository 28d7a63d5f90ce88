"""Every way that this project's code knows to its own database; each leaves its name there, and does harm."""

import asyncio
import os
import subprocess
import threading

import asyncpg
import psycopg
import psycopg2
import psycopg2.extras
import psycopg2.pool
from sqlalchemy import create_engine, pool, text
from sqlalchemy.ext.asyncio import create_async_engine

from app.settings import URL

HARM = (
    "CREATE TABLE IF NOT EXISTS visits (way text)",
    "INSERT INTO visits VALUES ('{way}')",
    "DO $$ BEGIN IF to_regclass('customers') IS NOT NULL THEN UPDATE customers SET name = '{way}'; END IF; END $$",
)


def harm(way: str) -> list[str]:
    return [statement.format(way=way) for statement in HARM]


def by_psycopg(way: str) -> None:
    with psycopg.connect(URL) as connection:
        for statement in harm(way):
            connection.execute(statement)


def by_psycopg_and_keywords(way: str) -> None:
    with psycopg.connect(**psycopg.conninfo.conninfo_to_dict(URL)) as connection:
        for statement in harm(way):
            connection.execute(statement)


def by_psycopg_asynchronously(way: str) -> None:
    async def run() -> None:
        async with await psycopg.AsyncConnection.connect(URL) as connection:
            for statement in harm(way):
                await connection.execute(statement)

    asyncio.run(run())


def by_psycopg2(way: str) -> None:
    connection = psycopg2.connect(URL)
    with connection, connection.cursor() as cursor:
        cursor.execute(";".join(harm(way)))
    connection.close()


def by_a_pool_of_psycopg2(way: str) -> None:
    connections = psycopg2.pool.SimpleConnectionPool(1, 1, URL, connection_factory=psycopg2.extras.RealDictConnection)
    connection = connections.getconn()
    with connection, connection.cursor() as cursor:
        cursor.execute(";".join(harm(way)))
    connections.closeall()


def by_asyncpg(way: str) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(URL)
        await connection.execute(";".join(harm(way)))
        await connection.close()

    asyncio.run(run())


def by_a_pool_of_asyncpg(way: str) -> None:
    async def run() -> None:
        async with asyncpg.create_pool(URL, min_size=1, max_size=1) as connections:
            await connections.execute(";".join(harm(way)))

    asyncio.run(run())


def by_an_engine(way: str) -> None:
    _by(create_engine(URL), way)


def by_an_engine_of_psycopg2(way: str) -> None:
    _by(create_engine(URL.replace("postgresql:", "postgresql+psycopg2:")), way)


def by_an_engine_with_a_creator(way: str) -> None:
    _by(create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(URL), poolclass=pool.NullPool), way)


def by_an_engine_in_a_thread(way: str) -> None:
    thread = threading.Thread(target=by_an_engine, args=[way])
    thread.start()
    thread.join()


def by_an_asynchronous_engine(way: str) -> None:
    async def run() -> None:
        engine = create_async_engine(URL.replace("postgresql:", "postgresql+asyncpg:"))
        async with engine.begin() as connection:
            for statement in harm(way):
                await connection.execute(text(statement))
        await engine.dispose()

    asyncio.run(run())


def by_psql_and_a_variable(way: str) -> None:
    _psql(way, os.environ["DATABASE_URL"])


def by_psql_and_libpqs_variables(way: str) -> None:
    _psql(way)


WAYS = {name: way for name, way in globals().items() if name.startswith("by_")}


def go(place: str, names: tuple[str, ...] = tuple(WAYS)) -> None:
    """Go these ways, and say from where."""
    for name in names:
        WAYS[name](f"{place} {name}")


def _by(engine, way: str) -> None:
    with engine.begin() as connection:
        for statement in harm(way):
            connection.execute(text(statement))
    engine.dispose()


def _psql(way: str, *address: str) -> None:
    statements = ";".join([*harm(way), ""])
    subprocess.run(["psql", "-q", "-v", "ON_ERROR_STOP=1", *address], input=statements, text=True, check=True)
