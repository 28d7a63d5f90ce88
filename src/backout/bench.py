"""One step on one disposable database, observed: what ran, what it locked, which relations it touched.

Not here: which steps, and what is compared (``rehearsal``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any, Literal, Self

import psycopg

from backout import observe, schema
from backout.evidence import Statement
from backout.postgres import Database, Server
from backout.schema import Snapshot
from backout.tables import Table, has_columns, read_tables
from backout.worker import Direction, Revision, StepReport, Worker

ZONE = "Asia/Kathmandu"  # of downgrades: neither UTC nor a whole hour from it, so that a cast that depends on it shows


class Aside:
    """Does in a thread of its own what nobody waits for; a context manager, whose end waits for all of it."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1)
        self._begun: list[Future[None]] = []

    def do(self, work: Callable[[Database], None], database: Database) -> None:
        """Begin, behind what was begun before.

        :raises BackoutError: what was begun before failed.
        """
        while self._begun and self._begun[0].done():
            self._begun.pop(0).result()
        self._begun.append(self._pool.submit(work, database))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, error: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        self._pool.shutdown()
        for one in self._begun if error is None else ():
            one.result()


@dataclass
class Laboratory:
    """Where experiments are made, by one thread.

    :ivar origin: an empty database, watched, from which every other is cloned.
    :ivar ignored: Alembic's own tables, quoted and with their schema; known after the first step.
    :ivar aside: drops databases meanwhile.
    :ivar step_seconds: time-out of one step.
    :ivar remedies: what had to be done so far for the chain to go on.
    """

    server: Server
    worker: Worker
    origin: Database
    aside: Aside
    step_seconds: float = 60.0
    ignored: frozenset[str] = frozenset({"public.alembic_version"})
    remedies: set[Remedy] = field(default_factory=set)

    def apply(self, revisions: Sequence[Revision], database: Database) -> Literal["applied", "failed", "again"]:
        """Upgrade by one or more revisions without observing.

        :return: ``again``: it failed for want of something, for which there is a remedy now.
        """
        names = [revision.id for revision in revisions]
        skip = sorted(remedy.skip for remedy in self.remedies if remedy.skip is not None)
        report = self.worker.advance(database, names, timeout=self.step_seconds, skip=tuple(skip))
        self.learn(report)
        if report.outcome == "applied":
            return "applied"
        remedy = remedy_for(report, self.server)
        if remedy is None or remedy in self.remedies:
            return "failed"
        self.remedies.add(remedy)
        return "again"

    def stamp(self, revision: Revision, database: Database) -> bool:
        """Mark as applied without running it."""
        return self.worker.stamp(database, revision.id, "upgrade").outcome == "applied"

    def discard(self, database: Database) -> None:
        """Drop a database, some time."""
        self.aside.do(self.server.drop, database)

    def learn(self, report: StepReport) -> None:
        """Remember where Alembic keeps its revision."""
        self.ignored |= report.version_table_names


def make_origin(server: Server) -> Database:
    """An empty database in which DDL is watched."""
    database = server.create()
    with psycopg.connect(database.url, autocommit=True) as connection:
        observe.install(connection)
    return database


@dataclass(frozen=True)
class Remedy:
    """What makes a step run that fails for want of something outside the database.

    :param skip: pattern of the statement to leave out; None: something was created instead.
    :param assumption: what it means for the measurement, in words.
    :param role: that is created.
    """

    skip: str | None
    assumption: str
    proves_less: bool = False
    role: str | None = None


@dataclass(frozen=True)
class Observed:
    """A step, and what was seen of it.

    :param statements: of the revision itself, without reads that touch nothing of the user's.
    :param touched: relations that existed before, and that it locked in any mode.
    """

    report: StepReport
    statements: tuple[Statement, ...]
    touched: frozenset[str]

    @property
    def applied(self) -> bool:
        return self.report.outcome == "applied"


@dataclass(frozen=True)
class _Seen:
    """A statement as ``observe`` wants it."""

    sql: str
    probe: str | None
    autocommit: bool
    rowcount: int | None
    held: observe.Held | None


@dataclass(frozen=True)
class Structure:
    """A schema at one moment, and the tables in it, Alembic's own left out."""

    schema: Snapshot
    tables: Mapping[str, Table]

    def has_tables_of(self, snapshot: Snapshot) -> bool:
        """Whether there are the same tables at another moment, which saves reading them again."""
        return self.schema.objects == snapshot.objects and self.schema.columns == snapshot.columns


class Bench:
    """A disposable database with the worker that migrates it and a connection that looks at it.

    :ivar connection: in autocommit mode; it holds nothing between two calls.
    :param known: of the database as it is, and of others that it may come to.
    """

    def __init__(
        self,
        laboratory: Laboratory,
        database: Database,
        remedies: tuple[Remedy, ...] = (),
        known: Sequence[Structure] = (),
    ) -> None:
        self._laboratory = laboratory
        self._database = database
        self._skip = tuple(remedy.skip for remedy in remedies if remedy.skip is not None)
        self._tables = known[0].tables if known else None  # until the next step
        self._known = list(known)
        self._last = known[0] if known else None  # of this database, or of the one that it is a copy of
        self.connection: psycopg.Connection[Any] = psycopg.connect(database.url, autocommit=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        self.connection.close()

    @property
    def tables(self) -> Mapping[str, Table]:
        """The tables now; where only the rows of some matter, :meth:`tables_like` is quicker."""
        if self._tables is None:
            self._tables = read_tables(self.connection, self._laboratory.ignored)
        return self._tables

    def tables_like(self, expected: Mapping[str, Table], names: Collection[str]) -> Mapping[str, Table]:
        """Likewise, when they are expected to be as they were: only the columns of those named are looked at."""
        if self._tables is None and has_columns(self.connection, [expected[name] for name in names]):
            self._tables = expected
        return self.tables

    def after_rows(self, before: Structure) -> Structure:
        """The schema, when nothing but rows has changed in it."""
        return replace(before, schema=schema.moved(self.connection, before.schema))

    def structure(self) -> Structure:
        """The schema and its tables now."""
        ignored, last = self._laboratory.ignored, self._last
        snapshot = schema.snapshot(self.connection, ignored=ignored, before=last.schema if last else None)
        for known in self._known:
            if self._tables is None and known.has_tables_of(snapshot):
                self._tables = known.tables
        if self._tables is None and last is not None:
            same = schema.same_relations(last.schema, snapshot)
            kept = [one for one in last.tables.values() if one.oid in same]
            self._tables = read_tables(self.connection, ignored, kept)
        self._last = Structure(snapshot, self.tables)
        self._known.append(self._last)
        return self._last

    def step(self, revision: Revision, direction: Direction) -> Observed:
        """Upgrade or downgrade by one revision."""
        laboratory = self._laboratory
        baseline = observe.read_baseline(self.connection, laboratory.ignored)
        with ExitStack() as stack:
            holds: list[observe.Hold | None] = []
            report = laboratory.worker.step(
                self._database,
                revision.id,
                direction,
                probe=observe.probe(baseline),
                timeout=laboratory.step_seconds,
                settings={"TimeZone": ZONE} if direction == "downgrade" else None,
                skip=self._skip,
                on_hold=lambda text, pid: self._hold(stack, holds, text, pid),
            )
        laboratory.learn(report)
        self._tables = None
        waiting = iter(holds)
        seen = []
        for ran in report.statements:
            hold = next(waiting, None) if ran.held else None
            if ran.own and not ran.skipped and ran.error is None:
                held = hold.read() if hold is not None else None
                seen.append(_Seen(ran.sql, ran.probe, ran.autocommit, ran.rows, held))
        statements = observe.statements(baseline, seen)
        kept = tuple(one for one in statements if one.locks is None or one.locks or not _only_reads(one.sql))
        touched = {lock.relation for one in statements for lock in one.locks or ()}
        touched |= {name for one in statements for name in (*(one.rewrites or ()), *(one.scans or ()))}
        # Of what was not seen, and may lock only where there are rows, the text tells the tables.
        there = baseline.relations
        words = {word for one in statements if one.locks is None for word in re.findall(r"[\w$]+", one.sql)}
        if words:
            touched |= {one.name for one in there.values() if one.name.rpartition(".")[2].strip('"') in words}
        # Of a sequence or an index, the table that it belongs to.
        owners = [one.of for one in there.values() if one.of is not None and one.name in touched]
        touched |= {there[oid].name for oid in owners if oid in there}
        return Observed(report, kept, frozenset(touched - laboratory.ignored))

    def _hold(
        self, stack: ExitStack, holds: list[observe.Hold | None], text: str, pid: int
    ) -> Callable[[Callable[[], bool]], None] | None:
        if not observe.must_hold(text, autocommit=True):
            holds.append(None)
            return None
        hold = stack.enter_context(observe.hold(self.connection, text))
        holds.append(hold)
        return lambda ended: hold.wait(pid, ended)


def remedy_for(report: StepReport, server: Server) -> Remedy | None:
    """What to do about a step that failed for want of a role or of an extension, or because a role is there already.

    Roles belong to the cluster, which the databases of a run share. One that is missing is created at once.
    """
    failure = report.failure
    if failure is None or failure.sqlstate not in _REMEDIES:
        return None
    pattern, make = _REMEDIES[failure.sqlstate]
    found = re.search(pattern, failure.message)
    remedy = make(found[1]) if found else None
    if remedy is not None and remedy.role is not None and not server.create_role(remedy.role):
        return None
    return remedy


def roles_created(server: Server, texts: Iterable[str]) -> tuple[str, ...]:
    """What it means that statements name roles that were created, in words; whichever revision was the first."""
    found = (name for text in texts for name in re.findall(r'[\w$]+|"(?:[^"]|"")+"', text))
    named = {name[1:-1].replace('""', '"') if name.startswith('"') else name.lower() for name in found}
    return tuple(_created(role) for role in server.roles if role in named)


def _created(role: str) -> str:
    return f"the role {role} was created, without login: the server had none of that name"


def _missing_role(name: str) -> Remedy:
    return Remedy(None, _created(name), role=name)


def _present_role(name: str) -> Remedy:
    pattern = rf'(CREATE|DROP)\s+(ROLE|USER|GROUP)\s+(IF\s+(NOT\s+)?EXISTS\s+)?"?{re.escape(name)}"?'
    return Remedy(pattern, f"the role {name}, which all databases of a server share, was neither created nor dropped")


def _missing_extension(name: str) -> Remedy:
    pattern = rf'(CREATE|DROP|ALTER)\s+EXTENSION\s+(IF\s+(NOT\s+)?EXISTS\s+)?"?{re.escape(name)}"?'
    return Remedy(pattern, f"the extension {name} is not installed on the server; its statements were left out", True)


_REMEDIES: dict[str, tuple[str, Callable[[str], Remedy]]] = {
    "42704": (r'^role "(.+)" does not exist$', _missing_role),
    "42710": (r'^role "(.+)" already exists$', _present_role),
    "2BP01": (r'^role "(.+)" cannot be dropped because', _present_role),
    "0A000": (r'^extension "(.+)" is not available$', _missing_extension),
    "58P01": (r'^could not open extension control file ".*/(.+)\.control"', _missing_extension),
}


def _only_reads(text: str) -> bool:
    return re.match(r"\s*(SELECT|SHOW|WITH|SET|RESET|SAVEPOINT|RELEASE|BEGIN)\b", text, re.IGNORECASE) is not None
