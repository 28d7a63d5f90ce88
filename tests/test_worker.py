"""backout.worker and its worker: sample projects of every kind, driven a step at a time on disposable databases."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import psutil
import psycopg
import pytest

from backout.errors import ConfigurationError, Refused
from backout.postgres import Database, RealDatabase, Server, open_server, real_database
from backout.worker import MIGRATING, Failure, StepReport, Target, Worker
from backout.worker.process import fill_scratch

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="NOT CHECKED: inherited sockets are POSIX's")

ROOT = Path(__file__).parents[1]
SAMPLES = Path(__file__).parent / "samples" / "projects"
LONG = 120.0  # seconds; what ends, ends long before
NAME_IT = "name the interpreter that the project's packages are installed in: --python .venv/bin/python"
PROBE = "SELECT pg_catalog.current_database() || ' ' || pg_catalog.pg_backend_pid()"


class Start(Protocol):
    """Makes a worker for a copy of a sample project."""

    def __call__(self, kind: str, **target: Any) -> Worker: ...


@pytest.fixture
def project(tmp_path: Path) -> Callable[[str], Path]:
    """Copies a sample project; its directory."""

    def copy(kind: str) -> Path:
        if not (tmp_path / kind).exists():
            shutil.copytree(SAMPLES / kind, tmp_path / kind, ignore=shutil.ignore_patterns("__pycache__"))
        return tmp_path / kind

    return copy


@pytest.fixture
def start(project: Callable[[str], Path], backout_server: Server) -> Iterator[Start]:
    started: list[Worker] = []

    def make(
        kind: str, *, configuration: str = "alembic.ini", server: Server | RealDatabase | None = None, **target: Any
    ) -> Worker:
        started.append(Worker(Target(project(kind) / configuration, **target), server or backout_server))
        return started[-1]

    yield make
    for worker in started:
        worker.close()


def rows(database: Database, query: Any) -> list[tuple[Any, ...]]:
    with psycopg.connect(database.url, autocommit=True) as connection:
        cursor = connection.execute(query)
        return cursor.fetchall() if cursor.description else []


def tables(database: Database) -> list[str]:
    query = """SELECT c.oid::regclass::text FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
               WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1"""
    return [name for (name,) in rows(database, query)]


def versions(database: Database, table: str = "alembic_version") -> list[str]:
    return [name for (name,) in rows(database, f"SELECT version_num FROM {table} ORDER BY 1")]


def applied(report: StepReport) -> StepReport:
    assert (report.outcome, report.failure) == ("applied", None), report
    return report


def own(report: StepReport) -> list[str]:
    return [ran.sql for ran in report.statements if ran.own]


def sessions(database: Database) -> list[str]:
    """The sessions of others at a database."""
    query = f"""SELECT state || ': ' || query FROM pg_stat_activity
                WHERE datname = '{database.name}' AND pid <> pg_backend_pid() AND usesysid IS NOT NULL"""
    with psycopg.connect(database.url, autocommit=True) as connection:
        until = time.monotonic() + 10
        while (found := connection.execute(query).fetchall()) and time.monotonic() < until:
            time.sleep(0.01)  # a backend needs a moment to see that its client has gone
    return [text for (text,) in found]


# Loading


def test_a_chain_is_read_whole_and_behind_what_it_needs(start: Start, project: Callable[[str], Path]) -> None:
    chain = start("branches").load()
    told = [(one.id, one.parents, one.dependencies, one.labels) for one in chain.revisions]
    assert told == [
        ("trunk", (), (), ()),
        ("left", ("trunk",), (), ()),
        ("right", ("trunk",), (), ()),
        ("both", ("left", "right"), (), ()),
        ("apart", (), (), ("billing",)),
        ("further", ("apart",), ("left",), ()),
    ]
    assert (chain.heads, chain.bases) == (("both", "further"), ("apart", "trunk"))
    root = project("branches")
    assert chain.root == root
    assert chain.env == root / "migrations" / "env.py"
    assert chain.locations == (root / "migrations" / "versions",)
    assert chain.revisions[0].path == root / "migrations" / "versions" / "trunk.py"
    assert chain.versions["python"] == ".".join(map(str, sys.version_info[:3]))
    assert chain.versions.keys() == {"python", "alembic", "sqlalchemy"}


def test_docstrings_are_told_whole(start: Start) -> None:
    first = start("plain").load().revisions[0]
    assert (first.summary, first.docstring) == ("Create users", "Create users\n\nData loss: none.\n")


def test_revisions_may_lie_in_several_directories(
    start: Start, project: Callable[[str], Path], disposable: Callable[..., Database]
) -> None:
    worker, database = start("locations"), disposable()
    chain = worker.load()
    root = project("locations")
    assert chain.locations == (root / "billing" / "versions", root / "users" / "versions")
    assert [one.path.relative_to(root).as_posix() for one in chain.revisions] == [
        "users/versions/users.py",
        "billing/versions/invoices.py",
    ]
    for revision in chain.revisions:
        applied(worker.step(database, revision.id, "upgrade"))
    assert tables(database) == ["alembic_version", "invoices", "users"]


@pytest.mark.parametrize("configuration", ["pyproject.toml", "alembic.ini"])
def test_a_configuration_may_lie_in_pyproject_toml(
    start: Start, disposable: Callable[..., Database], configuration: str
) -> None:
    worker, database = start("pyproject", configuration=configuration), disposable()
    for revision in worker.load().revisions:
        applied(worker.step(database, revision.id, "upgrade"))
    assert versions(database) == ["nickname"]


def test_a_section_arguments_and_options_are_handed_on(start: Start, project: Callable[[str], Path]) -> None:
    root = project("plain")
    ini = root / "alembic.ini"
    ini.write_text(ini.read_text().replace("[alembic]", "[other]"))
    seen = root / "seen.json"
    hooks = root / "hooks.py"
    hooks.write_text(
        "import json\n"
        "from pathlib import Path\n"
        "def before_loading(config):\n"
        "    options = [config.cmd_opts.x, config.cmd_opts.name, config.get_main_option('more')]\n"
        f"    Path({str(seen)!r}).write_text(json.dumps(options))\n"
    )
    target = {"section": "other", "arguments": ("tenant=a", "dry"), "options": {"more": "50% of {host}"}}
    start("plain", hooks=hooks, **target).load()
    arguments, section, more = json.loads(seen.read_text())
    assert (arguments, section) == (["tenant=a", "dry"], "other")
    assert more.startswith("50% of ")
    assert "{" not in more


def cannot_be_loaded(worker: Worker) -> str:
    with pytest.raises(ConfigurationError) as failure:
        worker.load()
    return str(failure.value)


def test_a_configuration_that_is_not_there(tmp_path: Path, backout_server: Server) -> None:
    with pytest.raises(ConfigurationError) as failure:
        Worker(Target(tmp_path / "alembic.ini"), backout_server)
    assert str(failure.value) == (
        f"{tmp_path}/alembic.ini does not exist; name the Alembic configuration of the project, "
        "an ini file or a pyproject.toml"
    )


def test_an_interpreter_that_is_not_there(start: Start) -> None:
    assert cannot_be_loaded(start("plain", python="/no/such/python")) == (
        f"/no/such/python could not be started: No such file or directory; {NAME_IT}"
    )


def test_a_revision_file_that_cannot_be_read(start: Start, project: Callable[[str], Path]) -> None:
    root = project("plain")
    (root / "migrations" / "versions" / "nickname.py").write_text("print('read')\ndef upgrade(:\n")
    assert cannot_be_loaded(start("plain")) == (
        f"migrations/versions/nickname.py:2: the chain of {root}/alembic.ini could not be loaded by {sys.executable}: "
        "SyntaxError: invalid syntax (nickname.py, line 2)"
    )


def test_a_revision_file_that_needs_what_is_not_installed(start: Start, project: Callable[[str], Path]) -> None:
    root = project("plain")
    with (root / "migrations" / "versions" / "nickname.py").open("a") as file:
        file.write("print('Grüße')\nimport no_such_module\n")
    line = (root / "migrations" / "versions" / "nickname.py").read_text().count("\n")
    assert cannot_be_loaded(start("plain")) == (
        f"migrations/versions/nickname.py:{line}: the chain of {root}/alembic.ini could not be loaded "
        f"by {sys.executable}: ModuleNotFoundError: No module named 'no_such_module'; {NAME_IT}; it printed\n    Grüße"
    )


def test_an_interpreter_without_alembic(start: Start, project: Callable[[str], Path], tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "bare"], check=True)
    python = str(tmp_path / "bare" / "bin" / "python")
    assert cannot_be_loaded(start("plain", python=python)) == (
        f"the chain of {project('plain')}/alembic.ini could not be loaded by {python}: "
        f"it has no Alembic and no SQLAlchemy; {NAME_IT}"
    )


def test_a_chain_that_ends_the_process_when_it_is_read(start: Start, project: Callable[[str], Path]) -> None:
    root = project("plain")
    (root / "migrations" / "versions" / "nickname.py").write_text(
        "import os\nprint('farewell', flush=True)\nos._exit(7)\n"
    )
    assert cannot_be_loaded(start("plain")) == (
        f"the chain of {root}/alembic.ini could not be loaded by {sys.executable}: "
        "its process ended with exit status 7; it printed\n    farewell"
    )


# Steps

KINDS = ["plain", "psycopg2", "asynchronous", "settings", "schemas", "branches", "locations", "per_migration"]
KINDS += ["concurrently", "models", "attributes", "pooled"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_goes_up_and_down_and_up(start: Start, disposable: Callable[..., Database], kind: str) -> None:
    worker, database = start(kind), disposable()
    chain = worker.load()
    revisions = [one.id for one in chain.revisions if one.id not in ("empty", "duplicate")]
    made = []
    for revision in revisions:
        report = applied(worker.step(database, revision, "upgrade", probe=PROBE))
        made.append(tables(database))
        for ran in report.statements:
            assert ran.probe == f"{database.name} {ran.pid}", ran
        assert own(report)
        assert report.unseen == report.refusals == ()
    for revision, left in zip(reversed(revisions), [*reversed(made[:-1]), None], strict=True):
        applied(worker.step(database, revision, "downgrade"))
        assert left is None or tables(database) == left
    for revision, reached in zip(revisions, made, strict=True):
        applied(worker.step(database, revision, "upgrade"))
        assert tables(database) == reached
    assert sessions(database) == []


def test_this_repositorys_own_chain(
    backout_server: Server, disposable: Callable[..., Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    database = disposable()
    with Worker(Target(ROOT / "alembic.ini"), backout_server) as worker:
        revisions = [one.id for one in worker.load().revisions]
        for revision in revisions:
            applied(worker.step(database, revision, "upgrade"))
        assert versions(database) == revisions[-1:]
        for revision in reversed(revisions):
            applied(worker.step(database, revision, "downgrade"))
    assert tables(database) == ["alembic_version"]


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2", "asyncpg", "psycopg_async"])
def test_every_driver_tells_the_same(start: Start, disposable: Callable[..., Database], driver: str) -> None:
    kind = "asynchronous" if driver in ("asyncpg", "psycopg_async") else "plain"
    url = f"postgresql+{driver}://app:secret@db.example:5432/app"
    worker, database = start(kind, options={"sqlalchemy.url": url}), disposable()
    applied(worker.step(database, "users", "upgrade"))
    report = applied(worker.step(database, "nickname", "upgrade", probe=PROBE))
    insert = next(ran for ran in report.statements if ran.own and "INSERT" in ran.sql)
    assert (insert.autocommit, insert.transaction, insert.error) == (False, 0, None)
    values = {1, "Ann"} if kind == "asynchronous" else {1, "ann@example.org", 2, "bob@example.org"}
    assert set(insert.literals) == values
    assert report.transactional is True
    assert report.version_tables == (("public", "alembic_version"),)
    assert (report.commits, report.rollbacks) == (0, 0)
    assert {ran.probe for ran in report.statements} == {f"{database.name} {insert.pid}"}
    assert versions(database) == ["nickname"]


def test_statements_are_told_in_order(start: Start, disposable: Callable[..., Database]) -> None:
    worker, database = start("plain", options={"sqlalchemy.url": "postgresql+psycopg2://x@y/z"}), disposable()
    applied(worker.step(database, "users", "upgrade"))
    report = applied(worker.step(database, "nickname", "upgrade"))
    assert [(ran.sql, ran.literals, ran.rows) for ran in report.statements if ran.own] == [
        ("ALTER TABLE users ADD COLUMN nickname VARCHAR(20)", (), None),
        (
            "INSERT INTO users (id, email) VALUES (%(id__0)s, %(email__0)s), (%(id__1)s, %(email__1)s)",
            ("ann@example.org", "bob@example.org", 1, 2),
            2,
        ),
        (
            "UPDATE users SET nickname=%(nickname)s WHERE users.email = %(email_1)s",
            ("ann@example.org", "Ann"),
            1,
        ),
        ("UPDATE users SET nickname = 'B' WHERE email LIKE 'bob%'", (), 1),
    ]
    *_, last = report.statements
    assert not last.own
    assert "UPDATE alembic_version SET version_num='nickname'" in last.sql


def test_exactly_one_step_is_done_also_on_branches(start: Start, disposable: Callable[..., Database]) -> None:
    worker, database = start("branches"), disposable()
    for revision in ("trunk", "left", "right", "both", "apart", "further"):
        applied(worker.step(database, revision, "upgrade"))
    assert versions(database) == ["both", "further"]
    applied(worker.step(database, "both", "downgrade"))
    assert versions(database) == ["further", "right"]  # left is below further
    applied(worker.step(database, "right", "downgrade"))
    assert versions(database) == ["further"]
    assert tables(database) == ["a_left", "alembic_version", "apart", "further", "trunk"]


def test_each_configured_schema_is_migrated_and_told(start: Start, disposable: Callable[..., Database]) -> None:
    worker, database = start("schemas"), disposable()
    report = applied(worker.step(database, "users", "upgrade"))
    assert report.version_tables == (("Second one", "versions"), ("first", "versions"))
    assert own(report) == ["CREATE TABLE users (id int PRIMARY KEY, email text)"] * 2
    assert report.transactional is False  # the second may fail when the first is committed
    assert versions(database, "first.versions") == versions(database, '"Second one".versions') == ["users"]


def test_a_stamp_runs_nothing(start: Start, disposable: Callable[..., Database]) -> None:
    worker, database = start("plain"), disposable()
    for revision in ("users", "nickname", "empty"):
        assert own(applied(worker.stamp(database, revision, "upgrade"))) == []
    assert versions(database) == ["empty"]
    applied(worker.stamp(database, "empty", "downgrade"))  # which has no function for it
    applied(worker.stamp(database, "nickname", "downgrade"))
    assert versions(database) == ["users"]
    assert tables(database) == ["alembic_version"]


def test_a_database_that_backout_did_not_make_is_refused(start: Start, disposable: Callable[..., Database]) -> None:
    worker, database = start("plain"), disposable()
    other = Database(database.name, database.url, "0123456789abcdef")
    with pytest.raises(Refused) as refusal:
        worker.step(other, "users", "upgrade")
    assert str(refusal.value) == (
        f"refusing to migrate the database {database.name}: its comment does not carry the token that backout gave it; "
        "backout migrates only databases that it has created itself"
    )
    assert tables(database) == []


def test_a_worker_goes_from_database_to_database(start: Start, disposable: Callable[..., Database]) -> None:
    worker = start("attributes")  # whose engine and pool live on
    first, second = disposable(), disposable()
    pids = set()
    for database in (first, second, first, second):
        revision = "users" if "alembic_version" not in tables(database) else "nickname"
        report = applied(worker.step(database, revision, "upgrade", probe=PROBE))
        assert {ran.probe for ran in report.statements} == {f"{database.name} {report.statements[0].pid}"}
        pids.add(report.statements[0].pid)
    assert len(pids) == 4
    assert versions(first) == versions(second) == ["nickname"]
    assert "Exception" not in report.output


def test_a_step_costs_a_few_milliseconds_more_than_the_migration(
    start: Start, disposable: Callable[..., Database]
) -> None:
    """No measurement: nothing but the step itself may be done again, such as reading the chain."""
    worker, database = start("settings"), disposable()
    applied(worker.step(database, "users", "upgrade"))
    child = worker._child
    for _ in range(3):
        applied(worker.step(database, "nickname", "upgrade"))
        applied(worker.step(database, "nickname", "downgrade"))
    assert worker._child is child


def with_revision(root: Path, name: str, *upgrade: str, imports: str = "from alembic import op") -> str:
    """Add a revision that is a base of its own; its name."""
    body = "".join(f"    {line}\n" for line in upgrade)
    text = f'"""{name}"""\n\n{imports}\n\nrevision = "{name}"\ndown_revision = None\n\n\ndef upgrade():\n{body}'
    (root / "migrations" / "versions" / f"{name}.py").write_text(text)
    return name


# Time

SLOW = "import time\ntime.sleep(4)\n"


def test_the_time_for_importing_the_application_is_not_the_first_steps(
    start: Start, project: Callable[[str], Path], disposable: Callable[..., Database]
) -> None:
    env = project("plain") / "migrations" / "env.py"
    env.write_text(SLOW + env.read_text())
    worker, database = start("plain"), disposable()
    applied(worker.step(database, "users", "upgrade", timeout=3))
    assert worker.step(database, "nickname", "upgrade", timeout=3).outcome == "hung"
    applied(worker.step(database, "nickname", "upgrade", timeout=3))  # by a new process


def test_a_chain_that_is_not_read_in_time(
    start: Start, project: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backout.worker.LOAD_SECONDS", 2.0)
    root = project("plain")
    with_revision(root, "slow", "pass", imports="import time\ntime.sleep(600)")
    assert cannot_be_loaded(start("plain")) == (
        f"migrations/versions/slow.py:4: the chain of {root}/alembic.ini could not be loaded by {sys.executable}: "
        "timed out after 2 seconds"
    )


def test_an_interrupted_order_is_not_answered_later(
    start: Start, project: Callable[[str], Path], disposable: Callable[..., Database]
) -> None:
    worker, database = start("concurrently"), disposable()
    applied(worker.step(database, "users", "upgrade"))

    def interrupt(sql: str, pid: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        worker.step(database, "index", "upgrade", on_hold=interrupt)
    assert sessions(database) == []
    report = applied(worker.step(database, "index", "upgrade"))
    assert len(own(report)) == 2


# Transactions


def test_what_runs_outside_a_transaction_is_held(start: Start, disposable: Callable[..., Database]) -> None:
    worker, database = start("concurrently"), disposable()
    applied(worker.step(database, "users", "upgrade"))
    held: list[tuple[str, list[tuple[Any, ...]]]] = []
    blocker = psycopg.connect(database.url)

    def on_hold(sql: str, pid: int) -> Callable[[Callable[[], bool]], None]:
        blocker.execute("LOCK TABLE users IN ROW EXCLUSIVE MODE")

        def watch(has_ended: Callable[[], bool]) -> None:
            query = """SELECT mode, granted FROM pg_locks WHERE pid = %s AND relation = 'users'::regclass
                       ORDER BY 1"""
            until = time.monotonic() + LONG
            with psycopg.connect(database.url, autocommit=True) as other:
                waits = "SELECT FROM pg_stat_activity WHERE pid = %s AND wait_event_type = 'Lock'"
                while not has_ended() and not other.execute(waits, [pid]).fetchall() and time.monotonic() < until:
                    time.sleep(0.001)
                assert not has_ended()
                held.append((sql, other.execute(query, [pid]).fetchall()))
            blocker.rollback()

        return watch

    with blocker:
        report = applied(worker.step(database, "index", "upgrade", on_hold=on_hold))
    create = "CREATE INDEX CONCURRENTLY ix_users_email ON users (email)"
    assert held == [(create, [("ShareUpdateExclusiveLock", True)])]
    assert [(ran.sql, ran.autocommit, ran.held, ran.transaction) for ran in report.statements if ran.own] == [
        ("UPDATE users SET email = lower(email)", False, False, 0),
        (create, True, True, 1),
    ]
    assert (report.transactional, report.commits) == (False, 1)


@pytest.mark.parametrize("kind", ["asynchronous", "concurrently"])
def test_what_nobody_holds_goes_on(start: Start, disposable: Callable[..., Database], kind: str) -> None:
    worker, database = start(kind), disposable()
    for revision in [one.id for one in worker.load().revisions if one.id != "duplicate"]:
        report = applied(worker.step(database, revision, "upgrade"))
    assert [ran.sql for ran in report.statements if ran.held and ran.autocommit] == [
        "CREATE INDEX CONCURRENTLY ix_users_email ON users (email)"
    ]


def test_commits_by_the_migration_are_counted(start: Start, disposable: Callable[..., Database]) -> None:
    report = applied(start("noisy").step(disposable(), "commits", "upgrade"))
    assert [(ran.sql, ran.transaction) for ran in report.statements if ran.own] == [
        ("CREATE TABLE one (id int)", 0),
        ("COMMIT", 0),
        ("CREATE TABLE two (id int)", 1),
        ("CREATE TABLE three (id int)", 2),
    ]
    assert (report.commits, report.transactional) == (2, False)


def test_what_is_not_transactional_leaves_its_half(start: Start, disposable: Callable[..., Database]) -> None:
    database = disposable()
    report = start("not_transactional").step(database, "half", "upgrade")
    assert (report.outcome, report.transactional) == ("failed", False)
    assert [(ran.autocommit, ran.held) for ran in report.statements if ran.own] == [(True, True)]
    assert tables(database) == ["alembic_version", "half"]


def test_an_environment_that_does_not_commit_has_failed(start: Start, disposable: Callable[..., Database]) -> None:
    database = disposable()
    report = start("uncommitted").step(database, "users", "upgrade")
    assert (report.outcome, report.failure) == (
        "failed",
        Failure("NotCommitted", "the step came to its end, and alembic_version says nothing: env.py did not commit it"),
    )
    assert tables(database) == []


def test_an_environment_that_runs_nothing_has_failed(start: Start, disposable: Callable[..., Database]) -> None:
    report = start("nothing").step(disposable(), "users", "upgrade")
    assert report.failure is not None
    assert report.failure.message == "env.py came to its end and had not run any migrations"


# Failures


def test_a_violation_is_told_as_the_server_tells_it(start: Start, disposable: Callable[..., Database]) -> None:
    database = disposable()
    report = start("failing").step(database, "violates", "upgrade")
    assert report.outcome == "failed"
    failure = report.failure
    assert failure is not None
    assert (failure.kind, failure.sqlstate, failure.message, failure.detail) == (
        "IntegrityError",
        "23505",
        'duplicate key value violates unique constraint "codes"',
        "Key (code)=(a) already exists.",
    )
    assert (failure.schema, failure.table, failure.column, failure.constraint) == ("public", "parents", None, "codes")
    assert failure.where == "migrations/versions/violates.py:13"
    assert failure.traceback.splitlines()[1].startswith("migrations/versions/violates.py:13 in upgrade: op.execute(")
    last = report.statements[-1]
    assert last.error is not None
    assert (last.own, last.literals, last.error.kind, last.error.sqlstate) == (
        True,
        ("a", 2),
        "UniqueViolation",
        "23505",
    )
    assert tables(database) == []


@pytest.mark.parametrize("driver", ["psycopg2", "asyncpg"])
def test_a_violation_is_told_alike_by_every_driver(
    start: Start, disposable: Callable[..., Database], driver: str
) -> None:
    kind = "asynchronous" if driver == "asyncpg" else "failing"
    worker, database = start(kind, options={"sqlalchemy.url": f"postgresql+{driver}://x@y/z"}), disposable()
    if kind == "asynchronous":
        for revision in ("users", "nickname", "index"):
            applied(worker.step(database, revision, "upgrade"))
    report = worker.step(database, "duplicate" if kind == "asynchronous" else "violates", "upgrade")
    assert report.failure is not None
    told = ("public", "users", "users_pkey") if kind == "asynchronous" else ("public", "parents", "codes")
    assert (report.failure.schema, report.failure.table, report.failure.constraint) == told
    assert report.failure.message == f'duplicate key value violates unique constraint "{told[2]}"'
    assert report.failure.detail in ("Key (id)=(1) already exists.", "Key (code)=(a) already exists.")
    assert report.failure.sqlstate == "23505"


@pytest.mark.parametrize(
    ("revision", "outcome", "kind", "message", "line"),
    [
        ("raises", "failed", "ValueError", "schön: \\udcff 漢字", 11),
        ("exits", "exited", "SystemExit", "that is enough", 13),
        ("interrupts", "failed", "KeyboardInterrupt", "", 11),
        ("absent_role", "failed", "ProgrammingError", 'role "backout_nobody" does not exist', 11),
    ],
)
def test_however_python_fails_the_worker_lives_on(
    start: Start,
    disposable: Callable[..., Database],
    *,
    revision: str,
    outcome: str,
    kind: str,
    message: str,
    line: int,
) -> None:
    worker, database = start("failing"), disposable()
    worker.load()
    child = worker._child
    report = worker.step(database, revision, "upgrade")
    assert report.failure is not None
    assert (report.outcome, report.failure.kind, report.failure.message, report.failure.where) == (
        outcome,
        kind,
        message,
        f"migrations/versions/{revision}.py:{line}",
    )
    assert (tables(database), sessions(database)) == ([], [])
    applied(worker.step(database, "no_way_back", "upgrade"))
    assert worker._child is child


def test_a_revision_without_a_way_back(start: Start, disposable: Callable[..., Database]) -> None:
    worker, database = start("failing"), disposable()
    applied(worker.step(database, "no_way_back", "upgrade"))
    report = worker.step(database, "no_way_back", "downgrade")
    assert report.failure is not None
    assert (report.failure.kind, report.failure.message) == (
        "NotImplementedError",
        "migrations/versions/no_way_back.py has no function downgrade()",
    )


@pytest.mark.parametrize(
    ("revision", "message", "output"),
    [
        ("dies", "its process ended with exit status 3", "last words\n"),
        ("killed", "its process was ended by SIGKILL", ""),
    ],
)
def test_a_worker_that_dies_is_replaced(
    start: Start, disposable: Callable[..., Database], *, revision: str, message: str, output: str
) -> None:
    worker, database = start("failing"), disposable()
    report = worker.step(database, revision, "upgrade")
    assert (report.outcome, report.failure, report.output) == ("died", Failure("Died", message), output)
    assert own(report) == ["CREATE TABLE half (id int)"]
    assert report.transactional is None
    assert (sessions(database), tables(database)) == ([], [])
    applied(worker.step(database, "no_way_back", "upgrade"))


def test_a_worker_that_hangs_is_killed_with_what_it_started(start: Start, disposable: Callable[..., Database]) -> None:
    worker, database = start("failing"), disposable()
    applied(worker.step(database, "no_way_back", "upgrade"))
    database = disposable()
    report = worker.step(database, "sleeps", "upgrade", timeout=3)
    where = "migrations/versions/sleeps.py:15"
    assert (report.outcome, report.failure) == ("hung", Failure("TimedOut", "timed out after 3 seconds", where=where))
    assert own(report) == ["CREATE TABLE half (id int)"]
    started = int(report.output)
    assert not psutil.pid_exists(started) or psutil.Process(started).status() == psutil.STATUS_ZOMBIE
    assert sessions(database) == []
    applied(worker.step(database, "no_way_back", "upgrade"))


def test_a_statement_that_hangs_is_ended_on_the_server(start: Start, disposable: Callable[..., Database]) -> None:
    database = disposable()
    report = start("failing").step(database, "waits", "upgrade", timeout=1)
    assert report.failure is not None
    assert (report.outcome, report.failure.where) == ("hung", "migrations/versions/waits.py:11")
    with psycopg.connect(database.url) as connection:  # at once: the backend did not see its client go
        asleep = """SELECT count(*) FROM pg_stat_activity
                    WHERE query LIKE '%pg_sleep%' AND pid <> pg_backend_pid() AND datname = current_database()"""
        assert connection.execute(asleep).fetchall() == [(0,)]


def test_a_migration_that_blocks_itself_is_told(start: Start, disposable: Callable[..., Database]) -> None:
    worker, database = start("blocking"), disposable()
    applied(worker.step(database, "users", "upgrade"))
    report = worker.step(database, "second", "upgrade", timeout=LONG)
    assert report.failure is not None
    assert (report.outcome, report.failure.kind, report.failure.message, report.failure.where) == (
        "failed",
        "BlocksItself",
        (
            "the step blocks itself: one of its connections waits in “SELECT count(*) FROM users” for another one, "
            "which is idle in a transaction after “ALTER TABLE users ADD nickname text”"
        ),
        "migrations/versions/second.py:13",
    )
    assert report.seconds < LONG
    assert sessions(database) == []


def test_connections_that_were_forgotten_are_closed(
    start: Start, disposable: Callable[..., Database], backout_server: Server
) -> None:
    worker, database = start("failing"), disposable()
    report = applied(worker.step(database, "forgets", "upgrade"))
    assert report.transactional is False  # two sessions
    assert sessions(database) == []
    assert tables(database) == ["alembic_version"]
    backout_server.drop(backout_server.clone(database))


# What migrations do beside the database


def test_what_is_printed_is_told_and_disturbs_nothing(start: Start, disposable: Callable[..., Database]) -> None:
    worker, database = start("noisy"), disposable()
    assert applied(worker.step(database, "commits", "upgrade")).output == ""
    report = applied(worker.step(database, "prints", "upgrade"))
    assert report.output == "printed: Grüße, 漢字\nmigration says: logged\nstarted\nto standard error\n"
    assert applied(worker.step(database, "prints", "downgrade")).output == ""


def test_files_are_read_and_written_in_a_copy(
    start: Start, project: Callable[[str], Path], disposable: Callable[..., Database]
) -> None:
    worker, database = start("noisy"), disposable()
    for revision in ("commits", "prints", "writes", "cursor"):
        report = applied(worker.step(database, revision, "upgrade"))
    assert "ann" in tables(database)
    written = [path for path in project("noisy").rglob("*") if path.name == "out.txt"]
    assert written == []
    # The next step is in the scratch directory again, with the environment as it was.
    assert report.unseen == ("statements of a driver's cursor, taken at migrations/versions/cursor.py:10",)
    assert report.transactional is None


def test_programs_that_a_migration_starts_find_the_disposable_database(
    start: Start, disposable: Callable[..., Database]
) -> None:
    worker = start("noisy")
    for database in (disposable(), disposable()):
        for revision in ("commits", "prints", "writes", "cursor"):
            applied(worker.stamp(database, revision, "upgrade"))
        report = applied(worker.step(database, "tool", "upgrade"))
        assert report.unseen == ("statements of psql, started at migrations/versions/tool.py:12",)
        assert rows(database, "SELECT obj_description('public'::regnamespace)") == [(database.name,)]


def test_the_scratch_directory_goes_with_the_worker(start: Start) -> None:
    worker = start("noisy")
    worker.load()
    assert worker._child is not None
    scratch, process = worker._child.scratch, worker._child._process
    assert scratch.is_dir()
    worker.close()
    assert not scratch.exists()
    assert process.returncode is not None


def test_a_scratch_directory_copies_what_is_small_and_links_what_is_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backout.worker.process.COPIED_FILES", 5)
    root, scratch = tmp_path / "project", tmp_path / "scratch"
    scratch.mkdir()
    for path in ("small/a", "small/deep/b", "large/1", "large/2", "large/3", "large/4", ".git/config", ".env", "env/x"):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(path)
    (root / "env" / "pyvenv.cfg").touch()
    (root / "small" / "link").symlink_to("a")
    (root / "dangling").symlink_to("nothing")
    os.mkfifo(root / "fifo")
    (root / "secret").mkdir()
    entries = os.scandir

    def scandir(path: Any) -> Any:  # as for a directory of another user
        if os.fspath(path) == os.fspath(root / "secret"):
            raise PermissionError
        return entries(path)

    monkeypatch.setattr("os.scandir", scandir)
    fill_scratch(root, scratch)
    assert sorted(path.name for path in scratch.iterdir()) == [".env", "large", "secret", "small"]
    assert (scratch / "secret").readlink() == root / "secret"
    assert (scratch / "large").readlink() == root / "large"
    assert (scratch / "small" / "deep" / "b").read_text() == "small/deep/b"
    (scratch / "small" / "new").write_text("")
    assert not (root / "small" / "new").exists()
    assert (scratch / "small" / "link").read_text() == "small/a"


def test_hooks_make_what_a_chain_needs(
    start: Start, project: Callable[[str], Path], disposable: Callable[..., Database]
) -> None:
    worker, database = start("application", hooks=project("application") / "hooks.py"), disposable()
    applied(worker.prepare(database))
    report = applied(worker.step(database, "users", "upgrade"))
    assert rows(database, "SELECT obj_description('outside.users'::regclass)") == [("upgrade of users_0, hello",)]
    assert own(report)[0] == "CREATE TABLE outside.users (id int)"
    applied(worker.step(database, "users", "downgrade"))


def test_without_its_hooks_it_fails_where_one_can_see_it(start: Start, disposable: Callable[..., Database]) -> None:
    report = start("application").step(disposable(), "users", "upgrade")
    assert report.failure is not None
    assert (report.outcome, report.failure.message, report.failure.where) == (
        "failed",
        "working outside of application context",
        "app.py:20",
    )


# Options of a step


def test_statements_are_skipped_as_ordered(start: Start, disposable: Callable[..., Database]) -> None:
    worker, database = start("failing"), disposable()
    report = applied(worker.step(database, "absent_extension", "upgrade", skip=(r"create extension .*backout_absent",)))
    assert [(ran.sql, ran.skipped) for ran in report.statements if ran.own] == [
        ("CREATE EXTENSION IF NOT EXISTS backout_absent", True),
        ("CREATE TABLE half (id int)", False),
    ]
    report = worker.step(disposable(), "absent_extension", "upgrade")
    assert report.failure is not None
    assert (report.failure.sqlstate, report.failure.message) == (
        "0A000" if "extension" in report.failure.message else "58P01",
        report.failure.message,
    )


ZONES = "SELECT pg_catalog.current_setting('TimeZone')"


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2", "asyncpg", "psycopg_async"])
def test_sessions_have_the_ordered_zone(start: Start, disposable: Callable[..., Database], driver: str) -> None:
    kind = "asynchronous" if driver in ("asyncpg", "psycopg_async") else "plain"
    worker = start(kind, options={"sqlalchemy.url": f"postgresql+{driver}://x@y/z"})
    database = disposable()
    report = applied(worker.step(database, "users", "upgrade", settings={"TimeZone": "Asia/Kathmandu"}, probe=ZONES))
    assert {ran.probe for ran in report.statements} == {"Asia/Kathmandu"}
    report = applied(worker.step(database, "users", "downgrade", probe=ZONES))
    assert {ran.probe for ran in report.statements} == {"UTC"}


def test_a_zone_that_the_project_sets_is_left(
    start: Start, project: Callable[[str], Path], disposable: Callable[..., Database]
) -> None:
    settings = project("settings") / "app" / "settings.py"
    settings.write_text(settings.read_text().replace("?", "?fallback_application_name=b&"))
    env = project("settings") / "migrations" / "env.py"
    env.write_text(env.read_text().replace("-c search_path=public", "-c TimeZone=Europe/Rome -c search_path=public"))
    report = applied(
        start("settings").step(disposable(), "users", "upgrade", settings={"TimeZone": "Asia/Kathmandu"}, probe=ZONES)
    )
    assert {ran.probe for ran in report.statements} == {"Europe/Rome"}


def test_a_probe_that_cannot_answer_says_why(start: Start, disposable: Callable[..., Database]) -> None:
    report = applied(start("concurrently").step(disposable(), "users", "upgrade", probe="SELECT NULL"))
    assert {(ran.probe, ran.probe_error) for ran in report.statements} == {(None, None)}


# Where connections lead


@pytest.fixture
def production(disposable: Callable[..., Database]) -> Database:
    """Somebody's populated database, on the same server."""
    database = disposable()
    rows(
        database, "CREATE TABLE customers AS SELECT g AS id, 'customer ' || g AS name FROM generate_series(1, 50) AS g"
    )
    return database


def content(database: Database) -> tuple[list[tuple[Any, ...]], list[str]]:
    return rows(database, "SELECT *, xmin, ctid FROM customers ORDER BY id"), tables(database)


def test_whatever_url_a_project_insists_on_it_is_led_away(
    start: Start,
    project: Callable[[str], Path],
    disposable: Callable[..., Database],
    production: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATABASE_URL", production.url)
    monkeypatch.setenv("PGDATABASE", production.name)
    (project("insisting") / "production.txt").write_text(production.url)
    (project("insisting") / ".env").write_text(f"DATABASE_URL={production.url}\n")
    before, database = content(production), disposable()
    worker = start("insisting")
    applied(worker.step(database, "rename", "upgrade"))
    assert tables(database) == ["alembic_version", "arrived"]
    report = applied(worker.step(database, "raw", "upgrade"))
    assert tables(database) == ["alembic_version", "arrived", "by_asyncpg", "by_psycopg", "by_psycopg2"]
    assert [text.partition(",")[0].removeprefix("statements of a connection by ") for text in report.unseen] == [
        "psycopg", "psycopg2", "psycopg", "asyncpg", "asyncpg", "asyncpg"
    ]  # fmt: skip
    assert report.unseen[0].endswith(", opened at migrations/versions/raw.py:27")
    assert content(production) == before
    assert sessions(production) == []


def test_an_engine_with_a_creator_of_its_own_is_led_away(
    start: Start,
    project: Callable[[str], Path],
    disposable: Callable[..., Database],
    production: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATABASE_URL", production.url)
    (project("creator") / "production.txt").write_text(production.url)
    before, database = content(production), disposable()
    report = applied(start("creator").step(database, "rename", "upgrade"))
    assert (own(report)[1], report.unseen) == ("CREATE TABLE arrived (id int)", ())
    assert tables(database) == ["alembic_version", "arrived"]
    assert content(production) == before


SQLITE = (
    "a connection to sqlite by pysqlite was refused: only PostgreSQL by psycopg, psycopg2, asyncpg is led to the "
    "disposable database"
)


def test_another_database_is_refused(
    start: Start, project: Callable[[str], Path], disposable: Callable[..., Database]
) -> None:
    (project("insisting") / "production.txt").write_text("postgresql://db.example/app")
    worker, database = start("insisting"), disposable()
    for revision in ("rename", "raw"):
        applied(worker.stamp(database, revision, "upgrade"))
    report = worker.step(database, "elsewhere", "upgrade")
    assert report.failure is not None
    assert (report.outcome, report.failure.message, report.refusals) == ("refused", SQLITE, (SQLITE,))
    assert report.failure.where == "migrations/versions/elsewhere.py:10"
    applied(worker.stamp(database, "elsewhere", "upgrade"))
    report = applied(worker.step(database, "caught", "upgrade"))
    assert (report.refusals, report.output) == ((SQLITE,), f"caught: {SQLITE}\n")


def test_a_connection_that_no_driver_of_ours_opened_is_refused(
    start: Start, project: Callable[[str], Path], disposable: Callable[..., Database], production: Database
) -> None:
    """Somebody who keeps the driver's function from before would get through; the pool knows its connections."""
    root = project("creator")
    (root / "production.txt").write_text(production.url)
    env = root / "migrations" / "env.py"
    bypass = "psycopg.Connection.connect.__func__.__wrapped__(psycopg.Connection, URL)"
    env.write_text(env.read_text().replace("psycopg.connect(URL)", bypass))
    before, database = content(production), disposable()
    report = start("creator").step(database, "rename", "upgrade")
    message = (
        "a connection of the type psycopg.Connection was refused: "
        "it was opened by none of psycopg, psycopg2, asyncpg, so that nobody knows where it leads"
    )
    assert report.failure is not None
    assert (report.outcome, report.failure.message) == ("refused", message)
    assert (content(production), tables(database)) == (before, [])


def test_a_connection_that_arrives_elsewhere_is_refused(
    start: Start, project: Callable[[str], Path], disposable: Callable[..., Database], production: Database
) -> None:
    """The last line: what the new session itself says of its database."""
    root = project("creator")
    (root / "production.txt").write_text(production.url)
    hooks = root / "hooks.py"
    hooks.write_text(
        "from pathlib import Path\n"
        "import psycopg\n"
        "def before_loading(config):\n"
        "    inner = psycopg.Connection._connect_gen.__func__\n"
        "    url = Path('production.txt').resolve().read_text()\n"
        "    psycopg.Connection._connect_gen = classmethod(lambda cls, *given, **named: inner(cls, url, **named))\n"
    )
    before, database = content(production), disposable()
    report = start("creator", hooks=hooks).step(database, "rename", "upgrade")
    assert report.failure is not None
    assert report.outcome == "refused"
    assert report.failure.message == (
        f"a connection by psycopg arrived at the database {production.name}, "
        f"which is not the ordered database {database.name}"
    )
    assert (content(production), tables(database)) == (before, [])


def test_outside_of_a_step_there_is_nowhere_to_connect_to(
    start: Start, project: Callable[[str], Path], disposable: Callable[..., Database]
) -> None:
    root = project("plain")
    versions_of = root / "migrations" / "versions"
    with (versions_of / "users.py").open("a") as file:
        file.write(
            "\nimport psycopg\npsycopg.connect('').execute('CREATE TABLE imported (id int)').connection.commit()\n"
        )
    line = (versions_of / "users.py").read_text().count("\n")
    assert cannot_be_loaded(start("plain")) == (
        f"migrations/versions/users.py:{line}: the chain of {root}/alembic.ini could not be loaded "
        f"by {sys.executable}: Refusal: a connection was opened outside of a step, "
        "and there is no database for it to arrive at"
    )
    database = disposable()
    start("plain").load(database)
    assert tables(database) == ["imported"]


def test_variables_that_name_a_database_name_the_disposable_one(
    start: Start, project: Callable[[str], Path], disposable: Callable[..., Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "REPLICA_DSN": "postgresql+asyncpg://u:secret@production:1234/shop?ssl=require",
        "HEROKU_URL": "postgres://u:secret@production/shop",
        "DB_HOST": "production",
        "POSTGRES_PASSWORD": "secret",
        "APP_DATABASE_NAME": "shop",
        "PGAPPNAME": "shop",
        "PGOPTIONS": "-c search_path=shop",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    (project("plain") / "hooks.py").write_text(
        "import json, os\n"
        "def around_step(revision, direction):\n"
        "    print(json.dumps(dict(os.environ)))\n"
        "    import contextlib\n"
        "    return contextlib.nullcontext()\n"
    )
    template = "host={host} port={port} user={user} dbname={database} {other}"
    database = disposable()
    worker = start("plain", hooks=project("plain") / "hooks.py", environment={"OWN": template, "BOTH": "{driver_url}"})
    seen = json.loads(applied(worker.step(database, "users", "upgrade")).output)
    parameters = psycopg.conninfo.conninfo_to_dict(database.url)
    for name, scheme in {
        "REPLICA_DSN": "postgresql+asyncpg", "HEROKU_URL": "postgres", "DATABASE_URL": "postgresql",
        "BOTH": "postgresql+psycopg",
    }.items():  # fmt: skip
        found, _, rest = seen[name].partition("://")
        assert (name, found) == (name, scheme)
        led = psycopg.conninfo.conninfo_to_dict(f"postgresql://{rest}")
        assert led == parameters
        assert "%" not in rest
    host = "backout.invalid" if str(parameters["host"]).startswith("/") else parameters["host"]
    assert seen["OWN"] == f"host={host} port={parameters['port']} user=postgres dbname={database.name} {{other}}"
    assert (seen["DB_HOST"], seen["APP_DATABASE_NAME"], seen["POSTGRES_PASSWORD"]) == (host, database.name, "unused")
    assert seen["PGDATABASE"] == database.name
    assert not {"PGAPPNAME", "PGOPTIONS", "BACKOUT_POSTGRES"} & seen.keys()
    assert "secret" not in json.dumps(seen)


def test_a_variable_of_its_own_takes_a_template(start: Start, disposable: Callable[..., Database]) -> None:
    worker, database = start("variable", environment={"APP_DB": "{url}"}), disposable()
    applied(worker.step(database, "users", "upgrade"))
    assert versions(database) == ["users"]
    report = start("variable").step(disposable(), "users", "upgrade")
    assert report.failure is not None
    assert (report.failure.kind, report.failure.message, report.failure.where) == (
        "KeyError",
        "'APP_DB'",
        "migrations/env.py:9",
    )


@pytest.fixture(scope="module")
def guarded() -> Iterator[Server]:
    """A server that wants a password."""
    with open_server(transport="tcp") as server:
        yield server


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2", "asyncpg"])
def test_a_server_that_wants_a_password_gets_it_and_nobody_sees_it(
    start: Start, guarded: Server, driver: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSWORD", "another")
    database = guarded.create()
    password = Path(guarded.environment(database)["PGPASSFILE"]).read_text().strip().rpartition(":")[2]
    kind = "asynchronous" if driver == "asyncpg" else "failing"
    worker = start(kind, server=guarded, options={"sqlalchemy.url": f"postgresql+{driver}://x:y@z/z"})
    revision = worker.load(database).revisions[0].id if kind == "asynchronous" else "violates"
    report = worker.step(database, revision, "upgrade")
    assert report.outcome == ("applied" if kind == "asynchronous" else "failed")
    assert report.failure is None or report.failure.sqlstate == "23505"
    assert password not in repr(report)
    with psycopg.connect(database.url, password="") as connection:
        connection.execute("SELECT 1")
    guarded.drop(database)


ODD = {
    "removes_scratch": ("shutil.rmtree(os.getcwd())", "import os, shutil"),
    "closes_output": ("sys.stdout.close()", "import sys"),
    "replaces_output": ("sys.stdout = sys.stderr = None", "import sys"),
    "clears_environment": ("os.environ.clear()", "import os"),
    "ignores_signals": ("signal.signal(signal.SIGTERM, signal.SIG_IGN)", "import signal"),
    "limits_recursion": ("sys.setrecursionlimit(150)", "import sys"),
}


@pytest.mark.parametrize("name", ODD)
def test_what_a_migration_does_to_its_process_harms_no_later_step(
    start: Start, project: Callable[[str], Path], disposable: Callable[..., Database], name: str
) -> None:
    line, imports = ODD[name]
    revision = with_revision(project("failing"), name, line, imports=imports)
    worker, database = start("failing"), disposable()
    applied(worker.step(database, revision, "upgrade"))
    child = worker._child
    report = applied(worker.step(disposable(), "no_way_back", "upgrade"))
    assert own(report) == ["CREATE TABLE half (id int)"]
    assert worker._child is child


def test_an_exception_that_cannot_be_printed_is_told(
    start: Start, project: Callable[[str], Path], disposable: Callable[..., Database]
) -> None:
    imports = "class Mute(Exception):\n    def __str__(self):\n        raise RuntimeError"
    revision = with_revision(project("failing"), "mute", "raise Mute", imports=imports)
    report = start("failing").step(disposable(), revision, "upgrade")
    assert report.failure is not None
    assert (report.failure.kind, report.failure.message) == ("Mute", "an exception that cannot be printed")


def test_a_process_that_a_migration_forks_does_not_connect(
    start: Start, project: Callable[[str], Path], disposable: Callable[..., Database]
) -> None:
    lines = [
        "child = os.fork()",
        "if child == 0:",
        "    try:",
        "        psycopg.connect('').execute('CREATE TABLE forked (id int)').connection.commit()",
        "    except BaseException as error:",
        "        print(type(error).__name__, error, flush=True)",
        "    os._exit(5)",
        "print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))",
        "op.execute('CREATE TABLE parent (id int)')",
    ]
    imports = "import os\nimport psycopg\nfrom alembic import op"
    revision = with_revision(project("failing"), "forks", *lines, imports=imports)
    worker, database = start("failing"), disposable()
    report = applied(worker.step(database, revision, "upgrade"))
    assert report.output == (
        "Refusal a connection by a forked process was refused: nobody could say where it arrives\n5\n"
    )
    assert tables(database) == ["alembic_version", "parent"]


def test_chance_plays_no_part(
    start: Start, project: Callable[[str], Path], disposable: Callable[..., Database]
) -> None:
    lines = ["for name in {'a', 'b', 'c', 'd', 'e', 'f', 'g'}:", "    op.execute(f'CREATE TABLE {name} (id int)')"]
    revision = with_revision(project("failing"), "unordered", *lines)
    orders = set()
    for _ in range(3):
        worker = start("failing")
        orders.add(tuple(own(applied(worker.step(disposable(), revision, "upgrade")))))
        worker.close()
    assert len(orders) == 1


def test_a_long_statement_is_told_in_part(
    start: Start, project: Callable[[str], Path], disposable: Callable[..., Database]
) -> None:
    revision = with_revision(project("failing"), "long", "op.execute(\"SELECT '\" + 'x' * 1_000_000 + \"'\")")
    report = applied(start("failing").step(disposable(), revision, "upgrade"))
    assert own(report) == ["SELECT '" + "x" * (100_000 - 8)]


def test_passwords_in_what_a_migration_says_are_masked(
    start: Start, project: Callable[[str], Path], disposable: Callable[..., Database]
) -> None:
    url = "postgresql://app:s3cret@db.example/app"
    versions_of = project("plain") / "migrations" / "versions"
    users = versions_of / "users.py"
    users.write_text(
        users.read_text().replace(
            '    op.execute("CREATE', f'    print({url!r})\n    raise ValueError({url!r})\n    op.execute("CREATE'
        )
    )
    report = start("plain").step(disposable(), "users", "upgrade")
    assert report.failure is not None
    assert (report.output, report.failure.message) == (
        "postgresql://app:***@db.example/app\n",
        "postgresql://app:***@db.example/app",
    )
    assert "s3cret" not in report.failure.traceback.splitlines()[-1]


# The end of the parent

PARENT = """
import sys
from pathlib import Path
from backout.postgres import attach
from backout.worker import Target, Worker

server = attach(sys.argv[1])
database = server.create()
worker = Worker(Target(Path(sys.argv[2])), server)
worker.load(database)
print(worker._child._process.pid, worker._child.scratch, database.name, flush=True)
worker.step(database, sys.argv[3], "upgrade", timeout=600)
"""


@pytest.mark.parametrize("revision", ["sleeps", "waits"])
def test_a_worker_whose_parent_is_killed_ends_by_itself(
    project: Callable[[str], Path], backout_server: Server, revision: str
) -> None:
    root = project("failing")
    command = [sys.executable, "-c", PARENT, backout_server.handle(), str(root / "alembic.ini"), revision]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid, scratch, name = parent.stdout.readline().split()
        process = psutil.Process(int(pid))
        database = Database(name, backout_server.url.replace("/postgres?", f"/{name}?"), "")
        until = time.monotonic() + LONG
        with psycopg.connect(backout_server.url, autocommit=True) as connection:
            busy = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND query LIKE '%%half%%'"
            busy += " OR datname = %s AND query LIKE '%%pg_sleep%%'"
            while connection.execute(busy, [name, name]).fetchall() == [(0,)]:
                assert time.monotonic() < until
                time.sleep(0.01)
            parent.kill()
            gone, _ = psutil.wait_procs([process], timeout=LONG)
            assert gone == [process]
            assert not Path(scratch).exists()
            token = connection.execute(
                "SELECT shobj_description(oid, 'pg_database')::json -> 'backout' ->> 'token' FROM pg_database"
                " WHERE datname = %s",
                [name],
            ).fetchall()[0][0]
    backout_server.drop(Database(name, database.url, token))


# Interpreters of other projects


@pytest.mark.parametrize("name", ["child", "connections", "settings", "statements"])
def test_the_worker_is_python_3_8_and_needs_nothing_of_backout(name: str) -> None:
    text = (ROOT / "src" / "backout" / "worker" / f"{name}.py").read_text()
    tree = ast.parse(text, feature_version=(3, 8))
    assert "from __future__ import annotations" in text
    allowed = {"alembic", "sqlalchemy", "backout", *sys.stdlib_module_names}
    imported = {
        (node.module or "").split(".")[0] if isinstance(node, ast.ImportFrom) else node.names[0].name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert imported <= allowed
    typing_only = [node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]
    unseen = {node for part in typing_only for child in part.body for node in ast.walk(child)}
    for node in ast.walk(tree):
        for annotation in (getattr(node, "annotation", None), getattr(node, "returns", None)):
            if isinstance(annotation, ast.AST):
                unseen |= set(ast.walk(annotation))
    generic = {"Callable", "Iterable", "Iterator", "Mapping", "dict", "list", "set", "tuple", "type"}
    for node in set(ast.walk(tree)) - unseen:
        assert not (isinstance(node, ast.ImportFrom) and node.module == "backout")
        assert not (isinstance(node, ast.Subscript) and ast.unparse(node.value) in generic), ast.unparse(node)


@pytest.fixture(params=["sqlalchemy14", "sqlalchemy20"])
def environment(request: pytest.FixtureRequest) -> tuple[str, dict[str, str]]:
    """An older interpreter's environment: its Python, and what its lock file says is installed."""
    name = str(request.param)
    python = Path(sys.prefix) / "environments" / name / "bin" / "python"
    if not python.exists():
        pytest.skip(f"NOT CHECKED: the environment {name} is not installed in {python.parents[2]}; run make setup")
    locked = re.findall(
        r"^([\w-]+)==(\S+)", (ROOT / "tests" / "environments" / f"{name}.txt").read_text(), re.MULTILINE
    )
    return str(python), dict(locked)


@pytest.mark.parametrize("kind", ["plain", "branches", "concurrently", "asynchronous", "creator"])
def test_older_environments_are_driven_alike(
    start: Start,
    project: Callable[[str], Path],
    disposable: Callable[..., Database],
    production: Database,
    environment: tuple[str, dict[str, str]],
    kind: str,
) -> None:
    python, installed = environment
    if kind == "asynchronous" and "asyncpg" not in installed:
        kind = "locations"
    if kind == "creator":
        (project("creator") / "production.txt").write_text(production.url)
        if "psycopg" not in installed:
            env = project("creator") / "migrations" / "env.py"
            env.write_text(env.read_text().replace("psycopg", "psycopg2"))
    worker, database, before = start(kind, python=python), disposable(), content(production)
    chain = worker.load()
    assert {name: chain.versions[name] for name in ("alembic", "sqlalchemy")} == {
        name: installed[name] for name in ("alembic", "sqlalchemy")
    }
    revisions = [one.id for one in chain.revisions if one.id not in ("empty", "duplicate")]
    for revision in revisions:
        report = applied(
            worker.step(database, revision, "upgrade", probe=PROBE, settings={"TimeZone": "Asia/Kathmandu"})
        )
        assert {ran.probe for ran in report.statements} == {f"{database.name} {report.statements[0].pid}"}
        assert own(report)
        assert (report.unseen, report.version_tables) == ((), (("public", "alembic_version"),))
    concurrently = kind in ("concurrently", "asynchronous")
    assert report.transactional is not concurrently
    assert any(ran.held and ran.autocommit for ran in report.statements) is concurrently
    for revision in reversed(revisions):
        applied(worker.step(database, revision, "downgrade"))
    assert tables(database) == ["alembic_version"]
    assert content(production) == before
    assert sessions(database) == []


def test_older_environments_tell_failures_alike(
    start: Start, disposable: Callable[..., Database], environment: tuple[str, dict[str, str]]
) -> None:
    worker, database = start("failing", python=environment[0]), disposable()
    report = worker.step(database, "violates", "upgrade")
    assert report.failure is not None
    assert (report.failure.sqlstate, report.failure.table, report.failure.constraint, report.failure.where) == (
        "23505",
        "parents",
        "codes",
        "migrations/versions/violates.py:13",
    )
    applied(worker.step(database, "absent_extension", "upgrade", skip=("CREATE EXTENSION",)))
    assert tables(database) == ["alembic_version", "half"]


# -- around a step, and on a database that people use -----------------------------------------------

DRIVERS = ["psycopg", "psycopg2", "asyncpg", "psycopg_async"]


def kind_for(driver: str) -> str:
    return "asynchronous" if driver in ("asyncpg", "psycopg_async") else "plain"


@pytest.mark.parametrize("driver", DRIVERS)
def test_statements_around_a_step_are_in_its_transaction(
    start: Start, disposable: Callable[..., Database], driver: str
) -> None:
    worker = start(kind_for(driver), options={"sqlalchemy.url": f"postgresql+{driver}://x@y/z"})
    database = disposable()
    rows(database, "CREATE TABLE seen (what text, number xid8 DEFAULT pg_current_xact_id())")
    around = (
        ["INSERT INTO seen VALUES ('100 % before ' || coalesce(to_regclass('users')::text, 'nothing'))"],
        ["INSERT INTO seen VALUES ('after ' || to_regclass('users')::text)"],
    )
    applied(worker.step(database, "users", "upgrade", around=around))
    assert rows(database, "SELECT what FROM seen ORDER BY 1") == [("100 % before nothing",), ("after users",)]
    assert rows(database, "SELECT count(DISTINCT number) FROM seen") == [(1,)]


def test_a_step_that_fails_undoes_what_was_around_it(start: Start, disposable: Callable[..., Database]) -> None:
    worker, database = start("plain"), disposable()
    rows(database, "CREATE TABLE seen (what text)")
    report = worker.step(
        database, "users", "upgrade", around=(["INSERT INTO seen VALUES ('before')"], ["SELECT 1 / 0"])
    )
    assert report.failure is not None
    assert report.failure.told == "22012 division by zero"
    assert (rows(database, "TABLE seen"), tables(database)) == ([], ["seen"])


def test_what_is_not_one_transaction_has_no_around(start: Start, disposable: Callable[..., Database]) -> None:
    """``CREATE INDEX CONCURRENTLY`` ends the transaction in which the first statements ran."""
    worker, database = start("concurrently"), disposable()
    applied(worker.step(database, "users", "upgrade"))
    report = worker.step(database, "index", "upgrade", around=(["SELECT 1"], ["SELECT 2"]))
    assert (report.outcome, report.failure and report.failure.told) == (
        "failed",
        "RuntimeError it is not one transaction, so that what belongs together could not be kept together",
    )


def test_env_is_asked_where_the_revision_is_kept_and_nothing_is_written(
    start: Start, disposable: Callable[..., Database]
) -> None:
    database = disposable()
    read_only = {"default_transaction_read_only": "on"}
    report = start("plain").look(database, settings=read_only)
    assert (report.outcome, report.version_table_names) == ("applied", {"public.alembic_version"})
    report = start("schemas").look(database, settings=read_only)  # it makes its schemas first
    assert (report.outcome, report.failure and report.failure.sqlstate) == ("failed", "25006")
    names = start("schemas").look(database).version_table_names
    assert len(names) > 1
    assert tables(database) == []


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_real_database_is_migrated_by_the_worker_that_is_made_for_it(
    start: Start, disposable: Callable[..., Database], driver: str
) -> None:
    """Every session of the step shares the lock by which a later runner sees that it still runs."""
    database = disposable()
    rows(database, f"COMMENT ON DATABASE {database.name} IS 'ours since 2019'")
    held = """SELECT count(*)::text FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ShareLock' AND granted
              AND classid::bigint << 32 | objid::bigint = %s AND pid = pg_backend_pid()"""
    with real_database(database.url) as real:
        assert real.token == ""
        options = {"sqlalchemy.url": f"postgresql+{driver}://x@y/z"}
        worker = start(kind_for(driver), server=real, options=options)
        probe = held.replace("%s", str(MIGRATING))
        report = applied(worker.step(real.database, "users", "upgrade", probe=probe))
    assert {ran.probe for ran in report.statements} == {"1"}
    assert "users" in tables(database)
    rows(database, f"COMMENT ON DATABASE {database.name} IS {as_literal(mark(database))}")


def test_the_worker_of_a_real_database_migrates_no_other(start: Start, disposable: Callable[..., Database]) -> None:
    database, other = disposable(), disposable()
    rows(other, f"COMMENT ON DATABASE {other.name} IS NULL")
    with real_database(database.url) as real, pytest.raises(Refused) as caught:
        start("plain", server=real).step(Database(other.name, other.url, ""), "users", "upgrade")
    assert str(caught.value) == (
        f"refusing to migrate the database {other.name}: its comment does not carry the token that backout gave it; "
        "backout migrates only databases that it has created itself"
    )
    rows(other, f"COMMENT ON DATABASE {other.name} IS {as_literal(mark(other))}")


def mark(database: Database) -> str:
    """The comment that backout has given it; with another one it would not be dropped."""
    return json.dumps({"backout": {"run": database.name.split("_")[1], "token": database.token}})


def as_literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
