"""backout.worlds, and what execute proves in them of a runbook: its incident, its ways back, its checks later on."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from backout.configuration import Project
from backout.pages import read_page
from backout.postgres import Database, Server, real_database
from backout.worlds import OPERATORS_TIMEOUT, missing_needs, real_world

pytest_plugins = ["pytester"]
SAMPLES = Path(__file__).parent / "samples"
COUNT_UP = [
    "contract", "when.1", "incident", "before.1", "before.1.sabotage", "one.way-back", "one.1", "one.2",
    "one.2.sabotage", "two.way-back", "two.1", "two.2", "two.2.sabotage", "two.again", "forget.1", "forget.2",
    "forget.again", "verify.1", "verify.1.sabotage", "names",
]  # fmt: skip

UNTOUCHED = ("contract", "when.1", "names")  # of a page that stops at its first block; it has no inline code

Run = Callable[..., dict[str, str]]


@pytest.fixture
def root(pytester: pytest.Pytester) -> Path:
    root = pytester.path
    for folder in ("runbooks", "incidents"):
        shutil.copytree(SAMPLES / folder, root / folder)
    (root / "pyproject.toml").write_text(
        '[tool.backout]\npages = ["runbooks/*.md"]\n\n'
        '[tool.pytest.ini_options]\naddopts = ["--import-mode=importlib"]\nfilterwarnings = ["error"]\n'
    )
    (root / ".gitignore").write_text("build/\n.pytest_cache/\n__pycache__/\n")
    (root / "alembic/versions").mkdir(parents=True)
    subprocess.run(["git", "init", "--quiet"], cwd=root, check=True)
    return root


@pytest.fixture
def run(root: Path, pytester: pytest.Pytester, backout_server: Server) -> Run:
    """Run a runbook whose text is changed: item → ``passed``, ``skipped``, or its failure."""

    def run(*changes: tuple[str, str], name: str = "count-up") -> dict[str, str]:
        path = root / "runbooks" / f"{name}.md"
        text = path.read_text()
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        path.write_text(text)
        with pytest.MonkeyPatch.context() as patch:
            for variable in os.environ:
                if variable.startswith(("BACKOUT_", "PYTEST_")):
                    patch.delenv(variable)
            patch.setenv("BACKOUT_POSTGRES", backout_server.url)
            patch.setenv("COLUMNS", "200")
            options = ("-v", "--no-header", "--color=no", "-p", "no:cacheprovider")
            result = pytester.runpytest_inprocess(*options, f"runbooks/{name}.md")
        output = f"{result.stdout}\n"
        outcomes = dict(re.findall(r"^\S+::(\S+) (PASSED|FAILED|SKIPPED)", output, re.MULTILINE))
        told = dict(
            re.findall(rf"^_+ runbooks/{name}.md (\S+) _+\n(.*?)\n(?=[_=]{{10}})", output, re.MULTILINE | re.DOTALL)
        )
        return {item: told[item] if outcome == "FAILED" else outcome.lower() for item, outcome in outcomes.items()}

    return run


def line(root: Path, text: str, name: str = "count-up") -> int:
    lines = (root / "runbooks" / f"{name}.md").read_text().splitlines()
    return next(number for number, one in enumerate(lines, 1) if one.startswith(text))


# -- proofs -------------------------------------------------------------------------------------------


def test_a_runbook_and_its_proofs(run: Run) -> None:
    assert run() == dict.fromkeys(COUNT_UP, "passed")


def test_an_incident_that_goes_on_holds_a_lock_and_tells_a_variable(run: Run) -> None:
    """Sabotages and ways back are proved in worlds of their own; this page's incident is not disturbed."""
    outcomes = run(name="unlock")
    assert set(outcomes.values()) == {"passed"}, outcomes
    assert {"incident", "close.way-back", "open.way-back", "end.again", "before.1.sabotage"} <= outcomes.keys()


def test_a_symptom_that_shows_without_the_incident(run: Run, root: Path) -> None:
    symptom = 'psql -XAtc "SELECT count(*) FROM numbers WHERE n > 9"'
    told = run((symptom, "echo 0"))["incident"]
    where = f"runbooks/count-up.md:{line(root, '```bash')}"
    assert told == f"{where}: the symptom also shows without the incident, so that it tells nothing"


def test_a_symptom_that_does_not_come_out_without_the_incident(run: Run, root: Path) -> None:
    """A time-out is no proof."""
    symptom = 'psql -XAtc "SELECT count(*) FROM numbers WHERE n > 9"'
    told = run((f"```bash\n{symptom}", f"<!-- timeout: 2 -->\n```bash\nuntil {symptom} 2>/dev/null; do :; done"))
    where = f"runbooks/count-up.md:{line(root, '```bash')}"
    assert told["incident"].startswith(
        f"{where}: without the incident the symptom did not come out: runbooks/count-up.md:"
    )


def test_a_symptom_that_does_not_show(run: Run) -> None:
    outcomes = run(("count(*) FROM numbers WHERE n > 9", "count(*) + 1 FROM numbers"))
    assert outcomes["when.1"].startswith("runbooks/count-up.md:20: 'psql -XAtc ")
    assert {outcome for name, outcome in outcomes.items() if name not in UNTOUCHED} == {"skipped"}


def test_an_incident_that_fails(run: Run, root: Path) -> None:
    (root / "incidents/numbers.sh").write_text("echo begun\nfalse\necho not here\n")
    outcomes = run()
    assert outcomes["when.1"] == (
        f"runbooks/count-up.md:{line(root, '```bash')}: the page's world could not be made: the incident "
        "incidents/numbers.sh ended with 1; it printed\n    begun"
    )
    assert {outcome for name, outcome in outcomes.items() if name not in UNTOUCHED} == {"skipped"}


def test_an_incident_that_is_none(run: Run, root: Path) -> None:
    told = run(("incidents/numbers.sh", "incidents/no.sh"))["when.1"]
    assert told.endswith("the incident incidents/no.sh is no file of the project; write it, or mend the path")


def test_an_incident_tells_only_what_is_needed(run: Run, root: Path) -> None:
    with (root / "incidents/numbers.sh").open("a") as file:
        file.write('echo OTHER=1 >>"$BACKOUT_NEEDS"\n')
    assert run()["when.1"].endswith(
        "the incident incidents/numbers.sh wrote 'OTHER=1' to $BACKOUT_NEEDS, which takes NAME=value lines of what is "
        "under needs: in the front matter"
    )


def test_what_is_needed_must_be_there(run: Run) -> None:
    needs = "needs: [DATABASE_URL, THIS, no-such-tool]"
    told = run(("needs: [DATABASE_URL, psql]", needs), ("# Count up\n", "# Count up\n\nBy `THIS`.\n"))["when.1"]
    assert told.endswith(
        "runbooks/count-up.md needs what its world has not: THIS is not set: see line 15, no-such-tool is not on PATH; "
        "give variables under examples: in the front matter, or have the incident write them"
    )


def test_examples(run: Run) -> None:
    needs = "needs: [DATABASE_URL, THIS]\n  examples: {THIS: '9'}"
    outcomes = run(
        ("needs: [DATABASE_URL, psql]", needs), ("n > 9", "n > $THIS"), ("# Count up\n", "# Count up\n\nBy `THIS`.\n")
    )
    assert set(outcomes.values()) == {"passed"}, outcomes


def test_a_way_back_that_does_not_lead_back(run: Run, root: Path) -> None:
    told = run(("DELETE FROM numbers WHERE n = 1;\n```\n", "UPDATE numbers SET n = 7;\n```\n"))["one.way-back"]
    back = line(root, "<!-- way back") + 1
    assert told.splitlines() == [
        f"runbooks/count-up.md:{back}: the way back does not lead back:",
        "    table public.numbers: 0 of 0 rows are gone or changed, 1 are new",
        "    + n=7",
    ]


def test_a_way_back_that_fails(run: Run) -> None:
    told = run(("DELETE FROM numbers WHERE n = 1;\n```\n", "DELETE FROM nmbers;\n```\n"))["one.way-back"]
    assert "'DELETE FROM nmbers;' ended with 42P01, not with 0; it printed" in told


def test_a_way_back_of_nothing_that_is_seen(run: Run, root: Path) -> None:
    outcomes = run(
        ("INSERT INTO numbers VALUES (1);", "SELECT 1;"),
        ("DELETE FROM numbers WHERE n = 1;\n```\n", "SELECT 2;\n```\n"),
        ("psql -XAtc 'SELECT count(*) > 0 FROM numbers WHERE n = 1' | grep -x t", "test ! -e x"),
        ("<!-- sabotage: psql -qXc 'DELETE FROM numbers WHERE n = 1' -->", "<!-- sabotage: touch x -->"),
    )  # fmt: skip
    assert outcomes["one.way-back"] == (
        f"runbooks/count-up.md:{line(root, '<!-- way back') + 1}: the step changes nothing that this proof sees "
        "(schema, rows, sequences, files that were there, what its checks say), so that nothing shows that the way "
        "back leads back; add a check to the step that fails before it, or say <!-- no way back: reason -->"
    )


def test_a_way_back_of_files_is_seen_by_the_step_s_check(run: Run) -> None:
    changes = [
        ("INSERT INTO numbers VALUES (1);", "\\! touch dump"),
        ("DELETE FROM numbers WHERE n = 1;\n```\n", "\\! rm dump\n```\n"),
        ("psql -XAtc 'SELECT count(*) > 0 FROM numbers WHERE n = 1' | grep -x t", "test -e dump"),
        ("<!-- sabotage: psql -qXc 'DELETE FROM numbers WHERE n = 1' -->", "<!-- sabotage: rm dump -->"),
    ]  # fmt: skip
    assert run(*changes)["one.way-back"] == "passed"
    assert "the check one.2 failed before the step" in run(("\\! rm dump", "\\! true"))["one.way-back"]


def test_a_check_that_a_later_step_makes_untrue(run: Run, root: Path) -> None:
    outcomes = run(("<!-- until: forget -->\n", ""))
    assert outcomes["two.again"] == "passed"
    fence = line(root, "psql -XAtc 'SELECT count(*) > 0") - 1
    assert outcomes["forget.again"].startswith(
        f"runbooks/count-up.md:{fence}: the check one.2 does not hold any more after the step forget, and a run that "
        "is resumed there would stop at it; say <!-- until: forget --> above it, if that is right: runbooks/"
    )


@pytest.mark.parametrize("language", ["bash", "sql", "python"])
def test_what_says_that_it_only_reads_cannot_write_by_mistake(run: Run, language: str) -> None:
    write = "INSERT INTO numbers VALUES (5)"
    text = {
        "sql": f"{write};", "bash": f'psql -qXc "{write}"',
        "python": f"import os, psycopg\npsycopg.connect(os.environ['DATABASE_URL']).execute('{write}')",
    }[language]  # fmt: skip
    told = run(("### 2. Add two {#two}\n", f"### 2. Add two {{#two}}\n\n```{language}\n{text}\n```\n"))["two.1"]
    assert "cannot execute INSERT in a read-only transaction" in told


def test_each_block_starts_afresh(run: Run) -> None:
    """So that a run can be resumed between any two."""
    told = run(
        ("echo \"begun, ${GREETING-nobody}\"\n", 'name=value; echo "$name" >file; cd /\n'),
        ("if [ -e slow ]; then psql -qXc 'SELECT pg_sleep(600)'; fi\ntest ! -e broken\n", ""),
        ("```bash\npsql -XAtc 'SELECT count(*) > 0 FROM numbers WHERE n = 2'", (
            "```bash\ngrep -qx value file\necho $name\n```\n\n"
            "```bash\npsql -XAtc 'SELECT count(*) > 0 FROM numbers WHERE n = 2'"
        )),
    )["two.2"]  # fmt: skip
    assert "'echo $name' ended with 1, not with 0; it printed\n    bash: name: unbound variable" in told


# -- the real world -----------------------------------------------------------------------------------


def test_the_real_world(
    root: Path, tmp_path: Path, disposable: Callable[[], Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"LC_ALL": "de_DE.UTF-8", "TZ": "Asia/Tokyo", "KEPT": "1", "PGPASSWORD": "x"}.items():
        monkeypatch.setenv(name, value)
    with real_database(disposable().url) as database:
        world = real_world(Project(root), database, tmp_path)
        assert (world.cwd, world.timeout) == (root, OPERATORS_TIMEOUT)
        environment = world.environment
        assert (environment["KEPT"], environment["TZ"], environment["LC_ALL"]) == ("1", "UTC", "C.UTF-8")
        assert (environment["DATABASE_URL"], environment["COLUMNS"]) == (database.url, "80")
        page = read_page(root / "runbooks/count-up.md", root)
        assert missing_needs(page, environment) == []
        assert missing_needs(page, {"PATH": str(tmp_path)}) == ["DATABASE_URL is not set", "psql is not on PATH"]
        version = subprocess.run(
            ["psql", "--version"], env=dict(environment), capture_output=True, text=True, check=True
        )
        assert f"(PostgreSQL) {database.major}." in version.stdout
    world = real_world(Project(root), None, tmp_path)
    assert world.environment["PGPASSWORD"] == "x"
