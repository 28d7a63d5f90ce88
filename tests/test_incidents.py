"""What a database holds after the runbook of its incident: schema, rows and sequences, on the major of this run.

That each incident shows, that checks can fail and that ways back lead back is proved when the page itself is run.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from backout.configuration import Project, load_project
from backout.contents import Contents, compare, contents
from backout.execute import PageRun
from backout.pages import read_page
from backout.postgres import Database, Server

ROOT = Path(__file__).parent.parent
SIGNED_IN = ("display_name=Amara Okafor", "display_name=Amara O.")


@pytest.fixture(scope="module")
def project() -> Project:
    return load_project(ROOT)


@pytest.fixture
def sample(disposable: Callable[..., Database], backout_server: Server) -> Contents:
    """What the sample at head holds."""
    database = disposable(revision="head", rows="sample")
    return contents(database.url, backout_server.environment(database))


Ended = Callable[..., tuple[PageRun, Contents]]


@pytest.fixture
def ended(project: Project, backout_server: Server, tmp_path: Path) -> Iterator[Ended]:
    """Run a runbook to its end: its run, and what its database holds then."""
    runs: list[PageRun] = []

    def run(name: str, incident: str | None = None) -> tuple[PageRun, Contents]:
        page = read_page(ROOT / "runbooks" / f"{name}.md", ROOT)
        assert page.runbook is not None
        if incident is not None:
            page = replace(page, runbook=replace(page.runbook, incident=f"tests/incidents/{incident}.sh"))
        runs.append(PageRun(page, project, backout_server, scratch=tmp_path))
        failure = runs[-1].reach_end()
        assert failure is None, failure and failure.message
        return runs[-1], contents(runs[-1].environment["DATABASE_URL"], runs[-1].environment)

    yield run
    for one in runs:
        one.__exit__(None, None, None)


@pytest.mark.parametrize(
    ("name", "incident"),
    [
        ("apply-to-production", None),
        ("apply-to-staging", None),
        ("migration-failed-half-way", None),
        ("migration-failed-half-way", "migration-failed-in-a-transaction"),
        ("restore-from-a-backup", None),
        ("two-migrations-at-once", None),
        ("verify-a-backup", None),
    ],
)
def test_in_the_end_the_sample_is_at_head_and_nothing_else_has_changed(
    name: str, incident: str | None, ended: Ended, sample: Contents
) -> None:
    _, found = ended(name, incident)
    assert compare(sample, found) == []


def test_who_waited_behind_a_hanging_migration_got_through(ended: Ended, sample: Contents) -> None:
    _, found = ended("migration-hangs-behind-a-lock")
    assert _changed(sample, found) == {"public.users": [SIGNED_IN]}


def test_what_was_written_before_the_disaster_is_there_and_what_came_afterwards_is_not(
    ended: Ended, sample: Contents
) -> None:
    _, found = ended("point-in-time-recovery")
    assert _changed(sample, found) == {"public.users": [SIGNED_IN]}


def test_an_adopted_column_keeps_its_values(ended: Ended, sample: Contents) -> None:
    _, found = ended("schema-drift")
    assert [line for line in found.schema if line not in sample.schema] == ["    note text"]
    assert [line for line in sample.schema if line not in found.schema] == []
    notes = [row.split("\t")[found.columns["public.users"].index("note")] for row in found.rows["public.users"]]
    assert sorted(notes) == ["\\N"] * (len(notes) - 3) + ["asked for a refund"] * 3
    same = {"public.users", "public.alembic_version"}
    assert {name: rows for name, rows in found.rows.items() if name not in same} == {
        name: rows for name, rows in sample.rows.items() if name not in same
    }


def test_a_rollback_that_loses_nothing_lost_nothing(ended: Ended, sample: Contents) -> None:
    _, found = ended("roll-back-to-a-revision")
    columns = found.columns["public.subscriptions"]
    price, cents = columns.index("price"), columns.index("price_cents")
    rows = _cells(found, "subscriptions")
    assert rows
    assert [round(float(row[price]) * 100) for row in rows] == [int(row[cents]) for row in rows]
    for table in ("content_jobs", "organizations", "memberships", "sessions", "invoices", "billing_events"):
        assert sorted(_cells(found, table)) == sorted(_cells(sample, table)), table
    assert len(found.rows["public.users"]) == len(sample.rows["public.users"])


def test_what_a_rollback_would_have_lost_is_back_and_the_copies_are_gone(ended: Ended, sample: Contents) -> None:
    _, found = ended("roll-back-without-losing-data")
    assert found.rows["public.retention_notifications"] == sample.rows["public.retention_notifications"]
    assert [name for name in found.rows if not name.startswith("public.")] == []
    assert compare(sample, found) == []


def _changed(before: Contents, after: Contents) -> dict[str, list[tuple[str, str]]]:
    """Tables whose rows differ → each value that was, and is, in the order of the rows; nothing else may differ."""
    assert (before.schema, before.columns) == (after.schema, after.columns)
    changed = {}
    for table, columns in before.columns.items():
        if before.rows[table] == after.rows[table]:
            continue
        old = sorted(set(before.rows[table]) - set(after.rows[table]))
        new = sorted(set(after.rows[table]) - set(before.rows[table]))
        changed[table] = [
            (f"{column}={was}", f"{column}={now}")
            for one, other in zip(old, new, strict=True)
            for column, was, now in zip(columns, one.split("\t"), other.split("\t"), strict=True)
            if was != now
        ]
    return changed


def _cells(found: Contents, table: str) -> list[list[str]]:
    return [row.split("\t") for row in found.rows[f"public.{table}"]]
