"""What is said before a database changes its revision, what is refused, and that one runner waits for another."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from backout import production
from backout.errors import BackoutError, ConfigurationError, Refused
from backout.postgres import Database
from backout.production import Rollback

Make = Callable[..., Database]

# The document of a revision, as alembic/script.py.mako lays it out.
DOCUMENT = """Why:
    Because.
Data loss:
    users.nickname: every value.
      The second line is indented deeper.

    users.email: its capitals.
Rollback plan:
    None.
"""


def at(database: Database, *revisions: str) -> str:
    """Put the database at these revisions, without running any; its URL."""
    with psycopg.connect(database.url) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
        for revision in revisions:
            connection.execute("INSERT INTO alembic_version VALUES (%s)", [revision])
    return database.url


# -- DATABASE_URL -----------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [None, "", "  "])
def test_the_database_must_be_named(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    if value is not None:
        monkeypatch.setenv("DATABASE_URL", value)
    with pytest.raises(ConfigurationError) as caught:
        production.database_url()
    assert str(caught.value) == (
        "DATABASE_URL is not set: set it to postgresql://user@host:port/database, "
        "or, for a disposable one: backout postgres --revision head --sample"
    )


@pytest.mark.parametrize("value", ["crew", "mysql://crew:secret@db/crew", "postgresql://crew:sec%zzret@db/crew"])
def test_what_is_no_url_is_not_quoted(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """It may hold a password."""
    monkeypatch.setenv("DATABASE_URL", value)
    with pytest.raises(ConfigurationError) as caught:
        production.database_url()
    assert str(caught.value) == (
        "DATABASE_URL cannot be read; write postgresql://user@host:port/database, "
        "with special characters percent-encoded (manual, section Connection URIs)"
    )


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg", "postgres+asyncpg"])
def test_the_forms_of_sqlalchemy_are_understood(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    monkeypatch.setenv("DATABASE_URL", f" {scheme}://crew@db:5433/crew ")
    assert production.database_url() == "postgresql://crew@db:5433/crew"


# -- where a database stands ------------------------------------------------------------------------


def test_current_revisions(disposable: Make) -> None:
    assert production.current_revisions(disposable().url) == ()
    assert production.current_revisions(at(disposable())) == ()
    assert production.current_revisions(at(disposable(), "b", "a")) == ("a", "b")


def test_a_database_that_does_not_answer(tmp_path: Path) -> None:
    with pytest.raises(BackoutError) as caught:
        production.current_revisions(f"postgresql://crew@/crew?host={tmp_path}&port=5432")
    assert str(caught.value) == (
        f"the database does not answer: {str(caught.value.__cause__).strip()}; check DATABASE_URL"
    )


def test_the_chain_is_looked_for_where_alembic_ini_is(tmp_path: Path) -> None:
    project = production.Project(root=tmp_path)
    with pytest.raises(ConfigurationError) as caught:
        production.script_directory(project)
    assert str(caught.value) == (f"{tmp_path}/alembic.ini does not exist; run backout in the directory of alembic.ini")


# -- describe_rollback ------------------------------------------------------------------------------


def test_a_rollback_is_described_in_the_words_of_the_revision(small_chain: Any, disposable: Make) -> None:
    small_chain.add("a1", message="first")
    small_chain.add("b2", message="add users.nickname", document=DOCUMENT)
    described = production.describe_rollback(small_chain.project, at(disposable(), "b2"))
    assert described == Rollback(
        revision="b2",
        parent="a1",
        message="add users.nickname",
        losses=("users.nickname: every value.", "The second line is indented deeper.", "users.email: its capitals."),
        plan=("None.",),
    )


def test_the_first_revision_goes_back_to_base(small_chain: Any, disposable: Make) -> None:
    small_chain.add("a1", message="first")
    small_chain.add("b2")
    described = production.describe_rollback(small_chain.project, at(disposable(), "a1"))
    assert described == Rollback(revision="a1", parent="base", message="first", losses=(), plan=())


@pytest.mark.parametrize(
    ("revisions", "message"),
    [
        ((), "the database has no revision; there is nothing to roll back"),
        (
            ("b2", "c3"),
            "the database is at 2 heads (b2, c3); name the one to roll back: alembic downgrade REVISION@-1",
        ),
        (
            ("d4",),
            (
                "d4 merges b2 and c3; rolling back a merge is ambiguous, "
                "so name the revision to stay at: alembic downgrade REVISION"
            ),
        ),
        (
            ("e5",),
            (
                "the database is at e5, and no file in {versions} has it; "
                "check out the code that was deployed, then roll back"
            ),
        ),
    ],
    ids=["nothing", "several heads", "merge", "missing file"],
)
def test_a_rollback_that_is_not_one_step_is_refused(
    small_chain: Any, disposable: Make, revisions: tuple[str, ...], message: str
) -> None:
    small_chain.add("a1")
    small_chain.add("b2", parents=("a1",))
    small_chain.add("c3", parents=("a1",))
    small_chain.add("d4", parents=("b2", "c3"))
    with pytest.raises(Refused) as caught:
        production.describe_rollback(small_chain.project, at(disposable(), *revisions))
    assert str(caught.value) == message.format(versions=small_chain.root / "alembic" / "versions")


# -- the migration lock -----------------------------------------------------------------------------


def test_one_runner_keeps_another_out(disposable: Make) -> None:
    url = disposable().url
    with production.migration_lock(url), pytest.raises(Refused) as caught, production.migration_lock(url, wait=0):
        pytest.fail("the lock was given to two")
    assert str(caught.value) == (
        "another runner has held the migration lock for 0 s; wait until it has finished, "
        "or look for it in pg_stat_activity: application_name 'backout migration lock'"
    )
    with production.migration_lock(url, wait=0):
        pass


def test_a_runner_waits_until_the_other_has_finished(disposable: Make) -> None:
    """Without a running statement, on which CREATE INDEX CONCURRENTLY of the other would wait for ever."""
    database = disposable()
    order: list[str] = []

    def second() -> None:
        with production.migration_lock(database.url):
            order.append("second")

    runner = threading.Thread(target=second)
    seen = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND application_name = %s AND state = 'idle'"
    with production.migration_lock(database.url), psycopg.connect(database.url, autocommit=True) as connection:
        runner.start()
        while connection.execute(seen, [database.name, "backout migration lock"]).fetchone() != (2,):
            assert runner.is_alive()
            time.sleep(0.001)
        order.append("first")
    runner.join()
    assert order == ["first", "second"]


def test_databases_of_one_server_have_locks_of_their_own(disposable: Make) -> None:
    with production.migration_lock(disposable().url), production.migration_lock(disposable().url, wait=0):
        pass


# -- acting -----------------------------------------------------------------------------------------


def test_a_database_that_has_moved_is_not_rolled_back(small_chain: Any, disposable: Make) -> None:
    small_chain.add("a1")
    planned = Rollback(revision="a1", parent="base", message="", losses=(), plan=())
    for revisions, where in [(("b2",), "b2"), ((), "base")]:
        with pytest.raises(Refused) as caught:
            production.roll_back(small_chain.project, at(disposable(), *revisions), planned)
        assert str(caught.value) == (
            f"the database was at a1 and is at {where} now; somebody else migrates it: look again"
        )


def test_the_described_revision_is_rolled_back_and_applied_again(
    small_chain: Any, disposable: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_chain.add("a1")
    small_chain.add("b2", "op.execute('CREATE TABLE b2 ()')", "op.execute('DROP TABLE b2')", parents=("a1",))
    database = disposable()
    monkeypatch.setenv("DATABASE_URL", database.url)
    assert production.apply_pending(small_chain.project, database.url) == ((), ("b2",))
    production.roll_back(
        small_chain.project, database.url, production.describe_rollback(small_chain.project, database.url)
    )
    assert production.current_revisions(database.url) == ("a1",)
    with psycopg.connect(database.url) as connection:
        assert connection.execute("SELECT to_regclass('b2')").fetchone() == (None,)


def test_a_chain_with_two_heads_is_not_applied(small_chain: Any, disposable: Make) -> None:
    small_chain.add("a1")
    small_chain.add("b2", parents=("a1",))
    small_chain.add("c3", parents=("a1",))
    database = disposable()
    with pytest.raises(Refused) as caught:
        production.apply_pending(small_chain.project, database.url)
    assert str(caught.value) in {
        f"the chain has 2 heads ({heads}); merge them: alembic merge heads" for heads in ("b2, c3", "c3, b2")
    }
    assert production.current_revisions(database.url) == ()


def test_an_upgrade_that_fails_is_told(
    small_chain: Any, disposable: Make, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Alembic's own words go to the terminal, and the lock is free again."""
    small_chain.add("a1", "op.execute('SELECT 1/0')")
    database = disposable()
    monkeypatch.setenv("DATABASE_URL", database.url)
    with pytest.raises(BackoutError) as caught:
        production.apply_pending(small_chain.project, database.url)
    assert str(caught.value) == ("alembic upgrade head failed with exit status 1; what it printed above says why")
    assert "division by zero" in capfd.readouterr().err
    with production.migration_lock(database.url, wait=0):
        pass


def test_an_upgrade_of_another_database_is_told(
    small_chain: Any, disposable: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_chain.add("a1")
    database = disposable()
    monkeypatch.setenv("DATABASE_URL", disposable().url)
    with pytest.raises(BackoutError) as caught:
        production.apply_pending(small_chain.project, database.url)
    assert str(caught.value) == (
        "the database is at base after alembic upgrade head, not at a1; "
        "see that alembic/env.py migrates the database that DATABASE_URL names"
    )


def test_alembic_may_be_quiet_until_it_fails(
    small_chain: Any, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://crew@db/crew")
    with pytest.raises(BackoutError) as caught:
        production.run_alembic(small_chain.project, "show", "zz", quiet=True)
    assert str(caught.value).splitlines() == [
        "alembic show zz failed with exit status 255:",
        "FAILED: Can't locate revision identified by 'zz'",
    ]
    assert capfd.readouterr() == ("", "")
