"""backout.walk and backout.campaign: chains of every kind, rehearsed whole; a revision that breaks ends nothing."""

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from backout.campaign import Campaign
from backout.errors import ConfigurationError
from backout.evidence import Evidence
from backout.postgres import Server
from backout.worker import Target

SAMPLES = Path(__file__).parent / "samples" / "projects"


@dataclass(frozen=True)
class Project:
    """A sample project.

    :param verdicts: revision → risk and rollback, of every revision, in the chain's order.
    :param because: revision → text that stands in a reason of what is unproven, or in an assumption.
    """

    verdicts: Mapping[str, tuple[str, str]]
    because: Mapping[str, str] = field(default_factory=dict)
    configuration: str = "alembic.ini"
    hooks: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


ADDS, NOTHING, UNPROVEN = ("low", "yes if unused"), ("low", "yes"), ("unproven", "unproven")
RISKY, NO = ("medium", "risky"), ("high", "no")

PROJECTS = {
    "application": Project({"users": ADDS}, hooks="hooks.py"),
    "asynchronous": Project(
        {"users": ADDS, "nickname": RISKY, "index": NOTHING, "duplicate": UNPROVEN},
        {"duplicate": "the upgrade failed: 23505 duplicate key value violates unique constraint"},
    ),
    "branches": Project(dict.fromkeys(("trunk", "left", "right", "both", "apart", "further"), ADDS)),
    "blocking": Project({"users": ADDS, "second": UNPROVEN}, {"second": "the step blocks itself"}),
    "concurrently": Project({"users": ADDS, "index": ("high", "risky")}),
    "failing": Project(
        {
            "absent_extension": UNPROVEN,
            "absent_role": RISKY,
            "dies": UNPROVEN,
            "exits": UNPROVEN,
            "forgets": NOTHING,
            "interrupts": UNPROVEN,
            "killed": UNPROVEN,
            "no_way_back": NO,
            "raises": UNPROVEN,
            "sleeps": UNPROVEN,
            "violates": UNPROVEN,
            "waits": UNPROVEN,
        },
        {
            "absent_extension": "the extension backout_absent is not installed on the server",
            "absent_role": "the role backout_nobody was created, without login",
            "dies": "its process ended with exit status 3",
            "exits": "SystemExit that is enough",
            "killed": "its process was ended by SIGKILL",
            "raises": "ValueError schön",
            "sleeps": "timed out after 3 seconds",
            "waits": "timed out after 3 seconds",
        },
    ),
    "locations": Project({"users": ADDS, "invoices": ADDS}),
    "models": Project({"everything": ADDS}),
    "not_transactional": Project({"half": UNPROVEN}, {"half": "ValueError no further"}),
    "per_migration": Project({"users": ADDS, "nickname": ADDS}),
    "psycopg2": Project({"users": ADDS, "nickname": ADDS}),
    "pyproject": Project({"users": ADDS, "nickname": ADDS}, configuration="pyproject.toml"),
    "roles": Project(
        {"users": ADDS, "orders": UNPROVEN, "nickname": ADDS},
        {
            "users": "the role backout_reporting was created, without login",
            "orders": "the extension backout_absent is not installed on the server",
        },
    ),
    "schemas": Project({"users": ADDS, "nickname": ADDS}),
    "settings": Project({"users": ADDS, "nickname": ADDS}),
    "variable": Project({"users": ADDS, "nickname": ADDS}, environment={"APP_DB": "{url}"}),
}


def rehearsed(
    project: Path, server: Server, sample: Project, *, only: Sequence[str] = (), jobs: int = 1
) -> dict[str, Evidence]:
    target = Target(
        project / sample.configuration,
        hooks=project / sample.hooks if sample.hooks else None,
        environment=sample.environment,
    )
    with Campaign(target, server.handle(), step_seconds=3, jobs=jobs) as campaign:
        measured = [result.evidence for result in campaign.measure(campaign.choose(only))]
    return {evidence.revision: evidence for evidence in measured}


@pytest.mark.parametrize("name", PROJECTS)
def test_a_project_is_rehearsed_as_it_comes(name: str, backout_server: Server, tmp_path: Path) -> None:
    sample = PROJECTS[name]
    project = Path(shutil.copytree(SAMPLES / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__")))
    measured = rehearsed(project, backout_server, sample)
    assert {revision: (one.risk, one.rollback) for revision, one in measured.items()} == sample.verdicts
    for revision, text in sample.because.items():
        one = measured[revision]
        reasons = [*(each.reason for each in one.unproven), *one.assumptions]
        assert any(text in reason for reason in reasons), reasons
    for revision, one in measured.items():
        assert (one.unproven == ()) == (sample.verdicts[revision] != UNPROVEN)


def test_what_builds_upon_a_revision_that_cannot_be_applied_says_so(backout_server: Server, tmp_path: Path) -> None:
    project = Path(shutil.copytree(SAMPLES / "settings", tmp_path / "settings"))
    users = project / "migrations" / "versions" / "users.py"
    users.write_text(users.read_text().replace("CREATE TABLE", "CREATE TABEL"))
    measured = rehearsed(project, backout_server, PROJECTS["settings"])
    assert {name: one.rollback for name, one in measured.items()} == {"users": "unproven", "nickname": "unproven"}
    assert "users, which it builds upon, could not be applied" in [one.reason for one in measured["nickname"].unproven]


@pytest.mark.parametrize(
    ("name", "where", "failure"),
    [
        ("nothing", "", "RuntimeError: env.py came to its end and had not run any migrations"),
        (
            "uncommitted",
            "",
            "NotCommitted: the step came to its end, and alembic_version says nothing: env.py did not commit it",
        ),
        ("variable", "migrations/env.py:9", "KeyError: 'APP_DB'"),
    ],
)
def test_an_env_that_can_run_nothing_is_told_once(
    name: str, where: str, failure: str, backout_server: Server, tmp_path: Path
) -> None:
    root = Path(shutil.copytree(SAMPLES / name, tmp_path / name))
    with pytest.raises(ConfigurationError) as told, Campaign(Target(root / "alembic.ini"), backout_server.handle()):
        pass
    assert str(told.value) == (
        f"{where or root / 'migrations' / 'env.py'}: no revision can be run: {failure}; "
        "mend it, or give it what it needs: --python, --env, --set, -x or --hooks"
    )


def test_two_jobs_measure_what_one_does(backout_server: Server) -> None:
    sample = PROJECTS["branches"]
    one, two = (rehearsed(SAMPLES / "branches", backout_server, sample, jobs=jobs) for jobs in (1, 2))
    assert one == two


@pytest.mark.parametrize("name", ["branches", "concurrently", "failing", "roles"])
def test_how_a_revision_was_reached_does_not_matter(name: str, backout_server: Server) -> None:
    """What is only passed is applied together, and one by one where that fails."""
    everything = rehearsed(SAMPLES / name, backout_server, PROJECTS[name])
    last = list(everything)[-1]
    assert rehearsed(SAMPLES / name, backout_server, PROJECTS[name], only=[last]) == {last: everything[last]}


def test_what_a_run_created_changes_nothing_for_the_next(backout_server: Server) -> None:
    first, second = (rehearsed(SAMPLES / "roles", backout_server, PROJECTS["roles"]) for _ in range(2))
    assert first == second
    created = "the role backout_reporting was created, without login: the server had none of that name"
    assert [created in one.assumptions for one in first.values()] == [True, True, False]
    with psycopg.connect(backout_server.url) as connection:
        assert connection.execute("SELECT FROM pg_roles WHERE rolname = 'backout_reporting'").fetchall() == []


def test_nothing_stays_behind(backout_server: Server) -> None:
    def databases() -> set[str]:
        with psycopg.connect(backout_server.url) as connection:
            return {name for (name,) in connection.execute("SELECT datname FROM pg_database")}

    before = databases()
    rehearsed(SAMPLES / "branches", backout_server, PROJECTS["branches"], jobs=2)
    left = {name for name in databases() - before if f"_{os.getpid()}_" in name}
    assert left == set()


# -- which revisions --------------------------------------------------------------------------------


def test_choosing_revisions(backout_server: Server) -> None:
    with Campaign(Target(SAMPLES / "branches" / "alembic.ini"), backout_server.handle()) as campaign:
        everything = campaign.choose(())
        assert set(everything) == set(PROJECTS["branches"].verdicts)
        assert campaign.choose(["further", "trunk"]) == tuple(
            name for name in everything if name in ("further", "trunk")
        )
        assert campaign.choose(["furt"]) == ("further",)
        with pytest.raises(ConfigurationError) as failure:
            campaign.choose(["nowhere"])
        assert str(failure.value) == "'nowhere' is no revision: none starts so; alembic history lists them"
        # Only what is chosen is measured, on what it builds upon.
        (result,) = campaign.measure(campaign.choose(["further"]))
        assert (result.evidence.revision, result.evidence.rollback) == ("further", "yes if unused")
