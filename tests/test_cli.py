"""The commands: what they say of themselves, their exit codes, and that no signal leaves anything behind."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result

from backout import __version__
from backout.cli import main
from backout.postgres import Database, Server

ROOT = Path(__file__).parents[1]
BACKOUT = Path(sys.executable).parent / "backout"

Make = Callable[..., Database]


def invoke(*arguments: str, url: str | None = None) -> Result:
    """Call it in this process; without DATABASE_URL unless one is given."""
    return CliRunner().invoke(main, list(arguments), env={"DATABASE_URL": url})


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(ROOT)
    return ROOT


# -- help and usage ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(main.commands))
def test_every_command_explains_itself_with_an_example(name: str) -> None:
    done = invoke(name, "--help")
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout == invoke(name, "-h").stdout
    (example,) = re.findall(r"^  Example:  (.*)$", done.stdout, re.MULTILINE)
    assert re.search(rf"\bbackout {name}\b", example)


def test_the_program_explains_itself() -> None:
    done = invoke("--help")
    assert done.exit_code == 0
    listed = re.findall(r"^  (\w+)  +[A-Z].*\.$", done.stdout.partition("Commands:\n")[2], re.MULTILINE)
    assert listed == sorted(main.commands)
    assert done.stdout.endswith("\n  Example:  backout postgres --sample -- psql -c 'SELECT count(*) FROM users'\n")


def test_the_version() -> None:
    done = invoke("--version")
    assert (done.exit_code, done.stdout) == (0, f"backout, version {__version__}\n")


def test_a_misspelt_option_is_no_command_to_run() -> None:
    done = invoke("postgres", "--revison", "head")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1] == "Error: No such option '--revison'. Did you mean '--revision'?"


# -- exit codes -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["apply", "rollback", "roundtrip"])
def test_usage_is_2(here: Path, name: str) -> None:
    done = invoke(name)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == (
        "error: DATABASE_URL is not set: set it to postgresql://user@host:port/database, "
        "or, for a disposable one: backout postgres --revision head --sample\n"
    )


@pytest.mark.parametrize("name", ["apply", "rollback", "roundtrip"])
def test_failure_is_1(here: Path, tmp_path: Path, name: str) -> None:
    """In one message, without a traceback and without the password."""
    url = f"postgresql://crew:secret@/backout_0123456789ab_1?host={tmp_path}"
    done = invoke(name, url=url)
    assert (done.exit_code, done.stdout) == (1, "")
    found = re.match(r"error: could not (?:connect to|look at the database of) \S+: ", done.stderr)
    assert found, done.stderr
    assert "secret" not in done.stderr


def test_refusal_is_3(here: Path, disposable: Make) -> None:
    done = invoke("rollback", url=disposable().url)
    assert (done.exit_code, done.stdout) == (3, "")
    assert done.stderr.splitlines()[-1] == "error: the database has no revision; there is nothing to roll back"


# -- backout postgres -- COMMAND --------------------------------------------------------------------


@pytest.fixture
def run(environment: dict[str, str], backout_server: Server) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the command on this run's server."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [BACKOUT, "postgres", "--postgres", backout_server.url, *arguments],
            cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )  # fmt: skip

    return run


def exists(server: Server, url: str) -> bool:
    name = url.partition("?")[0].rpartition("/")[2]
    with psycopg.connect(server.url) as connection:
        return connection.execute("SELECT count(*) FROM pg_database WHERE datname = %s", [name]).fetchone() == (1,)


@pytest.mark.parametrize(("script", "status"), [("exit 0", 0), ("exit 7", 7), ("kill -TERM $$", 143)])
def test_the_command_s_end_is_ours(run: Any, backout_server: Server, script: str, status: int) -> None:
    done = run("--", "sh", "-c", f"echo $DATABASE_URL; {script}")
    assert done.returncode == status
    assert done.stderr == f"backout: PostgreSQL {backout_server.version} ({at(backout_server)})\n"
    assert not exists(backout_server, done.stdout.strip())


def at(server: Server) -> str:
    """How a server is called that a URL names."""
    with psycopg.connect(server.url) as connection:
        return f"at {connection.info.host}:{connection.info.port} as {connection.info.user}"


def test_the_command_finds_its_database(run: Any) -> None:
    script = "psql -AtX -c 'TABLE alembic_version' && psql -AtX -c 'SELECT count(*) FROM users' \"$DATABASE_URL\""
    done = run("--sample", "sh", "-c", script)
    assert (done.returncode, done.stdout) == (0, "7f544264830f\n25\n"), done.stderr


def test_the_database_is_empty_unless_told(run: Any) -> None:
    done = run("--", "psql", "-AtX", "-c", "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace")
    assert (done.returncode, done.stdout) == (0, "0\n"), done.stderr


def test_what_is_no_program(run: Any, tmp_path: Path) -> None:
    done = run("--", "no-such-program")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[1:] == [
        "error: cannot run 'no-such-program': it is not on PATH; name a program, or its path"
    ]
    text = tmp_path / "text"
    text.write_bytes(b"\x00\x01")
    text.chmod(0o755)
    done = run("--", str(text))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[1:] == [f"error: cannot run {text}: Exec format error; name a program"]


def test_a_revision_that_is_none(run: Any) -> None:
    done = run("--revision", "zz", "--", "true")
    assert (done.returncode, done.stdout) == (1, "")
    lines = done.stderr.splitlines()[1:]
    assert lines[0] == f"error: alembic upgrade zz failed in {ROOT} with exit status 255; it printed"
    assert lines[-1] == "    ERROR [alembic.util.messaging] Can't locate revision identified by 'zz'"


# -- signals ----------------------------------------------------------------------------------------


def start(environment: dict[str, str], *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [BACKOUT, "postgres", *arguments],
        cwd=ROOT, env=environment, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 0), (signal.SIGTERM, -signal.SIGTERM), (signal.SIGHUP, -signal.SIGHUP)]
)
def test_waiting_ends_with_a_signal_and_leaves_no_database(
    environment: dict[str, str], backout_server: Server, number: signal.Signals, status: int
) -> None:
    process = start(environment, "--postgres", backout_server.url)
    url = line_of(process)
    assert exists(backout_server, url)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (status, "")
    assert err.splitlines()[1:2] in ([], ["It is dropped when this ends: Ctrl-C"])
    assert not exists(backout_server, url)


def test_waiting_leaves_no_server(environment: dict[str, str], backout_server: Server) -> None:
    if backout_server.origin == "url":
        pytest.skip("this run has a server that it did not start")
    choice = "embedded" if backout_server.origin == "embedded" else f"system:{backout_server.major}"
    process = start(environment, "--postgres", choice)
    with psycopg.connect(line_of(process)) as connection:
        folder, pid = Path(connection.info.host), connection.execute("SELECT pg_backend_pid()").fetchone()
        assert folder.is_dir()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert not folder.exists()
    assert pid is not None
    with pytest.raises(ProcessLookupError):
        os.kill(pid[0], 0)


def test_a_signal_that_would_end_us_ends_the_command(environment: dict[str, str], backout_server: Server) -> None:
    """Told to backout alone, as a supervisor does."""
    process = start(environment, "--postgres", backout_server.url, "--", "sh", "-c", "echo $DATABASE_URL; exec cat")
    url = line_of(process)
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=60)
    process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM
    assert not exists(backout_server, url)


def test_ctrl_c_is_for_the_command(environment: dict[str, str], backout_server: Server) -> None:
    """The terminal tells both; what the command makes of it is its own affair."""
    script = "trap 'echo interrupted' INT; echo $DATABASE_URL; read line; exit 5"
    process = start(environment, "--postgres", backout_server.url, "--", "bash", "-c", script)
    url = line_of(process)
    process.send_signal(signal.SIGINT)
    assert exists(backout_server, url)
    out, _ = process.communicate("go\n", timeout=60)
    assert (process.returncode, out) == (5, "")
    assert not exists(backout_server, url)
