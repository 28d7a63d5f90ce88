"""backout apply and rollback: what is typed and asked, what is printed and written, and how they end."""

import getpass
import json
import os
import pty
import socket
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result

from backout import production
from backout.cli import main
from backout.postgres import Database
from backout.production import CHECKS, FIRM

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="NOT CHECKED: terminals are POSIX's")

BACKOUT = Path(sys.executable).parent / "backout"
ACCEPTED = ("--accept", "backup=a test")
UNIQUE = "make people.email unique, which leaves an invalid index where one stands twice"
PLAN = ["Rollback plan of f6, by its docstring:", "  Drops the index, without blocking."]
IN_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
)

Deployed = Callable[[str], Database]


@pytest.fixture
def at(deployed: Deployed, crew: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Database]:
    """Deploy the project to a database at a revision, and stand in its directory."""
    monkeypatch.chdir(crew.root)
    for name in ("BACKOUT_HEALTH", "BACKOUT_JOURNALS", "BACKOUT_BACKUPS"):
        monkeypatch.delenv(name, raising=False)

    def deploy(revision: str) -> Database:
        database = deployed(revision)
        monkeypatch.setenv("DATABASE_URL", database.url)
        return database

    return deploy


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def current(database: Database) -> str:
    with psycopg.connect(database.url) as connection:
        return ", ".join(row[0] for row in connection.execute("SELECT version_num FROM alembic_version"))


# -- options ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "example"),
    [
        ("apply", "DATABASE_URL=postgresql://crew@db/crew backout apply --dry-run"),
        ("rollback", "DATABASE_URL=postgresql://crew@db/crew backout rollback --salvage"),
    ],
)
def test_the_help_ends_with_an_example(command: str, example: str) -> None:
    done = CliRunner().invoke(main, [command, "--help"], terminal_width=100)
    assert (done.exit_code, done.stdout.splitlines()[-1]) == (0, f"  Example:  {example}")


@pytest.mark.parametrize("command", ["apply", "rollback"])
def test_the_database_must_be_named(crew: Any, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.chdir(crew.root)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    done = run(command)
    assert (done.exit_code, done.stdout, done.stderr) == (
        2,
        "",
        (
            "error: DATABASE_URL is not set: set it to postgresql://user@host:port/database, "
            "or, for a disposable one: backout postgres --revision head --sample\n"
        ),
    )


KNOWN = ", ".join(name for name in CHECKS if name not in FIRM)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("drift", "--accept 'drift' has no name and value; write --accept NAME=VALUE"),
        ("drift= ", "--accept drift= has no reason; write why, it goes into the journal"),
        (
            "weather=fine",
            f"--accept weather: there is no such check, or it cannot be accepted; {KNOWN} can",
        ),
        *(
            (f"{name}=never mind", f"--accept {name}: there is no such check, or it cannot be accepted; {KNOWN} can")
            for name in sorted(FIRM)
        ),
    ],
)
def test_what_can_be_accepted(at: Callable[[str], Database], given: str, message: str) -> None:
    database = at("e5")
    done = run("apply", "--accept", given)
    assert (done.exit_code, done.stdout, done.stderr) == (2, "", f"error: {message}\n")
    assert current(database) == "e5"


@pytest.mark.parametrize(
    "words",
    [("--attempts", "0"), ("--lock-timeout", "0"), ("--wait", "-1"), ("--backup-age", "0"), ("--to",), ("--health",)],
)
def test_what_makes_no_sense(at: Callable[[str], Database], words: tuple[str, ...]) -> None:
    at("e5")
    assert run("apply", *words).exit_code == 2


def orders(monkeypatch: pytest.MonkeyPatch, *words: str) -> tuple[production.Order, str | None]:
    """What becomes of these options."""
    seen: list[Any] = []
    monkeypatch.setattr(production, "apply", lambda *given, to: seen.append((given[1], to)) or ())
    done = run("apply", *words)
    assert done.exit_code == 0, done.stderr
    order, to = seen[0]
    return order, to


def test_what_the_options_say(at: Callable[[str], Database], monkeypatch: pytest.MonkeyPatch, crew: Any) -> None:
    at("e5")
    order, to = orders(monkeypatch)
    limits = production.Limits(backups=crew.root / "backups")
    assert (order, to) == (production.Order(limits=limits), None)
    order, to = orders(
        monkeypatch, "--to", "f6", "--dry-run", "--accept", "drift=known = seen", "--accept", "disk=large", "--wait",
        "3", "--lock-timeout", "0.5", "--attempts", "2", "--statement-timeout", "0", "--backup-age", "1.5",
        "--backups", "kept", "--health", "http://127.0.0.1:1/",
    )  # fmt: skip
    assert to == "f6"
    assert order == production.Order(
        limits=production.Limits(backups=Path("kept"), backup_age=timedelta(hours=1.5)),
        accepted={"drift": "known = seen", "disk": "large"},
        wait=3.0,
        lock_timeout=0.5,
        attempts=2,
        statement_timeout=0.0,
        health="http://127.0.0.1:1/",
        dry_run=True,
    )


def test_what_the_project_says(at: Callable[[str], Database], monkeypatch: pytest.MonkeyPatch, crew: Any) -> None:
    at("e5")
    (crew.root / "pyproject.toml").write_text(
        "[tool.backout.production]\nhealth = 'http://127.0.0.1:1/'\nignore = ['schema monitoring']\nbackup_hours = 6\n"
    )
    order, _ = orders(monkeypatch)
    assert (order.health, order.limits.ignored) == ("http://127.0.0.1:1/", ("schema monitoring",))
    assert order.limits.backup_age == timedelta(hours=6)
    monkeypatch.setenv("BACKOUT_HEALTH", "http://127.0.0.1:2/")
    order, _ = orders(monkeypatch, "--backup-age", "7")
    assert (order.health, order.limits.backup_age) == ("http://127.0.0.1:2/", timedelta(hours=7))


# -- apply ------------------------------------------------------------------------------------------


def test_applied(at: Callable[[str], Database], crew: Any) -> None:
    database = at("e5")
    done = run("apply", *ACCEPTED)
    assert (done.exit_code, done.stdout) == (0, "now at f6 (head)\n")
    (record,) = crew.records()
    assert done.stderr.splitlines()[-1] == f"journal: {record.path}"
    assert current(database) == "f6"
    facts = record.begin.facts
    assert (facts["subject"], facts["dry_run"]) == ("apply", False)
    assert facts["who"] == f"{getpass.getuser()}@{socket.gethostname()}"
    assert facts["where"] == done.stderr.splitlines()[0].removesuffix(": at e5")
    assert record.is_ended
    again = run("apply")
    assert (again.exit_code, again.stdout) == (0, "already at f6 (head)\n")


def test_applied_to_a_revision_that_is_no_head(at: Callable[[str], Database]) -> None:
    at("c3")
    done = run("apply", "--to", "d4", *ACCEPTED)
    assert (done.exit_code, done.stdout.splitlines()[-1]) == (0, "now at d4")
    assert run("apply", "--to", "d4").stdout.splitlines()[-1] == "already at d4"
    unknown = run("apply", "--to", "zz")
    assert (unknown.exit_code, unknown.stderr.splitlines()[-1]) == (
        2,
        "error: 'zz' is no revision of the chain: none starts so; alembic history lists them",
    )


def test_a_dry_run(at: Callable[[str], Database], crew: Any) -> None:
    database = at("e5")
    done = run("apply", "--dry-run", *ACCEPTED)
    assert (done.exit_code, done.stdout.splitlines()[-1]) == (
        0,
        "dry run: nothing was changed; the database is at e5",
    )
    assert current(database) == "e5"
    assert crew.records()[0].begin.facts["dry_run"] is True
    assert run("apply", "--dry-run").exit_code == 3


def test_refused(at: Callable[[str], Database], crew: Any) -> None:
    database = at("e5")
    done = run("apply")
    assert done.exit_code == 3
    assert done.stderr.splitlines()[-2:] == [
        "error: nothing was changed; 1 reason against it:",
        (
            f"  backup: there is no receipt of a backup of this database in {crew.root}/backups; take one and verify "
            "it: backout backup && backout backup verify --latest; runbook: verify-a-backup"
        ),
    ]
    assert current(database) == "e5"


def test_failed(at: Callable[[str], Database]) -> None:
    database = at("e5")
    with psycopg.connect(database.url) as connection:
        connection.execute("UPDATE people SET email = 'ann1@example.org'")
    done = run("apply", *ACCEPTED, "--accept", "preconditions=to see it fail")
    assert done.exit_code == 1
    assert done.stderr.splitlines()[-3].endswith("; runbook: migration-failed-half-way")
    assert current(database) == "e5"


def test_nothing_is_done_without_a_journal(
    at: Callable[[str], Database], monkeypatch: pytest.MonkeyPatch, crew: Any
) -> None:
    database = at("e5")
    (crew.root / "file").touch()
    monkeypatch.setenv("BACKOUT_JOURNALS", "file")
    done = run("apply", *ACCEPTED)
    assert (done.exit_code, done.stdout, done.stderr) == (
        3,
        "",
        (
            f"error: no journal can be written in {crew.root}/file: File exists; nothing is run without one: "
            "name a directory in BACKOUT_JOURNALS\n"
        ),
    )
    assert current(database) == "e5"


def test_a_user_without_a_name(at: Callable[[str], Database], monkeypatch: pytest.MonkeyPatch, crew: Any) -> None:
    at("f6")

    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found: 4711")

    monkeypatch.setattr(getpass, "getuser", nameless)
    assert run("apply").exit_code == 0
    assert crew.records()[0].begin.facts["who"] == f"{os.getuid()}@{socket.gethostname()}"


# -- secrets ----------------------------------------------------------------------------------------


def test_what_is_secret_is_hidden_wherever_it_comes_up(
    at: Callable[[str], Database], monkeypatch: pytest.MonkeyPatch, crew: Any
) -> None:
    """In what is told, in the error, and in the journal: its arguments, and what a migration says."""
    at("e5")
    monkeypatch.setenv("STRIPE", "sk_live_4711")
    (crew.root / "pyproject.toml").write_text("[tool.backout]\nsecrets = ['STRIPE']\n")
    path = crew.root / "alembic" / "versions" / "f6_email_unique.py"
    path.write_text(
        path.read_text().replace(
            "def upgrade() -> None:", "def upgrade() -> None:\n    raise RuntimeError('sk_live_4711')"
        )
    )
    reason = "told by sk_live_4711"
    done = run("apply", *ACCEPTED, "--accept", f"evidence={reason}")
    assert done.exit_code == 1, done.stderr
    assert "accepted (told by ***): evidence: the evidence of f6 is of other files" in done.stderr
    assert done.stderr.splitlines()[-3] == (
        "error: alembic/versions/f6_email_unique.py:16: the upgrade of f6 failed: RuntimeError ***; "
        "runbook: migration-failed-half-way"
    )
    text = crew.records()[0].path.read_text()
    assert json.loads(text.splitlines()[0])["dry_run"] is False
    assert "RuntimeError ***" in text
    assert "sk_live_4711" not in done.stdout + done.stderr + text


# -- rollback ---------------------------------------------------------------------------------------


def test_rolled_back(at: Callable[[str], Database], crew: Any) -> None:
    database = at("f6")
    done = run("rollback", "--confirm", "f6", *ACCEPTED)
    assert (done.exit_code, done.stdout.splitlines()[-3:]) == (0, [*PLAN, "now at e5"])
    assert f"f6: {UNIQUE}" in " ".join(done.stdout.split())
    assert "Runbook: roll-back-one-revision" in done.stdout
    assert current(database) == "e5"
    assert crew.records()[0].begin.facts["subject"] == "rollback"


def test_what_every_docstring_says_is_told(at: Callable[[str], Database]) -> None:
    database = at("f6")
    done = run("rollback", "--to", "d4", "--dry-run", *ACCEPTED)
    assert done.exit_code == 0, done.stderr
    assert done.stdout.splitlines()[-6:-1] == [
        *PLAN,
        "",
        "Rollback plan of e5, by its docstring:",
        "  Allows people without an address again.",
    ]
    assert done.stdout.splitlines()[-1] == "dry run: nothing was changed; the database is at f6"
    assert current(database) == "f6"


def test_a_docstring_without_a_plan_is_told(at: Callable[[str], Database], crew: Any) -> None:
    at("f6")
    path = next(crew.root.glob("alembic/versions/f6_*.py"))
    path.write_text(path.read_text().replace("Rollback plan:\n    Drops the index, without blocking.\n", ""))
    done = run("rollback", "--dry-run", *ACCEPTED)
    assert done.stdout.splitlines()[-2:] == [PLAN[0], "  none"]
    assert "  evidence: the evidence of f6 is of other files" in done.stderr


def test_the_revision_must_be_named(at: Callable[[str], Database], crew: Any) -> None:
    database = at("f6")
    done = run("rollback", "--confirm", "e5", *ACCEPTED)
    assert (done.exit_code, done.stdout.splitlines()[-2:]) == (3, PLAN)
    assert done.stderr.splitlines()[-1] == "error: 'e5' is not f6, which would be rolled back; nothing was changed"
    assert current(database) == "f6"
    (record,) = crew.records()
    assert record.events[-1].facts["outcome"] == "refused"


def test_with_nobody_to_ask(at: Callable[[str], Database]) -> None:
    database = at("f6")
    done = run("rollback", *ACCEPTED)
    assert (done.exit_code, done.stdout.splitlines()[-2:]) == (3, PLAN)
    assert done.stderr.splitlines()[-1] == (
        "error: nobody can be asked: standard input is no terminal; for scripts: --confirm f6, or CONFIRM=f6 with make"
    )
    assert current(database) == "f6"


def test_nothing_to_roll_back(disposable: Any, crew: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(crew.root)
    monkeypatch.setenv("DATABASE_URL", disposable().url)
    done = run("rollback")
    assert (done.exit_code, done.stdout, done.stderr.splitlines()[-1]) == (
        3,
        "",
        "error: the database has no revision; there is nothing to roll back",
    )


@pytest.mark.parametrize(
    ("typed", "code", "end", "where"),
    [
        (b"f6\n", 0, "now at e5", "e5"),
        (b"e5\n", 3, "error: 'e5' is not f6, which would be rolled back; nothing was changed", "f6"),
        (b"\n", 3, "error: '' is not f6, which would be rolled back; nothing was changed", "f6"),
        (b"\x04", 3, "error: nobody has answered; nothing was changed", "f6"),
        (b"\x03", 130, "interrupted", "f6"),
    ],
    ids=["right", "wrong", "nothing", "Ctrl-D", "Ctrl-C"],
)
def test_an_operator_is_asked(
    at: Callable[[str], Database], crew: Any, environment: dict[str, str], typed: bytes, code: int, end: str, where: str
) -> None:
    database = at("f6")
    ours, its = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", IN_TERMINAL, BACKOUT, "rollback", *ACCEPTED], stdin=its, stdout=its, stderr=its,
        cwd=crew.root, env={**environment, "DATABASE_URL": database.url}, start_new_session=True,
    )  # fmt: skip
    os.close(its)
    said = b""
    while not said.endswith(b"Type the revision to roll it back (f6): "):
        said += os.read(ours, 1000)
    assert current(database) == "f6"
    os.write(ours, typed)
    try:
        while part := os.read(ours, 1000):
            said += part
    except OSError:  # it has closed its side
        pass
    os.close(ours)
    assert process.wait() == code, said
    told = [line for line in said.decode().splitlines() if line and not line.startswith("journal: ")]
    assert told[-1] == end
    assert current(database) == where
