"""What a rollback would do to a database now: what it loses, on what it fails, whom it blocks, what can be kept.

The evidence says in which columns values are lost; here they are counted in the rows that there are. Strictly
read-only. A revision without evidence is unproven, a value that nobody can count is not counted: never is either
silently fine.

Facts only: words are in ``production.sentences``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, LiteralString

import psycopg

from backout.blocking import Blocking, blocking
from backout.errors import BackoutError, Refused
from backout.evidence import Evidence, Loss, Risk, Rollback
from backout.production import salvage
from backout.production.cascades import cascades
from backout.production.counting import Count, Counter, Values, is_constant
from backout.production.deployment import Deployment
from backout.production.doomed import (
    Doomed,
    Obstacle,
    doomed,
    has_label,
    is_plain_cast,
    obstacles,
    thrown_away,
)
from backout.tables import Column, Table, read_tables
from backout.worker import Revision

Advice = Literal[
    "unproven", "fails", "fails now", "lost", "kept", "thrown away", "not brought back", "nothing seen", "nothing",
]  # fmt: skip


@dataclass(frozen=True)
class CountedLoss:
    """Values that the rollback takes, in the rows that there are now.

    :param lost: the rows or values that are taken.
    :param rows: of the table.
    :param has_default: values that are the column's default, NULL where it has none, are not counted: they come back.
    """

    doomed: Doomed
    lost: Count
    rows: Count
    has_default: bool = False

    @property
    def is_nothing(self) -> bool:
        """There is nothing to lose, and somebody has counted it."""
        return self.lost.number == 0 and self.lost.basis == "counted"


@dataclass(frozen=True)
class CountedObstacle:
    """Rows on which the downgrade would fail now."""

    obstacle: Obstacle
    rows: Count


@dataclass(frozen=True)
class Blocked:
    """A relation that others cannot use meanwhile.

    :param how: the worst that happens; several where none covers the others.
    :param size: bytes, with indexes; None: not there, or could not be asked.
    """

    relation: str
    how: tuple[Blocking, ...]
    size: int | None
    rows: Count


@dataclass(frozen=True)
class Undone:
    """One revision of the rollback.

    :param measured: there is evidence of it; else there is nothing else than ``why_unproven``.
    :param why_unproven: what the evidence lacks.
    :param losses: what it loses now, also where that is nothing.
    :param thrown_away: what the upgrade threw away, which no query can count any more.
    :param proves_loss: what is lost after use was measured; else ``losses`` has what the downgrade drops or converts.
    :param fails: the error with which the downgrade failed in the rehearsal, whatever the rows.
    :param fails_on: rows on which it would fail.
    :param blocked: None: by what could not be observed.
    :param transactional: None: not known.
    :param restored: whether the schema is as before; None: not known.
    :param kept: what salvage would keep, ``public.users.preferences``.
    :param cannot_keep: why salvage cannot work.
    """

    revision: str
    summary: str
    risk: Risk
    rollback: Rollback
    measured: bool
    why_unproven: tuple[str, ...] = ()
    losses: tuple[CountedLoss, ...] = ()
    thrown_away: tuple[Loss, ...] = ()
    proves_loss: bool = True
    fails: str | None = None
    fails_on: tuple[CountedObstacle, ...] = ()
    blocked: tuple[Blocked, ...] | None = None
    transactional: bool | None = None
    restored: bool | None = None
    kept: tuple[str, ...] = ()
    cannot_keep: tuple[str, ...] = ()

    @property
    def loses(self) -> bool:
        """Something is lost now, or nobody knows."""
        return any(not one.is_nothing for one in self.losses)


@dataclass(frozen=True)
class Preview:
    """What a rollback would do now.

    :param database: where, in one line, without a password.
    :param current: what the database is at.
    :param to: where it would be; empty for base.
    :param undone: the newest first.
    """

    database: str
    current: tuple[str, ...]
    to: tuple[str, ...]
    undone: tuple[Undone, ...]

    @property
    def measured(self) -> bool:
        """Whether there is evidence of any of the revisions."""
        return any(one.measured for one in self.undone)

    @property
    def advice(self) -> Advice:
        """The worst that holds of any revision."""
        return min((_advice(one) for one in self.undone), key=_WORST_FIRST.index)


_WORST_FIRST: tuple[Advice, ...] = (
    "fails", "unproven", "fails now", "lost", "thrown away", "kept", "not brought back", "nothing seen",
    "nothing",
)  # fmt: skip


def preview(deployment: Deployment, *, to: str = "-1", timeout: float = 5.0) -> Preview:
    """Look at what a rollback would do, in one snapshot of the database.

    :param to: as for :meth:`Deployment.undone`.
    :param timeout: seconds for each count.
    :raises Refused: nothing to roll back, or not clear what.
    :raises BackoutError: the database stopped answering.
    """
    current = deployment.current()
    if unknown := deployment.unknown(current):
        raise Refused(
            f"the database is at {', '.join(unknown)}, and no file of the chain has it; "
            "check out the code that was deployed, then look again"
        )
    undone = deployment.undone(current, to)
    left = [one for one in deployment.applied(current) if one not in undone]
    needed = {name for one in left for name in one.parents}
    stay = tuple(sorted(one.id for one in left if one.id not in needed))
    settings = {"default_transaction_read_only": "on", "row_security": "off", "jit": "off", "timezone": "UTC"}
    settings["statement_timeout"] = "30s"
    try:
        with deployment.connect("preview", **settings) as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.read_only = True
            with connection.transaction():
                tables = _tables(deployment, connection)
                counter = Counter(connection, timeout)
                seen = tuple(_undone(deployment, one, tables, counter, connection) for one in undone)
    except psycopg.OperationalError as error:
        raise BackoutError(
            f"{deployment.real.description} stopped answering: {str(error).strip()}; see that it runs, and look again"
        ) from error
    return Preview(deployment.real.description, current, stay, seen)


def _tables(deployment: Deployment, connection: psycopg.Connection[Any]) -> dict[str, Table]:
    """The tables; PostgreSQL tells nothing of the structure of one that somebody has locked against readers."""
    try:
        with connection.transaction():
            connection.execute("SELECT set_config('statement_timeout', %s, true)", [f"{STRUCTURE_SECONDS:g}s"])
            return read_tables(connection, deployment.version_tables)
    except psycopg.errors.QueryCanceled as error:
        rows = connection.execute(_LOCKED).fetchall()
        locked = "; ".join(f"{table} by session {pid} ({program or 'unnamed'})" for table, pid, program in rows)
        raise BackoutError(
            f"the structure of the tables could not be read within {STRUCTURE_SECONDS:g} s; "
            f"locked against readers: {locked or 'nothing that this role sees'}; wait until that has ended, or end it"
        ) from error


STRUCTURE_SECONDS = 10.0
_LOCKED: LiteralString = """
    SELECT relation::regclass::text, pid, application_name FROM pg_locks LEFT JOIN pg_stat_activity USING (pid)
    WHERE mode = 'AccessExclusiveLock' AND granted AND locktype = 'relation' AND pg_locks.pid <> pg_backend_pid()
      AND pg_locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND relation IN (SELECT oid FROM pg_class WHERE relkind IN ('r', 'p')) ORDER BY 1, 2
"""


def _undone(
    deployment: Deployment,
    revision: Revision,
    tables: Mapping[str, Table],
    counter: Counter,
    connection: psycopg.Connection[Any],
) -> Undone:
    evidence = deployment.evidence.get(revision.id)
    if evidence is None:
        is_stale = revision.id in deployment.stale
        why = "its evidence is of other files" if is_stale else "there is no evidence of it"
        return Undone(revision.id, revision.summary, "unproven", "unproven", False, (why,))
    found = doomed(evidence, tables)
    plan = salvage.plan(deployment, revision, connection, tables)
    return Undone(
        revision=revision.id,
        summary=revision.summary,
        risk=evidence.risk,
        rollback=evidence.rollback,
        measured=True,
        why_unproven=_why_unproven(evidence),
        losses=tuple(_counted(one, tables, counter) for one in (*found, *cascades(connection, found, tables))),
        thrown_away=thrown_away(evidence),
        proves_loss=evidence.loss.lived_in is not None or evidence.lived_in_downgrade.outcome != "failed",
        fails=evidence.downgrade.error if evidence.downgrade.outcome == "failed" else None,
        fails_on=tuple(_counted_obstacle(one, counter) for one in obstacles(evidence, tables)),
        blocked=_blocked(evidence, tables, counter),
        transactional=evidence.downgrade.transactional,
        restored=evidence.schema.restored,
        kept=tuple(name for one in plan.subjects for name in one.names),
        cannot_keep=plan.refusals,
    )


def _why_unproven(evidence: Evidence) -> tuple[str, ...]:
    if evidence.rollback != "unproven":
        return ()
    told = (f"{one.table}: {one.reason}" if one.table else one.reason for one in evidence.unproven)
    return tuple(told) or ("not all of its steps were run",)


def _counted(one: Doomed, tables: Mapping[str, Table], counter: Counter) -> CountedLoss:
    table = tables.get(one.table)
    column = next((each for each in table.columns if each.quoted == one.column), None) if table else None
    if table is None or (one.column is not None and column is None):
        return _uncounted(one, f"{one.name} is not there now", counter)
    if column is None:
        if one.fate == "rows":
            return _uncounted(one, "no query tells which rows", counter, table)
        number = counter.rows(table, one.partitions)
        return CountedLoss(one, number, number if one.fate == "table" else counter.rows(table))
    if one.fate == "column":
        # The default comes back only where the upgrade gives it to the rows that are there.
        comes_back = one.rehearsed is not None and one.rehearsed[0] < one.rehearsed[1]
        default = column.default if comes_back and is_constant(column.default) else None
        condition = f"{column.quoted} IS DISTINCT FROM NULL"
        if default is not None:
            condition += f" AND {column.quoted}::text IS DISTINCT FROM (CAST({default} AS {column.type}))::text"
        found = counter.values(table, condition, column, default)
        return CountedLoss(one, found.concerned, found.rows, column.default is None or default is not None)
    if one.fate == "labels":
        found = counter.values(table, has_label(column, one.labels))
    elif one.fate == "retyped" and one.was is not None and is_plain_cast(one.was, column) and not one.own_way:
        found = counter.changed_by_cast(table, column, one.was)
    else:
        return _uncounted(one, "no query tells which values", counter, table, column)
    return CountedLoss(one, found.concerned, found.rows)


def _uncounted(
    one: Doomed, why: str, counter: Counter, table: Table | None = None, column: Column | None = None
) -> CountedLoss:
    """What no query can count; where there is nothing at all, nothing can be lost."""
    if table is None:
        return CountedLoss(one, Count(None, "not counted", why), Count(None, "not counted", why))
    found = (
        Values(rows := counter.rows(table), rows)
        if column is None
        else counter.values(table, f"{column.quoted} IS DISTINCT FROM NULL", column)
    )
    nothing = found.concerned.number == 0 and found.concerned.basis == "counted"
    return CountedLoss(one, found.concerned if nothing else Count(None, "not counted", why), found.rows)


def _counted_obstacle(one: Obstacle, counter: Counter) -> CountedObstacle:
    if one.count_query is None:
        return CountedObstacle(one, Count(None, "not counted", "no query counts them"))
    return CountedObstacle(one, counter.query(one.count_query))


def _blocked(evidence: Evidence, tables: Mapping[str, Table], counter: Counter) -> tuple[Blocked, ...] | None:
    found = blocking(evidence.downgrade.statements)
    if found is None:
        return None
    return tuple(
        Blocked(relation, how, counter.size(relation), counter.about_rows(tables[relation]))
        for relation, how in found.items()
        if relation in tables
    )


def _advice(one: Undone) -> Advice:
    if one.fails is not None:
        return "fails"
    if one.rollback == "unproven":
        return "unproven"
    if any(each.rows.number != 0 for each in one.fails_on):
        return "fails now"
    if one.loses:
        return "lost" if one.cannot_keep else "kept"
    if one.rollback == "no":
        return "thrown away"
    if one.thrown_away:
        return "not brought back"
    return "nothing" if one.proves_loss else "nothing seen"
