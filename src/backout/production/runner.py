"""Changes the revision of a real database: one runner at a time, one revision at a time, looked at before and after.

::

    with open_deployment(target, url, masking) as deployment, journal.create(…) as log:
        apply(deployment, Order(…), log, say)

A step waits for its locks only for moments, so that nobody waits behind it for long, and tries again. Where it can be
undone by a failure is known from the evidence; a step outside a transaction is tried once, without time-outs, for half
an index is worse than a slow one.

Asks nobody; what it does it tells ``say`` and the journal, line by line. Not here: the reasons against a change
(``production.preflight``), what is lost (``production.preview``), keeping it (``production.salvage``).
"""

from __future__ import annotations

import http.client
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import psycopg

from backout.errors import BackoutError, PostgresError, Refused
from backout.journal import Journal
from backout.production import preflight, salvage
from backout.production.deployment import Deployment
from backout.production.drift import Drift, find_drift
from backout.production.preflight import Limits, Preflight, Question, Refusal, violators
from backout.worker import MIGRATING, Direction, Revision, StepReport

# Any number that nobody else takes for an advisory lock of this database; "backout" in ASCII, read as hexadecimal.
MIGRATION_LOCK = 0x6261636B6F7574
LOCK_PURPOSE = "migration lock"

PASSING = frozenset({"55P03", "40P01", "40001"})  # lock_not_available, deadlock_detected, serialization_failure
LONGEST_PAUSE = 30.0
PROGRESS_SECONDS = 10.0
READ_SECONDS = 60.0
STEP_SECONDS = 7 * 24 * 3600.0  # the guards stop a step, and the operator

Say = Callable[[str], None]


@dataclass(frozen=True)
class Order:
    """How a change is to be made.

    :param limits: what the preflight accepts.
    :param accepted: check → why its refusals do not count.
    :param wait: seconds for another runner to end.
    :param lock_timeout: seconds that a step waits for a lock; others wait behind it meanwhile.
    :param attempts: of a step that does not get its locks.
    :param pause: seconds before the second attempt; each pause is twice the one before.
    :param statement_timeout: seconds.
    :param health: URL to ask before and afterwards.
    :param health_wait: seconds until it must be well again.
    :param dry_run: look at every reason against it, and change nothing.
    """

    limits: Limits
    accepted: Mapping[str, str] = field(default_factory=dict)
    wait: float = 60.0
    lock_timeout: float = 2.0
    attempts: int = 6
    pause: float = 1.0
    statement_timeout: float = 900.0
    health: str | None = None
    health_wait: float = 30.0
    dry_run: bool = False


@dataclass(frozen=True)
class _Around:
    """Statements before and behind a revision's function, in its transaction, and in one of their own afterwards."""

    first: Sequence[str] = ()
    last: Sequence[str] = ()
    behind: Sequence[str] = ()


_Surround = Callable[[Revision, psycopg.Connection[Any]], _Around]
"""What to do around a step; asked right before it, under the lock."""


def apply(
    deployment: Deployment,
    order: Order,
    journal: Journal,
    say: Say,
    *,
    to: str | None = None,
) -> tuple[str, ...]:
    """Apply what is pending, and put back what rollbacks have kept of it.

    :param to: a revision; None: head.
    :return: the revisions that were applied; none where there was nothing to do.
    :raises Refused: the preflight found reasons against it; all are in the message. Nothing was changed.
    :raises BackoutError: a step failed; the message says where the database stands, and which runbook goes on.
    """
    with _runner(deployment, order, say) as (connection, runner):
        current = deployment.current()
        known = len(deployment.chain.heads) == 1 or to is not None
        pending = deployment.pending(current, to) if known else ()
        _announce(deployment, current, pending, "upgrade", say)
        _preflight(
            Question(deployment, connection, "upgrade", current, pending, order.limits, runner), order, journal, say
        )
        return _change(deployment, order, journal, say, connection, pending, "upgrade", _putting_back(deployment, say))


def roll_back(
    deployment: Deployment,
    order: Order,
    journal: Journal,
    say: Say,
    *,
    revisions: Sequence[Revision],
    keep: bool = False,
) -> tuple[str, ...]:
    """Undo these revisions, the newest first.

    :param revisions: as :meth:`Deployment.undone` gave them, when the operator was asked.
    :param keep: what would be lost; see ``production.salvage``.
    :raises Refused: as for :func:`apply`; also, the database has moved since, or what is lost cannot be kept.
    :raises BackoutError: as for :func:`apply`.
    """
    with _runner(deployment, order, say) as (connection, runner):
        current = deployment.current()
        applied = {one.id for one in deployment.applied(current)}
        gone = [one.id for one in revisions if one.id not in applied]
        if gone and runner is None:
            raise Refused(
                f"{', '.join(gone)} is not applied any more: the database is at {_listed(current)}; "
                "somebody else migrates it: look again"
            )
        later = deployment.built_on(revisions, current)
        if later and runner is None:
            raise Refused(
                f"{', '.join(later)} was applied on top meanwhile: the database is at {_listed(current)}; "
                "somebody else migrates it: look again"
            )
        _announce(deployment, current, revisions, "downgrade", say)
        _preflight(
            Question(deployment, connection, "downgrade", current, revisions, order.limits, runner), order, journal, say
        )
        if keep:
            _require_plans(deployment, connection, revisions)
        surround = _keeping(deployment, say) if keep else _nothing_around
        return _change(deployment, order, journal, say, connection, revisions, "downgrade", surround)


# -- before -----------------------------------------------------------------------------------------


@contextmanager
def _runner(deployment: Deployment, order: Order, say: Say) -> Iterator[tuple[psycopg.Connection[Any], str | None]]:
    """A session that holds the lock of the one runner, and who holds it instead, in words.

    Tries again and again instead of waiting in the server: a statement that waits for a lock is a running
    transaction, and ``CREATE INDEX CONCURRENTLY`` waits for every transaction, so that both would wait for ever.
    """
    with deployment.connect(LOCK_PURPOSE) as connection:
        deadline = time.monotonic() + order.wait
        told = False
        with _holding_the_lock():
            while (holder := _holder(connection)) is not None and time.monotonic() < deadline:
                if not told:
                    say(f"waiting up to {order.wait:g} s: {holder}")
                    told = True
                time.sleep(0.1)
        yield connection, holder


def _holder(connection: psycopg.Connection[Any]) -> str | None:
    """Take the lock; who has it already, in words."""
    if connection.execute("SELECT pg_try_advisory_lock(%s)", [MIGRATION_LOCK]).fetchone() != (True,):
        return "another runner holds the migration lock" + _who(connection, MIGRATION_LOCK)
    # Nobody but this runner takes that one alone, so that it is held only by a step that outlived its runner.
    if connection.execute("SELECT pg_try_advisory_lock(%s)", [MIGRATING]).fetchone() != (True,):
        who = _who(connection, MIGRATING)
        connection.execute("SELECT pg_advisory_unlock(%s)", [MIGRATION_LOCK])
        return "a step of a runner that is gone still runs" + who
    connection.execute("SELECT pg_advisory_unlock(%s)", [MIGRATING])
    return None


def _who(connection: psycopg.Connection[Any], number: int) -> str:
    rows = connection.execute(_HOLDERS, {"high": number >> 32, "low": number & 0xFFFFFFFF}).fetchall()
    sessions = [
        f"session {pid} of {user}" + (f" since {since:%H:%M:%S} UTC" if since is not None else "")
        for pid, user, since in rows
    ]
    return f" ({', '.join(sessions)})" if sessions else ""


_HOLDERS = """
    SELECT session.pid, usename, backend_start AT TIME ZONE 'UTC'
    FROM pg_locks AS held JOIN pg_stat_activity AS session USING (pid)
    WHERE locktype = 'advisory' AND granted AND held.pid <> pg_backend_pid()
      AND classid = %(high)s AND objid = %(low)s AND objsubid = 1
      AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    ORDER BY backend_start
"""


def _announce(
    deployment: Deployment, current: Sequence[str], revisions: Sequence[Revision], direction: Direction, say: Say
) -> None:
    say(f"{deployment.real.description}: at {_listed(current)}")
    if not revisions:
        return
    word = "pending" if direction == "upgrade" else "to be rolled back"
    say(f"{word}: {_counted(len(revisions), 'revision')}")
    for one in revisions:
        evidence = deployment.evidence.get(one.id)
        risk, rollback = (evidence.risk, evidence.rollback) if evidence else ("unproven", "unproven")
        say(f"  {one.id}  risk {risk}, rollback {rollback}: {one.summary}")


def _preflight(question: Question, order: Order, journal: Journal, say: Say) -> Preflight:
    found = preflight.look(question, order.accepted)
    journal.write(
        "preflight",
        current=list(question.current),
        revisions=[one.id for one in question.revisions],
        refusals=[str(one) for one in found.refusals],
        accepted=[{"refusal": str(one), "reason": reason} for one, reason in found.accepted],
        notes=list(found.notes),
    )
    for note in found.notes:
        say(f"note: {note}")
    for one, reason in found.accepted:
        say(f"accepted ({reason}): {one}")
    if found.refusals:
        runnable = "\n".join(f"  {one}" for one in found.refusals)
        raise Refused(f"nothing was changed; {_counted(len(found.refusals), 'reason')} against it:\n{runnable}")
    if question.revisions:
        more = " but what was accepted" if found.accepted else ""
        say(f"preflight: {_counted(len(found.checks), 'check')}, nothing against it{more}")
    return found


# -- the change -------------------------------------------------------------------------------------


def _change(
    deployment: Deployment,
    order: Order,
    journal: Journal,
    say: Say,
    connection: psycopg.Connection[Any],
    revisions: Sequence[Revision],
    direction: Direction,
    surround: _Surround,
) -> tuple[str, ...]:
    if not revisions or order.dry_run:
        return ()
    with _holding_the_lock():
        applied = deployment.applied(deployment.current())
        before = _drift(deployment, applied, order, connection)
    well = _health(order.health)
    if well is not None:
        journal.write("health", when="before", **well)
        say(f"health before: {well['told']}")
    done: list[str] = []
    for one in revisions:
        try:
            with _holding_the_lock():
                connection.execute("SELECT")
                around = surround(one, connection)
                if done and direction == "upgrade":
                    _ask_again(deployment, connection, one)
            _step(deployment, order, journal, say, one, direction, around)
            done.append(one.id)
            with _holding_the_lock():
                _behind(connection, around, one)
                _tell_kept(connection, journal, say, one, direction, around)
                _verify(deployment, order, journal, say, connection, before, one, direction)
        except BaseException as error:
            _end_steps(connection)
            standing = _standing(deployment, one, direction, done)
            reason = str(error) or type(error).__name__
            journal.write("stopped", revision=one.id, done=done, reason=reason, standing=standing.splitlines())
            if isinstance(error, BackoutError):
                raise type(error)(f"{error}\n{standing}") from error
            say(f"stopped in the {direction} of {one.id}; runbook: migration-failed-half-way\n{standing}")
            raise
    _ask_health(order, journal, say, well, deployment.current())
    return tuple(done)


@contextmanager
def _holding_the_lock() -> Iterator[None]:
    """Questions to the session that holds the lock; where it has ended, another runner may start."""
    try:
        yield
    except psycopg.Error as error:
        raise PostgresError(
            f"the session that holds the migration lock failed: {error.sqlstate or type(error).__name__} "
            f"{error.diag.message_primary or str(error).strip()}; runbook: migration-failed-half-way"
        ) from error


def _nothing_around(_one: Revision, _connection: psycopg.Connection[Any]) -> _Around:
    return _Around()


def _putting_back(deployment: Deployment, say: Say) -> _Surround:
    def surround(one: Revision, connection: psycopg.Connection[Any]) -> _Around:
        found = salvage.restoration(deployment, one, connection)
        if found.subjects:
            say(f"{one.id} may put back what was kept of {', '.join(found.subjects)}")
        return _Around(found.first, found.last, found.behind)

    return surround


def _keeping(deployment: Deployment, say: Say) -> _Surround:
    def surround(one: Revision, connection: psycopg.Connection[Any]) -> _Around:
        found = salvage.plan(deployment, one, connection)
        if found.needed and found.refusals:
            raise Refused("; ".join(found.refusals))
        for why in found.refusals:
            say(f"{one.id}: {why}")
        if found.subjects:
            say(f"{one.id} keeps {', '.join(name for subject in found.subjects for name in subject.names)}")
        return _Around(found.first, found.last)

    return surround


def _require_plans(deployment: Deployment, connection: psycopg.Connection[Any], revisions: Sequence[Revision]) -> None:
    """That what is lost can be kept is known before anything is touched.

    What was thrown away when a revision was applied is a reason only where no other loses anything now.
    """
    plans = [salvage.plan(deployment, one, connection) for one in revisions]
    needed = [one for one in plans if one.needed]
    refusals = [why for one in needed or plans for why in one.refusals]
    if refusals:
        raise Refused(
            "nothing was changed; what the rollback loses cannot be kept:\n"
            + "\n".join(f"  {why}" for why in dict.fromkeys(refusals))
        )


def _behind(connection: psycopg.Connection[Any], around: _Around, one: Revision) -> None:
    if not around.behind:
        return
    try:
        with connection.transaction():
            for statement in around.behind:
                connection.execute(statement.encode())
    except psycopg.Error as error:
        raise BackoutError(
            f"{one.id} is applied, and what was kept could not be put back: {error.sqlstate} "
            f"{error.diag.message_primary or error}; it is still kept: backout salvage list"
        ) from error


def _tell_kept(
    connection: psycopg.Connection[Any],
    journal: Journal,
    say: Say,
    one: Revision,
    direction: Direction,
    around: _Around,
) -> None:
    """What was kept by a rollback, or put back by an upgrade."""
    if not (around.first or around.last or around.behind):
        return
    for kept in salvage.contents(connection):
        what = ", ".join(f"{kept.table}.{column}" for column in kept.columns) or kept.table
        if direction == "downgrade" and kept.revision == one.id and not kept.put_back_by:
            say(f"  kept {_counted(kept.rows, 'row')} of {what}")
            journal.write("kept", revision=one.id, subject=what, rows=kept.rows)
        elif direction == "upgrade" and kept.put_back_by == one.id:
            left = sum(part.rows for part in kept.left)
            more = f"; {_counted(left, 'row')} left: backout salvage list" if left else ""
            say(f"  put back {_counted(kept.put_back, 'row')} of {what}{more}")
            journal.write("put back", revision=one.id, subject=what, rows=kept.put_back, left=left)


def _step(
    deployment: Deployment,
    order: Order,
    journal: Journal,
    say: Say,
    one: Revision,
    direction: Direction,
    around: _Around,
) -> None:
    evidence = deployment.evidence.get(one.id)
    step = None if evidence is None else evidence.upgrade if direction == "upgrade" else evidence.downgrade
    whole = step is not None and step.transactional is True
    say(f"{'applying' if direction == 'upgrade' else 'rolling back'} {one.id}: {one.summary}")
    if not whole:
        say("  outside of one transaction: without time-outs, and tried once")
    settings = {"application_name": f"backout {direction} {one.id}"}
    settings["lock_timeout"] = f"{order.lock_timeout * 1000:.0f}" if whole else "0"
    settings["statement_timeout"] = f"{order.statement_timeout * 1000:.0f}" if whole else "0"
    for attempt in range(1, order.attempts + 1):
        journal.write("step", revision=one.id, direction=direction, attempt=attempt, transactional=whole)
        with _watching(deployment, say) as blockers:
            report = deployment.worker.step(
                deployment.real.database,
                one.id,
                direction,
                timeout=STEP_SECONDS,
                settings=settings,
                around=(around.first, around.last),
            )
        failure = report.failure
        journal.write(
            "stepped",
            revision=one.id,
            outcome=report.outcome,
            seconds=round(report.seconds, 1),
            error=None if failure is None else failure.told,
            blockers=list(blockers),
        )
        if report.outcome == "applied":
            say(f"  {'applied' if direction == 'upgrade' else 'rolled back'} in {report.seconds:.1f} s")
            return
        assert failure is not None
        again = failure.sqlstate in PASSING and whole and report.commits == 0
        if not again or attempt == order.attempts:
            break
        pause = min(order.pause * 2 ** (attempt - 1), LONGEST_PAUSE)
        say(f"  attempt {attempt} of {order.attempts}: {failure.told}; again in {pause:g} s")
        time.sleep(pause)
    raise _failed(one, direction, report, attempt, tuple(blockers))


def _failed(
    one: Revision, direction: Direction, report: StepReport, attempts: int, blockers: Sequence[str]
) -> BackoutError:
    assert report.failure is not None
    where = f"{report.failure.where}: " if report.failure.where else ""
    tried = f" {attempts} times" if attempts > 1 else ""
    text = f"{where}the {direction} of {one.id} failed{tried}: {report.failure.told}"
    if report.failure.sqlstate in PASSING:
        held = f"; it waited for {'; '.join(blockers)}" if blockers else ""
        return BackoutError(f"{text}{held}; runbook: migration-hangs-behind-a-lock")
    return BackoutError(f"{text}; runbook: migration-failed-half-way")


def _standing(deployment: Deployment, one: Revision, direction: Direction, done: Sequence[str]) -> str:
    """Where the database stands after a step that did not come to its end."""
    evidence = deployment.evidence.get(one.id)
    step = None if evidence is None else evidence.upgrade if direction == "upgrade" else evidence.downgrade
    verb = "applied" if direction == "upgrade" else "rolled back"
    try:
        current = deployment.current()
    except BackoutError as error:
        return f"  where the database stands is not known: {error}; look before anything else: backout apply --dry-run"
    lines = [f"the database is at {_listed(current)}"]
    if done:
        lines.append(f"{verb}, and there to stay: {', '.join(done)}")
    landed = (one.id in {applied.id for applied in deployment.applied(current)}) == (direction == "upgrade")
    if landed:
        told = f"{one.id} was {verb} all the same: it had been committed"
    elif step is not None and step.transactional is True:
        told = f"{one.id} ran in one transaction, and nothing of it is left"
    else:
        told = f"{one.id} does not run in one transaction: a part of it may be there; see: backout apply --dry-run"
    if one.id not in done:
        lines.append(told)
    return "\n".join(f"  {line}" for line in lines)


def _ask_again(deployment: Deployment, connection: psycopg.Connection[Any], one: Revision) -> None:
    """The preconditions of a revision whose turn has come: those before it may have changed the rows."""
    evidence = deployment.evidence.get(one.id)
    found = violators(connection, (evidence.upgrade.fails_on_data or ()) if evidence is not None else ())
    refusals = [answer for answer in found if isinstance(answer, Refusal)]
    if refusals:
        raise Refused("\n".join(map(str, refusals)))


def _verify(
    deployment: Deployment,
    order: Order,
    journal: Journal,
    say: Say,
    connection: psycopg.Connection[Any],
    before: Drift | None,
    one: Revision,
    direction: Direction,
) -> None:
    """The schema must be what the evidence says, but for what was accepted before."""
    current = deployment.current()
    found = _drift(deployment, deployment.applied(current), order, connection)
    if before is None or found is None:
        journal.write("verified", revision=one.id, outcome="not verified")
        say("  the schema was not verified: evidence is missing or stale")
        return
    fresh = found.without(before)
    journal.write("verified", revision=one.id, outcome="differs" if fresh.differences else "as rehearsed")
    if not fresh.differences:
        say(f"  the schema is what was rehearsed{', but for what was accepted' if found.differences else ''}")
        return
    raise BackoutError(
        "\n    ".join(
            [
                f"the {direction} of {one.id} is done, and the schema is not what was rehearsed; runbook: schema-drift",
                *fresh.told(),
            ]
        )
    )


def _drift(
    deployment: Deployment, applied: Sequence[Revision], order: Order, connection: psycopg.Connection[Any]
) -> Drift | None:
    """Reading the schema waits for whoever holds a table against reading, but not for ever."""
    preflight.wait_for_locks(connection, READ_SECONDS)
    try:
        return find_drift(deployment, applied, connection, ignored=order.limits.ignored)
    except psycopg.errors.LockNotAvailable as error:
        raise BackoutError(
            f"the schema could not be read, so nobody knows whether it is what was rehearsed: for {READ_SECONDS:g} s "
            "another session has held a table against reading; runbook: migration-hangs-behind-a-lock"
        ) from error
    finally:
        with suppress(psycopg.Error):
            preflight.wait_for_locks(connection, 0)


def _end_steps(connection: psycopg.Connection[Any]) -> None:
    """End the sessions that a step which was stopped has left: they would go on to their next statement."""
    with suppress(psycopg.Error):
        deadline = time.monotonic() + 10
        query = f"SELECT count(pg_terminate_backend(pid)) FROM ({_HOLDERS}) AS holders"  # noqa: S608
        values = {"high": MIGRATING >> 32, "low": MIGRATING & 0xFFFFFFFF}
        while connection.execute(query.encode(), values).fetchone() != (0,) and time.monotonic() < deadline:
            time.sleep(0.05)


@contextmanager
def _watching(deployment: Deployment, say: Say) -> Iterator[list[str]]:
    """Tell what a step waits for, and that it still runs; the last sessions that it waited for, in words."""
    blockers: list[str] = []
    ended = threading.Event()

    def watch() -> None:
        started, told = time.monotonic(), time.monotonic()
        with suppress(psycopg.Error, BackoutError), deployment.connect("watch") as connection:
            while not ended.wait(0.5):
                rows = connection.execute(_WAITS, {"high": MIGRATING >> 32, "low": MIGRATING & 0xFFFFFFFF}).fetchall()
                found = [_blocker(deployment, *row[1:]) for row in rows if row[1] is not None]
                if found and found != blockers:
                    say(f"  waits for {'; '.join(found)}")
                    blockers[:] = found
                if time.monotonic() - told > PROGRESS_SECONDS:
                    told = time.monotonic()
                    statements = {" ".join(row[0].split())[:60] for row in rows}
                    say(f"  {told - started:.0f} s: {'; '.join(sorted(statements)) or 'running'}")

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield blockers
    finally:
        ended.set()
        thread.join()


_WAITS = """
    SELECT session.query, blocker.pid, blocker.usename, blocker.application_name, blocker.state,
           extract(epoch FROM now() - blocker.xact_start)::float8, blocker.query
    FROM pg_locks AS held JOIN pg_stat_activity AS session USING (pid)
    LEFT JOIN LATERAL unnest(pg_blocking_pids(session.pid)) AS blocking(pid) ON true
    LEFT JOIN pg_stat_activity AS blocker ON blocker.pid = blocking.pid
    WHERE locktype = 'advisory' AND held.granted AND classid = %(high)s AND objid = %(low)s AND objsubid = 1
      AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    ORDER BY blocker.pid
"""


def _blocker(
    deployment: Deployment,
    pid: int,
    user: str,
    application: str,
    state: str | None,
    seconds: float | None,
    query: str | None,
) -> str:
    asked = deployment.masking.hide(" ".join((query or "").split())[:60])
    since = f" for {seconds:.0f} s" if seconds is not None else ""
    doing = f"{state}{since}: {asked}" if state is not None else "what it does is hidden from this role"
    return f"session {pid} of {user} ({application or 'no application_name'}, {doing})"


# -- afterwards -------------------------------------------------------------------------------------


def _health(url: str | None) -> dict[str, Any] | None:
    """Ask once: status and answer; None where there is nobody to ask."""
    if url is None:
        return None
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - the operator names it
            return _heard(answer.status, answer.read(2000))
    except urllib.error.HTTPError as error:
        return _heard(error.code, error.read(2000))
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = " ".join(str(getattr(error, "reason", error)).split()) or type(error).__name__
        return {"status": None, "told": f"no answer: {reason}"}


def _heard(status: int, body: bytes) -> dict[str, Any]:
    text = " ".join(body.decode(errors="replace").split())[:300]
    try:
        revision = json.loads(body).get("revision")
    except (ValueError, AttributeError):
        revision = None
    return {"status": status, "told": f"{status} {text}".strip(), "revision": revision}


def _ask_health(
    order: Order, journal: Journal, say: Say, before: dict[str, Any] | None, current: Sequence[str]
) -> None:
    """Ask until it is well, or says that it sees the new revision and only is of another release."""
    if before is None:
        return
    deadline = time.monotonic() + order.health_wait
    while True:
        now = _health(order.health)
        assert now is not None
        well = now["status"] is not None and now["status"] < 300
        sees = now.get("revision") is not None and now["revision"] == ", ".join(current)
        if well or sees or time.monotonic() > deadline:
            break
        time.sleep(1)
    journal.write("health", when="afterwards", **now)
    say(f"health: {now['told']}")
    if well:
        return
    if sees:
        say("the application reaches the database at its new revision; deploy the release that belongs to it")
        return
    raise BackoutError(
        f"the database is at {_listed(current)}, and the application is not well: {now['told']}; before it said: "
        f"{before['told']}; look at its log, deploy the release that belongs to the schema, or roll back"
    )


def _listed(current: Sequence[str]) -> str:
    return ", ".join(current) or "base"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
