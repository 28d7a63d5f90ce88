"""``GET /health`` in each state of the database."""

import asyncio
import logging
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from fastapi import FastAPI

from content_creation_crew import health

CHAIN = ScriptDirectory.from_config(Config(str(Path(__file__).parents[1] / "alembic.ini")))
HEAD = CHAIN.get_current_head()
PARENT = CHAIN.get_revision(HEAD or "").down_revision


def test_ok(disposable: Callable[..., Any]) -> None:
    database = disposable(revision="head")
    answer = _get(health.create_app(database.url))
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "database": database.name, "revision": HEAD, "head": HEAD}
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("revision", "current", "reason"),
    [
        (None, None, f"the database is at no revision, head is {HEAD}: run alembic upgrade head"),
        (PARENT, PARENT, f"the database is behind, at {PARENT}, head is {HEAD}: run alembic upgrade head"),
    ],
)
def test_behind(disposable: Callable[..., Any], revision: str | None, current: str | None, reason: str) -> None:
    database = disposable(revision=revision)
    assert _ask(database.url) == (503, _unavailable(reason, database.name, current))


def test_at_both_branches_before_the_merge(disposable: Callable[..., Any]) -> None:
    database = disposable(revision="head")
    _set_revisions(database.url, "4b9b7cf145f7", "febdc084cd92")
    reason = f"the database is behind, at 4b9b7cf145f7, febdc084cd92, head is {HEAD}: run alembic upgrade head"
    assert _ask(database.url) == (503, _unavailable(reason, database.name, "4b9b7cf145f7, febdc084cd92"))


def test_a_revision_of_another_release(disposable: Callable[..., Any]) -> None:
    database = disposable(revision="head")
    _set_revisions(database.url, "0123456789ab")
    reason = (
        f"the database is at 0123456789ab, which this release does not know (its head is {HEAD}): "
        "deploy the release that brought it"
    )
    assert _ask(database.url) == (503, _unavailable(reason, database.name, "0123456789ab"))


def test_a_chain_with_two_heads(
    disposable: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The chain is the one of the working directory."""
    (tmp_path / "alembic" / "versions").mkdir(parents=True)
    (tmp_path / "alembic.ini").write_text("[alembic]\nscript_location = %(here)s/alembic\npath_separator = os\n")
    for revision in ("aaaaaaaaaaaa", "bbbbbbbbbbbb"):
        file = tmp_path / "alembic" / "versions" / f"{revision}.py"
        file.write_text(f"revision = {revision!r}\ndown_revision = None\n")
    monkeypatch.chdir(tmp_path)
    database = disposable()
    reason = "the chain has 2 heads (aaaaaaaaaaaa, bbbbbbbbbbbb): run alembic merge heads"
    expected = {"status": "unavailable", "reason": reason, "database": database.name, "revision": None, "head": None}
    assert _ask(database.url) == (503, expected)


def test_away_and_nothing_is_given_away(caplog: pytest.LogCaptureFixture) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with caplog.at_level(logging.WARNING, logger=health.logger.name):
            answer = _get(health.create_app(f"postgresql://crew:hunter2@127.0.0.1:{port}/content"))
    assert answer.status_code == 503
    reason = "the database cannot be reached: start it, or mend DATABASE_URL"
    assert answer.json() == _unavailable(reason, "content", None)
    assert not [secret for secret in ("hunter2", "crew", "127.0.0.1", str(port)) if secret in answer.text]
    assert "hunter2" not in caplog.text
    assert "the database cannot be reached: connection failed" in caplog.text


def test_recovers_when_the_database_appears(disposable: Callable[..., Any]) -> None:
    database, other = disposable(revision="head"), disposable()
    app = health.create_app(database.url)
    with psycopg.connect(other.url, autocommit=True) as connection:
        connection.execute(f'ALTER DATABASE "{database.name}" ALLOW_CONNECTIONS false')
        reason = "the database cannot be reached: start it, or mend DATABASE_URL"
        assert _get(app).json() == _unavailable(reason, database.name, None)
        connection.execute(f'ALTER DATABASE "{database.name}" ALLOW_CONNECTIONS true')
    assert _get(app).status_code == 200


def test_recovers_when_it_is_migrated(disposable: Callable[..., Any]) -> None:
    database = disposable(revision="head")
    app = health.create_app(database.url)
    _set_revisions(database.url, str(PARENT))
    assert _get(app).status_code == 503
    _set_revisions(database.url, str(HEAD))
    assert _get(app).status_code == 200


def test_blocked(disposable: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    database = disposable(revision="head")
    monkeypatch.setattr(health, "QUERY_MILLISECONDS", 50)
    with psycopg.connect(database.url) as connection:
        connection.execute("LOCK TABLE alembic_version")
        status, answer = _ask(database.url)
    reason = "the database does not answer within 50 ms: see what blocks it"
    assert (status, answer) == (503, _unavailable(reason, database.name, None))


def test_something_else_is_called_alembic_version(disposable: Callable[..., Any]) -> None:
    database = disposable()
    with psycopg.connect(database.url) as connection:
        connection.execute("CREATE TABLE alembic_version (n integer)")
    reason = "the database cannot be asked for its revision: UndefinedColumn"
    assert _ask(database.url) == (503, _unavailable(reason, database.name, None))


def test_without_database_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    app = health.create_app()
    reason = (
        "DATABASE_URL is not set: set it to postgresql://user:password@host:port/database, or, "
        "for a disposable one: backout postgres --revision head --sample"
    )
    assert _get(app).json() == _unavailable(reason, None, None)


def test_the_application_reads_database_url(disposable: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", disposable(revision="head").url)
    assert _get(health.create_app()).status_code == 200


def _get(app: FastAPI) -> httpx.Response:
    async def get() -> httpx.Response:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://crew.example.com") as client:
            return await client.get("/health")

    return asyncio.run(get())


def _ask(url: str) -> tuple[int, Any]:
    answer = _get(health.create_app(url))
    return answer.status_code, answer.json()


def _unavailable(reason: str, database: str | None, revision: str | None) -> dict[str, Any]:
    return {"status": "unavailable", "reason": reason, "database": database, "revision": revision, "head": HEAD}


def _set_revisions(url: str, *revisions: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("DELETE FROM alembic_version")
        for revision in revisions:
            connection.execute("INSERT INTO alembic_version VALUES (%s)", [revision])
