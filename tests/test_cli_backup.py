"""``backout backup`` and its commands: what they print, their exit codes, and their progress."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from backout import backups
from backout.cli import main
from backout.cli.backup import _Watch
from backout.postgres import Database, Server

Make = Callable[..., Database]

SUBCOMMANDS = ("verify", "record", "list", "restore")
FACTS = ("--provider", "rds", "--snapshot", "rds:crew-1", "--by", "ann")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "backups"


@pytest.fixture
def run(folder: Path, backout_server: Server) -> Callable[..., Result]:
    """Call it in this process; without DATABASE_URL unless one is given."""

    def run(*arguments: object, url: str | None = None) -> Result:
        given = {"DATABASE_URL": url, "BACKOUT_BACKUPS": str(folder), "BACKOUT_POSTGRES": backout_server.handle()}
        return CliRunner().invoke(main, ["backup", *map(str, arguments)], env=given)

    return run


def test_every_command_explains_itself_with_an_example(run: Any) -> None:
    for name in SUBCOMMANDS:
        done = run(name, "--help")
        assert (done.exit_code, done.stderr) == (0, "")
        (example,) = re.findall(r"^  Example:  (.*)$", done.stdout, re.MULTILINE)
        assert example.startswith(f"backout backup {name}")
    listed = re.findall(r"^  (\w+)  +[A-Z]", run("--help").stdout.partition("Commands:\n")[2], re.MULTILINE)
    assert listed == sorted(SUBCOMMANDS)


def test_take_verify_and_list(run: Any, disposable: Make, folder: Path) -> None:
    url = disposable("head", "sample").url
    assert run("list").stdout == f"no backups in {folder}\n"
    done = run(url=url)
    assert (done.exit_code, done.stderr) == (0, "")
    dump, counted, then = done.stdout.splitlines()
    assert re.fullmatch(r"\d+\.\d kB, 14 tables, 370 rows, at 7f544264830f", counted)
    assert then == "not verified yet: backout backup verify --latest"
    assert re.fullmatch(
        rf"\S+ \S+ UTC  7f544264830f  \S+ kB  not verified\n  {re.escape(Path(dump).name)}\n", run("list").stdout
    )
    done = run("verify", "--latest", url=url)
    assert (done.exit_code, done.stderr) == (0, "")
    path, said = done.stdout.splitlines()
    assert path == dump.replace(".dump", ".receipt.json")
    assert said == str(backups.read_receipt(Path(path)))
    assert run("verify", dump).exit_code == 0
    (one,) = json.loads(run("list", "--json").stdout)
    assert one.keys() == {"name", "path", "taken", "revisions", "size", "state"}
    assert one["state"].startswith("verified ")


def test_json(run: Any, disposable: Make) -> None:
    url = disposable("head", "sample").url
    taken = json.loads(run("--json", url=url).stdout)
    assert (taken["tables"], taken["rows"], taken["revisions"], taken["note"]) == (14, 370, ["7f544264830f"], "")
    receipt = json.loads(run("verify", taken["dump"], "--json", url=url).stdout)
    assert (receipt["kind"], receipt["sha256"], receipt["rows"]) == ("verified", taken["sha256"], 370)
    statement = json.loads(run("record", *FACTS, "--taken", "2026-01-01T00:00Z", "--json", url=url).stdout)
    assert (statement["kind"], statement["taken"]) == ("statement", "2026-01-01T00:00:00Z")
    place = f"{taken['dump']}_beside"
    restored = json.loads(run("restore", taken["dump"], "--into", place, "--json", url=url).stdout)
    assert restored == {"database": place, "tables": 14, "rows": 370, "left": []}


def test_usage_and_configuration_are_2(run: Any, disposable: Make, folder: Path) -> None:
    url = disposable().url
    for arguments, said in (
        (("verify",), "Error: name a dump, or say --latest"),
        (("verify", "x.dump", "--latest"), "Error: name a dump, or say --latest"),
        (("--to", "x", "list"), "Error: --to and --json before list mean nothing; give its own"),
        (("verify", "none.dump"), "error: none.dump is no file; name a dump, or list them: backout backup list"),
        (("verify", "--latest"), f"error: there is no backup in {folder}; take one: backout backup"),
        (("record", *FACTS, "--taken", "yesterday"), "error: --taken 'yesterday' is no time; write 2026-11-28T02:00Z"),
    ):
        done = run(*arguments)
        assert (done.exit_code, done.stdout, done.stderr.splitlines()[-1]) == (2, "", said)
    for arguments in ((), ("record", *FACTS, "--taken", "2026-01-01T00:00Z"), ("restore", "x.dump", "--into", "y")):
        done = run(*arguments)
        assert (done.exit_code, done.stdout) == (2, "")
        assert done.stderr.startswith("error: DATABASE_URL is not set: ")
    assert run("record", "--provider", "rds", url=url).exit_code == 2


def test_failure_is_1_and_refusal_3(run: Any, disposable: Make, folder: Path) -> None:
    url = disposable("head").url
    dump = Path(json.loads(run("--json", url=url).stdout)["dump"])
    done = run("record", *FACTS, "--taken", "2999-01-01T00:00Z", url=url)
    assert (done.exit_code, done.stdout) == (3, "")
    assert done.stderr.startswith("error: --taken 2999-01-01 00:00 UTC is to come: it is ")
    done = run("restore", dump, "--into", url.partition("?")[0].rpartition("/")[2], url=url)
    assert (done.exit_code, done.stdout) == (3, "")
    dump.write_bytes(b"")
    done = run("verify", dump)
    assert (done.exit_code, done.stdout) == (1, "")
    assert re.fullmatch(
        rf"error: {dump.name} is refused as a backup: it is empty; it had \d+ bytes; take another: backout backup\n",
        done.stderr,
    )
    done = run(url="postgresql://crew:secret@/crew?host=/nowhere")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "secret" not in done.stderr


def test_long_work_tells_a_line_each_few_seconds(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a terminal: not each time that something is told."""
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    with _Watch() as watch:
        for second in range(13):
            now[0] = 100.0 + second
            watch(f"dumping public.users, {second} MB written")
    printed = capsys.readouterr()
    assert printed.err == "dumping public.users, 5 MB written, 5 s\ndumping public.users, 10 MB written, 10 s\n"
    assert printed.out == ""


def test_progress_on_a_terminal_is_one_line(tmp_path: Path) -> None:
    """And what it said is gone when it has ended."""
    script = "from backout.cli.backup import _Watch\nimport time\nwith _Watch() as w:\n w('dumping x'); time.sleep(.4)"
    log = tmp_path / "log"
    command = ["script", "-qec", f'{sys.executable} -c "{script}"', str(log)]
    try:
        subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=True)
    except FileNotFoundError:
        pytest.skip("NOT CHECKED: there is no script(1) here to make a terminal")
    assert "dumping x, 0 s" in log.read_text()
