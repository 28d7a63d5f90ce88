"""The parent's side of a worker: starts it, orders one step at a time, watches it, kills and replaces it.

::

    with Worker(Target(Path("alembic.ini")), server) as worker:
        chain = worker.load()
        for revision in chain.revisions:
            report = worker.step(database, revision.id, "upgrade", probe=PROBE)

The worker runs other people's code (``child`` says what it makes sure of); whatever that does, ``step`` returns a
report: a worker that hangs or dies is killed with its process group, its sessions are ended, and the next order goes to
a new one. Only disposable databases are ever ordered, and the one real database that the worker was made for
(``production``). The parent looks at each new session before it is used.

The migrations run in a scratch directory: the project's files and small directories are copied there, large ones are
links, so that relative paths can be read, and what is written by a relative path goes into the copy. Not caught: a file
in a large directory that is overwritten through the link, absolute paths, paths made from ``__file__``, and ``..``.

Not here: what the statements did (``observe`` reads the probe's answers), which steps to run and what they mean.
"""

import json
import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self

import psycopg
from psycopg import conninfo, sql

from backout.errors import BackoutError, ConfigurationError, PostgresError, Refused
from backout.postgres import Database, RealDatabase
from backout.postgres.cluster import run_folder
from backout.revisions import Revision as Revision
from backout.worker.process import (
    GONE_SECONDS,
    NAME_IT,
    NOWHERE,
    Child,
    Server,
    environment,
    places,
    require_python,
    schemes,
)

Direction = Literal["upgrade", "downgrade"]
Outcome = Literal["applied", "failed", "exited", "hung", "died", "refused"]

LOAD_SECONDS = 120.0  # for importing the application; a step's time-out does not count it
FIRST_SECONDS = 60.0  # for what the first step imports before it connects
LOOK_SECONDS = 0.5  # between two looks at who waits for whom

# The advisory lock that every session of a step on a real database shares: "migrate" in ASCII, read as hexadecimal.
# Who takes it alone knows that no step is left running, also of a runner that was killed.
MIGRATING = 0x6D696772617465


@dataclass(frozen=True)
class Target:
    """A chain, and what it needs to run.

    :param configuration: ``alembic.ini``, or ``pyproject.toml``; of an absent ``alembic.ini`` the neighbour is taken.
    :param section: of the ini file (``alembic -n``).
    :param python: the project's interpreter.
    :param environment: variable → template, in which ``{url}``, ``{driver_url}``, ``{host}``, ``{port}``, ``{user}``
        and ``{database}`` stand for those of the disposable database (``--env``).
    :param options: option of the section → template (``--set``).
    :param arguments: what ``alembic -x`` takes.
    :param hooks: a Python file with any of ``before_loading(config)``, ``before_first(url)``,
        ``around_step(revision, direction)`` (a context manager) and ``run_step(run, revision, direction)``.
    """

    configuration: Path
    section: str = "alembic"
    python: str = sys.executable
    environment: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()
    hooks: Path | None = None


@dataclass(frozen=True)
class Chain:
    """Every revision, behind those that it needs; a branch in one piece; the same order each time.

    :param root: the directory of the configuration.
    :param env: ``env.py``.
    :param versions: of ``python``, ``alembic`` and ``sqlalchemy``.
    """

    root: Path
    revisions: tuple[Revision, ...]
    heads: tuple[str, ...]
    bases: tuple[str, ...]
    locations: tuple[Path, ...]
    env: Path
    versions: Mapping[str, str]


@dataclass(frozen=True)
class Failure:
    """What went wrong: an exception's class, and what the server said of it.

    :param message: the server's primary message, else the exception's.
    :param where: ``path:line`` in the revision's file, else in the project; relative to the chain's root.
    :param traceback: the calls within the project, a line each, and the exception.
    """

    kind: str
    message: str
    sqlstate: str | None = None
    detail: str | None = None
    hint: str | None = None
    schema: str | None = None
    table: str | None = None
    column: str | None = None
    constraint: str | None = None
    where: str | None = None
    traceback: str = ""

    @property
    def told(self) -> str:
        """SQLSTATE, or what kind of error it is, and the message; with the server's detail."""
        return f"{self.sqlstate or self.kind} {self.message}" + (f" ({self.detail})" if self.detail else "")


@dataclass(frozen=True)
class Ran:
    """A statement, as SQLAlchemy sent it.

    :param literals: the scalars among its bound values; dates as text.
    :param own: sent while the revision's function ran; else by ``env.py`` or Alembic.
    :param autocommit: outside any transaction.
    :param pid: of the session.
    :param transaction: number of the session's transactions in this step that ended before it.
    :param rows: as the driver counts them; None where it does not.
    :param probe: what the probe answered afterwards; None: it was not asked, or could not answer.
    :param probe_error: why it could not.
    :param error: why the statement failed.
    :param skipped: it was not sent, as ordered.
    :param held: it waited for leave to start, and ``on_hold`` was called where there is one.
    """

    sql: str
    literals: tuple[str | int | float | bool, ...]
    own: bool
    autocommit: bool
    pid: int
    transaction: int
    rows: int | None = None
    probe: str | None = None
    probe_error: str | None = None
    error: Failure | None = None
    skipped: bool = False
    held: bool = False


@dataclass(frozen=True)
class StepReport:
    """What came of a step.

    :param outcome: ``exited``: the migration called ``sys.exit``; ``hung``: it took longer than the time-out; ``died``:
        its process ended; ``refused``: a connection to elsewhere was refused, and that made it fail.
    :param failure: None when it was applied.
    :param statements: in the order in which they ended; those of a step that hung or died are what was heard of.
    :param output: the end of what it printed.
    :param commits: by the revision's function, of statements before its end.
    :param transactional: whether the revision's statements and the version's were one transaction, which a failure
        undoes; None where not all was heard of.
    :param unseen: what ran statements of which nothing is known.
    :param refusals: connections that were refused, also when the project's code went on.
    :param version_tables: schema and name as they are, in the order of ``env.py``.
    :param seconds: from the order to the report.
    """

    outcome: Outcome
    failure: Failure | None
    statements: tuple[Ran, ...]
    output: str
    transactional: bool | None
    commits: int
    rollbacks: int
    unseen: tuple[str, ...]
    refusals: tuple[str, ...]
    version_tables: tuple[tuple[str | None, str], ...]
    seconds: float

    @property
    def version_table_names(self) -> frozenset[str]:
        """The version tables as evidence names tables: quoted, with their schema."""
        return frozenset(f"{_quoted(schema or 'public')}.{_quoted(table)}" for schema, table in self.version_tables)


Watch = Callable[[Callable[[], bool]], None]
OnHold = Callable[[str, int], Watch | None]


class Worker:
    """A worker process, replaced when it hangs or dies. For one thread at a time.

    :param server: where the disposable databases are, or the real database that is to be migrated.
    """

    def __init__(self, target: Target, server: Server) -> None:
        self._is_real = isinstance(server, RealDatabase)
        self._target, self._server = target, server
        self._root, self._ini, self._toml = _configuration(target)
        self._stack = ExitStack()
        self._folder = run_folder(self._stack)
        self._session = _Session(server)
        self._child: Child | None = None
        self._chain: Chain | None = None
        self._known = {server.database} if isinstance(server, RealDatabase) else set()  # may be migrated
        self._interrupted = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def load(self, database: Database | None = None) -> Chain:
        """Start the process, and read configuration and revision files.

        :param database: where connections arrive that the project's code opens while it is imported; None refuses
            them. Also the one that the ``{database}`` of templates names: it is settled here for the process's life.
        :raises ConfigurationError: the chain cannot be loaded.
        """
        if self._chain is None or self._child is None:
            self._chain = self._started(database)
        return self._chain

    def prepare(self, database: Database, *, timeout: float = 60.0) -> StepReport:
        """Run the hook ``before_first`` on a database, before any revision."""
        return self._work({"order": "first"}, database, timeout, None)

    def step(
        self,
        database: Database,
        revision: str,
        direction: Direction,
        *,
        probe: str | None = None,
        timeout: float = 60.0,
        settings: Mapping[str, str] | None = None,
        skip: tuple[str, ...] = (),
        around: tuple[Sequence[str], Sequence[str]] = ((), ()),
        on_hold: OnHold | None = None,
    ) -> StepReport:
        """Apply or revert exactly one revision.

        :param database: at the revision's parents, or at the revision. Its other sessions are left alone.
        :param probe: SQL with one text value, asked on the migrating session after each statement.
        :param timeout: seconds; for a process's first step they count from its first connection.
        :param settings: of new sessions (``{"TimeZone": "UTC"}``), unless the project sets its own.
        :param skip: regular expressions, regardless of case; a statement of the revision, with its white space
            collapsed, whose beginning matches one is not sent.
        :param around: statements to run on the migrating connection before the revision's function and behind it, in
            its transaction; the step fails where there is none, or where the function has ended it.
        :param on_hold: called with each statement of the revision that runs outside any transaction, and the session's
            pid, before it starts. What it returns, if anything, is called once it has started, with a function that
            tells whether it has ended.
        :raises Refused: the database is not one that backout made.
        """
        order: dict[str, Any] = {"order": "step", "revision": revision, "direction": direction}
        order |= {"probe": probe, "settings": settings, "skip": list(skip), "around": [list(part) for part in around]}
        return self._work(order, database, timeout, on_hold)

    def look(
        self, database: Database, *, timeout: float = 60.0, settings: Mapping[str, str] | None = None
    ) -> StepReport:
        """Run ``env.py`` without a revision, to learn where Alembic keeps its revision; nothing is written."""
        return self._work({"order": "look", "settings": settings}, database, timeout, None)

    def advance(
        self, database: Database, revisions: Sequence[str], *, timeout: float = 60.0, skip: tuple[str, ...] = ()
    ) -> StepReport:
        """Apply revisions one behind the other: the way to where somebody wants to be.

        In one run of ``env.py``, so quicker than as many steps, and perhaps in one transaction. After a failure the
        database is to be thrown away. With hooks, which are called around one step, they are steps.

        :param revisions: at least one.
        :param timeout: seconds for each.
        :param skip: as for a step.
        :return: the last report; where a step failed, its.
        """
        if self._target.hooks is None:
            order: dict[str, Any] = {"order": "step", "revision": revisions[-1], "direction": "upgrade"}
            order |= {"before": list(revisions[:-1]), "skip": list(skip)}
            return self._work(order, database, timeout * len(revisions), None)
        for revision in revisions:
            report = self.step(database, revision, "upgrade", timeout=timeout, skip=skip)
            if report.outcome != "applied":
                break
        return report

    def stamp(self, database: Database, revision: str, direction: Direction, *, timeout: float = 60.0) -> StepReport:
        """Mark a revision as applied (``upgrade``) or as not applied, without running it."""
        return self._work({"order": "stamp", "revision": revision, "direction": direction}, database, timeout, None)

    def interrupt(self) -> None:
        """End the step that another thread waits for; every later one raises :class:`BackoutError`."""
        self._interrupted = True
        if (child := self._child) is not None:
            child.kill()

    def close(self) -> None:
        """End the process and what it started; remove its scratch directory."""
        self._end_child()
        self._session.close()
        self._stack.close()

    def _started(self, database: Database | None) -> Chain:
        self._child = child = Child(self._target.python, self._root, self._folder, environment(self._server, database))
        parameters = _parameters(database.url if database else self._server.url)
        if database is None:
            parameters["dbname"] = NOWHERE
        order: dict[str, Any] = {
            "order": "load",
            "root": str(self._root),
            "ini": str(self._ini),
            "toml": self._toml and str(self._toml),
            "section": self._target.section,
            "arguments": list(self._target.arguments),
            "options": dict(self._target.options),
            "environment": {**places(), **self._target.environment},
            "schemes": schemes(),
            "hooks": self._target.hooks and str(self._target.hooks.resolve()),
            "database": database and {"name": database.name, "token": database.token},
            "parameters": parameters,
            "lock": MIGRATING if self._is_real else None,
        }
        answer = self._hold(_Talk(self._session, child, database, LOAD_SECONDS, None), order)
        if answer["is"] == "chain":
            return _chain(self._root, answer)
        printed = "\n".join(f"    {line}" for line in child.tail().splitlines()[-15:])
        self._end_child()
        if answer["is"] == "died":
            require_python(self._target.python)
        failure = _failure(answer["failure"]) if answer["is"] == "unloadable" else None
        what = f"{failure.kind}: {failure.message}" if failure else str(answer["why"])
        where = failure.where if failure else answer.get("where")
        configuration = self._ini if self._ini.exists() else self._toml
        lacks = answer["is"] == "unfit" or (failure is not None and failure.kind == "ModuleNotFoundError")
        advice = f"; {NAME_IT}" if lacks else ""
        raise ConfigurationError(
            f"{f'{where}: ' if where else ''}the chain of {configuration} could not be loaded "
            f"by {self._target.python}: {what}{advice}" + (f"; it printed\n{printed}" if printed else "")
        )

    def _work(self, order: dict[str, Any], database: Database, timeout: float, on_hold: OnHold | None) -> StepReport:
        self._require_disposable(database)
        self.load(database)
        assert self._child is not None
        child = self._child
        began = time.monotonic()
        talk = _Talk(self._session, child, database, timeout, on_hold)
        order |= {
            "database": {"name": database.name, "token": database.token},
            "parameters": _parameters(database.url),
        }
        answer = self._hold(talk, order)
        output = child.tail()
        if answer["is"] == "done":
            self._session.end_sessions(database, answer["left"])
            outcome, failure = answer["outcome"], answer["failure"] and _failure(answer["failure"])
        else:
            self._end_child()
            self._session.end_sessions(database, talk.sessions)
            outcome, failure = answer["is"], Failure(answer["kind"], answer["why"], where=answer.get("where"))
        if talk.blocked and failure is not None:
            failure = Failure("BlocksItself", talk.blocked, where=failure.where, traceback=failure.traceback)
        tables = tuple((schema, table) for schema, table in answer.get("tables", ()))
        if outcome == "applied" and order["order"] in ("step", "stamp") and not answer["committed"]:
            outcome, failure = self._doubted(database, order["revision"], order["direction"], tables)
        return StepReport(
            outcome=outcome,
            failure=failure,
            statements=tuple(talk.statements),
            output=output,
            transactional=_transactional(talk.statements, answer),
            commits=answer.get("commits", 0),
            rollbacks=answer.get("rollbacks", 0),
            unseen=tuple(answer.get("unseen", ())),
            refusals=tuple(answer.get("refusals", ())),
            version_tables=tables,
            seconds=time.monotonic() - began,
        )

    def _hold(self, talk: "_Talk", order: dict[str, Any]) -> dict[str, Any]:
        try:
            if self._interrupted:
                raise BackoutError("the run was interrupted")
            return talk.hold(order)
        except BaseException:  # also on_hold's: in the middle of a step nobody can go on
            self._end_child()
            raise

    def _require_disposable(self, database: Database) -> None:
        if database in self._known:
            return
        if not database.token or self._session.token(database.name) != database.token:
            raise Refused(
                f"refusing to migrate the database {database.name}: its comment does not carry the token that backout "
                "gave it; backout migrates only databases that it has created itself"
            )
        self._known.add(database)

    def _doubted(
        self, database: Database, revision: str, direction: Direction, tables: tuple[tuple[str | None, str], ...]
    ) -> tuple[Outcome, Failure | None]:
        """No commit of the version was seen: look whether the database holds it."""
        assert self._chain is not None
        (parents,) = [one.parents for one in self._chain.revisions if one.id == revision]
        expected = {revision} if direction == "upgrade" else set(parents)
        unexpected = set(parents) if direction == "upgrade" else {revision}
        with _connect(database.url, "backout") as connection:
            for schema, table in tables:
                name = sql.Identifier(*(part for part in (schema, table) if part is not None))
                query = sql.SQL("SELECT version_num FROM {}").format(name)
                try:
                    held = {row[0] for row in connection.execute(query)}
                except psycopg.errors.UndefinedTable:
                    held = set()
                if held & unexpected or (expected and not self._covers(held, expected)):
                    what = f"{table} says {', '.join(sorted(held)) or 'nothing'}"
                    return "failed", Failure(
                        "NotCommitted", f"the step came to its end, and {what}: env.py did not commit it"
                    )
        return "applied", None

    def _covers(self, held: set[str], expected: set[str]) -> bool:
        """Whether each expected revision is held, or below one that is."""
        assert self._chain is not None
        below = {one.id: {*one.parents, *one.dependencies} for one in self._chain.revisions}
        reached, waiting = set(held), list(held)
        while waiting:
            fresh = below.get(waiting.pop(), set()) - reached
            reached |= fresh
            waiting += fresh
        return expected <= reached

    def _end_child(self) -> None:
        if self._child is not None:
            self._child.end()
            self._child = None


class _Session:
    """The parent's own session, which outlives the steps."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._connection: psycopg.Connection[tuple[Any, ...]] | None = None

    def ask(self, statement: Any, **values: object) -> list[tuple[Any, ...]]:
        try:
            if self._connection is None or self._connection.closed:
                self._connection = _connect(self._server.url, "backout worker")
            return self._connection.execute(statement, values).fetchall()
        except psycopg.OperationalError as error:
            raise PostgresError(
                f"{self._server.description} does not answer while a step runs: {str(error).strip()}; "
                "see that it runs, and begin again"
            ) from error

    def token(self, name: str, pid: int | None = None) -> str | None:
        """What a database's comment carries, perhaps nothing; None when that session is not at this database."""
        rows = self.ask(
            """SELECT shobj_description(d.oid, 'pg_database') FROM pg_database AS d WHERE d.datname = %(name)s
               AND (%(pid)s::int IS NULL OR EXISTS (
                   SELECT FROM pg_stat_activity AS a WHERE a.pid = %(pid)s AND a.datid = d.oid))""",
            name=name,
            pid=pid,
        )
        if not rows:
            return None
        try:
            return str(json.loads(rows[0][0])["backout"]["token"])
        except (ValueError, KeyError, TypeError):
            return ""

    def end_sessions(self, database: Database, pids: list[int]) -> None:
        """End those sessions of the database, and wait until they have ended."""
        deadline = time.monotonic() + GONE_SECONDS
        statement = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                       WHERE pid = ANY(%(pids)s) AND datname = %(name)s"""
        while pids and self.ask(statement, pids=pids, name=database.name):
            if time.monotonic() > deadline:
                raise BackoutError(
                    f"the sessions of a step on {database.name} did not end within {GONE_SECONDS:.0f} seconds; "
                    "look in pg_stat_activity at what they wait for"
                )
            time.sleep(0.001)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()


class _Talk:
    """One order, and all that is said until its answer."""

    def __init__(
        self, session: _Session, child: Child, database: Database | None, timeout: float, on_hold: OnHold | None
    ) -> None:
        self._session, self._child, self._database = session, child, database
        self._timeout, self._on_hold = timeout, on_hold
        self._waiting: tuple[Any, ...] | None = None
        self.statements: list[Ran] = []
        self.sessions: list[int] = []
        self.blocked: str | None = None

    def hold(self, order: dict[str, Any]) -> dict[str, Any]:
        """Say the order, and answer until it is done."""
        child = self._child
        child.begin()
        child.send(order)
        now = time.monotonic()
        first = child.is_new and order["order"] != "load"
        deadline = now + self._timeout + (FIRST_SECONDS if first else 0)
        look = now + LOOK_SECONDS
        while True:
            message = child.receive(min(deadline, look) - time.monotonic())
            now = time.monotonic()
            if message is None:
                if now >= deadline:
                    return self._hung()
                if now >= look:
                    self._look()
                    look = time.monotonic() + LOOK_SECONDS
                continue
            kind = message.pop("is")
            if kind == "connected":
                if first:
                    first, deadline = False, now + self._timeout
                self._admit(message["pid"])
            elif kind == "before":
                self._let_go(message["sql"], message["pid"])
                deadline += time.monotonic() - now  # that time was the parent's
            elif kind == "statement":
                self.statements.append(_ran(message))
            elif kind == "gone":
                return {"is": "died", "kind": "Died", "why": child.status}
            elif kind == "broken":
                raise BackoutError(f"the worker failed, which is a defect of backout:\n{message['traceback']}")
            elif kind != "where":
                child.is_new = child.is_new and order["order"] == "load"
                return {"is": kind, **message}

    def _admit(self, pid: int) -> None:
        """Look at the new session before it is used."""
        assert self._database is not None
        name = self._database.name
        if self._session.token(name, pid) == self._database.token:
            self.sessions.append(pid)
            self._child.send({"order": "go"})
        else:
            reason = f"the server does not know session {pid} as one of the database {name}"
            self._child.send({"order": "refuse", "reason": reason})

    def _let_go(self, sql: str, pid: int) -> None:
        watch = self._on_hold(sql, pid) if self._on_hold is not None else None
        self._child.send({"order": "go"})
        if watch is not None:
            watch(self._child.peek)

    def _look(self) -> None:
        """Whether a session of the worker waits for another one that does nothing: PostgreSQL sees no deadlock."""
        if len(self.sessions) < 2 or self.blocked:
            return
        rows = self._session.ask(
            """
            SELECT waiting.pid, blocker.pid, blocker.state_change, waiting.query, blocker.query
            FROM pg_stat_activity AS waiting
            CROSS JOIN LATERAL unnest(pg_blocking_pids(waiting.pid)) AS blocking(pid)
            JOIN pg_stat_activity AS blocker ON blocker.pid = blocking.pid
            WHERE waiting.pid = ANY(%(pids)s) AND blocker.pid = ANY(%(pids)s)
              AND blocker.state LIKE 'idle in transaction%%'
            ORDER BY 1, 2 LIMIT 1
            """,
            pids=self.sessions,
        )
        if not rows or rows[0][:3] != self._waiting:  # of two threads, one may go on in a moment
            self._waiting = rows[0][:3] if rows else None
            return
        waiting, blocker, _, waits, last = rows[0]
        # What it ran last may have been our probe.
        held = next((ran.sql for ran in reversed(self.statements) if ran.pid == blocker), last)
        self.blocked = (
            f"the step blocks itself: one of its connections waits in {_short(waits)} for another one, which is idle "
            f"in a transaction after {_short(held)}"
        )
        self._session.ask("SELECT pg_cancel_backend(%(pid)s)", pid=waiting)

    def _hung(self) -> dict[str, Any]:
        self._child.send({"order": "where"})
        where = None
        until = time.monotonic() + 2
        while (left := until - time.monotonic()) > 0:
            message = self._child.receive(left)
            if message is None or message["is"] == "gone":
                break
            if message["is"] == "where":
                where = message["where"]
                break
        why = f"timed out after {self._timeout:g} seconds"
        return {"is": "hung", "kind": "TimedOut", "why": why, "where": where}


def _configuration(target: Target) -> tuple[Path, Path, Path | None]:
    """Directory, ini file (which may be absent) and pyproject.toml."""
    given = target.configuration.absolute()
    ini = given.with_name("alembic.ini") if given.name == "pyproject.toml" else given
    toml = given.with_name("pyproject.toml")
    if not ini.exists() and not toml.exists():
        raise ConfigurationError(
            f"{target.configuration} does not exist; name the Alembic configuration of the project, "
            "an ini file or a pyproject.toml"
        )
    return ini.parent, ini, toml if toml.exists() else None


def _parameters(url: str) -> dict[str, str]:
    return {name: str(value) for name, value in conninfo.conninfo_to_dict(url).items()}


def _connect(url: str, name: str) -> psycopg.Connection[tuple[Any, ...]]:
    keywords: dict[str, Any] = _parameters(url)
    if "passfile" in keywords:
        keywords["password"] = ""  # rather than PGPASSWORD's
    return psycopg.connect(**keywords, autocommit=True, application_name=name)


def _chain(root: Path, answer: Mapping[str, Any]) -> Chain:
    return Chain(
        root=root,
        revisions=tuple(
            Revision(
                id=one["id"],
                parents=tuple(one["parents"]),
                dependencies=tuple(one["dependencies"]),
                labels=tuple(one["labels"]),
                path=Path(one["path"]),
                summary=one["summary"],
                docstring=one["docstring"],
            )
            for one in answer["revisions"]
        ),
        heads=tuple(answer["heads"]),
        bases=tuple(answer["bases"]),
        locations=tuple(Path(location) for location in answer["locations"]),
        env=Path(answer["env"]),
        versions=answer["versions"],
    )


def _failure(told: Mapping[str, Any]) -> Failure:
    return Failure(**told)


def _transactional(statements: list[Ran], answer: Mapping[str, Any]) -> bool | None:
    if answer["is"] != "done" or answer["unseen"]:
        return None
    own = [ran for ran in statements if ran.own and not ran.skipped]
    sent = [(ran.pid, ran.transaction, ran.autocommit) for ran in own] + [tuple(one) for one in answer["applied"]]
    return len(set(sent)) <= 1 and not any(autocommit for _, _, autocommit in sent)


def _ran(told: Mapping[str, Any]) -> Ran:
    error = told.get("error")
    failure = Failure(kind=error.pop("kind", "Error"), **error) if error else None
    return Ran(**{**told, "literals": tuple(told["literals"]), "error": failure})


def _short(sql: str) -> str:
    plain = " ".join(sql.split())
    return f"“{plain[:120]}…”" if len(plain) > 120 else f"“{plain}”"


def _quoted(name: str) -> str:
    return name if re.fullmatch(r"[a-z_][a-z0-9_$]*", name) else '"' + name.replace('"', '""') + '"'
