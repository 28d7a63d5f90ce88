"""The application's engine: made once, with a pool."""

from sqlalchemy.ext.asyncio import create_async_engine

engine = create_async_engine("postgresql+asyncpg://app@db.example/app", pool_size=3, pool_pre_ping=True)
