"""Every reason against a change: each check fires on what it is for, is silent otherwise, and all are told at once."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest

from backout import backups
from backout.errors import PostgresError
from backout.evidence import Evidence, FailsOnData
from backout.masking import Masking
from backout.postgres import Database, Server, open_server
from backout.production import CHECKS, FIRM, Deployment, Limits, Preflight, Refusal, open_deployment, preflight
from backout.production.preflight import Question, look
from backout.worker import Revision, Target

NULLS = "SELECT count(*) FROM public.people WHERE email IS NULL"
NO_RECEIPT = Refusal(
    "backup",
    "there is no receipt of a backup of this database in /nowhere",
    "take one and verify it: backout backup && backout backup verify --latest",
    "verify-a-backup",
)


@pytest.fixture(scope="module")
def server(own_choice: str) -> Iterator[Server]:
    """A server of this module's own, with roles and prepared transactions."""
    with open_server(own_choice, settings={"max_prepared_transactions": 2}) as opened:
        with psycopg.connect(opened.url, autocommit=True) as connection:
            connection.execute("CREATE ROLE crew LOGIN")
        yield opened


@pytest.fixture(scope="module")
def opened(server: Server, rehearsed: Path) -> Iterator[Deployment]:
    with open_deployment(
        Target(rehearsed / "alembic.ini"), server.create().url, Masking({"TOKEN": "t0psecret"})
    ) as one:
        yield one


@pytest.fixture
def at(server: Server, rehearsed: Path, opened: Deployment, crew_at: Any) -> Iterator[Callable[[str], Deployment]]:
    """The project, deployed to a database at a revision."""
    made: list[Database] = []

    def deploy(revision: str) -> Deployment:
        made.append(crew_at(server, rehearsed, revision))
        parameters = {**opened.real.parameters, "dbname": made[-1].name}
        return replace(opened, real=replace(opened.real, parameters=parameters))

    yield deploy
    for database in made:
        server.drop(database)


def ask(
    deployment: Deployment,
    *statements: str,
    direction: Any = "upgrade",
    to: str | None = None,
    limits: Limits | None = None,
    accepted: Mapping[str, str] | None = None,
    runner: str | None = None,
    revisions: tuple[Revision, ...] | None = None,
    role: str | None = None,
) -> Preflight:
    """What the preflight says after these statements; by default without the backup that there is not."""
    current = deployment.current()
    real = replace(deployment.real, parameters={**deployment.real.parameters, **({"user": role} if role else {})})
    with real.connect("test") as connection:
        for statement in statements:
            connection.execute(statement)  # type: ignore[arg-type]
            current = deployment.current()
        if revisions is None:
            pending = direction == "upgrade"
            revisions = deployment.pending(current, to) if pending else deployment.undone(current, to or "-1")
        question = Question(
            deployment, connection, direction, current, revisions, limits or Limits(Path("/nowhere")), runner
        )
        return look(question, {"backup": "a test"} if accepted is None else accepted)


def with_evidence(deployment: Deployment, revision: str, **changed: Any) -> Deployment:
    return replace(
        deployment, evidence={**deployment.evidence, revision: replace(deployment.evidence[revision], **changed)}
    )


@contextmanager
def transaction(deployment: Deployment, *statements: str) -> Iterator[int]:
    """A transaction of somebody else that stays open."""
    with deployment.real.connect("test", application_name="psql") as connection:
        connection.execute("SET application_name = 'psql'; BEGIN")
        for statement in statements:
            connection.execute(statement)  # type: ignore[arg-type]
        yield connection.info.backend_pid


# -- silence ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("revision", ["a1", "b2", "c3", "d4", "e5", "f6"])
def test_nothing_is_against_what_is_in_order(at: Callable[[str], Deployment], revision: str) -> None:
    found = ask(at(revision))
    assert found.refusals == ()
    assert found.checks == tuple(CHECKS)
    assert found.accepted == (((NO_RECEIPT, "a test"),) if revision != "f6" else ())
    not_yet = "preconditions: rows of public.people cannot be counted yet; they are before the revision's turn"
    assert set(found.notes) <= {not_yet}


@pytest.mark.parametrize("revision", ["b2", "c3", "d4", "e5", "f6"])
def test_nor_against_its_rollback(at: Callable[[str], Deployment], revision: str) -> None:
    found = ask(at(revision), direction="downgrade")
    assert (found.refusals, found.notes) == ((), ())


def test_an_empty_database_has_nothing_to_lose(opened: Deployment) -> None:
    found = ask(opened, accepted={})
    assert (found.refusals, found.accepted) == ((), ())


# -- where the change would go ----------------------------------------------------------------------


def test_sessions_that_are_read_only(at: Callable[[str], Deployment]) -> None:
    found = ask(at("c3"), "SET default_transaction_read_only = on")
    assert found.refusals == (
        Refusal("server", "sessions here are read-only (default_transaction_read_only)", "use a role that may write"),
    )


def test_evidence_of_another_major_is_a_note(at: Callable[[str], Deployment]) -> None:
    deployment = at("c3")
    other = replace(deployment, real=replace(deployment.real, version="99.1"))
    measured = deployment.evidence["d4"].postgres
    assert ask(other, to="d4").notes == (
        f"server: the server is PostgreSQL 99.1; the evidence was measured on {measured}",
    )


def test_another_runner(at: Callable[[str], Deployment]) -> None:
    found = ask(at("c3"), runner="another runner holds the migration lock")
    assert found.refusals == (
        Refusal(
            "runner", "another runner holds the migration lock", "wait until it has ended", "two-migrations-at-once"
        ),
    )


def test_a_revision_that_no_file_has(at: Callable[[str], Deployment]) -> None:
    found = ask(at("c3"), "UPDATE alembic_version SET version_num = 'zz'", accepted={"backup": "x", "drift": "x"})
    assert found.refusals == (
        Refusal(
            "revisions",
            "the database is at zz, and no file of the chain has it",
            "check out the code that was deployed",
            "missing-revision-file",
        ),
    )


def test_several_heads_are_against_an_upgrade_only(at: Callable[[str], Deployment]) -> None:
    deployment = at("c3")
    branched = replace(deployment, chain=replace(deployment.chain, heads=("f6", "g7")))
    assert ask(branched, revisions=()).refusals == (
        Refusal("revisions", "the chain has 2 heads (f6, g7)", "merge them: alembic merge heads", "multiple-heads"),
    )
    assert ask(branched, direction="downgrade").refusals == ()


# -- evidence and policy ----------------------------------------------------------------------------


def test_evidence_that_is_missing_or_of_other_files(at: Callable[[str], Deployment]) -> None:
    deployment = at("c3")
    evidence = {name: one for name, one in deployment.evidence.items() if name not in ("d4", "e5")}
    found = ask(replace(deployment, evidence=evidence, stale=frozenset({"e5"})))
    assert found.refusals == (
        Refusal("evidence", "the evidence of d4 is missing", "measure it: backout rehearse d4"),
        Refusal("evidence", "the evidence of e5 is of other files", "measure it: backout rehearse e5"),
    )


@pytest.mark.parametrize(
    ("direction", "changed", "refusal"),
    [
        (
            "upgrade",
            lambda one: {"upgrade": replace(one.upgrade, outcome="failed", error="XX000 no")},
            Refusal("evidence", "d4 failed in its rehearsal: XX000 no", "mend it"),
        ),
        (
            "upgrade",
            lambda one: {"risk": "unproven"},
            Refusal("evidence", "the risk of d4 is unproven", "see why: backout rehearse d4"),
        ),
        *(
            (
                "downgrade",
                lambda one, verdict=verdict: {"rollback": verdict},
                Refusal(
                    "evidence",
                    f"the rollback of d4 is measured as {verdict!r}",
                    "fix forward, or restore from a backup",
                    "restore-from-a-backup",
                ),
            )
            for verdict in ("no", "unproven")
        ),
    ],
    ids=["failed", "unproven", "no way back", "way back unproven"],
)
def test_what_was_measured_is_against_it(
    at: Callable[[str], Deployment],
    direction: str,
    changed: Callable[[Evidence], dict[str, Any]],
    refusal: Refusal,
) -> None:
    """It is against this direction only."""
    deployment = at("c3" if direction == "upgrade" else "d4")
    worse = with_evidence(deployment, "d4", **changed(deployment.evidence["d4"]))
    other = "downgrade" if direction == "upgrade" else "upgrade"
    for way, expected in ((direction, [refusal]), (other, [])):
        found = ask(worse, direction=way, revisions=deployment.chain.revisions[3:4])
        assert [one for one in found.refusals if one.check == "evidence"] == expected


def test_a_finding_that_nobody_has_accepted(at: Callable[[str], Deployment], tmp_path: Path) -> None:
    deployment = at("c3")
    d4 = deployment.revision("d4")
    without = tmp_path / "d4.py"
    without.write_text("".join(line for line in d4.path.read_text().splitlines(True) if "backout: accept" not in line))
    careless = (replace(d4, path=without),)
    assert ask(deployment, revisions=careless).refusals == (
        Refusal(
            "policy",
            (
                "d4: `UPDATE people SET greeting = 'Dear ' || name` runs while an earlier statement of the "
                "transaction keeps public.people closed to everybody. Fill rows in a revision of its own, in batches."
            ),
            "mend it, or accept backfill-under-lock in alembic/versions/d4_greeting.py",
        ),
    )
    assert ask(at("d4"), direction="downgrade", revisions=careless).refusals == ()


# -- drift and preconditions ------------------------------------------------------------------------


def test_drift_is_told_object_by_object(at: Callable[[str], Deployment]) -> None:
    found = ask(at("c3"), "CREATE TABLE visits ()", "DROP INDEX ix_people_email", "GRANT SELECT ON people TO crew")
    assert found.refusals == (
        Refusal(
            "drift",
            "the schema is not what the revisions make, in 2 objects",
            "find out who changed it",
            "schema-drift",
            (
                (
                    "index public.ix_people_email is missing; the revisions make it: "
                    "CREATE INDEX ix_people_email ON public.people USING btree (email)"
                ),
                "table public.visits is there, and no revision makes it: TABLE",
            ),
        ),
    )
    assert str(found.refusals[0]) == (
        "drift: the schema is not what the revisions make, in 2 objects; find out who changed it; "
        "runbook: schema-drift\n"
        "    index public.ix_people_email is missing; the revisions make it: "
        "CREATE INDEX ix_people_email ON public.people USING btree (email)\n"
        "    table public.visits is there, and no revision makes it: TABLE"
    )
    assert (
        "drift: privilege table public.people is there, and no revision makes it: ALL TO OWNER; SELECT TO crew"
        in found.notes
    )


def test_what_is_ignored_is_no_drift(at: Callable[[str], Deployment]) -> None:
    deployment = at("c3")
    assert ask(deployment, "CREATE TABLE visits ()").refusals[0].observed == (
        "the schema is not what the revisions make, in 1 object"
    )
    assert ask(deployment, limits=Limits(Path("/nowhere"), ignored=("table public.visits",))).refusals == ()


def test_a_schema_that_cannot_be_compared(at: Callable[[str], Deployment]) -> None:
    deployment = at("c3")
    evidence = {name: one for name, one in deployment.evidence.items() if name not in ("a1", "b2")}
    assert ask(replace(deployment, evidence=evidence)).refusals == (
        Refusal(
            "drift",
            "the schema cannot be compared: evidence is missing or stale of a1, b2",
            "measure it: backout rehearse --new",
        ),
    )


def test_rows_on_which_it_would_fail_are_counted(at: Callable[[str], Deployment]) -> None:
    """Once, although two revisions may count the same; and an address that stands twice for another."""
    deployment = at("d4")
    nothing = 'would make it fail with 23502 column "email" of relation "people" contains null values'
    found = ask(deployment, "UPDATE people SET email = NULL WHERE id = 1")
    assert found.refusals == (
        Refusal(
            "preconditions",
            f"1 row of public.people {nothing}",
            f"mend them first; they are counted by: {NULLS}",
        ),
    )
    found = ask(
        deployment, "UPDATE people SET email = NULL WHERE id > 10", "UPDATE people SET email = 'x' WHERE id < 5"
    )
    twice = (
        "SELECT coalesce(sum(n), 0) FROM (SELECT count(*) AS n FROM public.people WHERE ROW(email) IS NOT NULL "
        "GROUP BY (email) HAVING count(*) > 1) AS duplicates"
    )
    assert [(one.observed, one.advice) for one in found.refusals] == [
        (f"2 rows of public.people {nothing}", f"mend them first; they are counted by: {NULLS}"),
        (
            '4 rows of public.people would make it fail with 23505 could not create unique index "uq_people_email"',
            f"mend them first; they are counted by: {twice}",
        ),
    ]


def test_rows_that_are_many_are_written_for_people(at: Callable[[str], Deployment]) -> None:
    found = ask(at("d4"), "INSERT INTO people (name) SELECT 'Ben' FROM generate_series(1, 1234)")
    assert found.refusals[0].observed.startswith("1,234 rows of public.people would make it fail with 23502")


def test_rows_of_what_is_not_there_yet(opened: Deployment) -> None:
    note = "preconditions: rows of public.people cannot be counted yet; they are before the revision's turn"
    assert ask(opened).notes == (note, note)
    assert ask(opened, to="d4").notes == ()


def test_rows_that_no_query_counts(at: Callable[[str], Deployment]) -> None:
    deployment = at("c3")
    upgrade = replace(
        deployment.evidence["d4"].upgrade, fails_on_data=(FailsOnData("public.people", "P0001 odd", None),)
    )
    assert ask(with_evidence(deployment, "d4", upgrade=upgrade), to="d4").notes == (
        "preconditions: public.people may hold rows on which it fails with P0001 odd; no query can count them",
    )


def test_rows_that_are_not_counted_in_time(at: Callable[[str], Deployment], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "COUNT_SECONDS", 1.0)
    deployment = at("d4")
    slow = "SELECT count(*) FROM public.people, pg_sleep(5)"
    upgrade = replace(
        deployment.evidence["e5"].upgrade, fails_on_data=(FailsOnData("public.people", "23502 no", slow),)
    )
    assert ask(with_evidence(deployment, "e5", upgrade=upgrade), to="e5").refusals == (
        Refusal(
            "preconditions",
            "the rows of public.people on which it fails could not be counted within 1 s",
            f"count them: {slow}",
        ),
    )


def test_rows_on_which_a_rollback_would_fail(at: Callable[[str], Deployment]) -> None:
    """Told by either of the two rehearsed ways back, and only when rolling back."""
    deployment = at("e5")
    query = "SELECT count(*) FROM public.people WHERE verified"
    fails = (FailsOnData("public.people", "23514 no", query),)
    refusal = Refusal(
        "preconditions",
        "2 rows of public.people would make it fail with 23514 no",
        f"mend them first; they are counted by: {query}",
    )
    for step in ("downgrade", "lived_in_downgrade"):
        changed = replace(getattr(deployment.evidence["e5"], step), fails_on_data=fails)
        worse = with_evidence(deployment, "e5", **{step: changed})
        found = ask(worse, "UPDATE people SET verified = id < 3", direction="downgrade")
        assert found.refusals == (refusal,)
        assert ask(worse).refusals == ()


# -- backup -----------------------------------------------------------------------------------------


def test_without_a_receipt(at: Callable[[str], Deployment]) -> None:
    for deployment, direction in ((at("c3"), "upgrade"), (at("c3"), "downgrade")):
        assert ask(deployment, direction=direction, accepted={}).refusals == (NO_RECEIPT,)


def test_where_nothing_is_changed_no_backup_is_needed(at: Callable[[str], Deployment]) -> None:
    assert ask(at("f6"), accepted={}).refusals == ()


def test_a_backup_counts_once_it_was_restored_and_while_it_is_young(
    at: Callable[[str], Deployment], tmp_path: Path
) -> None:
    deployment, limits = at("c3"), Limits(tmp_path)
    dump = backups.take(deployment.real, tmp_path).dump
    (refusal,) = ask(deployment, accepted={}, limits=limits).refusals
    assert refusal.observed == f"there is no receipt of a backup of this database in {tmp_path}"
    assert refusal.details == (f"the backup {dump.name} was not verified; verify it: backout backup verify {dump}",)
    backups.verify(dump, database=deployment.real)
    assert ask(deployment, accepted={}, limits=limits).refusals == ()
    assert ask(deployment, direction="downgrade", accepted={}, limits=limits).refusals == ()
    (refusal,) = ask(deployment, accepted={}, limits=Limits(tmp_path, backup_age=timedelta(microseconds=1))).refusals
    assert re.fullmatch(rf"the backup {dump.name} is .* old, and at most .* are allowed; .*", refusal.observed)
    assert (refusal.advice, refusal.runbook) == ("see what there is: backout backup list", "verify-a-backup")


def test_a_rollback_wants_a_backup_of_what_it_drops(at: Callable[[str], Deployment], tmp_path: Path) -> None:
    """One from before the upgrade has nothing of what was written since."""
    deployment = at("c3")
    backups.verify(backups.take(deployment.real, tmp_path).dump, database=deployment.real)
    with deployment.connect("test") as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'd4'")
    accepted = {"drift": "the row says so only"}
    (refusal,) = ask(deployment, direction="downgrade", accepted=accepted, limits=Limits(tmp_path)).refusals
    assert "is of the database at c3, and it is at d4 now; " in refusal.observed


def test_a_receipt_that_only_says_so(at: Callable[[str], Deployment], tmp_path: Path) -> None:
    deployment = at("d4")
    backups.record(
        deployment.real, tmp_path, provider="cloud", snapshot="snap-1", taken=datetime.now(UTC), by="ann",
        version_table="alembic_version",
    )  # fmt: skip
    (note,) = ask(deployment, to="e5", accepted={}, limits=Limits(tmp_path)).notes
    assert note.startswith("backup: a statement, not verified: ann says that cloud took the snapshot snap-1 at ")


# -- disk -------------------------------------------------------------------------------------------


def test_a_disk_that_is_too_full(at: Callable[[str], Deployment], monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written anew or indexed, twice; c3 builds an index of people."""
    monkeypatch.setattr(preflight, "SMALL", 0)
    free = {"bytes": 10}
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=free["bytes"]))
    deployment = at("b2")
    about = "about 0.0 GB are needed while public.people are written anew or indexed"
    assert ask(deployment, to="c3").refusals == (Refusal("disk", f"{about}, and 0.0 GB are free", "make room first"),)
    free["bytes"] = 1 << 40
    assert ask(deployment, to="c3").refusals == ()


def test_a_disk_that_cannot_be_seen(at: Callable[[str], Deployment], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "SMALL", 0)
    monkeypatch.setattr("shutil.disk_usage", lambda path: (_ for _ in ()).throw(OSError))
    assert ask(at("b2"), to="c3").notes == (
        (
            "disk: about 0.0 GB are needed while public.people are written anew or indexed; "
            "how much is free on the server cannot be seen from here: look there"
        ),
    )


def test_little_data_needs_no_room(at: Callable[[str], Deployment], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda path: pytest.fail("asked"))
    assert ask(at("b2"), to="c3").refusals == ()


# -- transactions -----------------------------------------------------------------------------------

AT_ONCE = Limits(Path("/nowhere"), transaction_age=timedelta(0))


def test_a_transaction_that_holds_what_a_step_locks(at: Callable[[str], Deployment]) -> None:
    deployment = at("d4")
    with transaction(deployment, "SELECT 't0psecret' FROM people") as pid:
        found = ask(deployment, to="e5", limits=AT_ONCE)
        (refusal,) = found.refusals
        assert str(refusal) == (
            f"transactions: session {pid} of postgres (psql, idle in transaction) has been in a transaction for 0 s: "
            f"SELECT '***' FROM people; wait for it, or end it: SELECT pg_terminate_backend({pid}); "
            "runbook: migration-hangs-behind-a-lock"
        )
        assert ask(deployment, to="e5").refusals == ()  # it is young
        assert ask(at("d4"), to="e5", limits=AT_ONCE).refusals == ()  # it is elsewhere


def test_a_transaction_that_holds_something_else(at: Callable[[str], Deployment]) -> None:
    """It matters to what waits for every transaction only: an index that is built concurrently."""
    deployment = at("b2")
    with transaction(deployment, "SELECT FROM alembic_version"):
        (refusal,) = ask(deployment, to="c3", limits=AT_ONCE).refusals
        assert refusal.check == "transactions"
    deployment = at("c3")
    with transaction(deployment, "SELECT FROM alembic_version"):
        assert ask(deployment, to="d4", limits=AT_ONCE).refusals == ()
        assert ask(deployment, revisions=(), limits=AT_ONCE).refusals == ()


def test_a_prepared_transaction(at: Callable[[str], Deployment]) -> None:
    deployment = at("d4")
    with deployment.connect("test") as connection:
        connection.execute("BEGIN")
        connection.execute("LOCK TABLE people IN SHARE MODE")
        connection.execute("PREPARE TRANSACTION 'left alone'")
        try:
            found = ask(deployment, to="e5", limits=AT_ONCE)
        finally:
            connection.execute("ROLLBACK PREPARED 'left alone'")
    assert found.refusals == (
        Refusal(
            "transactions",
            "the prepared transaction 'left alone' holds its locks",
            "commit it or roll it back",
        ),
    )


def test_what_a_role_may_not_see_is_told(at: Callable[[str], Deployment]) -> None:
    deployment = at("d4")
    with transaction(deployment, "SELECT FROM people"), deployment.connect("test"):
        ask(deployment, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO crew")
        found = ask(deployment, to="e5", limits=AT_ONCE, role="crew")
    assert found.refusals == ()
    assert (
        "transactions: how long 2 sessions of other roles are in a transaction cannot be seen; "
        "the role lacks pg_monitor"
    ) in found.notes


def test_a_database_that_does_not_say_where_it_is(at: Callable[[str], Deployment]) -> None:
    deployment = at("d4")
    with deployment.connect("test") as connection:
        connection.execute("REVOKE ALL ON alembic_version FROM crew, PUBLIC")
    as_crew = replace(
        deployment, real=replace(deployment.real, parameters={**deployment.real.parameters, "user": "crew"})
    )
    with pytest.raises(PostgresError) as caught:
        as_crew.current()
    assert str(caught.value) == (
        f"{as_crew.real.description} does not say which revision it is at: 42501 permission denied for table "
        "alembic_version; see that it runs, and use a role that may read public.alembic_version"
    )


# -- all at once ------------------------------------------------------------------------------------


def test_a_check_that_cannot_be_made_is_a_refusal(at: Callable[[str], Deployment]) -> None:
    found = ask(at("d4"), to="e5", role="crew", accepted={})
    assert found.refusals == (
        Refusal(
            "preconditions",
            "it could not be checked: 42501 permission denied for table people",
            "see to that, and look again",
        ),
        Refusal(
            "backup",
            "it could not be checked: 42501 permission denied for table people",
            "see to that, and look again",
        ),
    )


def everything_wrong(deployment: Deployment) -> dict[str, Any]:
    chain = replace(deployment.chain, heads=("f6", "g7"))
    evidence = {name: one for name, one in deployment.evidence.items() if name != "f6"}
    return {
        "deployment": replace(deployment, chain=chain, evidence=evidence),
        "statements": (
            "CREATE TABLE visits ()",
            "UPDATE people SET email = NULL",
            "SET default_transaction_read_only = on",
        ),
        "revisions": deployment.chain.revisions[4:],
    }


def test_every_reason_is_told_at_once(at: Callable[[str], Deployment]) -> None:
    wrong = everything_wrong(at("d4"))
    deployment, statements = wrong.pop("deployment"), wrong.pop("statements")
    found = ask(deployment, *statements, accepted={}, **wrong)
    expected = ["server", "revisions", "evidence", "drift", "preconditions", "backup"]
    assert [one.check for one in found.refusals] == expected
    assert found.accepted == ()


def test_while_another_runner_works_only_what_is_firm_is_looked_at(at: Callable[[str], Deployment]) -> None:
    """What it has half done is no drift."""
    wrong = everything_wrong(at("d4"))
    deployment, statements = wrong.pop("deployment"), wrong.pop("statements")
    found = ask(deployment, *statements, runner="another runner holds the migration lock", accepted={}, **wrong)
    assert [one.check for one in found.refusals] == ["server", "runner", "revisions"]
    assert {*found.checks} == FIRM


def test_a_table_that_somebody_holds_is_not_waited_for_long(
    at: Callable[[str], Deployment], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preflight, "LOCK_SECONDS", 1.0)
    deployment = at("d4")
    with transaction(deployment, "LOCK TABLE people"):
        found = ask(deployment, to="e5", accepted={})
    observed = "it could not be checked: 55P03 canceling statement due to lock timeout"
    advice = "see to that, and look again"
    assert [one for one in found.refusals if one.check in ("preconditions", "backup")] == [
        Refusal("preconditions", observed, advice),
        Refusal("backup", observed, advice),
    ]


def test_what_is_firm_cannot_be_accepted(at: Callable[[str], Deployment]) -> None:
    wrong = everything_wrong(at("d4"))
    deployment, statements = wrong.pop("deployment"), wrong.pop("statements")
    found = ask(deployment, *statements, accepted={name: f"{name} is known" for name in CHECKS}, **wrong)
    assert [one.check for one in found.refusals] == ["server", "revisions"]
    assert [(one.check, reason) for one, reason in found.accepted] == [
        (name, f"{name} is known") for name in ("evidence", "drift", "preconditions", "backup")
    ]
