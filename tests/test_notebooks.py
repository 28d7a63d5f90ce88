"""Notebooks as pages: their source form, how they are run, what is left of a run, what a notebook needs for itself.

How they look on the site is tested in ``test_site_notebooks.py``; the onboarding notebooks are tested as pages.
"""

import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg
import pytest

from backout import executed, notebooks
from backout.configuration import load_project
from backout.pages import parse_notebook, read_page, source_form
from backout.postgres import Server
from backout.record import PageRecord, StepRecord, read_runs, text_hash

ROOT = Path(__file__).parents[1]
ONBOARDING = sorted((ROOT / "docs/onboarding").glob("*.ipynb"))


def notebook(*cells: str | tuple[str, str], **front: Any) -> str:
    """A notebook in source form: code, or a kind and its text."""
    pairs = [("code", cell) if isinstance(cell, str) else cell for cell in cells]
    return source_form(
        json.dumps(
            {
                "cells": [
                    {"cell_type": kind, "id": f"cell-{number}", "metadata": {}, "source": text}
                    for number, (kind, text) in enumerate(pairs)
                ],
                "metadata": {"backout": front},
                "nbformat": 4,
                "nbformat_minor": 5,
            }
        )
    )


def problems(text: str) -> list[str]:
    return [str(problem) for problem in parse_notebook(text, "x.ipynb").problems]


# -- source form --------------------------------------------------------------------------------------


def test_the_onboarding_notebooks_hold_no_outputs_and_end_with_what_to_read_next() -> None:
    assert len(ONBOARDING) >= 4
    for path in ONBOARDING:
        text = path.read_text(encoding="utf-8")
        assert source_form(text) == text
        cells = json.loads(text)["cells"]
        assert not [cell for cell in cells if cell.get("outputs") or cell.get("execution_count")]
        assert "**Read next**: [" in "".join(cells[-1]["source"])
        assert any("assert " in "".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
        assert sum("begin(" in "".join(cell["source"]) for cell in cells if cell["cell_type"] == "code") >= 1


def test_source_form_is_what_jupyter_writes() -> None:
    import nbformat  # noqa: PLC0415 - slow

    for path in ONBOARDING:
        text = path.read_text(encoding="utf-8")
        read = nbformat.reads(text, as_version=4)
        nbformat.validate(read)
        assert nbformat.writes(read) == text.rstrip("\n")


def test_what_a_run_leaves_is_taken_out() -> None:
    plain = notebook("print(1)", ("markdown", "# T"), database={"revision": "head"})
    used = json.loads(plain)
    used["cells"][0] |= {
        "execution_count": 3,
        "outputs": [{"output_type": "stream", "name": "stdout", "text": ["1\n"]}],
        "metadata": {"execution": {"iopub.status.busy": "2026-01-13T09:14:00Z"}, "scrolled": True},
    }
    used["metadata"] |= {"language_info": {"name": "python", "version": "3.12.1"}, "widgets": {}}
    text = json.dumps(used)
    assert source_form(text) == plain
    assert problems(plain) == []
    told = "from here on it is not in source form: it holds outputs, or what else a run has left"
    assert problems(text) == [f"x.ipynb:1: {told}; pytest x.ipynb --update takes that out"]


def test_a_line_of_a_cell_is_the_line_of_the_file() -> None:
    prose = "# Begin\n\nSee `users`.\n\n<!-- timeout: 7 -->"
    text = notebook(("markdown", prose), "one = 1\n\ntwo = '''\n# no\n'''", "3")
    page = parse_notebook(text, "x.ipynb")
    lines = text.split("\n")
    assert [(step.id, step.timeout) for step in page.steps] == [("begin.1", 7), ("begin.2", None)]
    assert [lines[step.commands[0].line - 1].strip() for step in page.steps] == ['"one = 1\\n",', '"3"']
    assert [lines[span.line - 1].strip() for span in page.spans] == ['"See `users`.\\n",']
    assert page.steps[0].text == "one = 1\n\ntwo = '''\n# no\n'''\n"
    assert page.source == text


def test_front_matter_is_in_the_metadata() -> None:
    page = parse_notebook(notebook("1", title="T", database={"revision": "head", "rows": "sample"}), "x.ipynb")
    assert (page.title, page.front.revision, page.front.rows) == ("T", "head", "sample")
    assert problems(notebook("1", databse={})) == [
        "x.ipynb:1: unknown front matter databse; known are database, names, runbook, services, title …"
    ]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('{"nbformat": 4}', "x.ipynb:1: it is no notebook of nbformat 4.5: KeyError('metadata'); mend it"),
        ("{", "x.ipynb:1: Expecting property name enclosed in double quotes: line 1 column 2 (char 1); mend it"),
        ('{"nbformat": 3}', "x.ipynb:1: it is of nbformat 3, not 4; mend it"),
        (notebook("1", ""), "x.ipynb:19: this cell is empty; delete it"),
        (notebook(("raw", "x")),
         "x.ipynb:7: this cell is raw, so nobody runs it and nobody sees it; make it code or Markdown"),
        (notebook(("markdown", "a\n\n```bash\nmake\n```\n")),
         "x.ipynb:10: this block would be shown and never run; make it a cell of its own"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_notebook(text: str, wanted: str) -> None:
    assert problems(text) == [wanted]


# -- how it is run ------------------------------------------------------------------------------------

GOOD = notebook(
    ("markdown", "# Good\n\n## One"),
    "import os, psycopg\n\nconnection = psycopg.connect(os.environ['DATABASE_URL'], autocommit=True)\n"
    "print(connection.execute('SELECT current_database()').fetchone()[0], os.getcwd())",
    "from pathlib import Path\n\nPath('new.txt').write_text('new');",
    ("markdown", "## Two"),
    "%%bash -eo pipefail\ncat new.txt",
)
BAD = {
    "raises.ipynb": notebook(
        ("markdown", "# T"), "one = 1", "def claim():\n    assert one == 2, 'no'\n\n\nclaim()", "3"
    ),
    "hangs.ipynb": notebook(("markdown", "# T\n\n<!-- timeout: 4 -->"), "import time\ntime.sleep(100)"),
    "dies.ipynb": notebook("import os\n\nos._exit(3)"),
    "shell.ipynb": notebook("%%bash -eo pipefail\nfalse | cat"),
    "tells.ipynb": notebook("import os\n\nprint(os.path.expanduser('~'), 'http://localhost:8000/')"),
    "shows.ipynb": notebook(
        "from IPython.display import SVG, display\n\ndisplay(SVG('<svg xmlns=\"http://www.w3.org/2000/svg\"/>'))"
    ),
    "dirty.ipynb": json.dumps(json.loads(notebook("1"))),
}


@pytest.fixture(scope="module")
def ran(
    tmp_path_factory: pytest.TempPathFactory, backout_server: Server, make_chain: Callable[[Path], Any]
) -> tuple[Path, str]:
    """A project of its own with notebooks, after one run of pytest; and what that printed."""
    root = tmp_path_factory.mktemp("project") / "crew"
    make_chain(root)
    (root / "pyproject.toml").write_text(
        '[tool.backout]\npages = ["*.ipynb"]\n[tool.pytest.ini_options]\nfilterwarnings = ["error"]\n'
    )
    for name, text in {"good.ipynb": GOOD, **BAD}.items():
        (root / name).write_text(text)
    return root, _pytest(root, backout_server, "-v")


def _pytest(root: Path, server: Server, *arguments: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "BACKOUT_"))}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--no-header", "--color=no", "-p", "no:cacheprovider", *arguments],
        cwd=root,
        env={**environment, "BACKOUT_POSTGRES": server.url, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


def _outcomes(printed: str, name: str) -> dict[str, str]:
    return dict(re.findall(rf"^{re.escape(name)}::(\S+) (\w+)", printed, re.MULTILINE))


def test_each_cell_is_a_test(ran: tuple[Path, str]) -> None:
    assert _outcomes(ran[1], "good.ipynb") == dict.fromkeys(
        ["contract", "one.1", "one.2", "two.1", "names", "outputs"], "PASSED"
    )
    assert not (ran[0] / "new.txt").exists()


def test_a_cell_that_raises_is_named_with_its_line(ran: tuple[Path, str]) -> None:
    assert _outcomes(ran[1], "raises.ipynb") == {
        "contract": "PASSED", "t.1": "PASSED", "t.2": "FAILED", "t.3": "SKIPPED", "names": "PASSED",
        "outputs": "SKIPPED",
    }  # fmt: skip
    line = 1 + BAD["raises.ipynb"].split("\n").index("    \"    assert one == 2, 'no'\\n\",")
    assert f"raises.ipynb:{line}: \"assert one == 2, 'no'\" ended with AssertionError, not with 0; it printed" in ran[1]
    assert "    Cell In[2], line 2, in claim()" in ran[1]
    assert not (ran[0] / "build/notebooks" / "18" / "raises.ipynb").exists()


def test_a_cell_that_hangs_is_stopped(ran: tuple[Path, str]) -> None:
    assert "hangs.ipynb:20: 'import time' was stopped after 4 s, its time-out; it printed nothing" in ran[1]


def test_a_cell_that_ends_the_kernel_fails(ran: tuple[Path, str]) -> None:
    told = "error: the cell ended the kernel itself"
    assert f"dies.ipynb:10: 'import os' ended with 1, not with 0; it printed\n    {told}" in ran[1]


def test_a_shell_cell_that_fails_fails(ran: tuple[Path, str]) -> None:
    told = "shell.ipynb:10: '%%bash -eo pipefail' ended with CalledProcessError, not with 0; it printed\n"
    assert told in ran[1]


def test_what_must_not_be_published_fails(ran: tuple[Path, str]) -> None:
    home = Path.home()
    assert _outcomes(ran[1], "tells.ipynb")["outputs"] == "FAILED"
    assert "tells.ipynb:9: it shows 'localhost:8000', a port of this machine; print less" in ran[1]
    assert _outcomes(ran[1], "shows.ipynb")["outputs"] == "FAILED"
    assert (
        "shows.ipynb:9: it shows a picture without a text for those who cannot see it; "
        "show it with backout.notebooks.show(figure, text)"
    ) in ran[1]
    outputs = [{"output_type": "stream", "text": f"in {home}/x"}]
    shown = json.dumps({"cells": [{"cell_type": "code", "outputs": outputs}]})
    assert (1, f"it shows {home}, a path of this machine; print less") in list(executed.unfit(shown, [str(home)]))


def test_what_is_left_of_a_run(ran: tuple[Path, str], backout_server: Server) -> None:
    root, major = ran[0], backout_server.major
    runs = read_runs(root / "build/run.json")
    assert set(runs) == {"good.ipynb", *BAD}
    record = runs["good.ipynb"][major]
    assert (record.source, record.failed, record.postgres) == (text_hash(GOOD), False, backout_server.version)
    assert [step.id for step in record.steps] == ["contract", "names", "outputs", "one.1", "one.2", "two.1"]
    assert runs["raises.ipynb"][major].failed
    left = json.loads(executed.place(root, major, "good.ipynb").read_text())
    code = [cell for cell in left["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == [1, 2, 3]
    assert [output["text"] for cell in code for output in cell["outputs"]] == ["backout_… …\n", "new"]
    assert source_form(json.dumps({**left, "metadata": {"backout": {}}})) == GOOD
    assert executed.find(root, "good.ipynb", GOOD, runs["good.ipynb"]) == executed.place(root, major, "good.ipynb")
    assert executed.find(root, "good.ipynb", GOOD + " ", runs["good.ipynb"]) is None
    assert executed.find(root, "raises.ipynb", BAD["raises.ipynb"], runs["raises.ipynb"]) is None


def test_unchanged_notebooks_are_left_out_as_long_as_their_copy_is_there(
    ran: tuple[Path, str], tmp_path: Path, backout_server: Server
) -> None:
    root = Path(shutil.copytree(ran[0], tmp_path / "crew"))
    assert "6 deselected" in _pytest(root, backout_server, "--skip-unchanged", "good.ipynb")
    executed.place(root, backout_server.major, "good.ipynb").unlink()
    assert "6 passed" in _pytest(root, backout_server, "--skip-unchanged", "good.ipynb")


def test_update_takes_outputs_out(ran: tuple[Path, str], tmp_path: Path, backout_server: Server) -> None:
    assert _outcomes(ran[1], "dirty.ipynb")["contract"] == "FAILED"
    root = Path(shutil.copytree(ran[0], tmp_path / "crew"))
    assert "4 passed" in _pytest(root, backout_server, "--update", "dirty.ipynb")
    assert (root / "dirty.ipynb").read_text() == notebook("1")


def test_the_newest_postgresql_whose_run_passed_is_shown(tmp_path: Path) -> None:
    def record(outcome: str, source: str = "{}") -> PageRecord:
        step = StepRecord("t.1", 1, "python", "run", outcome)  # type: ignore[arg-type]
        return PageRecord("f", text_hash(source), "2026-01-13T09:14:00+00:00", "abc", "18.6", 1.0, (step,))

    for major in (15, 18):
        executed.keep('{"cells": [], "metadata": {}}', executed.place(tmp_path, major, "x.ipynb"), "{}")
    for records, wanted in (
        ({15: record("passed"), 18: record("passed")}, 18),
        ({15: record("passed"), 18: record("failed")}, 15),
        ({15: record("passed"), 18: record("passed", "older")}, 15),
        ({18: record("failed")}, None),
        ({}, None),
    ):
        found = executed.find(tmp_path, "x.ipynb", "{}", records)
        assert found == (None if wanted is None else executed.place(tmp_path, wanted, "x.ipynb"))


# -- what a notebook needs for itself -----------------------------------------------------------------


@pytest.fixture
def entered(
    monkeypatch: pytest.MonkeyPatch, backout_server: Server, tmp_path: Path, make_chain: Callable[[Path], Any]
) -> Path:
    """In a project, where the environment names somebody's real database; afterwards all is as before."""
    root = tmp_path / "crew"
    make_chain(root).add("a1", "op.execute('CREATE TABLE t ()')", "op.execute('DROP TABLE t')")
    (root / "pyproject.toml").write_text("[tool.backout]\nsample = \"psql -qc 'CREATE TABLE sample ()'\"\n")
    for name in ("PGHOST", "PGDATABASE"):
        monkeypatch.setenv(name, "of-somebody")
    monkeypatch.setenv("DATABASE_URL", "postgresql://of-somebody/real")
    monkeypatch.setenv("BACKOUT_POSTGRES", backout_server.handle())
    monkeypatch.chdir(root)
    return root


def test_a_notebook_gets_a_world_of_its_own(
    entered: Path, capsys: pytest.CaptureFixture[str], backout_server: Server
) -> None:
    before = dict(os.environ)
    try:
        notebooks.begin()
        first = os.environ["DATABASE_URL"]
        assert Path.cwd() != entered
        assert load_project(Path.cwd()).root == Path.cwd()
        Path("alembic.ini").unlink()
        with psycopg.connect(first) as connection:
            assert connection.execute("SELECT to_regclass('t'), to_regclass('sample')").fetchone() == ("t", "sample")
        assert capsys.readouterr().out == (
            f"PostgreSQL {backout_server.version}: a database of its own, at head with the sample rows; "
            "a copy of the repository\n"
        )
        asked = subprocess.run(["psql", "-XAtc", "SELECT to_regclass('t')"], capture_output=True, text=True, check=True)
        assert asked.stdout == "t\n"
        notebooks.begin(revision="base", rows="none")  # and a fresh one
        assert os.environ["DATABASE_URL"] != first
        assert Path("alembic.ini").is_file()
        with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
            assert connection.execute("SELECT to_regclass('t')").fetchone() == (None,)
        with pytest.raises(psycopg.OperationalError, match="does not exist"):
            psycopg.connect(first)
        last, place = os.environ["DATABASE_URL"], Path.cwd()
    finally:
        notebooks._WORLD.close()
    assert dict(os.environ) == before
    assert Path.cwd() == entered
    assert (entered / "alembic.ini").is_file()
    assert not place.exists()
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(last)


def test_a_picture_says_what_it_shows_and_is_the_same_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    from matplotlib import pyplot  # noqa: PLC0415 - slow

    shown: list[dict[str, str]] = []
    monkeypatch.setattr("IPython.display.display", lambda data, **_: shown.append(data))
    for _ in range(2):
        figure, axes = pyplot.subplots()
        axes.plot([1, 2], [3, 4])
        axes.set_title("a & b")
        notebooks.show(figure, "Grows < falls.")
    assert pyplot.get_fignums() == []
    assert shown[0] == shown[1]
    assert "<title>Grows &lt; falls.</title>" in shown[0]["image/svg+xml"]
    assert ">a &amp; b</text>" in shown[0]["image/svg+xml"]
    output = {"output_type": "display_data", "data": shown[0]}
    assert list(executed.unfit(json.dumps({"cells": [{"cell_type": "code", "outputs": [output]}]}), [])) == []


def test_jupyter_saves_a_notebook_without_its_outputs() -> None:
    plain = json.loads(notebook("1"))
    used = json.loads(notebook("1"))
    used["cells"][0]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "1"}]
    model = {"type": "notebook", "content": used}
    notebooks.save_as_source(model=model, path="x.ipynb", contents_manager=None)
    assert model["content"] == plain
    other = {"type": "file", "content": "text"}
    notebooks.save_as_source(model=other, path="x.txt", contents_manager=None)
    assert other["content"] == "text"


@pytest.mark.skipif(find_spec("jupyterlab") is None, reason="NOT CHECKED: make notebook: no JupyterLab is installed")
def test_make_notebook_opens_jupyter_where_nothing_can_be_broken(
    working_copy: Any, environment: dict[str, str], backout_server: Server, tmp_path: Path, browser: Any
) -> None:
    root = working_copy.root
    tiny = notebook(
        ("markdown", "# Tiny"),
        "from backout.notebooks import begin\n\nbegin()",
        "%%bash -eo pipefail\nrm -r alembic\npsql -XAtc 'DROP TABLE sessions' -c 'SELECT count(*) FROM users'\n"
        'echo "in $PWD, $PGDATABASE"',
    )
    path = root / "docs/onboarding/tiny.ipynb"
    path.write_text(tiny)
    command = ["make", "--no-print-directory", "notebook", "NOTEBOOK_ARGS=--no-browser --ServerApp.port=0"]
    variables = {"BACKOUT_POSTGRES": backout_server.url, "HOME": str(tmp_path), "JUPYTER_PLATFORM_DIRS": "1"}
    keyboard, terminal = pty.openpty()  # Jupyter takes Ctrl-C from people only
    with subprocess.Popen(
        command, cwd=root, env={**environment, **variables}, stdin=terminal, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, start_new_session=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        try:
            printed = ""
            for line in process.stdout:
                printed += line
                if found := re.search(r"(http://127\.0\.0\.1:\d+)(/lab\S*token=\w+)", line):
                    break
            assert found, printed
            page = browser.new_page()
            page.set_default_timeout(120_000)
            page.goto(found[0])
            page.get_by_role("heading", name="Your first migration").wait_for()
            # By itself, so that it is the one which is run.
            page.goto(found[0].replace("first-migration", "tiny").replace("/lab/", "/doc/"))
            page.get_by_role("heading", name="Tiny").wait_for()
            page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
            page.get_by_role("menuitem", name="Run", exact=True).click()
            page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
            shown = page.locator(".jp-OutputArea-output", has_text="in /")
            shown.wait_for()
            assert "DROP TABLE\n25\n" in shown.inner_text()
            own = shown.inner_text().rpartition(", ")[2].strip()
            assert own.startswith("backout_")
            saved = path.stat().st_mtime_ns
            page.keyboard.press("Control+s")
            while path.stat().st_mtime_ns == saved:
                page.wait_for_timeout(100)
            page.close()
        finally:
            os.killpg(process.pid, signal.SIGINT)
            process.communicate(timeout=60)
            os.close(keyboard)
            os.close(terminal)
    assert path.read_text() == tiny
    assert (root / "alembic/env.py").is_file()
    with psycopg.connect(backout_server.url) as connection:
        query = "SELECT count(*) FROM pg_database WHERE datname = %s"
        assert connection.execute(query, [own]).fetchone() == (0,)


def test_the_onboarding_notebooks_are_pages() -> None:
    paths = set(load_project(ROOT).page_paths())
    assert set(ONBOARDING) <= paths
    for path in ONBOARDING:
        page = read_page(path, ROOT)
        assert page.title != page.path
        assert json.loads(page.source)["metadata"]["backout"]["description"]
