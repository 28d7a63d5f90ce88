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
    more: dict[str, dict[str, str]] = {}
    if path.name == "docs.yml":
        more = {"publish": {"pages": "write", "id-token": "write"}, "comment": {"pull-requests": "write"}}
    assert allowed == {name: more.get(name, {"contents": "read"}) for name in allowed}


@EVERY
def test_nothing_runs_for_ever_or_twice(path: Path) -> None:
    workflow = load(path)
    assert workflow["concurrency"]["group"] == "${{ github.workflow }}-${{ github.ref }}"
    assert [name for name, job in workflow["jobs"].items() if "timeout-minutes" not in job] == []


@EVERY
def test_the_checkout_leaves_no_credentials(path: Path) -> None:
    checkouts = [step for step in steps(path) if "checkout" in step.get("uses", "")]
    assert checkouts
    assert {step["with"]["persist-credentials"] for step in checkouts} == {False}


@EVERY
def test_what_may_write_runs_no_code_of_the_repository(path: Path) -> None:
    for job in load(path)["jobs"].values():
        if "write" in job["permissions"].values():
            used = [step.get("uses", "").partition("@")[0] for step in job["steps"]]
            assert "actions/checkout" not in used
            assert "actions/setup-python" not in used


@EVERY
def test_no_step_swallows_a_failure(path: Path) -> None:
    """Without the default shell, GitHub leaves out pipefail."""
    workflow = load(path)
    assert workflow["defaults"] == {"run": {"shell": "bash"}}
    text = path.read_text(encoding="utf-8")
    found = [word for word in ("continue-on-error", "|| true", "|| :", "set +e", "always()", "exit 0") if word in text]
    assert found == []


def test_ci_runs_what_the_readme_says() -> None:
    path = ROOT / ".github/workflows/ci.yml"
    assert scripts(path) == [("Install what is missing, and test", ".ci/run")]
    kept = steps(path)[-1]
    assert kept["uses"].partition("@")[0] == "actions/upload-artifact"
    assert kept["if"] == "${{ !cancelled() }}"
    assert kept["with"]["path"] == "build/screenshots/"
    assert (ROOT / ".ci/run").read_text().endswith("\nexport BACKOUT_REQUIRE_ALL=1\nexec make test\n")


def test_docs_publishes_what_was_tested_and_built_from_main_only() -> None:
    path = ROOT / ".github/workflows/docs.yml"
    workflow = load(path)
    assert workflow["on"] == {"push": {"branches": ["main"]}, "pull_request": None, "workflow_dispatch": None}
    build, publish = workflow["jobs"]["build"], workflow["jobs"]["publish"]
    assert [(step.get("run") or step["uses"].partition("@")[0], step.get("if")) for step in build["steps"][2:]] == [
        (".ci/run", None),
        ("make site", None),
        ("make site-offline", "github.event_name == 'pull_request'"),
        ("actions/upload-artifact", "github.event_name == 'pull_request'"),
        ("actions/upload-pages-artifact", "github.ref == 'refs/heads/main'"),
    ]
    assert [step["with"]["path"] for step in build["steps"][5:]] == ["build/site-offline/", "site/"]
    assert (publish["needs"], publish["if"]) == ("build", "github.ref == 'refs/heads/main'")


# -- what a pull request is told --------------------------------------------------------------------

DOCS = ROOT / ".github" / "workflows" / "docs.yml"


def script_of(job: str, name: str) -> str:
    (found,) = [step["run"] for step in load(DOCS)["jobs"][job]["steps"] if step.get("name") == name]
    assert "${{" not in found
    return str(found)


def outputs(text: str) -> dict[str, str]:
    """What a step has set, as GitHub reads it ("Setting an output parameter", "Multiline strings")."""
    values, lines = {}, iter(text.splitlines())
    for line in lines:
        name, separator, rest = re.split("(<<|=)", line, maxsplit=1)
        values[name] = rest if separator == "=" else "\n".join(iter(lambda end=rest: next(lines), rest))  # type: ignore[misc]
    return values


@dataclass(frozen=True)
class Told:
    """What the step that measures leaves."""

    status: int
    outputs: dict[str, str]
    summary: str
    printed: str


@pytest.fixture
def measure(
    working_copy: Any, tmp_path: Path, backout_server: Server, environment: dict[str, str]
) -> Callable[[Callable[[], None]], Told]:
    """Merge a change into the working copy, and run the step on the merge."""
    root = working_copy.root

    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *identity, *arguments], cwd=root, check=True, capture_output=True, env=environment)

    def run(change: Callable[[], None]) -> Told:
        git("switch", "--quiet", "--create", "topic")
        change()
        git("add", "--all", "--", "alembic", "alembic.ini")
        git("commit", "--quiet", "--allow-empty", "--message=change")
        git("switch", "--quiet", "-")
        git("merge", "--quiet", "--no-ff", "--message=merge", "topic")
        files = {name: tmp_path / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        for file in files.values():
            file.touch()
        script = tmp_path / "measure.sh"
        script.write_text(script_of("risk", "Measure"), encoding="utf-8")
        done = subprocess.run(
            [*BASH, script],
            cwd=root,
            env={
                **environment,
                **{name: str(file) for name, file in files.items()},
                "BACKOUT_POSTGRES": backout_server.url,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        told = {name: file.read_text(encoding="utf-8") for name, file in files.items()}
        return Told(done.returncode, outputs(told["GITHUB_OUTPUT"]), told["GITHUB_STEP_SUMMARY"], done.stdout)

    return run


def test_new_revisions_are_measured_and_told(working_copy: Any, measure: Callable[..., Told]) -> None:
    (head,) = working_copy.heads

    def change() -> None:
        working_copy.add(
            "0000000000aa",
            upgrade='op.execute("CREATE TABLE badges (id int PRIMARY KEY)")',
            downgrade='op.execute("DROP TABLE badges")',
            message="create badges",
        )
        path = next((working_copy.root / "alembic/versions").glob(f"*{head}*"))
        path.write_text(path.read_text().replace("Nothing is lost but speed.", "Nothing is lost."))

    told = measure(change)
    assert told.status == 0, told.printed
    assert told.outputs["state"] == "measured"
    rows = told.outputs["table"].splitlines()
    assert rows[0] == "| Revision | Risk | Rollback | What is lost | What is blocked | Deploy |"
    assert [row.split(" | ")[:2] for row in rows[2:4]] == [
        [f"| `{head}` index the queue of content jobs", "🟢 low"],
        ["| `0000000000aa` create badges", "🟢 low"],
    ]
    assert told.summary.splitlines()[: len(rows)] == rows


def test_a_finding_that_is_not_accepted_is_told_and_ends_with_1(
    working_copy: Any, measure: Callable[..., Told]
) -> None:
    told = measure(
        lambda: working_copy.add(
            "0000000000aa",
            upgrade='op.execute("ALTER TABLE users DROP COLUMN locale")',
            downgrade="op.execute(\"ALTER TABLE users ADD locale varchar(12) NOT NULL DEFAULT 'en'\")",
            message="drop users.locale",
        )
    )
    assert told.status == 1
    assert "🔴 high | ❌ no" in told.outputs["table"]
    assert "error, dropped-column-comes-back-" in told.outputs["table"]


def test_without_new_revisions_nothing_is_measured(working_copy: Any, measure: Callable[..., Told]) -> None:
    told = measure(lambda: (working_copy.root / "alembic/README").write_text("x"))
    assert (told.status, told.outputs, told.summary) == (0, {"state": "none"}, "")


GH = """#!/bin/bash
if [ "$2" = --paginate ]; then
  cat "$COMMENTS"
else
  printf '%s ' "$@" >>"$LOG"
fi
"""


@pytest.mark.parametrize(
    ("known", "table", "request_"),
    [
        ("", "| a table |", "POST repos/crew/crew/issues/7/comments"),
        ("41\n42\n", "| a table |", "PATCH repos/crew/crew/issues/comments/42"),
        ("42\n", "", "PATCH repos/crew/crew/issues/comments/42"),
        ("", "", None),
    ],
    ids=["new", "again", "none any more", "none"],
)
def test_there_is_one_comment(known: str, table: str, request_: str | None, tmp_path: Path) -> None:
    (tmp_path / "gh").write_text(GH)
    (tmp_path / "gh").chmod(0o755)
    (tmp_path / "comments").write_text(known)
    (tmp_path / "step.sh").write_text(script_of("comment", "Comment, or change the comment"))
    done = subprocess.run(
        [*BASH, tmp_path / "step.sh"],
        cwd=tmp_path,
        env={
            "PATH": f"{tmp_path}:/usr/bin:/bin",
            "LOG": str(tmp_path / "log"),
            "COMMENTS": str(tmp_path / "comments"),
            "GITHUB_REPOSITORY": "crew/crew",
            "NUMBER": "7",
            "TABLE": table,
            "RUN": "https://forge.example.com/run/1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    log = tmp_path / "log"
    if request_ is None:
        assert not log.exists()
        return
    said = log.read_text()
    assert said.startswith(f"api --silent --method {request_} --field body=@comment.md ")
    body = (tmp_path / "comment.md").read_text().splitlines()
    assert body[:4] == [
        "<!-- backout: risk -->",
        "### New and changed revisions",
        "",
        table or "There is none any more.",
    ]
    assert "https://forge.example.com/run/1" in body[-1]


def test_only_a_branch_of_this_repository_is_commented() -> None:
    job = load(DOCS)["jobs"]["comment"]
    assert job["needs"] == "risk"
    assert "github.event.pull_request.head.repo.full_name == github.repository" in job["if"]
    assert load(DOCS)["jobs"]["risk"]["if"] == "github.event_name == 'pull_request'"


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
