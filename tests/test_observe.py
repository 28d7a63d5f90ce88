"""What is seen of a migrating session: on a real server, as the worker will run it, statement by statement.

``samples/observed/statements.tsv`` holds what PostgreSQL's manual and the catalogue of hazards say of each
statement; ``setup.sql`` is what they run on. Locks are abbreviated by their initials, those in parentheses were held
before; ``-`` is nothing, ``?`` not seen.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from backout import observe
from backout.evidence import Lock, Statement
from backout.observe import Held, install, must_hold, probe, read_baseline, statements
from backout.postgres import Database, Server

SAMPLES = Path(__file__).parent / "samples" / "observed"
SETUP = (SAMPLES / "setup.sql").read_text(encoding="utf-8")
with (SAMPLES / "statements.tsv").open(encoding="utf-8", newline="") as file:
    CASES = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))

INITIALS = {
    "AccessShareLock": "AS",
    "RowShareLock": "RS",
    "RowExclusiveLock": "RE",
    "ShareUpdateExclusiveLock": "SUE",
    "ShareLock": "S",
    "ShareRowExclusiveLock": "SRE",
    "ExclusiveLock": "E",
    "AccessExclusiveLock": "AE",
}
LONG = 60.0


@dataclass(frozen=True)
class Seen:
    """A statement that was executed, with what is known of it."""

    sql: str
    probe: str | None
    autocommit: bool
    rowcount: int | None
    held: Held | None = None


class Migrating:
    """A migrating session and its observer, on one database."""

    def __init__(self, database: Database, *, baseline: observe.Baseline | None = None) -> None:
        self.connection = psycopg.connect(database.url, autocommit=True)
        self.parent = psycopg.connect(database.url, autocommit=True)
        self.baseline = baseline or read_baseline(self.parent)
        self.executor = ThreadPoolExecutor(1)

    def __enter__(self) -> Migrating:
        return self

    def __exit__(self, *_: object) -> None:
        self.executor.shutdown()
        self.connection.close()
        self.parent.close()

    def run(self, text: str) -> Seen:
        """Run one statement and its probe."""
        autocommit = self.connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
        held = None
        if must_hold(text, autocommit=autocommit):
            with observe.hold(self.parent, text) as holding:
                running = self.executor.submit(self.connection.execute, text)  # type: ignore[arg-type]
                holding.wait(self.connection.info.backend_pid, running.done, LONG)
            cursor = running.result(LONG)
            held = holding.seen
        else:
            cursor = self.connection.execute(text)  # type: ignore[call-overload]
        answer = self.connection.execute(probe(self.baseline)).fetchone()  # type: ignore[call-overload]
        return Seen(text, answer[0], autocommit, cursor.rowcount, held)

    def told(self, *texts: str) -> tuple[Statement, ...]:
        """Run statements in a row; what is seen of them."""
        return statements(self.baseline, [self.run(text) for text in texts])


def build(database: Database, *, watched: bool) -> None:
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute(SETUP)  # type: ignore[call-overload]
        if watched:
            assert install(connection) is True


@pytest.fixture(scope="module")
def template(backout_server: Server) -> Database:
    return backout_server.template("observed", lambda database: build(database, watched=True))


@pytest.fixture(scope="module")
def unwatched(backout_server: Server) -> Database:
    return backout_server.template("observed unwatched", lambda database: build(database, watched=False))


@pytest.fixture
def clone(backout_server: Server) -> Iterator[Callable[[Database], Database]]:
    made: list[Database] = []

    def make(template: Database) -> Database:
        made.append(backout_server.clone(template))
        return made[-1]

    yield make
    for database in made:
        backout_server.drop(database)


@pytest.fixture(scope="module")
def shared(backout_server: Server, template: Database) -> Iterator[Migrating]:
    """For statements whose transaction is rolled back."""
    database = backout_server.clone(template)
    with Migrating(database) as migrating:
        yield migrating
    backout_server.drop(database)


def brief(names: tuple[str, ...] | None) -> str:
    if names is None:
        return "?"
    return " ".join(name.removeprefix("public.") for name in names) or "-"


def brief_lock(lock: Lock) -> str:
    text = f"{lock.relation.removeprefix('public.')} {INITIALS[lock.mode]}"
    return text if lock.acquired else f"({text})"


def brief_statement(statement: Statement) -> dict[str, str]:
    if statement.locks is None:
        locks = "?"
    else:
        ordered = sorted(statement.locks, key=lambda lock: not lock.acquired)
        locks = ", ".join(map(brief_lock, ordered)) or "-"
    return {
        "locks": locks,
        "rewrites": brief(statement.rewrites),
        "indexes": brief(statement.indexes),
        "scans": brief(statement.scans),
        "rows": "" if statement.rows_changed is None else str(statement.rows_changed),
    }


@pytest.mark.parametrize("case", CASES, ids=[f"{case['case']} {case['statement'][:60]}" for case in CASES])
def test_statement(
    case: dict[str, str], request: pytest.FixtureRequest, backout_server: Server, template: Database
) -> None:
    expected = {name: case[name] for name in ("locks", "rewrites", "indexes", "scans", "rows")}
    for difference in filter(None, case["on 15"].split("; ") if backout_server.major < 18 else []):
        name, _, value = difference.partition("=")
        expected[name] = value
    texts = [*filter(None, case["before"].split(" ;; ")), case["statement"]]
    if case["mode"] == "tx":
        measured = in_transaction(request.getfixturevalue("shared"), texts)
    else:
        with Migrating(request.getfixturevalue("clone")(template)) as migrating:
            measured = brief_statement(migrating.told(*texts)[-1])
    if measured["locks"].startswith("error"):
        assert measured["locks"] == expected["locks"]
    else:
        assert measured == expected


def in_transaction(migrating: Migrating, texts: list[str]) -> dict[str, str]:
    with migrating.connection.transaction(force_rollback=True):
        try:
            return brief_statement(migrating.told(*texts)[-1])
        except psycopg.Error as error:
            return {"locks": f"error {error.sqlstate}"}
