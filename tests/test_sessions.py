"""backout.sessions: the bash and the Python of a page; what they keep, how they fail, and that nothing stays behind."""

import os
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from backout.errors import BackoutError
from backout.postgres import Server
from backout.sessions import Interpreter, Ran, Shell

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="NOT CHECKED: bash and its processes are POSIX's")

LONG = 30.0  # seconds; what ends, ends long before


@pytest.fixture
def state(tmp_path: Path) -> Path:
    folder = tmp_path / "state"
    folder.mkdir()
    return folder


@pytest.fixture
def shell(state: Path, tmp_path: Path) -> Iterator[Shell]:
    opened = Shell(state=state, cwd=tmp_path, environment={"PATH": os.environ["PATH"], "LANG": "C.UTF-8"})
    yield opened
    opened.close()


@pytest.fixture
def python(state: Path, tmp_path: Path) -> Iterator[Interpreter]:
    opened = Interpreter(state=state, cwd=tmp_path, environment={"PATH": os.environ["PATH"], "LANG": "C.UTF-8"})
    yield opened
    opened.close()


@pytest.fixture
def sql(state: Path, tmp_path: Path, backout_server: Server, disposable: Callable[..., object]) -> Iterator[Shell]:
    variables = backout_server.environment(disposable())  # type: ignore[arg-type]
    opened = Shell(state=state, cwd=tmp_path, environment={**variables, "LANG": "C.UTF-8"})
    yield opened
    opened.close()


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def told(ran: Ran) -> tuple[str, str, int | None]:
    return ran.status, ran.output, ran.line


# -- bash ---------------------------------------------------------------------------------------------


def test_a_shell_keeps_its_state(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    text = "cd sub\nplain=1\nexport EXPORTED=2\ndeclare -A table=([key]=3)\nf() { echo four; }\nshopt -s nullglob\n"
    assert told(shell.run(text, timeout=LONG)) == ("0", "", None)
    ran = shell.run('echo "$PWD $plain $EXPORTED ${table[key]} $(f)" no*such\n', timeout=LONG)
    assert told(ran) == ("0", f"{tmp_path}/sub 1 2 3 four\n", None)


def test_a_trial_leaves_the_shell_as_it_was(shell: Shell, tmp_path: Path) -> None:
    shell.run("kept=1\n", timeout=LONG)
    assert told(shell.run("cd /\nkept=2\necho $kept\nexit 3\n", timeout=LONG, keep=False)) == ("3", "2\n", None)
    assert told(shell.run('echo "$PWD $kept"\n', timeout=LONG)) == ("0", f"{tmp_path} 1\n", None)


@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize(
    ("text", "status", "output", "line"),
    [
        ("false; echo x", "1", "", 1),
        ("true\n\n(exit 7)\necho x", "7", "", 3),
        ("echo a\nfalse | cat\necho x", "1", "a\n", 2),
        ('echo a\necho "$UNSET"\necho x', "1", "a\nbash: UNSET: unbound variable\n", 2),
        ("true\nno-such-command x", "127", "bash: no-such-command: command not found\n", 2),
        ("true\nif then\n", "2", "bash: syntax error near unexpected token `then'\n", 2),
        ("f() {\n  true\n  false\n  echo x\n}\n\nf\n", "1", "", 3),
        ("f() {\n  return 5\n}\ng() {\n  f\n}\ng\n", "5", "", 5),
        ("for i in 1 2; do\n  echo $i\n  [ $i = 1 ]\ndone\n", "1", "1\n2\n", 3),
        ("true\ngrep a \\\n  --max-count=1 /no-such\n", "2", "grep: /no-such: No such file or directory\n", 2),
        ("true\nx=$(false)\necho x\n", "1", "", 2),
        ("true\ncd /no-such\necho x\n", "1", "bash: cd: /no-such: No such file or directory\n", 2),
        ("echo a\n! true\n", "1", "a\n", None),
        ("true\ntrue\necho $((1 / 0))\n", "1", 'bash: 1 / 0: division by 0 (error token is "0")\n', 3),
    ],
)
def test_the_first_failing_command_ends_a_text(
    shell: Shell, *, text: str, status: str, output: str, line: int | None, keep: bool
) -> None:
    ran = shell.run(text, timeout=LONG, keep=keep)
    assert (ran.status, ran.output.replace("1 / 0 :", "1 / 0:").replace('"0 "', '"0"'), ran.line) == (
        status,
        output,
        line,
    )


def test_failures_that_are_provided_for_are_none(shell: Shell) -> None:
    text = (
        "f() { false; }\nif ! f; then echo caught; fi\nfalse || true\n! true || true\nset +e\nfalse\nset -e\necho end\n"
    )
    assert told(shell.run(text, timeout=LONG)) == ("0", "caught\nend\n", None)
    # What a text switched off is on again for the next one.
    shell.run("set +e +u\n", timeout=LONG)
    assert told(shell.run("false\necho x\n", timeout=LONG)) == ("1", "", 1)


def test_the_line_of_a_function_of_an_earlier_text_is_that_of_its_call(shell: Shell) -> None:
    shell.run("\n\n\n\nf() {\n  true\n  no-such-command\n}\n", timeout=LONG)
    assert told(shell.run("true\nf\n", timeout=LONG)) == ("127", "bash: no-such-command: command not found\n", 2)


@pytest.mark.parametrize(
    "end",
    [
        "exit 0",
        "exit",
        "exec true",
        "( sleep 0 ) & exit 0",
        "exec 9</proc/$$/fd/10; sleep 3 & exit 0",  # a child that keeps the pipe of the orders open
    ],
)
def test_a_shell_that_ends_itself_is_gone_for_good(shell: Shell, end: str) -> None:
    """Its status says nothing about what stands behind; nothing may pass for having been run."""
    assert told(shell.run(f"echo a\n{end}\nfalse\n", timeout=LONG)) == ("gone", "a\n", None)
    assert told(shell.run("echo b\n", timeout=LONG)) == ("gone", "", None)


def test_a_shell_that_is_killed(shell: Shell) -> None:
    assert told(shell.run("kill -9 $$\n", timeout=LONG)) == ("-9", "", None)
    assert shell.run("true\n", timeout=LONG).status == "-9"


def test_waiting_for_input_ends(shell: Shell, python: Interpreter) -> None:
    assert told(shell.run("cat\nread -r line || echo nothing\n", timeout=LONG)) == ("0", "nothing\n", None)
    ran = python.run("input()", name="p.md", line=1, timeout=LONG)
    assert (ran.status, ran.output.splitlines()[-1]) == ("EOFError", "EOFError: EOF when reading a line")


def test_output_is_both_streams_as_they_come_without_carriage_returns(shell: Shell) -> None:
    ran = shell.run("echo one\necho two >&2\nprintf 'three\\r\\n'\nprintf '\\377\\n'\n", timeout=LONG)
    assert ran.output == "one\ntwo\nthree\n�\n"


def test_a_missing_program(state: Path, tmp_path: Path) -> None:
    with pytest.raises(BackoutError) as failure:
        Interpreter(state=state, cwd=tmp_path, environment={}, python="/no/such/python")
    assert str(failure.value) == "cannot start /no/such/python: it is not on PATH; install it"


# -- the end of processes -----------------------------------------------------------------------------

# Each writes its process id and stays, whatever becomes of the shell.
STAY = "sh -c 'echo $$ >>pids; exec sleep 600'"
STRAYS = [
    f"{STAY} &",
    f"nohup {STAY} >/dev/null &",
    f"setsid {STAY} &",
    f"( setsid {STAY} & )",
    f'env -i PATH="$PATH" setsid {STAY} &',
    f"trap '' TERM HUP INT; {STAY} &",
]
WAIT = '\nwhile [ "$(wc -l <pids)" -lt {count} ]; do :; done\n'


def pids(folder: Path) -> list[int]:
    return [int(line) for line in (folder / "pids").read_text().split()]


def test_nothing_outlives_a_shell(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "pids").touch()
    ran = shell.run("\n".join(STRAYS) + WAIT.format(count=len(STRAYS)), timeout=LONG)
    assert told(ran) == ("0", "", None)
    assert [alive(pid) for pid in pids(tmp_path)] == [True] * len(STRAYS)
    shell.close()
    assert [alive(pid) for pid in pids(tmp_path)] == [False] * len(STRAYS)


@pytest.mark.parametrize("keep", [True, False])
def test_a_time_out_ends_everything(shell: Shell, tmp_path: Path, keep: bool) -> None:
    (tmp_path / "pids").touch()
    ran = shell.run("\n".join(STRAYS) + WAIT.format(count=len(STRAYS)) + STAY, timeout=3, keep=keep)
    assert told(ran) == ("timeout", "", None)
    assert [alive(pid) for pid in pids(tmp_path)] == [False] * (len(STRAYS) + 1)
    assert shell.run("true\n", timeout=LONG).status != "0"


def test_a_time_out_of_python_ends_everything(python: Interpreter, tmp_path: Path) -> None:
    text = f'import subprocess\nprint("begun")\nsubprocess.run(["setsid", "bash", "-c", {STAY!r}])\n'
    assert told(python.run(text, name="p.md", line=1, timeout=3)) == ("timeout", "begun\n", None)
    assert [alive(pid) for pid in pids(tmp_path)] == [False]
    assert python.run("1", name="p.md", line=1, timeout=LONG).status != "0"


def test_a_background_process_does_not_keep_a_text_from_ending(shell: Shell) -> None:
    assert shell.run("sleep 600 &\necho end\n", timeout=LONG).output == "end\n"


def test_closing_twice(shell: Shell, python: Interpreter) -> None:
    for process in (shell, shell, python, python):
        process.close()


# -- python -------------------------------------------------------------------------------------------


def test_an_interpreter_keeps_its_namespace(python: Interpreter) -> None:
    assert told(python.run("import sys\nx = 1\ndef f(): return x\n", name="p.md", line=1, timeout=LONG)) == (
        "0",
        "",
        None,
    )
    ran = python.run("x = 2\nprint(f(), __name__)\nprint('err', file=sys.stderr)\n", name="p.md", line=9, timeout=LONG)
    assert told(ran) == ("0", "2 __main__\nerr\n", None)


def test_an_exception(python: Interpreter) -> None:
    text = "def f():\n    return 1 / 0\n\nf()\n"
    ran = python.run(text, name="docs/p.md", line=11, timeout=LONG)
    assert (ran.status, ran.line) == ("ZeroDivisionError", 2)
    assert [line.strip() for line in ran.output.splitlines() if set(line) - set(" ^~")] == [
        "Traceback (most recent call last):",
        'File "docs/p.md", line 14, in <module>',
        'File "docs/p.md", line 12, in f',
        "ZeroDivisionError: division by zero",
    ]


def test_the_line_of_a_python_function_of_an_earlier_text_is_that_of_its_call(python: Interpreter) -> None:
    python.run("def f():\n    raise KeyError(1)\n", name="p.md", line=3, timeout=LONG)
    ran = python.run("x = 1\nf()\n", name="p.md", line=20, timeout=LONG)
    assert (ran.status, ran.line) == ("KeyError", 2)


@pytest.mark.parametrize(
    ("text", "status", "line"),
    [
        ("x = 1\nraise ValueError('x')\n", "ValueError", 2),
        ("x = 1\nx = = 2\n", "SyntaxError", 2),
        ("import sys\nsys.exit(0)\n", "SystemExit", 2),
        ("import json\njson.loads('')\n", "JSONDecodeError", 2),
        ("class A:\n  class E(Exception): pass\nraise A.E\n", "A.E", 3),
        ("raise KeyboardInterrupt\n", "KeyboardInterrupt", 1),
    ],
)
def test_an_interpreter_outlives_what_it_is_told(python: Interpreter, text: str, status: str, line: int) -> None:
    ran = python.run(text, name="p.md", line=5, timeout=LONG)
    assert (ran.status, ran.line) == (status, line)
    assert told(python.run("print(1)", name="p.md", line=1, timeout=LONG)) == ("0", "1\n", None)


@pytest.mark.parametrize(("code", "status"), [(0, "gone"), (3, "3")])
def test_an_interpreter_that_ends_itself(python: Interpreter, code: int, status: str) -> None:
    ran = python.run(f"import os\nprint('a')\nos._exit({code})\n", name="p.md", line=1, timeout=LONG)
    assert told(ran) == (status, "a\n", None)
    assert python.run("print(1)", name="p.md", line=1, timeout=LONG).status == status


def test_modules_are_found_as_where_a_reader_types(python: Interpreter, tmp_path: Path) -> None:
    """In the working directory, and not among backout's own."""
    (tmp_path / "beside.py").write_text("x = 1\n")
    assert told(python.run("import beside\nprint(beside.x)\n", name="p.md", line=1, timeout=LONG)) == ("0", "1\n", None)
    assert python.run("import sessions\n", name="p.md", line=1, timeout=LONG).status == "ModuleNotFoundError"


def test_a_traceback_is_that_of_python_itself(python: Interpreter, tmp_path: Path) -> None:
    """None of our frames shows, and the lines of the page do."""
    (tmp_path / "p.md").write_text("# Page\n\n```python\nint('x')\n```\n")
    ran = python.run("int('x')\n", name="p.md", line=4, timeout=LONG)
    frame = traceback.FrameSummary("p.md", 4, "<module>", line="int('x')")
    first, second = "".join(traceback.format_list([frame])).splitlines()[:2]
    assert [line for line in ran.output.splitlines() if set(line) - set(" ^~")] == [
        "Traceback (most recent call last):",
        first,
        second,
        "ValueError: invalid literal for int() with base 10: 'x'",
    ]


# -- psql ---------------------------------------------------------------------------------------------


def test_what_psql_prints(sql: Shell) -> None:
    assert told(sql.sql("SELECT NULL AS a, 1 AS b;\n\\echo done\n", timeout=LONG)) == (
        "0",
        "  a   | b \n------+---\n NULL | 1\n\ndone\n",
        None,
    )


TABLE = "CREATE TABLE t (id int PRIMARY KEY, name text NOT NULL);\n"


@pytest.mark.parametrize(
    ("text", "status", "output", "line"),
    [
        ("SELECT 1/0;\nSELECT 2;\n", "22012", "ERROR:  division by zero\n", 1),
        (
            TABLE + "INSERT INTO t VALUES (1, 'a');\nINSERT INTO t\nVALUES (1, 'a');\nSELECT 1;\n",
            "23505",
            (
                'CREATE TABLE\nINSERT 0 1\nERROR:  duplicate key value violates unique constraint "t_pkey"\n'
                "DETAIL:  Key (id)=(1) already exists.\n"
            ),
            3,
        ),
        (
            TABLE + "\n-- nobody\nINSERT INTO t VALUES (1);\n",
            "23502",
            (
                'CREATE TABLE\nERROR:  null value in column "name" of relation "t" violates not-null constraint\n'
                "DETAIL:  Failing row contains (1, null).\n"
            ),
            4,
        ),
        (
            "SELECT\n  nope;\n",
            "42703",
            'ERROR:  column "nope" does not exist\nLINE 2:   nope;\n          ^\n',
            1,
        ),
        (
            "DO $$ BEGIN RAISE NOTICE 'note'; RAISE EXCEPTION 'stop' USING ERRCODE = 'P0002', HINT = 'go'; END $$;\n",
            "P0002",
            "NOTICE:  note\nERROR:  stop\nHINT:  go\nCONTEXT:  PL/pgSQL function inline_code_block line 1 at RAISE\n",
            1,
        ),
        ("SELECT 1;\n\\nope\n", "3", " ?column? \n----------\n        1\n\nerror: invalid command \\nope\n", 2),
        ("\\i no-such.sql\n", "3", "error: no-such.sql: No such file or directory\n", 1),
    ],
)
def test_an_error_of_sql(sql: Shell, text: str, status: str, output: str, line: int) -> None:
    assert told(sql.sql(text, timeout=LONG)) == (status, output, line)


def test_sql_runs_where_the_shell_stands_and_leaves_it_alone(sql: Shell, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "x.sql").write_text("SELECT 'found' AS x;\n")
    sql.run("cd sub\nexport PGOPTIONS='-c search_path=pg_catalog'\n", timeout=LONG)
    assert sql.sql("\\i x.sql\n\\t\nSHOW search_path;\n", timeout=LONG).output == (
        "   x   \n-------\n found\n\nTuples only is on.\n pg_catalog\n\n"
    )
    # Each block is a call of its own.
    assert sql.sql("SELECT 1 AS one;\n", timeout=LONG).output == " one \n-----\n   1\n\n"
