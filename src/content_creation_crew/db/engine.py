"""How the application reaches its database: ``DATABASE_URL``, engines and session factories.

The only place that reads ``DATABASE_URL``. Knows nothing of models or migrations. Messages never
hold a URL, because a URL may hold a password.
"""

import os
from typing import Any
from urllib.parse import unquote

import sqlalchemy
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.orm import Session, sessionmaker

DISPOSABLE = "for a disposable one: backout postgres --revision head --sample"

_SCHEMES = ("postgres", "postgresql", "postgresql+psycopg")


class DatabaseUrlError(ValueError):
    """``DATABASE_URL`` is not set, or makes no sense."""


def create_engine(url: str | URL | None = None, **options: Any) -> Engine:
    """An engine for ``url``, by default the one of ``DATABASE_URL``. Opens no connection yet.

    :param options: as for :func:`sqlalchemy.create_engine`. Connections are tested when they leave
        the pool, unless ``pool_pre_ping`` says otherwise.
    :raises DatabaseUrlError: there is no usable URL.
    """
    options.setdefault("pool_pre_ping", True)
    return sqlalchemy.create_engine(database_url() if url is None else psycopg_url(url), **options)


def session_factory(engine: Engine) -> sessionmaker[Session]:
    """Makes sessions whose objects stay readable after a commit."""
    return sessionmaker(engine, expire_on_commit=False)


def database_url() -> URL:
    """The URL in ``DATABASE_URL``.

    :raises DatabaseUrlError: it is not set, or not one of PostgreSQL.
    """
    text = os.environ.get("DATABASE_URL", "")
    if not text.strip():
        raise DatabaseUrlError(
            f"DATABASE_URL is not set: set it to postgresql://user:password@host:port/database, or, {DISPOSABLE}"
        )
    return psycopg_url(text)


def psycopg_url(url: str | URL) -> URL:
    """``url`` as SQLAlchemy wants it, for psycopg 3.

    Takes what ``psql`` takes, too: the scheme ``postgres://``, a socket directory in ``?host=``, and one
    written as a percent-encoded host (PostgreSQL manual, section "Connection URIs").

    :raises DatabaseUrlError: not a URL, or another database's, or another driver's.
    """
    try:
        parsed = make_url(url.strip() if isinstance(url, str) else url)
    except (ArgumentError, ValueError):
        raise DatabaseUrlError(
            "the database URL cannot be parsed: write postgresql://user:password@host:port/database, "
            f"with @ : / and % in the password percent-encoded, or, {DISPOSABLE}"
        ) from None
    if parsed.drivername not in _SCHEMES:
        raise DatabaseUrlError(
            f"the database URL begins with {parsed.drivername}://: "
            f"this application speaks to PostgreSQL by psycopg 3, write postgresql://, or, {DISPOSABLE}"
        )
    if parsed.host is not None:
        parsed = parsed.set(host=unquote(parsed.host))
    return parsed.set(drivername="postgresql+psycopg")
