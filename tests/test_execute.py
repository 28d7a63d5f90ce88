"""backout.execute: the steps of a page in a world of their own, and the proofs that its checks can fail."""

import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from backout.configuration import Project, Service
from backout.execute import PageRun, Result, write_updates
from backout.pages import read_page
from backout.postgres import Server
from backout.repository import copy_repository, repository_files

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="NOT CHECKED: bash and its processes are POSIX's")

Open = Callable[..., AbstractContextManager[PageRun]]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "kept.txt").write_text("kept\n")
    return folder


@pytest.fixture
def scratch_folder() -> Iterator[Path]:
    """In memory where that is possible: a page makes and removes many small files."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        yield Path(folder)


@pytest.fixture
def opened(root: Path, scratch_folder: Path, backout_server: Server) -> Open:
    """Parse a page of the project and open a run of it: ``opened(text)``."""

    @contextmanager
    def open_run(text: str, *, update: bool = False, **options: Any) -> Any:
        path = root / "page.md"
        path.write_text(text, encoding="utf-8")
        page = read_page(path, root)
        assert [str(problem) for problem in page.problems] == []
        scratch = scratch_folder / "page"
        scratch.mkdir()
        project = Project(root=root, pages=("*.md",), **options)
        with PageRun(page, project, backout_server, scratch=scratch, update=update) as run:
            yield run
        assert not list(scratch_folder.iterdir()) or not run.results

    return open_run


def results(run: PageRun) -> dict[str, Result]:
    run.reach_end()
    return run.results


def outcome(opened: Open, text: str, **options: Any) -> Result:
    """What became of a page's last block."""
    with opened(text, **options) as run:
        return run.reach(run.page.runnable[-1])


def message(opened: Open, text: str, **options: Any) -> str:
    result = outcome(opened, text, **options)
    assert result.outcome == "failed"
    return result.message


def passes(opened: Open, text: str, **options: Any) -> None:
    assert outcome(opened, text, **options) == Result("passed")


def shown(language: str, text: str, output: str) -> str:
    return f"```{language}\n{text}\n```\n<!-- output -->\n```text\n{output}\n```\n\n"


# -- one world a page ---------------------------------------------------------------------------------


def test_blocks_share_a_shell_a_namespace_and_a_database(opened: Open) -> None:
    passes(
        opened,
        "```bash\nmkdir sub\ncd sub\nname=value\n```\n"
        "```python\nfrom pathlib import Path\nx = 1\n```\n"
        "```sql\nCREATE TABLE t AS SELECT 1 AS one;\n```\n"
        "```console\n$ echo $name; basename $PWD\nvalue\nsub\n```\n"
        + shown("python", "print(x, Path('sub').is_dir())", "1 True")
        + shown("sh", 'psql -XAtc "SELECT one FROM t"', "1")
        + shown("sql", "SELECT one FROM t;", " one\n-----\n   1"),
    )


def test_each_page_is_fresh(opened: Open, root: Path) -> None:
    """Also the second run of the same page."""
    change = "ls; echo ${name-unset}; name=value; rm kept.txt; touch ~/new $TMPDIR/new; ls ~"
    text = (
        shown("bash", change, "kept.txt\n...\nunset\nnew")
        + shown("python", "print('x' in globals()); x = 1", "False")
        + "```sql\nCREATE TABLE t ();\n```\n"
    )
    for _ in range(2):
        passes(opened, text)
    assert sorted(path.name for path in root.iterdir()) == ["kept.txt", "page.md"]


def test_the_environment_is_clean(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AWS_SECRET_ACCESS_KEY": "secret",
        "GITHUB_TOKEN": "secret",
        "PGPASSWORD": "secret",
        "PGSERVICE": "secret",
        "BASH_ENV": "/no/such",
        "LANG": "de_DE.UTF-8",
        "LC_ALL": "de_DE.UTF-8",
        "TZ": "America/St_Johns",
        "COLUMNS": "33",
        "HOME": "/no/such/home",
        "PYTHONSTARTUP": "/no/such",
        "PYTHONPATH": "/no/such",
        "GIT_DIR": "/no/such",
    }.items():
        monkeypatch.setenv(name, value)
    known = {
        "PATH", "HOME", "TMPDIR", "PYTHONPATH", "PYTHONPYCACHEPREFIX", "BACKOUT_POSTGRES", "BACKOUT_STATE", "LANG",
        "TZ", "TERM", "COLUMNS", "LINES", "NO_COLOR", "PAGER", "MAKEFLAGS", "DATABASE_URL", "LD_LIBRARY_PATH",
        "SSL_CERT_FILE", "GIT_CONFIG_NOSYSTEM", "GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME",
        "GIT_COMMITTER_EMAIL", "PWD", "OLDPWD", "SHLVL", "_", "LC_CTYPE",
    }  # fmt: skip
    text = (
        "```bash\nenv -0 | grep -z secret && exit 1\nenv -0 | cut -z -d= -f1 | tr '\\0' '\\n' >names\n```\n"
        "```python\nimport os\nopen('more', 'w').write('\\n'.join(os.environ))\n"
        "assert 'secret' not in str(os.environ)\n```\n"
        + shown(
            "bash",
            'echo $LANG $TZ $COLUMNS ${LC_ALL-unset} ${PYTHONPATH##*/}; [ "$HOME" != /no/such/home ] && ls -A "$HOME"',
            "C.UTF-8 UTC 80 unset src",
        )
        + shown("sql", "SELECT DISTINCT current_database() ~ '^backout_' AS ours;", " ours\n------\n t")
    )
    with opened(text) as run:
        assert run.reach_end() is None
        names = {*(run.work / "names").read_text().split(), *(run.work / "more").read_text().split()}
        assert {name for name in names - known if not name.startswith("PG")} == set()
        assert not {"PGPASSWORD", "PGSERVICE"} & names


def test_the_repository_is_never_changed(opened: Open, root: Path) -> None:
    def git(*arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=True)
        return done.stdout

    git("init", "--quiet")
    (root / ".gitignore").write_text("ignored\n")
    (root / "ignored").write_text("secret\n")
    (root / "script.sh").write_text("#!/bin/sh\necho runs\n")
    (root / "script.sh").chmod(0o755)
    (root / "link").symlink_to("kept.txt")
    git("add", "--all")
    git("-c", "user.name=A", "-c", "user.email=a@x.org", "commit", "--quiet", "--message", "First")
    (root / "untracked.txt").write_text("new\n")
    text = (
        shown("bash", "ls; git status --short; ./script.sh", "kept.txt\nlink\npage.md\nscript.sh\nuntracked.txt\nruns")
        + "```bash\ngit rm -q kept.txt\ngit commit -q -m Deleted\nrm -r untracked.txt .git\necho x >link\n```\n"
    )
    (root / "page.md").write_text(text)
    before = (git("rev-parse", "HEAD"), git("status", "--porcelain"))
    passes(opened, text)
    assert (git("rev-parse", "HEAD"), git("status", "--porcelain")) == before
    assert (root / "kept.txt").read_text() == "kept\n"


def test_nothing_stays_behind(opened: Open, scratch_folder: Path, backout_server: Server) -> None:
    text = (
        "```bash\nsleep 600 & echo $! >>pids\nsetsid sleep 600 & echo $! >>pids\n"
        "mkdir closed; touch closed/x; chmod 0 closed\n"
        'psql -Xqc "SELECT pg_sleep(600)" >/dev/null & echo $! >>pids\n```\n'
        "```python\nimport subprocess\np = subprocess.Popen(['sleep', '600'])\n"
        "open('pids', 'a').write(str(p.pid))\n```\n"
    )
    with opened(text) as run:
        assert run.reach_end() is None
        pids = [int(pid) for pid in (run.work / "pids").read_text().split()]
        name = run.database.name
        assert len(pids) == 4
        assert [psutil.pid_exists(pid) for pid in pids] == [True] * 4
    assert [pid for pid in pids if psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie"] == []
    with psycopg.connect(backout_server.url) as connection:
        assert connection.execute("SELECT count(*) FROM pg_database WHERE datname = %s", [name]).fetchone() == (0,)
    assert list(scratch_folder.iterdir()) == []


# -- failures -----------------------------------------------------------------------------------------

FIRST = "# Page\n\nText\n\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("```bash\nfalse; echo x\n```\n", "page.md:6: 'false; echo x' ended with 1, not with 0; it printed nothing"),
        (
            "```bash\necho a\n\nfalse | cat\n```\n",
            "page.md:8: 'false | cat' ended with 1, not with 0; it printed\n    a",
        ),
        (
            "```bash\nf() {\n  echo a\n  ls /no-such\n}\nf\n```\n",
            (
                "page.md:8: 'ls /no-such' ended with 2, not with 0; it printed\n    a\n"
                "    ls: cannot access '/no-such': No such file or directory"
            ),
        ),
        (
            "```bash\nfor i in 1 2; do\n  [ $i = 1 ]\ndone\n```\n",
            "page.md:7: '[ $i = 1 ]' ended with 1, not with 0; it printed nothing",
        ),
        (
            '```bash\ntrue\necho "$UNSET"\n```\n',
            "page.md:7: 'echo \"$UNSET\"' ended with 1, not with 0; it printed\n    bash: UNSET: unbound variable",
        ),
        (
            "- Item\n\n    ```console\n    $ echo one\n    one\n    $ sh -c 'exit 4'\n    ```\n",
            "page.md:10: \"sh -c 'exit 4'\" ended with 4, not with 0; it printed nothing",
        ),
        (
            "```sql\nSELECT 1 AS a;\n\nSELECT nope;\n```\n",
            (
                "page.md:8: 'SELECT nope;' ended with 42703, not with 0; it printed\n     a \n    ---\n     1\n    \n"
                '    ERROR:  column "nope" does not exist\n    LINE 1: SELECT nope;\n                   ^'
            ),
        ),
        (
            "```bash\necho a\nexit 0\n```\n",
            (
                "page.md:6: 'echo a' ended the page's own shell or Python, in which the blocks behind it would run; "
                "it printed\n    a"
            ),
        ),
        (
            "<!-- timeout: 0.5 -->\n```bash\necho a\nsleep 600\n```\n",
            "page.md:7: 'echo a' was stopped after 0.5 s, its time-out; it printed\n    a",
        ),
        (
            "<!-- timeout: 0.5 -->\n```sql\nSELECT pg_sleep(600);\n```\n",
            "page.md:7: 'SELECT pg_sleep(600);' was stopped after 0.5 s, its time-out; it printed nothing",
        ),
    ],
)
def test_a_failure_names_the_failing_command(opened: Open, text: str, told: str) -> None:
    assert message(opened, FIRST + text) == told


def test_a_failure_in_python(opened: Open) -> None:
    told = message(opened, FIRST + "```python\nx = 0\ndef f():\n    return 1 / x\nf()\n```\n")
    first, second, *_, last = told.splitlines()
    assert first == "page.md:8: 'return 1 / x' ended with ZeroDivisionError, not with 0; it printed"
    assert (second, last) == ("    Traceback (most recent call last):", "    ZeroDivisionError: division by zero")


def test_a_failure_in_a_function_of_an_earlier_block(opened: Open) -> None:
    before = "```python\ndef f():\n    raise KeyError('k')\n```\n\nMore\n\n"
    told = message(opened, FIRST + before + "```python\nf()\n```\n")
    assert told.splitlines()[0] == "page.md:13: 'f()' ended with KeyError, not with 0; it printed"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "```console\n$ echo one; echo two\none\ntwo\n$ echo three; echo four\nthree\nfive\n```\n",
            (
                "page.md:9: 'echo three; echo four' printed something else than the page says\n"
                "--- page.md:10 (expected)\n+++ (printed)\n@@ -1,2 +1,2 @@\n three\n-five\n+four"
            ),
        ),
        (
            shown("bash", "true\necho one", "two"),
            (
                "page.md:6: 'true' printed something else than the page says\n"
                "--- page.md:11 (expected)\n+++ (printed)\n@@ -1 +1 @@\n-two\n+one"
            ),
        ),
        (
            shown("sql", "SELECT 1 AS one;", " one\n-----\n   2"),
            (
                "page.md:6: 'SELECT 1 AS one;' printed something else than the page says\n"
                "--- page.md:10 (expected)\n+++ (printed)\n@@ -1,3 +1,3 @@\n  one\n -----\n-   2\n+   1"
            ),
        ),
        (
            shown("python", "print('a')", "b\n..."),
            (
                "page.md:6: \"print('a')\" printed something else than the page says\n"
                "--- page.md:10 (expected)\n+++ (printed)\n@@ -1,2 +1,2 @@\n-b\n+a\n ..."
            ),
        ),
        (
            "```console\n$ echo one\n```\n",
            (
                "page.md:6: 'echo one' printed something else than the page says\n"
                "--- page.md:7 (expected)\n+++ (printed)\n@@ -0,0 +1 @@\n+one"
            ),
        ),
    ],
)
def test_output_that_differs(opened: Open, text: str, told: str) -> None:
    assert message(opened, FIRST + text) == told


def test_wildcards(opened: Open) -> None:
    passes(opened, "```console\n$ seq 9\n1\n...\n9\n$ date\n... UTC ...\n```\n" + shown("bash", "seq 3", "..."))


def test_a_page_stops_at_its_first_failure(opened: Open, tmp_path: Path) -> None:
    destroy = f"```bash\ntouch {tmp_path}/destroyed\n```\n```sql\nDROP x;\n```\n"
    text = f"```bash\ntrue\n```\n```bash\nfalse\n```\n{destroy}"
    with opened(text) as run:
        assert {name: result.outcome for name, result in results(run).items()} == {
            "top.1": "passed", "top.2": "failed", "top.3": "not reached", "top.4": "not reached",
        }  # fmt: skip
        assert run.results["top.3"].message == "not reached: page.md stopped at top.2"
        assert run.reach_end() == run.results["top.2"]
    assert not (tmp_path / "destroyed").exists()


def test_reaching_a_block_runs_what_is_before_it_once_and_nothing_behind(opened: Open) -> None:
    step = "```bash\necho x >>ran\n```\n"
    with opened(step * 3) as run:
        run.reach(run.page.steps[1])
        run.reach(run.page.steps[0])
        assert list(run.results) == ["top.1", "top.2"]
        assert (run.work / "ran").read_text() == "x\nx\n"


# -- expected failures --------------------------------------------------------------------------------


def fails(status: str, block: str) -> str:
    return FIRST + f"<!-- fails: {status} -->\n{block}"


GREP = "grep: no-such: No such file or directory"


@pytest.mark.parametrize(
    ("status", "block"),
    [
        ("2", shown("bash", "grep x no-such", GREP)),
        ("2", f"```console\n$ true\n$ grep x no-such\n{GREP}\n```\n"),
        ("3", shown("bash", "echo stopped\nexit 3", "stopped")),
        ("1", shown("bash", 'echo "$UNSET"', "bash: UNSET: unbound variable")),
        ("22012", shown("sql", "SELECT 1/0;", "ERROR:  division by zero")),
        ("KeyError", shown("python", "{}['k']", "...\nKeyError: 'k'")),
    ],
)
def test_a_failure_that_the_page_expects(opened: Open, status: str, block: str) -> None:
    """And the page goes on."""
    passes(opened, fails(status, block) + "```bash\ntrue\n```\n```sql\nSELECT 1;\n```\n```python\nx = 1\n```\n")


@pytest.mark.parametrize(
    ("status", "block", "told"),
    [
        (
            "1",
            shown("bash", "grep x no-such", GREP),
            f"'grep x no-such' ended with 2, not with 1; it printed\n    {GREP}",
        ),
        (
            "2",
            shown("bash", f"echo '{GREP}'", GREP),
            f"\"echo '{GREP}'\" ended with 0, not with 2; it printed\n    {GREP}",
        ),
        (
            "2",
            shown("bash", "grep x no-such", "grep: other: No such file or directory"),
            ("'grep x no-such' printed something else than the page says\n--- page.md:11 (expected)\n+++ (printed)\n"
            f"@@ -1 +1 @@\n-grep: other: No such file or directory\n+{GREP}"),
        ),
        (
            "22013",
            shown("sql", "SELECT 1/0;", "ERROR:  division by zero"),
            "'SELECT 1/0;' ended with 22012, not with 22013; it printed\n    ERROR:  division by zero",
        ),
        (
            "22012",
            shown("sql", "SELECT 1/0;", "ERROR:  division by one"),
            ("'SELECT 1/0;' printed something else than the page says\n--- page.md:11 (expected)\n+++ (printed)\n"
            "@@ -1 +1 @@\n-ERROR:  division by one\n+ERROR:  division by zero"),
        ),
    ],
)  # fmt: skip
def test_a_failure_of_another_kind(opened: Open, status: str, block: str, told: str) -> None:
    assert message(opened, fails(status, block)) == f"page.md:7: {told}"


@pytest.mark.parametrize(
    ("status", "output", "told"),
    [
        (
            "ValueError",
            "...\nKeyError: 'k'",
            "page.md:7: \"{}['k']\" ended with KeyError, not with ValueError; it printed",
        ),
        ("KeyError", "...\nKeyError: 'l'", "page.md:7: \"{}['k']\" printed something else than the page says"),
    ],
)
def test_an_exception_of_another_kind(opened: Open, status: str, output: str, told: str) -> None:
    assert message(opened, fails(status, shown("python", "{}['k']", output))).splitlines()[0] == told


def test_only_the_last_command_may_fail(opened: Open) -> None:
    told = message(opened, fails("1", "```console\n$ false\n$ echo x; false\nx\n```\n"))
    assert told == "page.md:7: 'false' ended with 1, not with 0; it printed nothing"


def test_a_time_out_is_no_expected_failure(opened: Open) -> None:
    block = "<!-- fails: 1 -->\n<!-- timeout: 0.3 -->\n" + shown("bash", "echo x\nsleep 600\nfalse", "x")
    assert message(opened, block) == "page.md:4: 'echo x' was stopped after 0.3 s, its time-out; it printed\n    x"


# -- checks and their sabotage ------------------------------------------------------------------------

LIST = """\
# List

```bash
echo backup >backup; echo rows >~/rows; echo part >$TMPDIR/part
```

- [ ] The backup is there
  ```bash
  test -s backup
  ```
  <!-- sabotage: {first} -->
- [ ] The rows are there
  ```sql
  SELECT count(*) / count(*) AS ok FROM t;
  ```
  <!-- sabotage: {second} -->
"""
TABLE = "```sql\nCREATE TABLE t AS SELECT 1 AS a;\n```\n\n"
DELETE = "psql -Xqc 'DELETE FROM t'"


def proofs(opened: Open, text: str, **options: Any) -> dict[str, Result]:
    with opened(text, **options) as run:
        return {step.id: run.prove(step) for step in run.page.runnable if step.sabotage is not None}


def told_by_first(opened: Open, first: str, second: str = DELETE) -> str:
    result = proofs(opened, TABLE + LIST.format(first=first, second=second))["list.2"]
    assert result.outcome == "failed"
    return result.message


def test_checks_that_can_fail(opened: Open) -> None:
    assert proofs(opened, TABLE + LIST.format(first="rm backup", second=DELETE)) == {
        "list.2": Result("passed"), "list.3": Result("passed"),
    }  # fmt: skip


def test_a_check_that_cannot_fail(opened: Open) -> None:
    assert told_by_first(opened, "touch other") == (
        "page.md:12: the check list.2 still passes after 'touch other'; it cannot fail"
    )


def test_a_sabotage_that_breaks_another_check_too(opened: Open) -> None:
    assert told_by_first(opened, f"rm backup; {DELETE}") == (
        f'page.md:12: the sabotage "rm backup; {DELETE}" also changes list.3; '
        "it must change only the fact that its own check is about"
    )


def test_a_sabotage_that_fails_itself(opened: Open) -> None:
    assert told_by_first(opened, "rm bakcup; rm backup") == (
        "page.md:12: the sabotage 'rm bakcup; rm backup' ended with 1; it printed\n"
        "    rm: cannot remove 'bakcup': No such file or directory"
    )


def test_a_check_that_does_not_hold_at_the_end_of_its_list(opened: Open) -> None:
    text = LIST.format(first="rm backup", second=DELETE)
    text = TABLE + text.replace("- [ ] The rows", "  ```bash\n  rm backup\n  ```\n- [ ] The rows")
    assert proofs(opened, text)["list.2"].message == (
        "page.md:12: the check list.2 fails at the end of its list, unsabotaged"
    )


def test_a_check_of_a_page_that_stopped(opened: Open) -> None:
    text = LIST.format(first="rm backup", second=DELETE)  # without the table
    assert proofs(opened, text)["list.2"] == Result(
        "not reached", "not reached: page.md stopped before list.2 could be sabotaged"
    )


def test_a_check_by_its_output_and_one_by_its_failure(opened: Open) -> None:
    text = (
        "```bash\necho ok >status\n```\n```console\n$ cat status\nok\n```\n<!-- sabotage: echo no >status -->\n\n"
        "<!-- fails: 1 -->\n```console\n$ ls other || { echo gone; false; }\n...\ngone\n```\n"
        "<!-- sabotage: touch other -->\n"
    )
    assert set(proofs(opened, text).values()) == {Result("passed")}


TREE = r"""
find . ~ $TMPDIR -path ./.git -prune -o -printf '%p %M %s %l\n' | sort
cat backup sub/file ~/rows $TMPDIR/part
psql -XAtc 'SELECT * FROM t' -c 'SELECT last_value, is_called FROM t_id_seq'
"""
PREPARE = """\
```bash
mkdir -p sub gone/deep full empty
echo file >sub/file
touch gone/deep/x full/y flip
chmod 750 gone
ln -s backup link
```
```sql
CREATE TABLE t (id serial PRIMARY KEY, a text);
INSERT INTO t (a) VALUES ('x'), ('y');
```
"""
DAMAGE = (
    "rm backup flip; mkdir flip; touch flip/x; rm -r gone; rmdir empty; touch empty; ln -sf other link; "
    "touch -r sub/file stamp; echo FILE >sub/file; touch -r stamp sub/file; "
    "chmod 600 kept.txt; touch full/z; chmod 0 full; "
    "mkdir -p new/deep; touch new/deep/x; rm ~/rows; echo more >~/more; echo changed >$TMPDIR/part"
)
LOSE = "psql -Xqc \"SELECT nextval('t_id_seq')\" -c 'DELETE FROM t' -c 'CREATE TABLE other ()'"
GO_ON = """
## After

```sql
INSERT INTO t (a) VALUES ('z') RETURNING id;
```
<!-- output -->
```text
 id
----
  3

INSERT 0 1
```
"""


def test_everything_is_as_before_after_a_sabotage(opened: Open) -> None:
    """Rows, sequences, schema; files, contents, kinds, permissions, links, directories; also HOME and TMPDIR."""

    def tree(run: PageRun) -> str:
        done = subprocess.run(
            ["bash", "-euc", TREE], cwd=run.work, env=dict(run.environment), capture_output=True, text=True, check=True
        )
        return done.stdout

    with opened(PREPARE + LIST.format(first=DAMAGE, second=LOSE) + GO_ON) as run:
        run.reach(run.page.runnable[-2])
        before, name = tree(run), run.database.name
        for check in (step for step in run.page.runnable if step.sabotage is not None):
            assert run.prove(check) == Result("passed")
            assert tree(run) == before
        assert "backup\nfile\nrows\npart\n1|x\n2|y\n2|t\n" in before
        assert run.database.name == name
        assert not (run.scratch / "kept").exists()
        assert run.reach_end() is None


def test_a_trial_is_taken_back(opened: Open) -> None:
    with opened("```bash\necho one >file\n```\n```bash\nrm file\n```\n") as run:
        first, second = run.page.steps
        run.reach(first)
        assert run.trial(second).outcome == "passed"
        assert (run.work / "file").read_text() == "one\n"
        assert run.trial(second).outcome == "passed"


# -- services, and worlds that cannot be made ---------------------------------------------------------

SERVER = "python -m http.server {port} --bind 127.0.0.1"


def test_a_service(opened: Open) -> None:
    text = (
        "---\nservices: [files]\n---\n"
        + shown(
            "python",
            "import os, urllib.request\nprint(urllib.request.urlopen(os.environ['FILES_URL'] + '/kept.txt').read())",
            "b'kept\\n'",
        )
        + shown("bash", "python -c \"import urllib.request as u; print(u.urlopen('$FILES_URL').status)\"", "200")
    )
    with opened(text, services={"files": Service(command=SERVER, variable="FILES_URL")}) as run:
        assert run.reach_end() is None
        port = int(run.environment["FILES_URL"].rpartition(":")[2])
        sockets = [socket for socket in psutil.net_connections("tcp") if socket.status == "LISTEN"]
        listening = [socket.pid for socket in sockets if socket.laddr.port == port]
        assert len(listening) == 1
    assert not any(psutil.pid_exists(pid) for pid in listening if pid)


@pytest.mark.parametrize(
    ("services", "told"),
    [
        (
            {},
            "page.md asks for the service 'files', and [tool.backout.services] knows none; add it there",
        ),
        (
            {"other": Service("x", "X")},
            "page.md asks for the service 'files', and [tool.backout.services] knows other; add it there",
        ),
        (
            {"files": Service("echo no port; exit 1", "X")},
            "the service 'files' did not answer on its port within 30 s; it printed\nno port",
        ),
    ],
)
def test_a_world_that_cannot_be_made(opened: Open, services: dict[str, Service], told: str) -> None:
    with opened("---\nservices: [files]\n---\n```bash\ntrue\n```\n```bash\ntrue\n```\n", services=services) as run:
        assert results(run) == {
            "top.1": Result("failed", f"page.md:4: the page's world could not be made: {told}"),
            "top.2": Result("not reached", "not reached: page.md stopped at top.1"),
        }


# -- updates ------------------------------------------------------------------------------------------


def updated(opened: Open, root: Path, text: str) -> str:
    with opened(text, update=True) as run:
        run.reach_end()
        write_updates(run.page, run.results, root / "page.md")
    return (root / "page.md").read_text(encoding="utf-8")


OLD = """\
---
title: Page
---
# Page   

Text

1.  Item

    ```console
    $ printf 'a\\n\\nb\\n'
    old
    $ true
    gone
    $ echo new
    $ echo 3 ms; echo same; echo last
    ... ms
    ...
    lsat
    ```

    - Item

        ```bash
        echo one; echo ' two'
        ```
        <!-- output -->
        ```text
        ```

```sql
SELECT 1 AS one;
```
<!-- output -->
~~~text
 one
-----
   1
~~~

<!-- fails: 2 -->
```bash
grep x no-such
```
<!-- output -->
```text
grep: something else
```
"""  # noqa: W291
NEW = """\
---
title: Page
---
# Page   

Text

1.  Item

    ```console
    $ printf 'a\\n\\nb\\n'
    a

    b
    $ true
    $ echo new
    new
    $ echo 3 ms; echo same; echo last
    ... ms
    ...
    last
    ```

    - Item

        ```bash
        echo one; echo ' two'
        ```
        <!-- output -->
        ```text
        one
         two
        ```

```sql
SELECT 1 AS one;
```
<!-- output -->
~~~text
 one
-----
   1
~~~

<!-- fails: 2 -->
```bash
grep x no-such
```
<!-- output -->
```text
grep: no-such: No such file or directory
```
"""  # noqa: W291


def test_an_update_rewrites_the_expected_outputs_and_nothing_else(opened: Open, root: Path) -> None:
    assert updated(opened, root, OLD) == NEW
    assert updated(opened, root, NEW) == NEW


def test_an_update_leaves_a_block_with_a_wrong_status_alone(opened: Open, root: Path) -> None:
    text = shown("bash", "echo new", "old") + shown("bash", "echo new; false", "old") + shown("bash", "echo new", "old")
    assert updated(opened, root, text) == shown("bash", "echo new", "new") + text.split("\n\n", 1)[1]
    text = fails("1", shown("bash", "grep x no-such", "old"))
    assert updated(opened, root, text) == text


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
def test_an_update_keeps_line_endings_and_byte_order_mark(
    root: Path, scratch_folder: Path, backout_server: Server, *, mark: bytes, newline: bytes
) -> None:
    path = root / "page.md"
    path.write_bytes(mark + newline.join([b"```console", b"$ echo \xc3\xa4", b"```", b"end"]))
    run = PageRun(
        read_page(path, root), Project(root=root), backout_server, scratch=scratch_folder / "page", update=True
    )
    with run:
        assert run.reach_end() is None
        assert write_updates(run.page, run.results, path) == 1
    assert path.read_bytes() == mark + newline.join([b"```console", b"$ echo \xc3\xa4", b"\xc3\xa4", b"```", b"end"])


def test_a_check_is_not_proved_on_a_page_that_is_being_updated(opened: Open) -> None:
    text = "```console\n$ cat kept.txt\nold\n```\n<!-- sabotage: echo x >kept.txt -->\n"
    assert proofs(opened, text, update=True) == {
        "top.1": Result("not reached", "not reached: page.md is being updated; run it again"),
    }
    assert proofs(opened, text.replace("old", "kept"), update=True) == {"top.1": Result("passed")}


# -- the working copy ---------------------------------------------------------------------------------


def test_outside_git_everything_but_hidden_and_built_files_is_copied(root: Path, tmp_path: Path) -> None:
    for name in ("src/a.py", ".github/workflows/x.yml", ".secret", ".venv/x", "build/run.json", "site/index.html"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    assert [path.as_posix() for path in repository_files(root)] == [".github/workflows/x.yml", "kept.txt", "src/a.py"]
    (root / "src" / "a.py").chmod(0o755)
    copy_repository(root, tmp_path / "copy")
    assert stat.S_IMODE((tmp_path / "copy/src/a.py").stat().st_mode) == 0o755
    listed = subprocess.run(["git", "status", "--short"], cwd=tmp_path / "copy", capture_output=True, check=True)
    assert listed.stdout == b""
