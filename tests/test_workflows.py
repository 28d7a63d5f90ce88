"""The workflows: what linters say of them, what they may do, and that test-migrations.yml tests migrations.

Its steps are taken out of the file and executed, on a chain that is sound and on chains that are not.
"""

import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from backout.languages import NotChecked, lint_workflow
from backout.postgres import Server

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
TOOLS = Path(sys.executable).parent
EVERY = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)

# How GitHub starts the script of a step whose shell is bash (GitHub's documentation, "jobs.<job_id>.steps[*].shell").
BASH = ["bash", "--noprofile", "--norc", "-eo", "pipefail"]
INSTALL = "Install"
APPLY = "Apply all migrations"
ROLLBACK = "Test the rollback procedure"
VERIFY = "Verify the database schema"


@dataclass(frozen=True)
class Step:
    """A step that ran."""

    name: str
    status: int
    output: str


def load(path: Path) -> dict[str, Any]:
    workflow: dict[Any, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    workflow["on"] = workflow.pop(True)  # PyYAML reads the key `on` as true, as YAML 1.1 says
    return workflow


def steps(path: Path) -> list[dict[str, Any]]:
    return [step for job in load(path)["jobs"].values() for step in job["steps"]]


def scripts(path: Path) -> list[tuple[str, str]]:
    return [(step["name"], step["run"]) for step in steps(path) if "run" in step]


TEST_MIGRATIONS = ROOT / ".github" / "workflows" / "test-migrations.yml"


# -- what every workflow keeps ----------------------------------------------------------------------


def test_there_are_three() -> None:
    assert [path.name for path in WORKFLOWS] == ["ci.yml", "docs.yml", "test-migrations.yml"]


@EVERY
def test_actionlint_finds_nothing(path: Path) -> None:
    try:
        assert lint_workflow(path.read_text(encoding="utf-8")) is None
    except NotChecked as missing:
        pytest.skip(f"NOT CHECKED: {missing}")


def test_actionlint_finds_what_is_wrong() -> None:
    text = TEST_MIGRATIONS.read_text(encoding="utf-8")
    broken = text.replace("${{ matrix.postgres }} #", "${{ matrix.postgre }} #")
    line = 1 + next(number for number, line in enumerate(broken.splitlines()) if "matrix.postgre }}" in line)
    try:
        said = lint_workflow(broken)
    except NotChecked as missing:
        pytest.skip(f"NOT CHECKED: {missing}")
    assert said is not None
    assert re.fullmatch(
        rf'(?:<stdin>:)?{line}:\d+: property "postgre" is not defined in object type {{postgres: .*}}[^\n]*', said
    )


@EVERY
def test_zizmor_finds_nothing(path: Path) -> None:
    done = subprocess.run(
        [TOOLS / "zizmor", "--offline", "--no-progress", "--quiet", "--persona=pedantic", path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@EVERY
def test_shellcheck_finds_nothing_in_the_scripts(path: Path) -> None:
    for name, script in scripts(path):
        done = subprocess.run(
            [TOOLS / "shellcheck", "--shell=bash", "-"], input=script, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{path.name}, {name}:\n{done.stdout}{done.stderr}"


@EVERY
def test_every_action_is_pinned_to_a_commit_and_says_its_version(path: Path) -> None:
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if "uses:" in line]
    assert lines
    loose = [line for line in lines if not re.fullmatch(r" +(- )?uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line)]
    assert loose == []


def test_an_action_is_the_same_commit_everywhere() -> None:
    pins = {step["uses"].partition("@") for path in WORKFLOWS for step in steps(path) if "uses" in step}
    assert sorted(name for name, _, _ in pins) == [
        "actions/checkout",
        "actions/deploy-pages",
        "actions/setup-python",
        "actions/upload-artifact",
        "actions/upload-pages-artifact",
    ]


@EVERY
def test_a_job_may_do_what_it_needs_and_no_more(path: Path) -> None:
    workflow = load(path)
    assert workflow["permissions"] == {}
    allowed = {name: job["permissions"] for name, job in workflow["jobs"].items()}
    publishing = {"publish": {"pages": "write", "id-token": "write"}} if path.name == "docs.yml" else {}
    assert allowed == {name: publishing.get(name, {"contents": "read"}) for name in allowed}


@EVERY
def test_nothing_runs_for_ever_or_twice(path: Path) -> None:
    workflow = load(path)
    assert workflow["concurrency"]["group"] == "${{ github.workflow }}-${{ github.ref }}"
    assert [name for name, job in workflow["jobs"].items() if "timeout-minutes" not in job] == []


@EVERY
def test_the_checkout_leaves_no_credentials(path: Path) -> None:
    checkouts = [step for step in steps(path) if "checkout" in step.get("uses", "")]
    assert [step["with"] for step in checkouts] == [{"persist-credentials": False}]


@EVERY
def test_no_step_swallows_a_failure(path: Path) -> None:
    """Without the default shell, GitHub leaves out pipefail."""
    workflow = load(path)
    assert workflow["defaults"] == {"run": {"shell": "bash"}}
    text = path.read_text(encoding="utf-8")
    found = [word for word in ("continue-on-error", "|| true", "|| :", "set +e", "always()", "exit 0") if word in text]
    assert found == []


def test_ci_runs_what_the_readme_says() -> None:
    assert scripts(ROOT / ".github/workflows/ci.yml") == [("Install what is missing, and test", ".ci/run")]
    assert (ROOT / ".ci/run").read_text().endswith("\nexport BACKOUT_REQUIRE_ALL=1\nexec make test\n")


def test_docs_publishes_what_was_tested_and_built_from_main_only() -> None:
    path = ROOT / ".github/workflows/docs.yml"
    workflow = load(path)
    assert workflow["on"] == {"push": {"branches": ["main"]}, "pull_request": None, "workflow_dispatch": None}
    build, publish = workflow["jobs"]["build"], workflow["jobs"]["publish"]
    assert [step.get("run") or step["uses"].partition("@")[0] for step in build["steps"][2:]] == [
        ".ci/run",
        "make site",
        "actions/upload-artifact",
        "actions/upload-pages-artifact",
    ]
    assert [step.get("if") for step in build["steps"][4:]] == [
        "github.event_name == 'pull_request'",
        "github.ref == 'refs/heads/main'",
    ]
    assert (publish["needs"], publish["if"]) == ("build", "github.ref == 'refs/heads/main'")


# -- test-migrations.yml ----------------------------------------------------------------------------


def test_migrations_are_tested_when_they_change() -> None:
    paths = [
        "alembic/**",
        "alembic.ini",
        "src/content_creation_crew/db/**",
        "scripts/test_migration_rollback.*",
        ".github/workflows/test-migrations.yml",
    ]
    workflow = load(TEST_MIGRATIONS)
    assert workflow["name"] == "Test Migrations"
    assert workflow["on"] == {
        "push": {"branches": ["main", "develop"], "paths": paths},
        "pull_request": {"paths": paths},
        "workflow_dispatch": None,
    }
    for glob in paths:
        assert list(ROOT.glob(glob)), f"{glob} names nothing"


def test_migrations_are_tested_on_a_server_without_a_password_in_its_url() -> None:
    workflow = load(TEST_MIGRATIONS)
    job = workflow["jobs"]["test-migrations"]
    assert job["strategy"]["matrix"] == {"postgres": ["15", "18"]}
    assert job["services"]["postgres"]["image"] == "postgres:${{ matrix.postgres }}"
    assert job["services"]["postgres"]["env"] == {"POSTGRES_PASSWORD": "${{ env.PGPASSWORD }}"}
    assert workflow["env"]["BACKOUT_POSTGRES"] == "postgresql://postgres@127.0.0.1:5432/postgres"


def run_steps(root: Path, server: Server, environment: Mapping[str, str]) -> list[Step]:
    """Execute the scripts of test-migrations.yml in order, up to the first that fails, as GitHub does."""
    workflow = load(TEST_MIGRATIONS)
    variables = {**workflow["env"], **environment, "BACKOUT_POSTGRES": server.url}
    ran: list[Step] = []
    for name, script in scripts(TEST_MIGRATIONS):
        assert "${{" not in script  # only GitHub could fill it in
        file = root.parent / "step.sh"
        file.write_text(script, encoding="utf-8")
        done = subprocess.run(
            [*BASH, file],
            cwd=root,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        ran.append(Step(name, done.returncode, done.stdout))
        if done.returncode:
            break
    return ran


@pytest.fixture
def run(backout_server: Server, environment: dict[str, str]) -> Callable[[Path], list[Step]]:
    def run(root: Path) -> list[Step]:
        ran = run_steps(root, backout_server, environment)
        print("\n".join(f"--- {step.name}: {step.status}\n{step.output}" for step in ran))  # noqa: T201 - for failures
        return ran

    return run


def outcomes(ran: list[Step]) -> dict[str, str]:
    return {step.name: "failed" if step.status else "passed" for step in ran}


def test_a_sound_chain_passes(working_copy: Any, run: Callable[[Path], list[Step]]) -> None:
    ran = run(working_copy.root)
    assert outcomes(ran) == {INSTALL: "passed", APPLY: "passed", ROLLBACK: "passed", VERIFY: "passed"}
    (head,) = working_copy.heads
    applied = [len(re.findall(r"Running upgrade|^applying ", step.output, re.MULTILINE)) for step in ran]
    assert applied == [0, len(list((working_copy.root / "alembic/versions").glob("*.py"))), 0, applied[1]]
    assert [line[:4] for line in ran[2].output.splitlines()[-5:]] == ["1/5 ", "2/5 ", "3/5 ", "4/5 ", "5/5 "]
    ends = [line for line in ran[3].output.splitlines() if line.endswith(("(head)", "detected."))]
    assert ends == [
        f"now at {head} (head)",
        f"{head} (head)",
        "No new upgrade operations detected.",
    ]
    assert "disposable@" not in "".join(step.output for step in ran)


def test_a_downgrade_that_loses_rows_fails_the_rollback_test(
    working_copy: Any, run: Callable[[Path], list[Step]]
) -> None:
    working_copy.add("0000000000aa", downgrade='op.execute("DELETE FROM sessions WHERE user_id <= 3")')
    ran = run(working_copy.root)
    assert outcomes(ran) == {INSTALL: "passed", APPLY: "passed", ROLLBACK: "failed"}
    printed = ran[-1].output
    assert printed.partition("error: ")[2].splitlines()[:2] == [
        "rolling back 0000000000aa and applying it again changed the database:",
        "    table public.sessions: 3 of 20 rows are gone or changed, 0 are new",
    ]


def test_a_second_head_fails_the_application(working_copy: Any, run: Callable[[Path], list[Step]]) -> None:
    working_copy.add("0000000000aa", parents=("76f0ddcb0970",))
    ran = run(working_copy.root)
    assert outcomes(ran) == {INSTALL: "passed", APPLY: "failed"}
    assert "FAILED: Multiple head revisions are present for given argument 'head'" in ran[-1].output


def test_a_model_without_its_migration_fails_the_verification(
    working_copy: Any, run: Callable[[Path], list[Step]]
) -> None:
    model = working_copy.root / "src/content_creation_crew/db/models/user.py"
    text = model.read_text(encoding="utf-8")
    changed = re.sub(r"^    display_name\b", "    nickname: Mapped[str | None]\n    display_name", text, flags=re.M)
    assert changed != text
    model.write_text(changed, encoding="utf-8")
    ran = run(working_copy.root)
    assert outcomes(ran) == {INSTALL: "passed", APPLY: "passed", ROLLBACK: "passed", VERIFY: "failed"}
    assert "FAILED: New upgrade operations detected: [('add_column', None, 'users', Column('nickname'" in ran[-1].output
