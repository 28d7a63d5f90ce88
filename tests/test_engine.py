"""How ``DATABASE_URL`` is read."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from content_creation_crew.db.engine import DatabaseUrlError, create_engine, database_url, psycopg_url, session_factory

DISPOSABLE = "for a disposable one: backout postgres --revision head --sample"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_usual_scheme_means_psycopg_3(scheme: str) -> None:
    url = psycopg_url(f"{scheme}://crew:secret@db.example.com:6432/content")
    assert url.render_as_string(hide_password=False) == ("postgresql+psycopg://crew:secret@db.example.com:6432/content")


@pytest.mark.parametrize(
    "url",
    ["postgresql://crew@/content?host=/var/run/postgresql", "postgresql://crew@%2Fvar%2Frun%2Fpostgresql/content"],
)
def test_a_socket_directory_reaches_the_driver(url: str) -> None:
    dialect = create_engine(url).dialect
    _, keywords = dialect.create_connect_args(psycopg_url(url))
    assert keywords["host"] == "/var/run/postgresql"
    assert keywords["dbname"] == "content"


def test_surrounding_white_space_is_not_part_of_the_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", " postgresql://db.example.com/content\n")
    assert database_url().database == "content"


@pytest.mark.parametrize("value", [None, "", "  "])
def test_unset(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    if value is not None:
        monkeypatch.setenv("DATABASE_URL", value)
    with pytest.raises(DatabaseUrlError) as failure:
        create_engine()
    assert str(failure.value) == (
        f"DATABASE_URL is not set: set it to postgresql://user:password@host:port/database, or, {DISPOSABLE}"
    )


@pytest.mark.parametrize(
    "url", ["content", "postgresql://crew:sec/ret@db:x/content", "postgresql://crew:secret@[::1/content"]
)
def test_not_a_url(url: str) -> None:
    with pytest.raises(DatabaseUrlError) as failure:
        psycopg_url(url)
    assert str(failure.value) == (
        "the database URL cannot be parsed: write postgresql://user:password@host:port/database, "
        f"with @ : / and % in the password percent-encoded, or, {DISPOSABLE}"
    )
    # The chain of causes is printed, too.
    assert failure.value.__suppress_context__


@pytest.mark.parametrize("driver", ["mysql", "postgresql+psycopg2", "sqlite"])
def test_another_database_or_driver(driver: str) -> None:
    with pytest.raises(DatabaseUrlError) as failure:
        psycopg_url(f"{driver}://crew:secret@db/content")
    assert str(failure.value) == (
        f"the database URL begins with {driver}://: "
        f"this application speaks to PostgreSQL by psycopg 3, write postgresql://, or, {DISPOSABLE}"
    )


def test_an_engine_does_not_show_its_password() -> None:
    assert "secret" not in repr(create_engine("postgresql://crew:secret@db.example.com/content"))


def test_connections_are_tested_before_use() -> None:
    assert create_engine("postgresql://db.example.com/content").pool._pre_ping  # type: ignore[attr-defined]


def test_sessions_work_on_what_database_url_names(
    monkeypatch: pytest.MonkeyPatch, disposable: Callable[..., Any]
) -> None:
    database = disposable()
    monkeypatch.setenv("DATABASE_URL", database.url)
    engine = create_engine()
    with session_factory(engine)() as session:
        assert isinstance(session, Session)
        assert session.scalar(text("SELECT current_database()")) == database.name
    engine.dispose()
