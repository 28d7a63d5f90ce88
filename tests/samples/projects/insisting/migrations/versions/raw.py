"""raw"""

import asyncio
from pathlib import Path

import asyncpg
import psycopg
import psycopg2

revision = "raw"
down_revision = "rename"


async def asynchronous(url: str) -> None:
    async with await psycopg.AsyncConnection.connect(url) as connection:
        await connection.execute("ALTER TABLE IF EXISTS customers RENAME TO gone")
    connection = await asyncpg.connect(url)
    await connection.execute("ALTER TABLE IF EXISTS customers RENAME TO gone")
    await connection.execute("CREATE TABLE by_asyncpg (id int)")
    await connection.close()
    async with asyncpg.create_pool(url, min_size=2, max_size=2) as pool:
        await pool.execute("ALTER TABLE IF EXISTS customers RENAME TO gone")


def upgrade() -> None:
    url = Path("production.txt").read_text().strip()
    with psycopg.connect(url) as connection:
        connection.execute("ALTER TABLE IF EXISTS customers RENAME TO gone")
        connection.execute("CREATE TABLE by_psycopg (id int)")
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("ALTER TABLE IF EXISTS customers RENAME TO gone")
        cursor.execute("CREATE TABLE by_psycopg2 (id int)")
    asyncio.run(asynchronous(url))


def downgrade() -> None:
    pass
