"""A change of a real database, step by step: what is done, told and journalled, and where it stands at an early end."""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import psycopg
import pytest

from backout import production
from backout.errors import BackoutError, PostgresError, Refused
from backout.evidence import Loss, Losses
from backout.masking import Masking
from backout.postgres import Database, Server, open_server
from backout.production import LOCK_PURPOSE, MIGRATION_LOCK, Deployment
from backout.production import runner as module
from backout.worker import MIGRATING, Worker

D4 = "fill people.greeting"
NO_RECEIPT = (
    "accepted (a test): backup: there is no receipt of a backup of this database in {root}/backups; take one and "
    "verify it: backout backup && backout backup verify --latest; runbook: verify-a-backup"
)


@pytest.fixture(scope="module")
def server(own_choice: str) -> Iterator[Server]:
    """A server of this module's own, with a role that may see little."""
    with open_server(own_choice) as opened:
        with psycopg.connect(opened.url, autocommit=True) as connection:
            connection.execute("CREATE ROLE crew LOGIN")
        yield opened


class Site:
    """The project, deployed to a database at a revision.

    :ivar said: what was told.
    :ivar on: beginning of a line → what happens elsewhere when it is told.
    """

    def __init__(self, crew: Any, deployment: Deployment, database: Database) -> None:
        self.crew, self.deployment, self.database = crew, deployment, database
        self.said: list[str] = []
        self.on: dict[str, Callable[[], object]] = {}

    def say(self, line: str) -> None:
        self.said.append(line)
        for beginning in [one for one in self.on if line.startswith(one)]:
            self.on.pop(beginning)()

    def apply(self, to: str | None = None, **order: Any) -> tuple[str, ...]:
        with self.crew.log() as log:
            return production.apply(self.deployment, self.crew.order(**order), log, self.say, to=to)

    def roll_back(self, to: str = "-1", revisions: Any = None, keep: bool = False, **order: Any) -> tuple[str, ...]:
        revisions = revisions or self.deployment.undone(self.deployment.current(), to)
        with self.crew.log("rollback") as log:
            return production.roll_back(
                self.deployment, self.crew.order(**order), log, self.say, revisions=revisions, keep=keep
            )

    def execute(self, *statements: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.database.url, autocommit=True) as connection:
            for statement in statements:
                cursor = connection.execute(statement)  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []

    @contextmanager
    def holding(self, *statements: str) -> Iterator[psycopg.Connection[Any]]:
        """A transaction of somebody else."""
        with psycopg.connect(self.database.url, application_name="psql") as connection:
            for statement in statements:
                connection.execute(statement)  # type: ignore[arg-type]
            yield connection

    def events(self) -> list[tuple[str, dict[str, Any]]]:
        return [(event.name, dict(event.facts)) for event in self.crew.records()[-1].events]

    @property
    def where(self) -> str:
        return self.deployment.real.description


@pytest.fixture
def at(server: Server, crew: Any, crew_at: Any, rehearsed: Path) -> Iterator[Callable[..., Site]]:
    closing = []

    def deploy(revision: str | None, masking: Masking | None = None) -> Site:
        database = crew_at(server, rehearsed, revision) if revision else server.create()
        opened = crew.open(database.url, masking)
        closing.append((opened, database))
        return Site(crew, opened.__enter__(), database)

    yield deploy
    for opened, database in closing:
        opened.__exit__(None, None, None)
        server.drop(database)


# -- apply and roll_back ----------------------------------------------------------------------------


def told_of(
    revision: str, summary: str, *, whole: bool = True, word: str = "applying", past: str = "applied"
) -> list[str]:
    return [
        f"{word} {revision}: {summary}",
        *([] if whole else ["  outside of one transaction: without time-outs, and tried once"]),
        f"  {past} in ",
        "  the schema is what was rehearsed",
    ]


def matches(said: list[str], expected: list[str]) -> bool:
    """Whether these are the lines, but for durations."""
    return [line.rpartition(" in ")[0] + " in " if line.startswith("  ") and line.endswith(" s") else line
            for line in said] == expected  # fmt: skip


def test_what_is_pending_is_applied_one_after_the_other(at: Callable[..., Site]) -> None:
    site = at("a1")
    assert site.apply(to="d4") == ("b2", "c3", "d4")
    expected = [
        f"{site.where}: at a1",
        "pending: 3 revisions",
        "  b2  risk low, rollback yes if unused: add people.nickname",
        "  c3  risk low, rollback yes: index people.email",
        f"  d4  risk low, rollback yes if unused: {D4}",
        NO_RECEIPT.format(root=site.crew.root),
        "preflight: 11 checks, nothing against it but what was accepted",
        *told_of("b2", "add people.nickname"),
        *told_of("c3", "index people.email", whole=False),
        *told_of("d4", D4),
    ]
    assert matches(site.said, expected), site.said
    assert site.deployment.current() == ("d4",)
    assert site.execute("SELECT count(greeting) FROM people") == [(12,)]


def test_each_step_is_on_disk_before_the_next(at: Callable[..., Site]) -> None:
    site = at("c3")
    site.apply(to="e5")
    events = site.events()
    assert [name for name, _ in events] == [
        "begin", "preflight", "step", "stepped", "verified", "step", "stepped", "verified", "end",
    ]  # fmt: skip
    preflight = events[1][1]
    assert (preflight["current"], preflight["revisions"], preflight["refusals"]) == (["c3"], ["d4", "e5"], [])
    assert [one["reason"] for one in preflight["accepted"]] == ["a test"]
    assert events[2][1] == {"revision": "d4", "direction": "upgrade", "attempt": 1, "transactional": True}
    stepped = events[3][1]
    assert stepped.pop("seconds") >= 0
    assert stepped == {"revision": "d4", "outcome": "applied", "error": None, "blockers": []}
    assert events[4][1] == {"revision": "d4", "outcome": "as rehearsed"}
    assert events[-1][1] == {"outcome": "done"}


def test_an_empty_database_gets_everything_without_a_backup(at: Callable[..., Site]) -> None:
    site = at(None)
    assert site.apply(accepted={}) == ("a1", "b2", "c3", "d4", "e5", "f6")
    assert "preflight: 11 checks, nothing against it" in site.said


def test_nothing_to_do(at: Callable[..., Site]) -> None:
    site = at("f6")
    assert site.apply(health="http://127.0.0.1:9/") == ()
    assert site.said == [f"{site.where}: at f6"]
    assert [name for name, _ in site.events()] == ["begin", "preflight", "end"]


def test_revisions_are_rolled_back_the_newest_first(at: Callable[..., Site]) -> None:
    site = at("f6")
    assert site.roll_back("d4") == ("f6", "e5")
    unique = "make people.email unique, which leaves an invalid index where one stands twice"
    required = "require people.email, which fails where one is missing, with half of its work done"
    expected = [
        f"{site.where}: at f6",
        "to be rolled back: 2 revisions",
        f"  f6  risk low, rollback yes: {unique}",
        f"  e5  risk low, rollback yes if unused: {required}",
        NO_RECEIPT.format(root=site.crew.root),
        "preflight: 11 checks, nothing against it but what was accepted",
        *told_of("f6", unique, whole=False, word="rolling back", past="rolled back"),
        *told_of("e5", required, word="rolling back", past="rolled back"),
    ]
    assert matches(site.said, expected), site.said
    assert site.deployment.current() == ("d4",)


def test_a_rollback_to_base_leaves_nothing(at: Callable[..., Site]) -> None:
    site = at("b2")
    assert site.roll_back("base") == ("b2", "a1")
    assert (site.deployment.current(), site.execute("SELECT to_regclass('people')")) == ((), [(None,)])


@pytest.mark.parametrize("change", ["apply", "roll_back"])
def test_a_dry_run_changes_nothing(at: Callable[..., Site], change: str) -> None:
    site = at("c3")
    assert getattr(site, change)(dry_run=True) == ()
    assert site.said[-1] == "preflight: 11 checks, nothing against it but what was accepted"
    assert site.deployment.current() == ("c3",)
    assert [name for name, _ in site.events()] == ["begin", "preflight", "end"]


def test_every_reason_against_it_is_told_and_nothing_done(at: Callable[..., Site]) -> None:
    site = at("d4")
    site.execute("UPDATE people SET email = NULL WHERE id = 1", "CREATE TABLE visits ()")
    with pytest.raises(Refused) as caught:
        site.apply(accepted={})
    assert str(caught.value) == (
        "nothing was changed; 3 reasons against it:\n"
        "  drift: the schema is not what the revisions make, in 1 object; find out who changed it; "
        "runbook: schema-drift\n"
        "    table public.visits is there, and no revision makes it: TABLE\n"
        '  preconditions: 1 row of public.people would make it fail with 23502 column "email" of relation "people" '
        "contains null values; mend them first; they are counted by: "
        "SELECT count(*) FROM public.people WHERE email IS NULL\n"
        f"  backup: there is no receipt of a backup of this database in {site.crew.root}/backups; take one and verify "
        "it: backout backup && backout backup verify --latest; runbook: verify-a-backup"
    )
    assert site.deployment.current() == ("d4",)
    events = site.events()
    assert [name for name, _ in events] == ["begin", "preflight", "end"]
    assert len(events[1][1]["refusals"]) == 3
    assert events[2][1] == {"outcome": "refused", "reason": str(caught.value)}


# -- one runner -------------------------------------------------------------------------------------


def test_another_runner_keeps_this_one_out(at: Callable[..., Site]) -> None:
    site = at("c3")
    with site.deployment.connect(LOCK_PURPOSE) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
        began = other.execute(
            "SELECT to_char(backend_start AT TIME ZONE 'UTC', 'HH24:MI:SS') FROM pg_stat_activity "
            "WHERE pid = pg_backend_pid()"
        ).fetchone()
        assert began is not None
        with pytest.raises(Refused) as caught:
            site.apply(wait=0)
        holder = (
            f"another runner holds the migration lock (session {other.info.backend_pid} of postgres "
            f"since {began[0]} UTC)"
        )
        assert str(caught.value) == (
            f"nothing was changed; 1 reason against it:\n"
            f"  runner: {holder}; wait until it has ended; runbook: two-migrations-at-once"
        )
        site.on["waiting up to 5 s"] = other.close
        assert site.apply(to="d4") == ("d4",)
    assert site.said.count(f"waiting up to 5 s: {holder}") == 1


def test_a_step_that_outlived_its_runner_keeps_this_one_out(at: Callable[..., Site]) -> None:
    site = at("c3")
    with site.deployment.connect("upgrade d4") as left:
        left.execute("SELECT pg_advisory_lock_shared(%s)", [MIGRATING])
        with pytest.raises(Refused) as caught:
            site.apply(wait=0)
        pid = left.info.backend_pid
        told = f"  runner: a step of a runner that is gone still runs (session {pid} of postgres since "
        assert str(caught.value).splitlines()[1].startswith(told)
        with site.deployment.connect("test") as other:  # the other lock was given back
            assert other.execute("SELECT pg_try_advisory_lock(%s)", [MIGRATION_LOCK]).fetchone() == (True,)


def test_who_holds_the_lock_is_told_to_a_role_that_sees_little(at: Callable[..., Site]) -> None:
    site = at("c3")
    with site.deployment.connect(LOCK_PURPOSE) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
        with psycopg.connect(site.database.url, user="crew", autocommit=True) as connection:
            assert module._holder(connection) == (
                f"another runner holds the migration lock (session {other.info.backend_pid} of postgres)"
            )


def test_databases_of_one_server_have_locks_of_their_own(at: Callable[..., Site]) -> None:
    one, other = at("c3"), at("c3")
    with other.deployment.connect(LOCK_PURPOSE) as connection:
        connection.execute("SELECT pg_advisory_lock(%s), pg_advisory_lock(%s)", [MIGRATION_LOCK, MIGRATING])
        assert one.apply(to="d4", wait=0) == ("d4",)


# -- the database has moved --------------------------------------------------------------------------


def test_what_is_not_applied_any_more_is_not_rolled_back(at: Callable[..., Site]) -> None:
    site = at("d4")
    planned = site.deployment.undone(("d4",), "b2")
    site.roll_back()
    with pytest.raises(Refused) as caught:
        site.roll_back(revisions=planned)
    assert str(caught.value) == (
        "d4 is not applied any more: the database is at c3; somebody else migrates it: look again"
    )
    assert site.deployment.current() == ("c3",)


def test_nor_from_below_what_was_applied_on_top(at: Callable[..., Site]) -> None:
    site = at("c3")
    planned = site.deployment.undone(("c3",))
    site.apply(to="e5")
    with pytest.raises(Refused) as caught:
        site.roll_back(revisions=planned)
    assert str(caught.value) == (
        "d4, e5 was applied on top meanwhile: the database is at e5; somebody else migrates it: look again"
    )
    assert site.deployment.current() == ("e5",)


def test_rows_that_came_meanwhile_are_counted_at_a_revision_s_turn(at: Callable[..., Site]) -> None:
    site = at("c3")
    site.on["applying d4"] = lambda: site.execute("UPDATE people SET email = NULL WHERE id < 3")
    with pytest.raises(Refused) as caught:
        site.apply()
    assert str(caught.value) == (
        'preconditions: 2 rows of public.people would make it fail with 23502 column "email" of relation "people" '
        "contains null values; mend them first; they are counted by: "
        "SELECT count(*) FROM public.people WHERE email IS NULL\n"
        "  the database is at d4\n"
        "  applied, and there to stay: d4\n"
        "  e5 ran in one transaction, and nothing of it is left"
    )
    assert ("stopped", "e5") in [(name, facts.get("revision")) for name, facts in site.events()]


# -- locks and time-outs -----------------------------------------------------------------------------


def test_a_step_that_does_not_get_its_locks_is_tried_again_with_growing_pauses(at: Callable[..., Site]) -> None:
    site = at("c3", Masking({"TOKEN": "t0psecret"}))
    with site.holding("SELECT 't0psecret' FROM people") as blocker:
        with pytest.raises(BackoutError) as caught:
            site.apply(attempts=3)
        pid = blocker.info.backend_pid
    timeout = "55P03 canceling statement due to lock timeout"
    pauses = [line for line in site.said if line.startswith("  attempt")]
    assert pauses == [f"  attempt 1 of 3: {timeout}; again in 0.01 s", f"  attempt 2 of 3: {timeout}; again in 0.02 s"]
    first, *standing = str(caught.value).splitlines()
    before, _, after = first.partition(" (psql, idle in transaction for ")
    assert before == (
        f"alembic/versions/d4_greeting.py:24: the upgrade of d4 failed 3 times: {timeout}; it waited for "
        f"session {pid} of postgres"
    )
    assert after.partition(" s: ")[2] == "SELECT '***' FROM people); runbook: migration-hangs-behind-a-lock"
    assert standing == ["  the database is at c3", "  d4 ran in one transaction, and nothing of it is left"]
    assert f"  waits for session {pid} of postgres (psql, idle in transaction for " in "\n".join(site.said)
    steps = [facts["attempt"] for name, facts in site.events() if name == "step"]
    assert steps == [1, 2, 3]


def test_what_blocks_is_hidden_from_a_role_that_sees_little(at: Callable[..., Site]) -> None:
    site = at("c3")
    assert module._blocker(site.deployment, 7, "ann", "psql", None, None, None) == (
        "session 7 of ann (psql, what it does is hidden from this role)"
    )


def test_a_lock_that_is_let_go_is_taken(at: Callable[..., Site]) -> None:
    site = at("c3")
    with site.holding("SELECT FROM people") as blocker:
        site.on["  attempt 1 of 6"] = blocker.rollback
        assert site.apply(to="d4") == ("d4",)
    outcomes = [(facts["outcome"], facts["error"]) for name, facts in site.events() if name == "stepped"]
    assert outcomes == [("failed", "55P03 canceling statement due to lock timeout"), ("applied", None)]


@pytest.mark.parametrize(
    ("at_first", "settings"),
    [
        (
            "c3",
            {"application_name": "backout upgrade d4", "lock_timeout": "1500", "statement_timeout": "7000"},
        ),
        ("b2", {"application_name": "backout upgrade c3", "lock_timeout": "0", "statement_timeout": "0"}),
    ],
    ids=["in a transaction", "outside of one"],
)
def test_time_outs_are_for_what_a_failure_undoes(
    at: Callable[..., Site], monkeypatch: pytest.MonkeyPatch, at_first: str, settings: dict[str, str]
) -> None:
    site = at(at_first)
    seen = []
    step = Worker.step

    def spy(self: Worker, *positional: Any, **named: Any) -> Any:
        seen.append(named["settings"])
        return step(self, *positional, **named)

    monkeypatch.setattr(Worker, "step", spy)
    site.apply(to="c3" if at_first == "b2" else "d4", lock_timeout=1.5, statement_timeout=7)
    assert seen == [settings]


def test_a_step_outside_of_a_transaction_is_tried_once(at: Callable[..., Site]) -> None:
    """It fails by what the project says itself, since backout sets no time-out."""
    site = at("b2")
    revision = site.crew.root / "alembic" / "versions" / "c3_email_index.py"
    revision.write_text(
        revision.read_text().replace(
            '        op.execute("CREATE',
            '        op.execute("SET lock_timeout = \'300ms\'")\n        op.execute("CREATE',
        )
    )
    with site.crew.open(site.database.url) as changed, site.holding("UPDATE people SET name = name"):
        site.deployment = changed
        with pytest.raises(BackoutError) as caught:
            site.apply(
                to="c3", accepted=dict.fromkeys(("backup", "evidence", "policy", "drift", "transactions"), "a test")
            )
    assert str(caught.value).splitlines()[1:] == [
        "  the database is at b2",
        "  c3 does not run in one transaction: a part of it may be there; see: backout apply --dry-run",
    ]
    assert "; runbook: migration-hangs-behind-a-lock" in str(caught.value)
    assert [facts["attempt"] for name, facts in site.events() if name == "step"] == [1]


def test_a_statement_that_takes_too_long(at: Callable[..., Site]) -> None:
    site = at("c3")
    site.execute(f"ALTER DATABASE {site.database.name} SET sample.sleep = '30'")
    with pytest.raises(BackoutError) as caught:
        site.apply(statement_timeout=0.5)
    assert str(caught.value) == (
        "alembic/versions/d4_greeting.py:25: the upgrade of d4 failed: 57014 canceling statement due to statement "
        "timeout; runbook: migration-failed-half-way\n"
        "  the database is at c3\n"
        "  d4 ran in one transaction, and nothing of it is left"
    )


def test_that_a_long_step_still_runs_is_told(at: Callable[..., Site], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PROGRESS_SECONDS", 0.0)
    site = at("c3")
    site.execute(f"ALTER DATABASE {site.database.name} SET sample.sleep = '1.5'")
    site.apply(to="d4")
    told = [line.partition(" s: ")[2] for line in site.said if " s: " in line]
    assert told.count("SELECT pg_sleep(coalesce(current_setting('sample.sleep', tru") >= 1


def test_a_schema_that_cannot_be_read_is_not_waited_for_for_ever(
    at: Callable[..., Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "READ_SECONDS", 1.0)
    site = at("c3")
    site.execute(f"ALTER DATABASE {site.database.name} SET sample.sleep = '3'")
    with ThreadPoolExecutor() as pool, psycopg.connect(site.database.url) as other:

        def lock() -> None:
            """Wait behind the step, which has the table, and have it as soon as it commits."""
            deadline = time.monotonic() + 30
            while not site.execute("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'"):
                assert time.monotonic() < deadline
                time.sleep(0.05)
            other.execute("LOCK TABLE people IN ACCESS EXCLUSIVE MODE")

        waiting = pool.submit(lock)
        with pytest.raises(BackoutError) as caught:
            site.apply(to="d4")
        waiting.result()
    assert str(caught.value) == (
        "the schema could not be read, so nobody knows whether it is what was rehearsed: for 1 s another session has "
        "held a table against reading; runbook: migration-hangs-behind-a-lock\n  the database is at d4\n"
        "  applied, and there to stay: d4"
    )
    assert site.events()[-1][0] == "end"
    assert "verified" not in [name for name, _ in site.events()]


# -- what is kept -----------------------------------------------------------------------------------


def test_what_a_rollback_keeps_the_next_upgrade_puts_back(at: Callable[..., Site]) -> None:
    """A row that has gone meanwhile does not come back for it."""
    site = at("b2")
    site.execute("UPDATE people SET nickname = 'N' || id")
    ((number,),) = site.execute("SELECT count(*) FROM people")
    assert site.roll_back(keep=True) == ("b2",)
    assert "b2 keeps public.people.nickname" in site.said
    assert f"  kept {number} rows of public.people.nickname" in site.said
    assert site.said[-1] == "  the schema is what was rehearsed"
    site.execute("DELETE FROM people WHERE id = (SELECT max(id) FROM people)")
    assert site.apply(to="b2") == ("b2",)
    assert f"  put back {number - 1} rows of public.people.nickname; 1 row left: backout salvage list" in site.said
    assert site.execute("SELECT count(*) FROM people WHERE nickname = 'N' || id") == [(number - 1,)]


def test_what_was_not_kept_is_lost(at: Callable[..., Site]) -> None:
    site = at("b2")
    site.execute("UPDATE people SET nickname = 'N'")
    site.roll_back()
    site.apply(to="b2")
    assert site.execute("SELECT count(nickname) FROM people") == [(0,)]


def test_what_cannot_be_kept_is_told_before_anything_is_touched(at: Callable[..., Site]) -> None:
    site = at("d4")
    stale = replace(
        site.deployment, evidence={name: one for name, one in site.deployment.evidence.items() if name != "d4"}
    )
    site.deployment = stale
    with pytest.raises(Refused) as caught:
        site.roll_back(keep=True, accepted={"backup": "x", "evidence": "x", "drift": "x"})
    assert str(caught.value) == (
        "nothing was changed; what the rollback loses cannot be kept:\n"
        "  what d4 loses is not known: there is no evidence of it; measure it: backout rehearse"
    )
    assert site.deployment.current() == ("d4",)


def test_what_an_upgrade_threw_away_does_not_keep_others_from_being_kept(at: Callable[..., Site]) -> None:
    site = at("c3")
    site.execute("UPDATE people SET nickname = 'N'")
    gone = (Loss("public.people", "name", 5, 8, ("a", "b"), (3, 3)),)
    thrown = replace(site.deployment.evidence["c3"], loss=Losses(gone, gone, ()))
    site.deployment = replace(site.deployment, evidence={**site.deployment.evidence, "c3": thrown})
    why = "there is nothing to keep: public.people.name lost its values when c3 was applied"
    with pytest.raises(Refused, match=f"cannot be kept:\n  {re.escape(why)}$"):
        site.roll_back(keep=True)
    assert site.roll_back(to="a1", keep=True) == ("c3", "b2")
    assert f"c3: {why}" in site.said
    assert "b2 keeps public.people.nickname" in site.said


# -- the schema afterwards --------------------------------------------------------------------------


def test_a_schema_that_is_not_what_was_rehearsed(at: Callable[..., Site]) -> None:
    site = at("c3")
    site.on["applying d4"] = lambda: site.execute("CREATE TABLE visits ()")
    with pytest.raises(BackoutError) as caught:
        site.apply()
    assert str(caught.value) == (
        "the upgrade of d4 is done, and the schema is not what was rehearsed; runbook: schema-drift\n"
        "    table public.visits is there, and no revision makes it: TABLE\n"
        "  the database is at d4\n"
        "  applied, and there to stay: d4"
    )
    assert ("verified", {"revision": "d4", "outcome": "differs"}) in site.events()


def test_what_was_accepted_before_does_not_stop_it(at: Callable[..., Site]) -> None:
    site = at("c3")
    site.execute("CREATE TABLE visits ()")
    assert site.apply(to="d4", accepted={"backup": "a test", "drift": "known"}) == ("d4",)
    assert site.said[-1] == "  the schema is what was rehearsed, but for what was accepted"


def test_without_evidence_nothing_is_verified(at: Callable[..., Site]) -> None:
    site = at("c3")
    (site.crew.root / "alembic" / "evidence" / "d4.json").unlink()
    with site.crew.open(site.database.url) as lacking:
        site.deployment = lacking
        assert site.apply(to="d4", accepted={"backup": "a test", "evidence": "in a hurry"}) == ("d4",)
    assert f"  d4  risk unproven, rollback unproven: {D4}" in site.said
    assert site.said[-1] == "  the schema was not verified: evidence is missing or stale"
    assert ("verified", {"revision": "d4", "outcome": "not verified"}) in site.events()


# -- the session with the lock ----------------------------------------------------------------------


@pytest.mark.parametrize(("moment", "sql"), [("  applied in", "applied"), ("  the schema is", "verified")])
def test_a_runner_that_loses_its_lock_stops(at: Callable[..., Site], moment: str, sql: str) -> None:
    """Another one may have started."""
    site = at("c3")
    cut = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'backout {LOCK_PURPOSE}'"
    site.on[moment] = lambda: site.execute(cut)
    with pytest.raises(PostgresError) as caught:
        site.apply()
    standing = "\n  e5 ran in one transaction, and nothing of it is left" if sql == "verified" else ""
    assert str(caught.value) == (
        "the session that holds the migration lock failed: 57P01 terminating connection due to administrator command; "
        "runbook: migration-failed-half-way\n"
        "  the database is at d4\n"
        f"  applied, and there to stay: d4{standing}"
    )
    assert site.apply() == ("e5", "f6")


# -- health -----------------------------------------------------------------------------------------


class Application:
    """Answers what it is told to, one after the other; the last again and again."""

    def __init__(self, *answers: tuple[int, object]) -> None:
        self.asked = 0
        left = list(answers)

        class Handler(BaseHTTPRequestHandler):
            def do_GET(handler) -> None:  # noqa: N805
                self.asked += 1
                status, body = left.pop(0) if len(left) > 1 else left[0]
                if status == 0:
                    handler.wfile.write(b"nonsense\r\n\r\n")
                    return
                handler.send_response(status)
                handler.end_headers()
                handler.wfile.write(body.encode() if isinstance(body, str) else json.dumps(body).encode())

            def log_message(handler, *_: object) -> None:  # noqa: N805
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/health"

    def __enter__(self) -> "Application":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


WELL = (200, {"status": "ok", "revision": "c3"})


def test_the_application_is_asked_before_and_afterwards(at: Callable[..., Site]) -> None:
    site = at("c3")
    with Application(WELL, (200, {"status": "ok", "revision": "d4"})) as application:
        site.apply(to="d4", health=application.url)
    assert application.asked == 2
    assert 'health before: 200 {"status": "ok", "revision": "c3"}' in site.said
    assert site.said[-1] == 'health: 200 {"status": "ok", "revision": "d4"}'
    heard = [facts for name, facts in site.events() if name == "health"]
    assert [(facts["when"], facts["status"], facts["revision"]) for facts in heard] == [
        ("before", 200, "c3"), ("afterwards", 200, "d4"),
    ]  # fmt: skip


def test_it_may_take_a_moment(at: Callable[..., Site]) -> None:
    site = at("c3")
    with Application(WELL, (503, "restarting"), WELL) as application:
        site.apply(to="d4", health=application.url, health_wait=30.0)
    assert application.asked == 3


def test_one_that_only_is_of_another_release(at: Callable[..., Site]) -> None:
    site = at("c3")
    with Application(WELL, (503, {"reason": "expected c3", "revision": "d4"})) as application:
        assert site.apply(to="d4", health=application.url) == ("d4",)
    assert site.said[-2:] == [
        'health: 503 {"reason": "expected c3", "revision": "d4"}',
        "the application reaches the database at its new revision; deploy the release that belongs to it",
    ]


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ((503, {"reason": "no", "revision": "c3"}), '503 {"reason": "no", "revision": "c3"}'),
        ((500, "a\n  stack trace"), "500 a stack trace"),
        ((503, ["d4"]), '503 ["d4"]'),
        ((0, ""), "no answer: nonsense"),
    ],
    ids=["unwell", "no JSON", "other JSON", "no HTTP"],
)
def test_one_that_is_not_well(at: Callable[..., Site], answer: tuple[int, object], told: str) -> None:
    site = at("c3")
    with Application(WELL, answer) as application, pytest.raises(BackoutError) as caught:
        site.apply(to="d4", health=application.url)
    assert str(caught.value) == (
        f"the database is at d4, and the application is not well: {told}; before it said: "
        '200 {"status": "ok", "revision": "c3"}; look at its log, deploy the release that belongs to the schema, '
        "or roll back"
    )
    assert site.events()[-1][1]["outcome"] == "failed"


def test_one_that_does_not_answer(at: Callable[..., Site]) -> None:
    site = at("c3")
    with Application(WELL) as application:
        url = application.url
    with pytest.raises(BackoutError) as caught:
        site.apply(to="d4", health=url)
    refused = "no answer: [Errno 111] Connection refused"
    assert f"health before: {refused}" in site.said
    assert str(caught.value) == (
        f"the database is at d4, and the application is not well: {refused}; before it said: {refused}; look at its "
        "log, deploy the release that belongs to the schema, or roll back"
    )
