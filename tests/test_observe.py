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
from backout.observe.answers import read_text
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
            held = holding.read()
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


@pytest.fixture(scope="module")
def shared_unwatched(backout_server: Server, unwatched: Database) -> Iterator[Migrating]:
    database = backout_server.clone(unwatched)
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
    expected = expected_of(case, backout_server)
    texts = texts_of(case)
    if case["mode"] == "tx":
        measured = in_transaction(request.getfixturevalue("shared"), texts)
    else:
        with Migrating(request.getfixturevalue("clone")(template)) as migrating:
            measured = brief_statement(migrating.told(*texts)[-1])
    if measured["locks"].startswith("error"):
        assert measured["locks"] == expected["locks"]
    else:
        assert measured == expected


def expected_of(case: dict[str, str], server: Server) -> dict[str, str]:
    expected = {name: case[name] for name in ("locks", "rewrites", "indexes", "scans", "rows")}
    if server.major < 18 and case["on 15"]:
        name, _, value = case["on 15"].partition("=")
        expected[name] = value
    return expected


def texts_of(case: dict[str, str]) -> list[str]:
    return [*filter(None, case["before"].split(" ;; ")), case["statement"]]


def in_transaction(migrating: Migrating, texts: list[str]) -> dict[str, str]:
    with migrating.connection.transaction(force_rollback=True):
        try:
            return brief_statement(migrating.told(*texts)[-1])
        except psycopg.Error as error:
            return {"locks": f"error {error.sqlstate}"}


@pytest.mark.parametrize("case", CASES, ids=[f"{case['case']} {case['statement'][:60]}" for case in CASES])
def test_what_is_not_seen_is_not_called_safe(
    case: dict[str, str],
    request: pytest.FixtureRequest,
    clone: Callable[[Database], Database],
    unwatched: Database,
    backout_server: Server,
) -> None:
    """Without the event trigger: either the same, or not seen. Too much is said of one."""
    expected = expected_of(case, backout_server)
    if case["statement"].startswith("DROP INDEX t_b; CREATE INDEX t_b"):
        expected["indexes"] = "t_b"
    texts = texts_of(case)
    if case["mode"] == "tx":
        measured = in_transaction(request.getfixturevalue("shared_unwatched"), texts)
    else:
        with Migrating(clone(unwatched)) as migrating:
            measured = brief_statement(migrating.told(*texts)[-1])
    assert {name: value for name, value in measured.items() if value not in ("?", expected[name])} == {}
    if case["mode"] == "tx":
        assert measured["locks"] == expected["locks"]


def test_ddl_outside_a_transaction_is_always_seen(clone: Callable[[Database], Database], template: Database) -> None:
    with Migrating(clone(template)) as migrating:
        told = migrating.told(
            *(f"ALTER TABLE t ADD COLUMN x{number} uuid DEFAULT gen_random_uuid()" for number in range(20))
        )
    assert [brief_statement(one) for one in told] == 20 * [
        {"locks": "t AE", "rewrites": "t", "indexes": "t_b t_n t_pkey", "scans": "t", "rows": ""}
    ]


@pytest.mark.parametrize(
    ("statement", "undo", "expected"),
    [
        ("CREATE INDEX CONCURRENTLY again ON t (v)", "DROP INDEX again", "t SUE"),
        ("DROP INDEX CONCURRENTLY t_b", "CREATE INDEX t_b ON t (b)", "t SUE"),
        ("REINDEX INDEX CONCURRENTLY t_b", "SELECT 1", "t SUE"),
        ("REINDEX (CONCURRENTLY) TABLE p", "SELECT 1", "p SUE"),
        (
            "ALTER TABLE parts DETACH PARTITION parts_23 CONCURRENTLY",
            "ALTER TABLE parts ATTACH PARTITION parts_23 FOR VALUES FROM ('2023-01-01') TO ('2024-01-01')",
            "parts SUE, parts_23 AE",
        ),
        ("TRUNCATE alone", "SELECT 1", "alone AE"),
        ("VACUUM (FULL, ANALYZE) p", "SELECT 1", "p AE"),
    ],
)
def test_what_waits_is_always_seen(
    clone: Callable[[Database], Database], template: Database, statement: str, undo: str, expected: str
) -> None:
    with Migrating(clone(template)) as migrating:
        seen = []
        for _ in range(20):
            seen.append(brief_statement(migrating.told(statement)[0])["locks"])
            migrating.connection.execute(undo)  # type: ignore[call-overload]
    assert seen == 20 * [expected]


def test_a_statement_shows_nothing_of_the_one_before(clone: Callable[[Database], Database], template: Database) -> None:
    with Migrating(clone(template)) as migrating:
        seen = [
            migrating.run("ALTER TABLE t ADD CHECK (n > 0)"),
            migrating.run("UPDATE t SET n = n"),
            migrating.run("SET lock_timeout = '1min'"),
        ]
        migrating.connection.execute("ALTER TABLE t ADD COLUMN x int")  # unprobed
        seen.append(migrating.run("ALTER TABLE alone ADD COLUMN y int"))
        told = statements(migrating.baseline, seen)
    assert [brief_statement(one) for one in told] == [
        {"locks": "t AE", "rewrites": "-", "indexes": "-", "scans": "t", "rows": ""},
        {"locks": "?", "rewrites": "-", "indexes": "-", "scans": "-", "rows": "3"},
        {"locks": "-", "rewrites": "-", "indexes": "-", "scans": "-", "rows": ""},
        {"locks": "alone AE", "rewrites": "-", "indexes": "-", "scans": "-", "rows": ""},
    ]


def test_queries_of_an_earlier_transaction_are_no_scans_of_this_one(
    clone: Callable[[Database], Database], template: Database
) -> None:
    with Migrating(clone(template)) as migrating:
        for text in ("SELECT * FROM t", "BEGIN", "SELECT * FROM t", "COMMIT", "BEGIN"):
            migrating.run(text)
        told = migrating.told("ALTER TABLE t ADD COLUMN x int", "COMMIT", "ALTER TABLE t ADD COLUMN y int")
    assert [brief_statement(one)["scans"] for one in told] == ["-", "-", "-"]


def test_two_sessions_of_a_step(clone: Callable[[Database], Database], template: Database) -> None:
    """What is held is told by the transaction, not by the order."""
    database = clone(template)
    with Migrating(database) as one, Migrating(database) as two:
        seen = [one.run("BEGIN"), two.run("BEGIN")]
        seen += [one.run("LOCK TABLE t"), two.run("LOCK TABLE p"), one.run("SELECT * FROM t"), two.run("COMMIT")]
        seen += [one.run("ALTER TABLE p ADD COLUMN x int")]
        told = statements(one.baseline, seen)
    assert [brief_statement(each)["locks"] for each in told] == [
        *("-", "-", "t AE", "p AE", "(t AE)", "-", "p AE, (t AE)")
    ]


def test_replication_role_does_not_switch_it_off(clone: Callable[[Database], Database], template: Database) -> None:
    with Migrating(clone(template)) as migrating:
        told = migrating.told("SET session_replication_role = replica", "DROP TABLE t")
    assert brief_statement(told[1])["locks"] == "p AE, t AE"


def test_it_is_known_when_it_was_switched_off(clone: Callable[[Database], Database], template: Database) -> None:
    with Migrating(clone(template)) as migrating:
        told = migrating.told(
            f"ALTER EVENT TRIGGER {observe.TRIGGER}_end DISABLE", "ALTER TABLE t ADD COLUMN x int", "SELECT 1"
        )
    assert brief_statement(told[1]) == {"locks": "?", "rewrites": "?", "indexes": "?", "scans": "?", "rows": ""}


def test_without_a_probe_nothing_was_seen(shared: Migrating) -> None:
    seen = [Seen("ALTER TABLE t ADD COLUMN x int", None, False, -1), Seen("DELETE FROM t", None, True, 7)]
    assert statements(shared.baseline, seen) == (
        Statement("ALTER TABLE t ADD COLUMN x int"),
        Statement("DELETE FROM t", rows_changed=7),
    )


def test_blocks(shared: Migrating) -> None:
    """Manual, table "Conflicting Lock Modes": against ACCESS SHARE of readers and ROW EXCLUSIVE of writers."""
    modes = ["ACCESS SHARE", "ROW SHARE", "ROW EXCLUSIVE", "SHARE UPDATE EXCLUSIVE", "SHARE", "SHARE ROW EXCLUSIVE"]
    with shared.connection.transaction(force_rollback=True):
        texts = [f"LOCK TABLE t IN {mode} MODE" for mode in [*modes, "EXCLUSIVE", "ACCESS EXCLUSIVE"]]
        told = shared.told(*texts)
    writes, both = ("writes",), ("reads", "writes")
    assert [lock.blocks for one in told for lock in one.locks or ()] == [(), (), (), (), writes, writes, writes, both]


def test_a_probe_locks_nothing_of_the_user(shared: Migrating) -> None:
    with shared.connection.transaction(force_rollback=True):
        shared.connection.execute(probe())  # type: ignore[call-overload]
        held = shared.connection.execute(
            "SELECT relation::regclass::text FROM pg_locks WHERE pid = pg_backend_pid() AND relation >= 16384"
        ).fetchall()
    assert held == []


def test_a_probe_needs_nothing_of_the_search_path(clone: Callable[[Database], Database], template: Database) -> None:
    with Migrating(clone(template)) as migrating:
        migrating.connection.execute(
            "CREATE FUNCTION public.never(oid, oid) RETURNS boolean LANGUAGE sql AS 'SELECT false';"
            "CREATE OPERATOR public.= (LEFTARG = oid, RIGHTARG = oid, FUNCTION = public.never);"
            "CREATE VIEW public.pg_locks AS SELECT 1; CREATE VIEW public.pg_index AS SELECT 1;"
            "SET search_path = public, pg_catalog"
        )
        assert brief_statement(migrating.told("ALTER TABLE t ALTER b TYPE text COLLATE \"C\"")[0]) == {
            "locks": "t AE", "rewrites": "-", "indexes": "t_b", "scans": "t", "rows": "",
        }  # fmt: skip


def test_the_version_table_is_nobodys(clone: Callable[[Database], Database], template: Database) -> None:
    database = clone(template)
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
        baseline = read_baseline(connection, frozenset({"public.alembic_version"}))
    with Migrating(database, baseline=baseline) as migrating:
        told = migrating.told("BEGIN", "INSERT INTO alembic_version VALUES ('x')")
    assert told[1].locks == ()


def test_baseline(shared: Migrating) -> None:
    relations = {one.name: one for one in shared.baseline.relations.values()}
    assert {name: one.kind for name, one in relations.items() if "alone" in name or "v" in name.split(".")[1]} == {
        "public.alone": "r",
        "public.alone_id_seq": "S",
        "public.alone_pkey": "i",
        "public.mv": "m",
        "public.mv_id": "i",
        "public.vw": "v",
    }
    table = relations["public.alone"]
    assert {name for name, one in relations.items() if one.of == table.oid} == {
        "public.alone_id_seq",
        "public.alone_pkey",
    }
    assert relations["public.vw"].file is None
    assert 'public."Odd Name"' in relations
    assert shared.baseline.last == max(one.oid for one in relations.values())


def test_installing_needs_a_superuser(clone: Callable[[Database], Database], unwatched: Database) -> None:
    database = clone(unwatched)
    role = database.name  # roles are the server's
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {role}; SET ROLE {role}")  # type: ignore[call-overload]
        try:
            assert install(connection) is False
        finally:
            connection.execute(f"RESET ROLE; DROP ROLE {role}")  # type: ignore[call-overload]
        assert connection.execute("SELECT count(*) FROM pg_event_trigger").fetchone() == (0,)


def test_installing_twice_and_uninstalling(clone: Callable[[Database], Database], template: Database) -> None:
    with psycopg.connect(clone(template).url, autocommit=True) as connection:
        assert install(connection) is True
        query = (
            "SELECT evtname FROM pg_event_trigger UNION ALL SELECT proname FROM pg_proc WHERE oid >= 16384 ORDER BY 1"
        )
        assert [name for (name,) in connection.execute(query)] == [
            *("_backout_observe", "_backout_observe_end", "_backout_observe_start", "in_two", "noop", "widen")
        ]
        observe.uninstall(connection)
        assert [name for (name,) in connection.execute(query)] == ["in_two", "noop", "widen"]


# -- holding ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "autocommit", "expected"),
    [
        ("CREATE INDEX CONCURRENTLY i ON t (n)", True, True),
        ("create unique index concurrently on t (n)", True, True),
        ("CREATE INDEX CONCURRENTLY i ON t (n)", False, False),
        ('CREATE INDEX "CONCURRENTLY" ON t (n)', True, False),
        ("CREATE INDEX i ON t (n) -- not CONCURRENTLY", True, False),
        ("SELECT 'CREATE INDEX CONCURRENTLY'", True, False),
        ("REFRESH MATERIALIZED VIEW CONCURRENTLY mv", True, False),
        ("/* why */ TRUNCATE t", True, True),
        ("VACUUM", True, True),
        ("ALTER TABLE t ADD COLUMN x int", True, False),
        ("UPDATE t SET n = 1", True, False),
        ("", True, False),
    ],
)
def test_must_hold(text: str, autocommit: bool, expected: bool) -> None:
    assert must_hold(text, autocommit=autocommit) is expected


def test_a_lock_in_the_way_lets_the_statement_go_unseen(
    clone: Callable[[Database], Database], template: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The holding session does not wait for one that may be waiting for the migrating one."""
    monkeypatch.setattr(observe, "LOCK_SECONDS", 0.01)
    database = clone(template)
    with Migrating(database) as migrating, psycopg.connect(database.url) as other:
        other.execute("LOCK TABLE t")
        with observe.hold(migrating.parent, "CREATE INDEX CONCURRENTLY ON t (v)") as holding:
            holding.wait(migrating.connection.info.backend_pid, lambda: True, LONG)
            assert holding.read() is None
        assert migrating.parent.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
        other.rollback()
        assert brief_statement(migrating.told("CREATE INDEX CONCURRENTLY ON t (v)")[0])["locks"] == "t SUE"


def test_a_statement_that_waits_for_somebody_else_is_let_go(
    clone: Callable[[Database], Database], template: Database
) -> None:
    database = clone(template)
    with Migrating(database) as migrating, psycopg.connect(database.url) as other:
        other.execute("LOCK TABLE t IN ROW EXCLUSIVE MODE")
        pid = migrating.connection.info.backend_pid
        with observe.hold(migrating.parent, "CREATE INDEX CONCURRENTLY ON p (n)") as holding:
            running = migrating.executor.submit(migrating.connection.execute, "CREATE INDEX CONCURRENTLY ON t (v)")
            holding.wait(pid, running.done, 0.05)
            assert holding.read() is None
        other.rollback()
        running.result(LONG)


def test_a_statement_that_fails_while_it_is_held(clone: Callable[[Database], Database], template: Database) -> None:
    with Migrating(clone(template)) as migrating:
        with pytest.raises(psycopg.errors.UndefinedColumn):
            migrating.run("CREATE INDEX CONCURRENTLY ON t (nope)")
        assert migrating.parent.info.transaction_status == psycopg.pq.TransactionStatus.IDLE


def test_a_statement_that_has_nothing_to_do_locks_nothing(
    clone: Callable[[Database], Database], template: Database
) -> None:
    """It does not wait for the writers of any table: that is seen, and not unknown."""
    with Migrating(clone(template)) as migrating:
        (told,) = migrating.told("DROP INDEX CONCURRENTLY IF EXISTS nowhere")
    assert (told.locks, told.rewrites) == ((), ())


def test_leaving_early_gives_the_locks_back(clone: Callable[[Database], Database], template: Database) -> None:
    with Migrating(clone(template)) as migrating:
        with observe.hold(migrating.parent, "TRUNCATE t"):
            pass
        assert brief_statement(migrating.told("ALTER TABLE t ADD COLUMN x int")[0])["locks"] == "t AE"


def test_nothing_to_hold(backout_server: Server) -> None:
    database = backout_server.create()
    with Migrating(database) as migrating:
        with observe.hold(migrating.parent, "VACUUM") as holding:
            holding.wait(migrating.connection.info.backend_pid, lambda: True)
        assert holding.read() is None
    backout_server.drop(database)


# -- reading SQL --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("", ()),
        ("-- nothing\n ; ;", ()),
        ("SELECT ';' , $$ ; $$, $x$ ; $$ ; $x$, \"a;b\", E'\\';' -- ;\n /* ; */", ("query",)),
        ("(SELECT 1)", ("query",)),
        ("with x as (select 1) insert into t table x", ("dml",)),
        ("WITH x AS (SELECT 1) TABLE x", ("query",)),
        ("EXPLAIN ANALYZE DELETE FROM t", ("dml",)),
        ("COPY t FROM STDIN; COPY t TO STDOUT", ("dml", "query")),
        (
            "BEGIN; CREATE TABLE t (); DO $$BEGIN TRUNCATE t; END$$; TRUNCATE t;",
            ("control", "ddl", "opaque", "eventless"),
        ),
        ("UPDATE t SET a = %(a)s WHERE b = :b AND c = $1", ("dml",)),
    ],
)
def test_kinds_of_statements(text: str, kinds: tuple[str, ...]) -> None:
    assert read_text(text).kinds == kinds


def test_names_in_a_text() -> None:
    found = read_text('CREATE INDEX CONCURRENTLY Ix ON "S"."a ""b""" (lower(Name))').names
    assert {"ix", "S", 'a "b"', "name"} <= found
