"""``GET /health``: whether the database is there and at the revision that this release expects.

Start it with ``uvicorn content_creation_crew.health:app``. Needs no database to start. Each request
opens a connection of its own, because a pooled one would not tell whether new ones can be had, and so
the answer recovers as soon as the database does. The answer holds no URL, host, user or password.

The only module that imports FastAPI.
"""

import logging
from collections.abc import Callable
from functools import cache
from typing import Any

from fastapi import FastAPI
from fastapi.responses import JSONResponse
from psycopg.errors import QueryCanceled
from sqlalchemy import text
from sqlalchemy.engine import Engine
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from content_creation_crew.db.engine import DatabaseUrlError, create_engine
from content_creation_crew.db.revision import ChainNotFoundError, chain, current_revisions

CONNECT_SECONDS = 2  # libpq takes no less
QUERY_MILLISECONDS = 2000

logger = logging.getLogger(__name__)


def create_app(url: str | None = None) -> FastAPI:
    """The application, for ``url`` or, by default, for what ``DATABASE_URL`` says at the first request."""
    app = FastAPI(title="Content Creation Crew", docs_url=None, redoc_url=None, openapi_url=None)

    @cache
    def engine() -> Engine:
        timeouts = {"connect_timeout": CONNECT_SECONDS, "tcp_user_timeout": QUERY_MILLISECONDS}
        return create_engine(url, poolclass=NullPool, pool_pre_ping=False, connect_args=timeouts)

    @app.get("/health")
    def health() -> JSONResponse:
        known: dict[str, Any] = {"database": None, "revision": None, "head": None}
        reason = _ask(engine, known)
        answer = {"status": "ok"} if reason is None else {"status": "unavailable", "reason": reason}
        return JSONResponse(
            answer | known, status_code=200 if reason is None else 503, headers={"Cache-Control": "no-store"}
        )

    return app


def _ask(engine: Callable[[], Engine], known: dict[str, Any]) -> str | None:
    """Writes what it learns into ``known``. Gives the reason why the database cannot be used, or None."""
    try:
        expected = chain()
        known["head"] = expected.head
        known["database"] = engine().url.database
        with engine().connect() as connection:
            connection.execute(text(f"SET LOCAL statement_timeout = {QUERY_MILLISECONDS}"))
            known["database"] = connection.scalar(text("SELECT current_database()"))
            current = current_revisions(connection)
            known["revision"] = ", ".join(current) or None
    except (ChainNotFoundError, DatabaseUrlError) as error:
        return str(error)
    except OperationalError as error:
        if isinstance(error.orig, QueryCanceled):
            return f"the database does not answer within {QUERY_MILLISECONDS} ms: see what blocks it"
        logger.warning("the database cannot be reached: %s", error.orig)
        return "the database cannot be reached: start it, or mend DATABASE_URL"
    except SQLAlchemyError as error:
        cause = getattr(error, "orig", None) or error
        logger.warning("the database cannot be asked for its revision: %s", cause)
        return f"the database cannot be asked for its revision: {type(cause).__name__}"
    return expected.problem(current)


app = create_app()
