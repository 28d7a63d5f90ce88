"""The sample rows."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy.pool import NullPool

from content_creation_crew.db import sample
from content_creation_crew.db.engine import create_engine
from content_creation_crew.db.models import Base

CHAIN = ScriptDirectory.from_config(Config(str(Path(__file__).parents[1] / "alembic.ini")))
HEAD = CHAIN.get_current_head()
PARENT = CHAIN.get_revision(HEAD or "").down_revision
REFUSAL = (
    "sample rows were not loaded: the database has {users} already, and they go into an empty one only; "
    "for a disposable one: backout postgres --revision head --sample"
)
UNSET = (
    "error: DATABASE_URL is not set: set it to postgresql://user:password@host:port/database, or, "
    "for a disposable one: backout postgres --revision head --sample\n"
)
COUNTS = {
    "organizations": 6,
    "users": 25,
    "memberships": 30,
    "sessions": 20,
    "subscriptions": 8,
    "usage_counters": 54,
    "content_jobs": 40,
    "content_artifacts": 82,
    "invoices": 18,
    "billing_events": 26,
    "audit_log": 33,
    "retention_notifications": 12,
    "user_model_preferences": 15,
}
LINE = (
    "369 sample rows: organizations 6, users 25, memberships 30, sessions 20, subscriptions 8, usage_counters 54, "
    "content_jobs 40, content_artifacts 82, invoices 18, billing_events 26, audit_log 33, "
    "retention_notifications 12, user_model_preferences 15\n"
)


def test_each_table_has_rows_and_each_row_a_value_for_each_column() -> None:
    """A column left to its default would bring the clock, or a random id, into pages."""
    rows = sample.sample_rows()
    assert {name: len(table) for name, table in rows.items()} == COUNTS
    for name, table in Base.metadata.tables.items():
        columns = {column.name for column in table.columns}
        assert [row for row in rows[name] if set(row) != columns] == []


def test_the_same_rows_each_time() -> None:
    assert sample.sample_rows() == sample.sample_rows()


def test_each_nullable_column_has_both_nulls_and_values() -> None:
    rows = sample.sample_rows()
    one_sided = [
        str(column)
        for name, table in Base.metadata.tables.items()
        for column in table.columns
        if column.nullable and {row[column.name] is None for row in rows[name]} != {True, False}
    ]
    assert one_sided == []


def test_the_stories_that_pages_tell() -> None:
    rows = sample.sample_rows()
    assert sum(user["preferences"] is not None for user in rows["users"]) == 14
    assert {user["email"].split("@")[1] for user in rows["users"]} == {"example.com", "example.net", "example.org"}
    assert {job["status"] for job in rows["content_jobs"]} == {"queued", "running", "succeeded", "failed", "cancelled"}
    assert {row["plan"] for row in rows["subscriptions"]} == {"free", "starter", "team", "enterprise"}
    assert {row["status"] for row in rows["invoices"]} == {"draft", "open", "paid", "void"}


def test_loaded_twice_into_two_databases_gives_the_same_dump(disposable: Callable[..., Any]) -> None:
    first, second = (_values(disposable(revision="head", rows="sample").url) for _ in range(2))
    assert {name: len(rows) for name, rows in first.items()} == COUNTS
    assert first == second


def test_the_next_row_gets_the_next_id(disposable: Callable[..., Any]) -> None:
    with psycopg.connect(disposable(revision="head", rows="sample").url) as connection:
        row = connection.execute(
            "INSERT INTO users (email, display_name) VALUES ('new@example.com', 'New') RETURNING id"
        ).fetchone()
    assert row == (26,)


def test_loading_says_how_much_and_refuses_the_second_time(
    disposable: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    url = disposable(revision="head").url
    monkeypatch.setenv("DATABASE_URL", url)
    assert sample.main() == 0
    assert capsys.readouterr() == (LINE, "")

    before = _values(url)
    assert sample.main() == 3
    assert capsys.readouterr() == ("", f"error: {REFUSAL.format(users='25 users')}\n")
    assert _values(url) == before


def test_one_user_is_too_many(disposable: Callable[..., Any]) -> None:
    url = disposable(revision="head").url
    with psycopg.connect(url) as connection:
        connection.execute("INSERT INTO users (email, display_name) VALUES ('real@example.com', 'Real')")
    engine = create_engine(url, poolclass=NullPool)
    with pytest.raises(sample.NotEmptyError) as refusal, engine.begin() as connection:
        sample.load(connection)
    assert str(refusal.value) == REFUSAL.format(users="1 user")


@pytest.mark.parametrize(
    ("revision", "problem"),
    [
        (None, f"the database is at no revision, head is {HEAD}: run alembic upgrade head"),
        (PARENT, f"the database is behind, at {PARENT}, head is {HEAD}: run alembic upgrade head"),
    ],
)
def test_not_at_head(
    disposable: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    revision: str | None,
    problem: str,
) -> None:
    monkeypatch.setenv("DATABASE_URL", disposable(revision=revision).url)
    assert sample.main() == 1
    assert capsys.readouterr() == ("", f"error: sample rows were not loaded: {problem}\n")


def test_the_command_without_database_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    command = [sys.executable, "-m", "content_creation_crew.db.sample"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (answer.returncode, answer.stdout, answer.stderr) == (2, "", UNSET)


def _values(url: str) -> dict[str, list[Any]]:
    with psycopg.connect(url) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return {
            name: connection.execute(f"SELECT to_jsonb(t)::text FROM {name} t ORDER BY 1").fetchall()
            for name in Base.metadata.tables
        }
