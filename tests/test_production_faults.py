"""What goes wrong while a real database is changed, made real: nothing is lost, the way out is told, and the next
``backout apply`` finishes the job. Each test records what happened for docs/reference/faults.md.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil
import psycopg
import pytest
from psycopg import conninfo

from backout import production
from backout.errors import ConfigurationError, Refused
from backout.journal import Event, read
from backout.masking import Masking
from backout.postgres import Server, open_server
from backout.postgres.binaries import as_server
from backout.production import Deployment, Limits, find_drift, open_deployment
from backout.worker import Target

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="NOT CHECKED: signals and sockets are POSIX's")

BACKOUT = Path(sys.executable).parent / "backout"
ENVIRON = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith("PG") and name not in ("DATABASE_URL", "BACKOUT_POSTGRES", "BACKOUT_HEALTH")
}
PATIENCE = 120.0  # seconds, for what comes by itself, on a machine that does other things
HEAD = "f6"
DRIFT = (
    "  drift: the schema is not what the revisions make, in 1 object; find out who changed it; runbook: schema-drift"
)


Fault = Callable[[str, int, str, int], None]


def until(what: Callable[[], Any]) -> Any:
    """Wait for something to be true; what it is."""
    deadline = time.monotonic() + PATIENCE
    while not (found := what()):
        assert time.monotonic() < deadline, what
        time.sleep(0.002)
    return found


class Run:
    """A command of backout that has begun.

    :ivar said: all that it has printed.
    """

    def __init__(self, root: Path, url: str, *words: str, environ: dict[str, str] | None = None) -> None:
        self.mark = uuid.uuid4().hex
        self._printed = root / f"printed-{self.mark}"
        self._journals = root / "journals" / self.mark
        more = {"DATABASE_URL": url, "BACKOUT_JOURNALS": str(self._journals), "CREW_MARK": self.mark}
        with self._printed.open("wb") as out:
            self.process = subprocess.Popen(
                [BACKOUT, *words, "--accept", "backup=a test"], cwd=root, env={**ENVIRON, **more, **(environ or {})},
                stdin=subprocess.DEVNULL, stdout=out, stderr=out,
            )  # fmt: skip

    @property
    def said(self) -> str:
        return self._printed.read_text()

    @property
    def events(self) -> Sequence[Event]:
        """Of its journal, so far."""
        with suppress(ConfigurationError, StopIteration):  # it is not there yet, or empty
            return read(next(self._journals.glob("*.jsonl"))).events
        return ()

    @property
    def journal(self) -> str:
        return "".join(path.read_text() for path in self._journals.glob("*.jsonl"))

    def alive(self) -> list[psutil.Process]:
        """The processes that it has started and that live, itself included."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.environ().get("CREW_MARK") == self.mark and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found

    def wait_for(self, told: str) -> None:
        """Until it has told that."""
        until(lambda: told in self.said or self.process.poll() is not None)
        assert told in self.said, self.said

    def end(self) -> int:
        """Its exit code, once it has ended."""
        return self.process.wait(PATIENCE)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        until(lambda: not self.alive())


class Site:
    """The project, deployed to a database with people in it.

    :param known: the same project, deployed somewhere, for what it knows of its schema.
    :ivar before: the rows that must not be lost.
    """

    def __init__(self, crew: Any, known: Deployment, url: str) -> None:
        self.root, self.crew, self.known, self.url = crew.root, crew, known, url
        self.before = self.rows()

    def run(self, *words: str, **more: Any) -> Run:
        return Run(self.root, self.url, *words, **more)

    def rows(self) -> set[tuple[Any, ...]]:
        return set(self.ask("SELECT id, name, email FROM people"))

    def ask(self, *statements: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url, autocommit=True, options="-c synchronous_commit=off") as connection:
            for statement in statements:
                cursor = connection.execute(statement)  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []

    def set(self, name: str, value: object) -> None:
        """For all sessions that begin from now on."""
        (database,) = self.ask("SELECT current_database()")[0]
        self.ask(f"ALTER DATABASE {database} SET {name} = '{value}'")

    def sessions(self, application: str = "backout %", state: str = "true") -> list[int]:
        """Server processes that work for a runner."""
        query = (
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE '{}' AND {}"
        )
        return [pid for (pid,) in self.ask(query.format(application, state))]

    @contextmanager
    def holding(self, statement: str) -> Iterator[psycopg.Connection[Any]]:
        """A transaction of somebody else."""
        with psycopg.connect(self.url, application_name="psql") as connection:
            connection.execute(statement)  # type: ignore[arg-type]
            yield connection

    def current(self) -> str:
        return ", ".join(revision for (revision,) in self.ask("SELECT version_num FROM alembic_version"))

    def is_whole(self, at: str) -> None:
        """The database is at this revision, and is what it should be there."""
        assert self.current() == at
        with psycopg.connect(self.url, autocommit=True) as connection:
            drift = find_drift(self.known, self.known.applied((at,)), connection)
        assert drift is not None
        assert drift.told() == ()

    def finish(self) -> int:
        """The next ``backout apply`` does the rest; how many rows were lost."""
        with self.crew.open(self.url) as deployment, self.crew.log() as log:
            production.apply(deployment, self.crew.order(wait=PATIENCE), log, lambda line: None)
        self.is_whole(HEAD)
        return len(self.before - self.rows())


Make = Callable[..., Site]


@pytest.fixture(scope="module")
def server(own_choice: str) -> Iterator[Server]:
    """A server of this module's own; where a database asks for it, a commit waits for a replica that never comes."""
    with open_server(own_choice, settings={"synchronous_standby_names": "nobody"}) as opened:
        yield opened


@pytest.fixture(scope="module")
def known(server: Server, rehearsed: Path) -> Iterator[Deployment]:
    with open_deployment(Target(rehearsed / "alembic.ini"), server.create().url, Masking()) as deployment:
        yield deployment


@pytest.fixture
def deploy(server: Server, crew: Any, known: Deployment, rehearsed: Path, crew_at: Any) -> Iterator[Make]:
    with ExitStack() as stack:

        def make(revision: str = "c3", *, on: Server = server) -> Site:
            database = crew_at(on, rehearsed, revision)
            if on is server:
                stack.callback(server.drop, database)
            return Site(crew, known, database.url)

        yield make


def last(said: str, number: int) -> list[str]:
    """The last lines, without that of the journal."""
    return [line for line in said.splitlines() if not line.startswith("journal: ")][-number:]


def transaction_undone(revision: str, at: str) -> list[str]:
    return [f"  the database is at {at}", f"  {revision} ran in one transaction, and nothing of it is left"]


# -- locks ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("statement", ["SELECT FROM people", "UPDATE people SET name = name"], ids=["reader", "writer"])
def test_a_lock_that_is_held_for_a_while(deploy: Make, fault: Fault, statement: str) -> None:
    site = deploy()
    with site.holding(statement) as holder:
        pid = holder.info.backend_pid
        run = site.run("apply", "--lock-timeout", "0.7")
        run.wait_for("  attempt 1 of 6: 55P03 canceling statement due to lock timeout; again in 1 s")
        assert site.current() == "c3"
        holder.rollback()
    assert run.end() == 0, run.said
    assert f"  waits for session {pid} of postgres (psql, idle in transaction for " in run.said
    happened = "gave up its place behind the lock, told who holds it, and got it when it was let go"
    if statement.startswith("SELECT"):
        fault("lock held by a reader", 1, happened, site.finish())
    else:
        fault("lock held by a writer", 1, happened, site.finish())


def test_a_lock_that_is_held_for_ever(deploy: Make, fault: Fault) -> None:
    site = deploy()
    with site.holding("SELECT FROM people") as holder:
        pid = holder.info.backend_pid
        run = site.run("apply", "--lock-timeout", "0.7", "--attempts", "2")
        assert run.end() == 1
    found = re.fullmatch(
        r"error: alembic/versions/d4_greeting.py:\d+: the upgrade of d4 failed 2 times: 55P03 canceling statement due "
        rf"to lock timeout; it waited for session {pid} of postgres \(psql, idle in transaction "
        r"for \d+ s: SELECT FROM people\); runbook: migration-hangs-behind-a-lock",
        last(run.said, 3)[0],
    )
    assert found, run.said
    assert last(run.said, 2) == transaction_undone("d4", "c3")
    site.is_whole("c3")
    happened = "stopped after the attempts that were agreed; told who holds it; runbook migration-hangs-behind-a-lock"
    fault("lock held for ever", 1, happened, site.finish())


# -- a runner that is killed ------------------------------------------------------------------------


@pytest.mark.parametrize("number", range(2, 13))
def test_a_runner_that_is_killed_at_any_moment(deploy: Make, fault: Fault, number: int) -> None:
    """Behind each line of its journal: before, during and after the commit of each of three steps."""
    site = deploy()
    run = site.run("apply")
    events = until(lambda: (len(run.events) >= number and run.events) or run.process.poll() is not None)
    run.kill()
    assert events is not True, run.said
    reached = [event.facts["revision"] for event in run.events if event.name == "verified"]
    started = [event.facts["revision"] for event in run.events if event.name == "step"]
    assert site.current() in {*(reached[-1:] or ["c3"]), *started[-1:]}
    happened = "its step was there whole, or not at all; the next apply went on from there"
    fault("runner killed (SIGKILL) between or in its steps", 1, happened, site.finish())


@pytest.mark.parametrize("direction", ["upgrade", "downgrade"])
def test_a_runner_that_is_killed_in_a_step_which_goes_on_in_the_server(
    deploy: Make, fault: Fault, direction: str
) -> None:
    """No second one starts beside it, and one that waits goes on when it has ended."""
    site = deploy("c3" if direction == "upgrade" else "d4")
    site.set("sample.sleep", 1000)
    run = site.run("apply") if direction == "upgrade" else site.run("rollback", "--confirm", "d4")
    step = (f"backout {direction} d4", "wait_event = 'PgSleep'")
    (pid,) = until(lambda: site.sessions(*step))
    run.kill()
    assert site.sessions(*step) == [pid]  # the server does not know yet that nobody listens
    second = site.run("apply", "--wait", "0")
    assert second.end() == 3
    found = re.fullmatch(
        rf"  runner: a step of a runner that is gone still runs \(session {pid} of postgres since [\d:]+ UTC\); "
        r"wait until it has ended; runbook: two-migrations-at-once",
        last(second.said, 1)[0],
    )
    assert found, second.said
    assert "error: nothing was changed; 1 reason against it:" in second.said
    site.set("sample.sleep", 0)
    third = site.run("apply", "--wait", "100")
    third.wait_for(f"waiting up to 100 s: a step of a runner that is gone still runs (session {pid} of postgres")
    site.ask(f"SELECT pg_terminate_backend({pid})")
    assert third.end() == 0, third.said
    happened = "no second runner started before the server had ended the step; nothing of it was left"
    fault("runner killed while its step goes on in the server", 1, happened, site.finish())


@pytest.mark.parametrize("direction", ["upgrade", "downgrade"])
def test_a_runner_that_is_killed_in_a_commit(deploy: Make, fault: Fault, direction: str) -> None:
    """The commit is on disk, and waits for a replica before anybody sees it."""
    site = deploy("c3" if direction == "upgrade" else "d4")
    site.set("synchronous_commit", "on")
    run = site.run("apply") if direction == "upgrade" else site.run("rollback", "--confirm", "d4")
    (pid,) = until(lambda: site.sessions(f"backout {direction} d4", "wait_event = 'SyncRep'"))
    run.kill()
    second = site.run("apply", "--wait", "0")
    assert second.end() == 3, second.said
    assert f"  runner: a step of a runner that is gone still runs (session {pid} of postgres since " in second.said
    site.set("synchronous_commit", "off")
    site.ask(f"SELECT pg_terminate_backend({pid})")
    until(lambda: not site.sessions(f"backout {direction} d4"))
    at = "d4" if direction == "upgrade" else "c3"
    site.is_whole(at)
    happened = "no second runner started before the commit had ended; its step was there whole"
    fault("runner killed in the middle of a commit", 1, happened, site.finish())


# -- a server, a connection -------------------------------------------------------------------------


@pytest.mark.parametrize("direction", ["upgrade", "downgrade"])
def test_a_server_that_is_killed(deploy: Make, fault: Fault, own_choice: str, direction: str) -> None:
    with open_server(own_choice) as other:
        site = deploy("c3" if direction == "upgrade" else "d4", on=other)
        site.set("sample.sleep", 1000)
        run = site.run("apply") if direction == "upgrade" else site.run("rollback", "--confirm", "d4")
        until(lambda: site.sessions(f"backout {direction} d4", "wait_event = 'PgSleep'"))
        with restarted(other):
            assert run.end() == 1
        line = 25 if direction == "upgrade" else 31
        assert f"error: alembic/versions/d4_greeting.py:{line}: the {direction} of d4 failed: " in run.said
        assert (
            "; runbook: migration-failed-half-way\n  where the database stands is not known: could not connect"
            in run.said
        )
        assert last(run.said, 1)[0].endswith("; look before anything else: backout apply --dry-run")
        site.set("sample.sleep", 0)
        site.is_whole("c3" if direction == "upgrade" else "d4")
        happened = "told that nobody knows where it stands; when the server was back, nothing of the step was left"
        fault("server killed (SIGKILL) in the middle of a step", 1, happened, site.finish())


@contextmanager
def restarted(server: Server) -> Iterator[None]:
    """Kill a server with all its processes; start it again behind the block, on the same data."""
    folder = Path(conninfo.conninfo_to_dict(server.url)["host"])
    postmaster = psutil.Process(int((folder / "data" / "postmaster.pid").read_text().split()[0]))
    backends = postmaster.children(recursive=True)
    postmaster.kill()
    # Whoever has started it will ask how it ended, and until then its number looks as if it lived.
    until(lambda: postmaster.status() == psutil.STATUS_ZOMBIE and not any(one.is_running() for one in backends))
    for left in (folder / "data" / "postmaster.pid", *folder.glob(".s.PGSQL.*")):
        left.unlink()
    yield
    assert server.binaries is not None
    start = [server.binaries.program("pg_ctl"), "start", "-w", "-D", folder / "data", "-l", folder / "again.log"]
    subprocess.run(start, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, cwd=folder, **as_server())


def test_a_connection_that_is_cut_in_a_step(deploy: Make, fault: Fault) -> None:
    site = deploy()
    site.set("sample.sleep", 1000)
    run = site.run("apply")
    (pid,) = until(lambda: site.sessions("backout upgrade d4", "wait_event = 'PgSleep'"))
    site.ask(f"SELECT pg_terminate_backend({pid})")
    assert run.end() == 1
    assert last(run.said, 3) == [
        (
            "error: alembic/versions/d4_greeting.py:25: the upgrade of d4 failed: 57P01 terminating connection due to "
            "administrator command; runbook: migration-failed-half-way"
        ),
        *transaction_undone("d4", "c3"),
    ]
    site.set("sample.sleep", 0)
    site.is_whole("c3")
    happened = "told; nothing of the step was left; runbook migration-failed-half-way"
    fault("connection cut in the middle of a step", 1, happened, site.finish())


def test_a_connection_that_is_cut_in_a_commit(deploy: Make, fault: Fault) -> None:
    site = deploy()
    site.set("synchronous_commit", "on")
    run = site.run("apply")
    (pid,) = until(lambda: site.sessions("backout upgrade d4", "wait_event = 'SyncRep'"))
    site.set("synchronous_commit", "off")
    site.ask(f"SELECT pg_terminate_backend({pid})")
    assert run.end() == 1
    assert last(run.said, 2) == [
        "  the database is at d4", "  d4 was applied all the same: it had been committed",
    ]  # fmt: skip
    assert "; runbook: migration-failed-half-way" in last(run.said, 3)[0]
    site.is_whole("d4")
    happened = "looked, and told that the step had been committed all the same"
    fault("connection cut in the middle of a commit", 1, happened, site.finish())


def test_a_runner_whose_own_connection_is_cut(deploy: Make, fault: Fault) -> None:
    """The one that holds the lock: another runner may start, so that this one must not go on."""
    site = deploy()
    site.set("sample.sleep", 1000)
    run = site.run("apply")
    (step,) = until(lambda: site.sessions("backout upgrade d4", "wait_event = 'PgSleep'"))
    (lock,) = site.sessions("backout migration lock")
    site.ask(f"SELECT pg_terminate_backend({lock})")
    other = site.run("apply", "--wait", "0")
    assert other.end() == 3, other.said
    assert f"  runner: a step of a runner that is gone still runs (session {step} of postgres since " in other.said
    site.ask(f"SELECT pg_cancel_backend({step})")
    assert run.end() == 1
    assert last(run.said, 3) == [
        (
            "error: alembic/versions/d4_greeting.py:25: the upgrade of d4 failed: 57014 canceling statement due to "
            "user request; runbook: migration-failed-half-way"
        ),
        *transaction_undone("d4", "c3"),
    ]
    site.set("sample.sleep", 0)
    site.is_whole("c3")
    happened = "its step kept every other runner out, and it began no further one"
    fault("connection cut that holds the migration lock", 1, happened, site.finish())


# -- an operator who stops it -----------------------------------------------------------------------


@pytest.mark.parametrize("direction", ["upgrade", "downgrade"])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, -signal.SIGTERM)])
def test_a_runner_that_is_stopped(
    deploy: Make, fault: Fault, direction: str, number: signal.Signals, code: int
) -> None:
    site = deploy("c3" if direction == "upgrade" else "d4")
    site.set("sample.sleep", 1000)
    run = site.run("apply") if direction == "upgrade" else site.run("rollback", "--confirm", "d4")
    until(lambda: site.sessions(f"backout {direction} d4", "wait_event = 'PgSleep'"))
    run.process.send_signal(number)
    assert run.end() == code, run.said
    until(lambda: not site.sessions())
    at = "c3" if direction == "upgrade" else "d4"
    told = [f"stopped in the {direction} of d4; runbook: migration-failed-half-way", *transaction_undone("d4", at)]
    assert [line for line in run.said.splitlines() if line in told] == told
    *_, stopped, end = run.events
    assert (stopped.name, stopped.facts["standing"]) == ("stopped", told[1:])
    assert (end.name, end.facts["outcome"]) == ("end", "stopped")
    site.set("sample.sleep", 0)
    site.is_whole(at)
    happened = "ended the step in the server, told where the database stands; runbook migration-failed-half-way"
    fault("stopped by Ctrl-C or SIGTERM in the middle of a step", 1, happened, site.finish())


def test_a_runner_that_is_stopped_outside_of_a_transaction(deploy: Make, fault: Fault) -> None:
    """In the middle of ``CREATE INDEX CONCURRENTLY``, which waits for somebody who writes to the table."""
    site = deploy("e5")
    with site.holding("LOCK TABLE people IN ROW EXCLUSIVE MODE"):
        run = site.run("apply")
        until(lambda: site.sessions("backout upgrade f6", "wait_event_type = 'Lock'"))
        run.process.send_signal(signal.SIGINT)
        assert run.end() == 130, run.said
        until(lambda: not site.sessions())
    told = [
        "stopped in the upgrade of f6; runbook: migration-failed-half-way",
        "  the database is at e5",
        "  f6 does not run in one transaction: a part of it may be there; see: backout apply --dry-run",
    ]
    assert [line for line in run.said.splitlines() if line in told] == told
    assert run.events[-2].facts["standing"] == told[1:]
    again = site.run("apply")
    assert again.end() == 3
    assert f"{DRIFT}\n    index public.uq_people_email is there, and no revision makes it: " in again.said
    site.ask("DROP INDEX CONCURRENTLY uq_people_email")
    happened = (
        "ended the step in the server, told that a part may be there; the next apply refused until the invalid index "
        "was gone; runbook migration-failed-half-way"
    )
    fault("stopped by Ctrl-C in the middle of CREATE INDEX CONCURRENTLY", 1, happened, site.finish())


# -- two runners ------------------------------------------------------------------------------------


def test_two_runners_that_are_started_together(deploy: Make, fault: Fault, crew: Any) -> None:
    """Twenty times: one does the work, the other one waits and finds nothing to do."""
    revisions = ["b2", "c3", "d4", "e5", HEAD]
    times, lost = 0, 0
    while times < 20:
        site = deploy("a1")
        for revision in revisions:
            runs = [site.run("apply", "--to", revision) for _ in range(2)]
            assert [run.end() for run in runs] == [0, 0], [run.said for run in runs]
            steps = [event.facts["revision"] for run in runs for event in run.events if event.name == "step"]
            assert steps == [revision]
            assert sorted(last(run.said, 1)[0].split()[0] for run in runs) == ["already", "now"]
            times += 1
        lost += site.finish()
    happened = "one did the work; the other one waited, and found nothing to do"
    fault("two runners started together", times, happened, lost)


# -- a migration that fails -------------------------------------------------------------------------


def test_a_migration_that_fails_in_its_middle(deploy: Make, fault: Fault) -> None:
    site = deploy("d4")
    site.ask("INSERT INTO people (name) VALUES ('Ben')")
    site.before = site.rows()
    refused = site.run("apply")
    assert refused.end() == 3
    assert "  preconditions: 1 row of public.people would make it fail with 23502 " in refused.said
    run = site.run("apply", "--accept", "preconditions=to see it fail")
    assert run.end() == 1
    assert last(run.said, 3) == [
        (
            'error: alembic/versions/e5_email_required.py:21: the upgrade of e5 failed: 23502 column "email" of '
            'relation "people" contains null values; runbook: migration-failed-half-way'
        ),
        *transaction_undone("e5", "d4"),
    ]
    site.is_whole("d4")
    site.ask("UPDATE people SET email = 'ben@example.org' WHERE email IS NULL")
    site.before = {row if row[2] else (*row[:2], "ben@example.org") for row in site.before}
    happened = (
        "refused by its precondition; made to try all the same, it left nothing; runbook migration-failed-half-way"
    )
    fault("migration that fails in its middle, in a transaction", 1, happened, site.finish())


def test_a_migration_that_fails_outside_of_a_transaction(deploy: Make, fault: Fault) -> None:
    """Half of an index stays; the next apply sees it, and refuses until it is gone."""
    site = deploy("e5")
    site.ask("INSERT INTO people (name, email) VALUES ('Ben', 'ann1@example.org')")
    site.before = site.rows()
    run = site.run("apply", "--accept", "preconditions=to see it fail")
    assert run.end() == 1
    assert last(run.said, 3) == [
        (
            "error: alembic/versions/f6_email_unique.py:17: the upgrade of f6 failed: 23505 could not create "
            'unique index "uq_people_email" (Key (email)=(ann1@example.org) is duplicated.); '
            "runbook: migration-failed-half-way"
        ),
        "  the database is at e5",
        "  f6 does not run in one transaction: a part of it may be there; see: backout apply --dry-run",
    ]
    seen = site.run("apply", "--dry-run")
    assert seen.end() == 3
    assert last(seen.said, 4)[:3] == [
        "error: nothing was changed; 2 reasons against it:",
        DRIFT,
        (
            "    index public.uq_people_email is there, and no revision makes it: "
            "CREATE UNIQUE INDEX uq_people_email ON public.people USING btree (email) INVALID"
        ),
    ]
    assert last(seen.said, 1)[0].startswith("  preconditions: 2 rows of public.people would make it fail with 23505 ")
    site.ask(
        "DROP INDEX CONCURRENTLY uq_people_email", "UPDATE people SET email = 'ben@example.org' WHERE name = 'Ben'"
    )
    site.before = {row if row[1] != "Ben" else (*row[:2], "ben@example.org") for row in site.before}
    happened = (
        "told that a part may be there; the next apply refused until the invalid index was gone; runbook schema-drift"
    )
    fault("migration that fails in its middle, outside of a transaction", 1, happened, site.finish())


# -- the wrong database -----------------------------------------------------------------------------


def test_a_schema_that_has_drifted(deploy: Make, fault: Fault) -> None:
    site = deploy()
    site.ask("ALTER TABLE people ADD COLUMN greeting varchar(10)")
    run = site.run("apply")
    assert run.end() == 3
    assert last(run.said, 3) == [
        "error: nothing was changed; 1 reason against it:",
        DRIFT,
        "    column public.people.greeting is there, and no revision makes it: character varying(10)",
    ]
    assert site.current() == "c3"
    site.ask("ALTER TABLE people DROP COLUMN greeting")
    happened = "refused, object by object; runbook schema-drift"
    fault("schema drift", 1, happened, site.finish())


@pytest.mark.parametrize("theirs", ["another chain", "no chain"])
def test_the_database_of_another_project(deploy: Make, fault: Fault, server: Server, theirs: str, crew: Any) -> None:
    database = server.create()
    statements = ["CREATE TABLE orders (id int)", "INSERT INTO orders VALUES (1), (2)"]
    if theirs == "another chain":
        statements += ["CREATE TABLE alembic_version (version_num text)", "INSERT INTO alembic_version VALUES ('9f')"]
    with psycopg.connect(database.url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)  # type: ignore[arg-type]
    run = Run(crew.root, database.url, "apply")
    assert run.end() == 3
    drift = [
        (
            "  drift: the schema is not what the revisions make, in 2 objects; find out who changed it; "
            "runbook: schema-drift"
        ),
        "    column public.orders.id is there, and no revision makes it: integer",
        "    table public.orders is there, and no revision makes it: TABLE",
    ]
    unknown = (
        "  revisions: the database is at 9f, and no file of the chain has it; check out the code that was deployed; "
        "runbook: missing-revision-file"
    )
    reasons = [unknown, *drift] if theirs == "another chain" else drift
    told = "2 reasons" if theirs == "another chain" else "1 reason"
    assert last(run.said, len(reasons) + 1) == [f"error: nothing was changed; {told} against it:", *reasons]
    with psycopg.connect(database.url) as connection:
        assert connection.execute("SELECT id FROM orders ORDER BY 1").fetchall() == [(1,), (2,)]
        assert connection.execute("SELECT to_regclass('people')").fetchone() == (None,)
    server.drop(database)
    fault("database of another project", 1, "refused; runbook missing-revision-file or schema-drift", 0)


def test_an_empty_database_is_no_wrong_one(server: Server, crew: Any) -> None:
    database = server.create()
    run = Run(crew.root, database.url, "apply")
    assert run.end() == 0, run.said
    assert last(run.said, 1) == ["now at f6 (head)"]
    server.drop(database)


def test_a_replica(deploy: Make, fault: Fault, own_choice: str) -> None:
    """It is refused, and one that is far behind keeps its primary from being changed."""
    with open_server(own_choice) as primary:
        site = deploy(on=primary)
        with standby(primary) as url:
            there = conninfo.conninfo_to_dict(site.url)["dbname"]
            run = Run(site.root, url(there), "apply")
            assert run.end() == 3, run.said
            assert last(run.said, 2) == [
                "error: nothing was changed; 1 reason against it:",
                "  server: this is a read-only replica; name the primary in DATABASE_URL",
            ]
            with psycopg.connect(url(there), autocommit=True) as replica:
                replica.execute("SELECT pg_wal_replay_pause()")
                until(lambda: replica.execute("SELECT pg_get_wal_replay_pause_state()").fetchone() == ("paused",))
                site.ask(
                    "CREATE TABLE ballast AS SELECT repeat('x', 1000) FROM generate_series(1, 3000)",
                    "DROP TABLE ballast",
                )
                limits = Limits(site.root / "backups", replay_bytes=1_000_000)
                with site.crew.open(site.url) as deployment, site.crew.log() as log, pytest.raises(Refused) as caught:
                    production.apply(deployment, site.crew.order(limits=limits), log, lambda line: None)
                assert re.fullmatch(
                    r"nothing was changed; 1 reason against it:\n  replicas: the replica walreceiver \(streaming\) is "
                    r"\d+ MB behind; wait until it has caught up",
                    str(caught.value),
                ), str(caught.value)
                replica.execute("SELECT pg_wal_replay_resume()")
        happened = "refused; its primary, while it was far behind, too"
        fault("read-only replica", 1, happened, site.finish())


@contextmanager
def standby(primary: Server) -> Iterator[Callable[[str], str]]:
    """A streaming replica; gives URLs of its databases."""
    assert primary.binaries is not None
    folder = Path(conninfo.conninfo_to_dict(primary.url)["host"])
    data = folder / "replica"
    run: dict[str, Any] = {"cwd": folder, "capture_output": True, **as_server()}
    backup = [primary.binaries.program("pg_basebackup"), "--pgdata", data, "--write-recovery-conf", "--checkpoint=fast",
              "--no-sync", "--dbname", primary.url]  # fmt: skip
    subprocess.run(backup, check=True, **run)
    (folder / "r").mkdir()
    if "user" in run:
        os.chown(folder / "r", run["user"], run["group"])
    settings = ["-c", f"unix_socket_directories={folder / 'r'}", "-c", "wal_receiver_status_interval=1"]
    with (folder / "replica.log").open("ab") as log:
        process = psutil.Popen([primary.binaries.program("postgres"), "-D", data, *settings], stdin=subprocess.DEVNULL,
                               stdout=log, stderr=log, cwd=folder, **as_server())  # fmt: skip

    def url(database: str) -> str:
        return f"postgresql://postgres@/{database}?host={quote(str(folder / 'r'))}&port=5432"

    def answers() -> bool:
        assert process.poll() is None, (folder / "replica.log").read_text()
        with suppress(psycopg.OperationalError), psycopg.connect(url("postgres")):
            return True
        return False

    try:
        until(answers)
        yield url
    finally:
        process.send_signal(signal.SIGQUIT)
        process.wait()


def test_a_connection_pooler(deploy: Make, fault: Fault, tmp_path_factory: pytest.TempPathFactory) -> None:
    """One that shows what poolers show: it gives its clients a session number of its own."""
    site = deploy()
    with pooler(site.url) as url:
        run = Run(site.root, url, "apply")
        assert run.end() == 3, run.said
        host = conninfo.conninfo_to_dict(url)["host"]
        assert re.fullmatch(
            rf"error: the database \w+ at {host}:5432 as postgres, PostgreSQL \S+ is reached through a connection "
            r"pooler, where locks and settings belong to nobody; name the server itself in DATABASE_URL",
            last(run.said, 1)[0],
        ), run.said
    assert site.current() == "c3"
    happened = "refused before anything was run through it (a stand-in that numbers sessions as poolers do)"
    fault("connection pooler in the way", 1, happened, site.finish())


@contextmanager
def pooler(url: str) -> Iterator[str]:
    """Passes everything on, but the number in BackendKeyData (manual, section "Message Formats")."""
    keywords = conninfo.conninfo_to_dict(url)
    upstream = f"{keywords['host']}/.s.PGSQL.{keywords['port']}"
    folder = Path(str(keywords["host"])) / uuid.uuid4().hex[:4]
    folder.mkdir()
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(folder / ".s.PGSQL.5432"))
    listening.listen()

    def pass_on(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        for one in (source, target):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def serve(client: socket.socket) -> None:
        with socket.socket(socket.AF_UNIX) as there, client:
            there.connect(upstream)
            forth = threading.Thread(target=pass_on, args=(client, there))
            forth.start()
            with suppress(OSError), there.makefile("rb") as answers:
                while header := answers.read(5):
                    body = answers.read(int.from_bytes(header[1:], "big") - 4)
                    if header[:1] == b"K":
                        body = b"\x00\x00\x00\x07" + body[4:]
                    client.sendall(header + body)
            for one in (there, client):
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
            forth.join()

    def accept() -> None:
        with suppress(OSError):
            while True:
                client, _ = listening.accept()
                threads.append(threading.Thread(target=serve, args=(client,)))
                threads[-1].start()

    threads = [threading.Thread(target=accept)]
    threads[0].start()
    try:
        yield f"postgresql://postgres@/{keywords['dbname']}?host={quote(str(folder))}&port=5432"
    finally:
        with suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        for thread in threads:
            thread.join()


# -- a password -------------------------------------------------------------------------------------

PASSWORD = "p@ss:w/ö rd%20'\"\\ #?&=+"


def test_a_password_with_characters_that_need_quoting(
    deploy: Make, fault: Fault, own_choice: str, rehearsed: Path, crew: Any, crew_at: Any
) -> None:
    """It is neither printed nor written, and no program has it among its arguments or variables."""
    with open_server(own_choice, transport="tcp") as other:
        with psycopg.connect(other.url, autocommit=True) as connection:
            connection.execute(
                psycopg.sql.SQL("CREATE ROLE {} LOGIN SUPERUSER PASSWORD {}").format(
                    psycopg.sql.Identifier("ann@work"), psycopg.sql.Literal(PASSWORD)
                )
            )
        site = deploy(on=other)
        keywords = conninfo.conninfo_to_dict(site.url)
        place = f"{keywords['host']}:{keywords['port']}/{keywords['dbname']}"
        url = f"postgresql://{quote('ann@work', safe='')}:{quote(PASSWORD, safe='')}@{place}"
        site.set("sample.sleep", 1000)
        run = Run(site.root, url, "apply")
        (pid,) = until(lambda: site.sessions("backout upgrade d4", "wait_event = 'PgSleep'"))
        forms = {
            PASSWORD,
            quote(PASSWORD, safe=""),
            quote(PASSWORD),
            PASSWORD.replace("'", "''"),
            PASSWORD[:6],
            PASSWORD[-8:],
        }
        processes = run.alive()
        assert len(processes) == 2  # the command, and its worker
        shown = ["\0".join(process.cmdline()) for process in processes]
        shown += ["\0".join(process.environ().values()) for process in processes if process.pid != run.process.pid]
        site.ask(f"SELECT pg_terminate_backend({pid})")
        assert run.end() == 1
        site.set("sample.sleep", 0)
        wrong = Run(site.root, url.replace(":p%40", ":q%40"), "apply")
        assert wrong.end() == 1
        assert f"error: could not connect to postgresql://ann%40work:***@{place}: " in wrong.said
        good = Run(site.root, url, "apply")
        assert good.end() == 0, good.said
        texts = [*shown, *(text for one in (run, wrong, good) for text in (one.said, one.journal))]
        assert " as ann@work, PostgreSQL " in good.said
        assert [form for form in forms for text in texts if form in text] == []
        happened = "neither printed nor journalled, in no program's arguments, nor in the worker's variables"
        fault("password in the URL, with characters that need quoting", 3, happened, site.finish())
