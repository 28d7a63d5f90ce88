"""What is looked at before a real database is changed: every reason against it, at once.

A check answers with refusals and notes. One that could not be made is a refusal, too: unseen is not safe. Most can be
accepted by name, with a reason, which goes into the journal; those about where the change would go cannot.

Not here: the change (``production.runner``).
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

from backout import backups
from backout.evidence import Evidence, FailsOnData
from backout.production.deployment import Deployment
from backout.production.drift import find_drift
from backout.rules import apply_waivers, judge, waivers
from backout.worker import Direction, Revision

COUNT_SECONDS = 10.0
LOCK_SECONDS = 2.0  # somebody may hold a table for ever
SMALL = 64 * 1024 * 1024  # bytes; a disk with less room has other troubles


@dataclass(frozen=True)
class Limits:
    """What is still accepted.

    :param backup_age: of the last receipt.
    :param transaction_age: of transactions that a migration would wait for.
    :param replay_bytes: that a replica is behind.
    :param ignored: objects that are no drift; see :func:`backout.production.drift.find_drift`.
    :param backups: where receipts are.
    """

    backups: Path
    backup_age: timedelta = timedelta(hours=24)
    transaction_age: timedelta = timedelta(seconds=60)
    replay_bytes: int = 64 * 1024 * 1024
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True)
class Refusal:
    """A reason against the change.

    :param check: by which it can be accepted.
    :param runbook: that helps, without ``.md``.
    :param details: a line each.
    """

    check: str
    observed: str
    advice: str
    runbook: str | None = None
    details: tuple[str, ...] = ()

    def __str__(self) -> str:
        runbook = f"; runbook: {self.runbook}" if self.runbook else ""
        return "\n    ".join([f"{self.check}: {self.observed}; {self.advice}{runbook}", *self.details])


@dataclass(frozen=True)
class Preflight:
    """What came of all checks.

    :param accepted: refusals with the reason for which they were accepted.
    :param checks: the names of those that were made.
    """

    refusals: tuple[Refusal, ...]
    accepted: tuple[tuple[Refusal, str], ...]
    notes: tuple[str, ...]
    checks: tuple[str, ...]


@dataclass(frozen=True)
class Question:
    """What is to be done, and what is known before.

    :param revisions: in the order in which they will be applied or undone.
    :param runner: another one that holds the lock, in words.
    """

    deployment: Deployment
    connection: psycopg.Connection[Any]
    direction: Direction
    current: Sequence[str]
    revisions: Sequence[Revision]
    limits: Limits
    runner: str | None
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def evidence(self) -> list[Evidence]:
        """Of the revisions that have it."""
        found = (self.deployment.evidence.get(one.id) for one in self.revisions)
        return [one for one in found if one is not None]

    @property
    def touched(self) -> set[str]:
        """Relations that the steps lock."""
        steps = (one.upgrade if self.direction == "upgrade" else one.downgrade for one in self.evidence)
        statements = (statement for step in steps for statement in step.statements or ())
        return {lock.relation for statement in statements for lock in statement.locks or ()}


Answer = Iterator[Refusal | str]
Check = Callable[[Question], Answer]


def look(question: Question, accepted: Mapping[str, str]) -> Preflight:
    """Make every check; while another runner works on the database, only those that it does not disturb.

    :param accepted: name of a check → why its refusals do not count.
    """
    checks = {name: check for name, check in CHECKS.items() if question.runner is None or name in FIRM}
    with suppress(psycopg.Error):  # a server that is gone is what the checks find
        wait_for_locks(question.connection, LOCK_SECONDS)
    refusals: list[Refusal] = []
    passed_over: list[tuple[Refusal, str]] = []
    notes: list[str] = []
    for name, check in checks.items():
        for answer in _answers(name, check, question):
            if isinstance(answer, str):
                notes.append(f"{name}: {answer}")
            elif name in accepted and name not in FIRM:
                passed_over.append((answer, accepted[name]))
            else:
                refusals.append(answer)
    with suppress(psycopg.Error):
        wait_for_locks(question.connection, 0)
    return Preflight(tuple(refusals), tuple(passed_over), tuple(notes), tuple(checks))


def violators(connection: psycopg.Connection[Any], preconditions: Iterable[FailsOnData]) -> Iterator[Refusal | str]:
    """The rows on which a step would fail, counted now."""
    for one in preconditions:
        if one.count_query is None:
            yield f"{one.table} may hold rows on which it fails with {one.error}; no query can count them"
            continue
        try:
            with connection.transaction():
                connection.execute("SELECT set_config('statement_timeout', %s, true)", [f"{COUNT_SECONDS:.0f}s"])
                row = connection.execute(one.count_query.encode()).fetchone()
        except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn):
            yield f"rows of {one.table} cannot be counted yet; they are before the revision's turn"
            continue
        except psycopg.errors.QueryCanceled:
            yield Refusal(
                "preconditions",
                f"the rows of {one.table} on which it fails could not be counted within {COUNT_SECONDS:.0f} s",
                f"count them: {one.count_query}",
            )
            continue
        number = row[0] if row else 0
        if number:
            rows = "1 row" if number == 1 else f"{number:,} rows"
            yield Refusal(
                "preconditions",
                f"{rows} of {one.table} would make it fail with {one.error}",
                f"mend them first; they are counted by: {one.count_query}",
            )


def wait_for_locks(connection: psycopg.Connection[Any], seconds: float) -> None:
    """How long this session waits for a lock, from now on; 0: for ever."""
    connection.execute("SELECT set_config('lock_timeout', %s, false)", [f"{seconds:.0f}s"])


def _answers(name: str, check: Check, question: Question) -> Answer:
    try:
        yield from check(question)
    except psycopg.Error as error:
        yield Refusal(
            name,
            f"it could not be checked: {error.sqlstate or type(error).__name__} "
            f"{error.diag.message_primary or str(error).strip()}",
            "see to that, and look again",
        )


# -- where the change would go ----------------------------------------------------------------------


def _server(question: Question) -> Answer:
    connection = question.connection
    row = connection.execute("SELECT pg_is_in_recovery(), current_setting('default_transaction_read_only')").fetchone()
    assert row is not None
    if row[0]:
        yield Refusal("server", "this is a read-only replica", "name the primary in DATABASE_URL")
    elif row[1] == "on":
        yield Refusal(
            "server", "sessions here are read-only (default_transaction_read_only)", "use a role that may write"
        )
    majors = {one.postgres for one in question.evidence}
    if majors and question.deployment.real.major not in majors:
        measured = ", ".join(map(str, sorted(majors)))
        yield f"the server is PostgreSQL {question.deployment.real.version}; the evidence was measured on {measured}"


def _runner(question: Question) -> Answer:
    if question.runner is not None:
        yield Refusal("runner", question.runner, "wait until it has ended", "two-migrations-at-once")


def _revisions(question: Question) -> Answer:
    deployment = question.deployment
    for name in deployment.unknown(question.current):
        yield Refusal(
            "revisions",
            f"the database is at {name}, and no file of the chain has it",
            "check out the code that was deployed",
            "missing-revision-file",
        )
    heads = deployment.chain.heads
    if question.direction == "upgrade" and len(heads) != 1:
        yield Refusal(
            "revisions",
            f"the chain has {len(heads)} heads ({', '.join(heads)})",
            "merge them: alembic merge heads",
            "multiple-heads",
        )


# -- what is known of it ----------------------------------------------------------------------------


def _evidence(question: Question) -> Answer:
    deployment = question.deployment
    for one in question.revisions:
        evidence = deployment.evidence.get(one.id)
        if evidence is None:
            what = "is of other files" if one.id in deployment.stale else "is missing"
            yield Refusal("evidence", f"the evidence of {one.id} {what}", f"measure it: backout rehearse {one.id}")
        elif question.direction == "upgrade" and evidence.upgrade.outcome == "failed":
            yield Refusal("evidence", f"{one.id} failed in its rehearsal: {evidence.upgrade.error}", "mend it")
        elif question.direction == "upgrade" and evidence.risk == "unproven":
            yield Refusal("evidence", f"the risk of {one.id} is unproven", f"see why: backout rehearse {one.id}")
        elif question.direction == "downgrade" and evidence.rollback in ("no", "unproven"):
            yield Refusal(
                "evidence",
                f"the rollback of {one.id} is measured as {evidence.rollback!r}",
                "fix forward, or restore from a backup",
                "restore-from-a-backup",
            )


def _policy(question: Question) -> Answer:
    """Findings of severity error that nobody has accepted in the revision's file."""
    if question.direction == "downgrade":
        return
    for one in question.revisions:
        evidence = question.deployment.evidence.get(one.id)
        if evidence is None:
            continue
        said = waivers(one.path.read_text(encoding="utf-8"), evidence.path)
        said = tuple(waiver for waiver in said if not waiver.hazard.startswith("squawk:"))
        for finding in apply_waivers(judge(evidence), said):
            if finding.severity == "error" and finding.waiver is None:
                yield Refusal(
                    "policy",
                    f"{one.id}: {finding.message}",
                    f"mend it, or accept {finding.hazard} in {evidence.path}",
                )


def _drift(question: Question) -> Answer:
    deployment = question.deployment
    applied = deployment.applied(question.current)
    drift = find_drift(deployment, applied, question.connection, ignored=question.limits.ignored)
    if drift is None:
        missing = [one.id for one in applied if one.id not in deployment.evidence]
        yield Refusal(
            "drift",
            f"the schema cannot be compared: evidence is missing or stale of {', '.join(missing)}",
            "measure it: backout rehearse --new",
        )
        return
    if drift.differences:
        number = len(drift.differences)
        yield Refusal(
            "drift",
            f"the schema is not what the revisions make, in {number} {'object' if number == 1 else 'objects'}",
            "find out who changed it",
            "schema-drift",
            drift.told(),
        )
    yield from drift.notes


def _preconditions(question: Question) -> Answer:
    for one in question.evidence:
        if question.direction == "upgrade":
            found = one.upgrade.fails_on_data or ()
        else:
            found = (*(one.downgrade.fails_on_data or ()), *(one.lived_in_downgrade.fails_on_data or ()))
        yield from violators(question.connection, dict.fromkeys(found))


# -- what would be lost, and what would be in the way ------------------------------------------------


def _backup(question: Question) -> Answer:
    if not question.revisions or not _has_rows(question):
        return
    limits, database = question.limits, question.deployment.real
    receipt = backups.latest_receipt(limits.backups, database=database)
    if receipt is None:
        yield Refusal(
            "backup",
            f"there is no receipt of a backup of this database in {limits.backups}",
            "take one and verify it: backout backup && backout backup verify --latest",
            "verify-a-backup",
            backups.objections(limits.backups, database=database),
        )
        return
    # A rollback drops what was written since: a backup from before the upgrade does not have it.
    at = tuple(question.current) if question.direction == "downgrade" else None
    problem = backups.problem(receipt, question.now, limits.backup_age, revisions=at)
    if problem is not None:
        yield Refusal("backup", problem, "see what there is: backout backup list", "verify-a-backup")
    elif receipt.kind == "statement":
        yield str(receipt)


def _has_rows(question: Question) -> bool:
    """Whether there is anything to lose."""
    tables = question.connection.execute(
        """SELECT format('%I.%I', nspname, relname) FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
           WHERE relkind = 'r' AND nspname NOT IN ('pg_catalog', 'information_schema') AND nspname !~ '^pg_(toast|temp)'
        """
    ).fetchall()
    names = [name for (name,) in tables if name not in question.deployment.version_tables]
    return any(question.connection.execute(f"SELECT FROM {name} LIMIT 1".encode()).rowcount for name in names)


def _disk(question: Question) -> Answer:
    statements = [
        statement
        for one in question.evidence
        for step in [one.upgrade if question.direction == "upgrade" else one.downgrade]
        for statement in step.statements or ()
    ]
    tables = {name for statement in statements for name in (*(statement.rewrites or ()), *(statement.scans or ()))}
    row = question.connection.execute(
        "SELECT coalesce(sum(pg_total_relation_size(to_regclass(name))), 0)::bigint FROM unnest(%s::text[]) AS t(name)",
        [sorted(tables)],
    ).fetchone()
    needed = 2 * int(row[0]) if row else 0  # once in the table, once in the write-ahead log
    if needed < SMALL:
        return
    free = _free(question)
    about = f"about {needed / 1e9:.1f} GB are needed while {', '.join(sorted(tables))} are written anew or indexed"
    if free is None:
        yield f"{about}; how much is free on the server cannot be seen from here: look there"
    elif free < needed:
        yield Refusal("disk", f"{about}, and {free / 1e9:.1f} GB are free", "make room first")


def _free(question: Question) -> int | None:
    """Bytes free where the server keeps its data, if that is this machine."""
    host = question.deployment.real.parameters.get("host", "")
    if not (host.startswith("/") or host in ("", "localhost", "127.0.0.1", "::1")):
        return None
    try:
        with question.connection.transaction():
            row = question.connection.execute("SHOW data_directory").fetchone()
        return shutil.disk_usage(row[0]).free if row else None
    except (psycopg.Error, OSError):
        return None


def _transactions(question: Question) -> Answer:
    if not question.revisions:
        return
    steps = [one.upgrade if question.direction == "upgrade" else one.downgrade for one in question.evidence]
    waits_for_all = any(step.transactional is False for step in steps)  # as CREATE INDEX CONCURRENTLY does
    rows = question.connection.execute(
        _LONG, {"age": question.limits.transaction_age, "all": waits_for_all, "tables": sorted(question.touched)}
    ).fetchall()
    for pid, who, application, state, seconds, query in rows:
        asked = question.deployment.masking.hide(" ".join((query or "").split())[:80])
        yield Refusal(
            "transactions",
            f"session {pid} of {who} ({application or 'no application_name'}, {state}) has been in a transaction for "
            f"{seconds:.0f} s: {asked}",
            f"wait for it, or end it: SELECT pg_terminate_backend({pid})",
            "migration-hangs-behind-a-lock",
        )
    hidden = question.connection.execute(
        """SELECT count(*) FROM pg_stat_activity
           WHERE datname = current_database() AND usesysid IS NOT NULL AND backend_start IS NULL"""
    ).fetchone()
    if hidden is not None and hidden[0]:
        sessions = "a session" if hidden[0] == 1 else f"{hidden[0]} sessions"
        yield f"how long {sessions} of other roles are in a transaction cannot be seen; the role lacks pg_monitor"
    prepared = question.connection.execute(
        "SELECT gid FROM pg_prepared_xacts WHERE database = current_database() AND prepared < now() - %s",
        [question.limits.transaction_age],
    ).fetchall()
    for (name,) in prepared:
        yield Refusal("transactions", f"the prepared transaction {name!r} holds its locks", "commit it or roll it back")


_LONG = """
    SELECT pid, usename, application_name, state, extract(epoch FROM now() - xact_start)::float8, query
    FROM pg_stat_activity AS session
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
      AND xact_start < now() - %(age)s
      AND (%(all)s OR EXISTS (
        SELECT FROM pg_locks AS held
        WHERE held.pid = session.pid AND held.relation = ANY (
          SELECT to_regclass(name)::oid FROM unnest(%(tables)s::text[]) AS of(name))))
    ORDER BY xact_start
"""


def _replicas(question: Question) -> Answer:
    rows = question.connection.execute(
        """SELECT application_name, state, pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)::bigint
           FROM pg_stat_replication WHERE NOT pg_is_in_recovery() ORDER BY 1"""
    ).fetchall()
    for name, state, behind in rows:
        if behind is None:
            yield f"how far the replica {name} is behind cannot be seen; the role lacks pg_monitor"
        elif behind > question.limits.replay_bytes:
            yield Refusal(
                "replicas",
                f"the replica {name} ({state}) is {behind / 1e6:.0f} MB behind",
                "wait until it has caught up",
            )


CHECKS: Mapping[str, Check] = {
    "server": _server,
    "runner": _runner,
    "revisions": _revisions,
    "evidence": _evidence,
    "policy": _policy,
    "drift": _drift,
    "preconditions": _preconditions,
    "backup": _backup,
    "disk": _disk,
    "transactions": _transactions,
    "replicas": _replicas,
}
FIRM = frozenset({"server", "runner", "revisions"})
