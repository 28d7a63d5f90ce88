"""backout.operate: the whole life of an operator's run, by the command, in a terminal and without one.

The real database is a disposable one whose URL is given as DATABASE_URL.
"""

import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil
import psycopg
import pytest

from backout import journal
from backout.masking import Masking
from backout.postgres import Database, Server

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="NOT CHECKED: bash and its processes are POSIX's")

SAMPLES = Path(__file__).parent / "samples"
LONG = 60.0  # seconds; what ends, ends long before
COMMAND = [sys.executable, "-m", "backout", "run"]
# The terminal becomes the program's own, so that Ctrl-C reaches it, and its end hangs up.
OWN = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"


@dataclass
class Terminal:
    """A program in a terminal of its own."""

    process: subprocess.Popen[bytes]
    master: int
    shown: str = ""
    read: int = 0

    def expect(self, text: str) -> None:
        """Wait until the text is shown, behind what was expected before."""
        deadline = time.monotonic() + LONG
        while (found := self.shown.find(text, self.read)) < 0:
            assert self._more(deadline), f"{text!r} was not shown:\n{self.shown}"
        self.read = found + len(text)

    def send(self, text: str) -> None:
        os.write(self.master, text.encode())

    def answer(self, question: str, text: str) -> None:
        self.expect(question)
        self.send(text + "\n")

    def end(self) -> int:
        """Read to the end; the exit status."""
        deadline = time.monotonic() + LONG
        while self._more(deadline):
            pass
        return self.process.wait(LONG)

    def close(self) -> None:
        if self.master >= 0:
            os.close(self.master)
            self.master = -1

    def _more(self, deadline: float) -> bool:
        while time.monotonic() < deadline:
            if select.select([self.master], [], [], 0.1)[0]:
                try:
                    piece = os.read(self.master, 65536)
                except OSError:  # the other side is closed
                    return False
                self.shown += piece.decode(errors="replace").replace("\r\n", "\n")
                return bool(piece)
        return False


@dataclass
class Site:
    """A project, its database, and the command in it."""

    root: Path
    database: Database
    environment: dict[str, str]
    opened: list[Terminal] = field(default_factory=list)

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Without a terminal."""
        return subprocess.run(
            [*COMMAND, *arguments], cwd=self.root, env={**self.environment, **variables}, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, check=False, timeout=LONG,
        )  # fmt: skip

    def terminal(self, *arguments: str, **variables: str) -> Terminal:
        master, slave = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-c", OWN, *COMMAND, *arguments], cwd=self.root, env={**self.environment, **variables},
            stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
        )  # fmt: skip
        os.close(slave)
        self.opened.append(Terminal(process, master))
        return self.opened[-1]

    @property
    def journals(self) -> list[journal.Record]:
        return [journal.read(path) for path in sorted((self.root / "build/journals").glob("*.jsonl"))]

    @property
    def events(self) -> list[str]:
        """Of the newest journal: ``begun two.1``, ``ended two.1 passed`` …"""
        told = []
        for event in self.journals[-1].events:
            facts = [event.facts.get(key) for key in ("id", "outcome", "answer")]
            told.append(" ".join([event.name, *(str(fact) for fact in facts if fact)]))
        return told

    def query(self, sql: str) -> list[Any]:
        with psycopg.connect(self.database.url, autocommit=True) as connection:
            return [row[0] for row in connection.execute(sql)]  # type: ignore[call-overload]

    @property
    def numbers(self) -> list[int]:
        return self.query("SELECT n FROM numbers ORDER BY 1")


def site_at(root: Path, database: Database, server: Server) -> Site:
    for folder in ("runbooks", "incidents"):
        shutil.copytree(SAMPLES / folder, root / folder)
    (root / "pyproject.toml").write_text('[tool.backout]\npages = ["runbooks/*.md"]\nsecrets = ["HUSH"]\n')
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("BACKOUT_", "PG"))}
    environment = {**clean, **server.environment(database), "COLUMNS": "80", "GREETING": "at last"}
    site = Site(root, database, environment)
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute("CREATE TABLE numbers (n int)")
    return site


@pytest.fixture
def site(tmp_path: Path, disposable: Callable[..., Database], backout_server: Server) -> Iterator[Site]:
    root = tmp_path / "project"
    root.mkdir()
    site = site_at(root, disposable(), backout_server)
    yield site
    for terminal in site.opened:
        terminal.close()
        if terminal.process.poll() is None:
            terminal.process.kill()
            terminal.process.wait()


BEFORE = [
    "begin", "begun when.1", "ended when.1 passed", "begun before.1", "ended before.1 passed",
    "answered before: The team knows yes",
]  # fmt: skip
ONE = ["answered one.1 run", "begun one.1", "ended one.1 passed", "begun one.2", "ended one.2 passed"]
TWO = ["answered two.1 run", "begun two.1", "ended two.1 passed", "begun two.2", "ended two.2 passed"]
FORGET = ["answered forget.1 run", "begun forget.1", "ended forget.1 passed", "begun forget.2", "ended forget.2 passed"]
VERIFY = ["begun verify.1", "ended verify.1 passed", "end done"]


def until_two(terminal: Terminal) -> None:
    terminal.answer("[y]es, [n]o: ", "y")
    terminal.answer("[r]un, [s]kip, [q]uit: ", "r")
    terminal.answer("[r]un, [s]kip, [q]uit: ", "r")


# -- a run that goes well -----------------------------------------------------------------------------


def test_yes_to_everything(site: Site) -> None:
    terminal = site.terminal("count-up", "--env", "staging")
    until_two(terminal)
    terminal.answer("type destroy to run it, [s]kip, [q]uit: ", "r")  # is not enough
    terminal.answer("type destroy to run it, [s]kip, [q]uit: ", "destroy")
    assert terminal.end() == 0, terminal.shown
    assert site.numbers == [2]
    assert site.events == [*BEFORE, *ONE, *TWO, *FORGET, *VERIFY]
    begin = site.journals[0].begin.facts
    assert (begin["runbook"], begin["environment"]) == ("runbooks/count-up.md", "staging")
    assert begin["database"]["name"] == site.database.name


def test_what_is_shown(site: Site) -> None:
    terminal = site.terminal("count-up", "--env", "staging", "--yes")
    terminal.answer("type destroy to run it, [s]kip, [q]uit: ", "destroy")
    assert terminal.end() == 0
    shown = terminal.shown
    assert "\x1b[1mCount up\x1b[0m" in shown
    for part in (
        "When: the table of numbers is empty", "Who: anybody", "Takes: about 1 min", "Needs: DATABASE_URL, psql",
        "Destroys: the number 1", "  1. Add one: changes a row of the table numbers",
        "  3. Forget one: destroys the number 1", "The first number.", "    INSERT INTO numbers VALUES (1);",
        "It changes a row of the table numbers.", "  | INSERT 0 1", "It destroys the number 1.",
        "There is no way back: what is forgotten is forgotten.", "Tell the team.", "Done.",
    ):  # fmt: skip
        assert part in shown
    assert max(len(line) for line in plain(shown).splitlines() if not line.startswith(("    ", "  |"))) <= 80


def plain(shown: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", shown)


@pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_no_colour(site: Site, variables: dict[str, str]) -> None:
    terminal = site.terminal("count-up", "--env", "staging", **variables)
    terminal.answer("[y]es, [n]o: ", "n")
    assert terminal.end() == 1
    assert "\x1b[3" not in terminal.shown


def test_output_comes_while_a_block_runs(site: Site) -> None:
    (site.root / "slow").touch()
    terminal = site.terminal("count-up", "--env", "staging")
    until_two(terminal)
    terminal.expect("  | begun, at last")
    terminal.send("\x03")
    assert terminal.end() == 130


def test_a_dry_run_runs_nothing(site: Site) -> None:
    done = site.run("count-up", "--env", "production", "--dry-run")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("\nAfterwards\nTell the team.\nNothing was run.\n")
    assert "DELETE FROM numbers WHERE n = 2;" in done.stdout  # the way back
    assert site.numbers == []
    assert not (site.root / "build").exists()


def test_step_by_step_asks_before_reading(site: Site) -> None:
    terminal = site.terminal("count-up", "--env", "staging", "--step-by-step")
    terminal.answer("[r]un, [s]kip, [q]uit: ", "s")
    terminal.answer("[r]un, [s]kip, [q]uit: ", "q")
    assert terminal.end() == 1
    assert site.events == ["begin", "answered when.1 skip", "skipped when.1", "answered before.1 quit", "end stopped"]


def test_from_a_step_on(site: Site) -> None:
    for step in ("2", "two"):
        done = site.run("count-up", "--env", "staging", "--yes", "--from-step", step)
        assert done.returncode == 3  # at the block that destroys
        assert site.events == [
            "begin", *BEFORE[3:], *TWO, "end refused",
        ]  # fmt: skip
    assert site.numbers == [2, 2]
    done = site.run("count-up", "--env", "staging", "--from-step", "4")
    assert (done.returncode, done.stderr) == (
        2,
        "error: there is no step '4'; there are 1 (one), 2 (two), 3 (forget)\n",
    )


# -- refused before anything runs ---------------------------------------------------------------------


def test_another_environment(site: Site) -> None:
    done = site.run("count-up", "--env", "nowhere", "--yes")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == (
        "error: runbooks/count-up.md is not for nowhere: it names staging, production; nothing was run\n"
    )


def test_missing_needs_are_told_at_once(site: Site) -> None:
    page = site.root / "runbooks/count-up.md"
    page.write_text(
        page.read_text().replace("needs: [DATABASE_URL, psql]", "needs: [DATABASE_URL, THIS, no-such-tool]")
        + "\nBy `THIS`.\n"
    )
    line = len(page.read_text().splitlines())
    done = site.run("count-up", "--env", "staging", DATABASE_URL="")
    assert done.returncode == 3
    assert done.stderr == (
        "error: runbooks/count-up.md needs what is not there, and nothing was run:\n    DATABASE_URL is not set\n"
        f"    THIS is not set: see line {line}\n    no-such-tool is not on PATH\n"
    )
    assert not (site.root / "build").exists()


def test_a_database_that_does_not_answer(site: Site) -> None:
    done = site.run("count-up", "--env", "staging", DATABASE_URL="postgresql://crew:s3cret-word@127.0.0.1:1/crew")
    assert done.returncode == 3
    assert "could not connect to postgresql://crew:***@127.0.0.1:1/crew: " in done.stderr
    assert "s3cret-word" not in done.stderr + done.stdout


def test_a_page_that_breaks_the_contract_is_told_whole(site: Site) -> None:
    page = site.root / "runbooks/count-up.md"
    text = (
        page.read_text()
        .replace("minutes: 1\n", "minutes: soon\n")
        .replace("<!-- until: forget -->", "<!-- until: x -->")
    )
    page.write_text(text)
    done = site.run("count-up", "--env", "staging", "--yes")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "error: runbooks/count-up.md breaks the page contract, and nothing of it is run:\n"
        "    runbooks/count-up.md:8: front matter runbook: minutes takes a number of minutes, not 'soon'\n"
    )


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["no-such", "--env", "x"], "there is no runbook 'no-such'; runbooks has count-up, unlock"),
        (["count-up"], "backout run takes a RUNBOOK and --env NAME; or --report JOURNAL"),
        (["count-up", "--env", "x", "--json"], "--json goes with --report JOURNAL, whose events it prints"),
        (
            ["count-up", "--env", "x", "--resume", "--from-step", "1"],
            "--resume goes on where the run stopped; --from-step begins anew: give one of them",
        ),
        (
            ["count-up", "--env", "staging", "--resume"],
            (
                "{root}/build/journals has no unfinished journal of runbooks/count-up.md in staging; "
                "begin without --resume"
            ),
        ),
    ],
)
def test_usage(site: Site, arguments: list[str], told: str) -> None:
    done = site.run(*arguments)
    assert (done.returncode, done.stderr) == (2, f"error: {told.format(root=site.root)}\n")


def test_a_page_is_no_runbook(site: Site) -> None:
    (site.root / "runbooks/page.md").write_text("# A page\n")
    done = site.run("page", "--env", "staging")
    told = "runbooks/page.md is a page and no runbook: its front matter has no runbook: table"
    assert (done.returncode, done.stderr) == (2, f"error: {told}\n")


# -- without a terminal -------------------------------------------------------------------------------


def test_nobody_can_be_asked(site: Site) -> None:
    done = site.run("count-up", "--env", "staging")
    assert done.returncode == 3
    path = site.journals[0].path.relative_to(site.root)
    assert done.stderr == (
        "error: 'before: The team knows' is asked, and nobody can be asked: standard input is no terminal; --yes "
        f"answers for what destroys nothing; go on with: backout run count-up --env staging --resume {path}\n"
    )
    assert site.events == [*BEFORE[:5], "end refused"]
    page = site.root / "runbooks/count-up.md"
    page.write_text(page.read_text().replace("- [ ] The team knows (manual: only people can tell)\n", ""))
    done = site.run("count-up", "--env", "staging")
    assert done.stderr.startswith(
        "error: the block one.1 changes a row of the table numbers, and nobody can be asked: standard input is no "
        "terminal; --yes answers for what destroys nothing; go on with: "
    )
    assert (done.returncode, site.numbers) == (3, [])


def test_yes_does_not_destroy(site: Site) -> None:
    done = site.run("count-up", "--env", "staging", "--yes")
    assert done.returncode == 3
    assert done.stderr.startswith(
        "error: the block forget.1 destroys the number 1, and nobody can be asked: standard input is no terminal, and "
        "no option answers for it; run it in a terminal; go on with: backout run count-up --env staging --resume build/"
    )
    assert site.numbers == [1, 2]
    assert "\x1b" not in done.stdout
    # Who then sits at a terminal goes on.
    terminal = site.terminal("count-up", "--env", "staging", "--resume", "--yes")
    terminal.answer("type destroy to run it, [s]kip, [q]uit: ", "destroy")
    assert terminal.end() == 0
    assert site.numbers == [2]
    again = ["begun one.2", "ended one.2 passed", "begun two.2", "ended two.2 passed"]
    assert site.events[site.events.index("resume") :] == ["resume", *again, *FORGET, *VERIFY]


# -- no, skip, quit, and the end of the input ---------------------------------------------------------


def test_no(site: Site) -> None:
    terminal = site.terminal("count-up", "--env", "staging")
    terminal.answer("[y]es, [n]o: ", "maybe")
    terminal.answer("[y]es, [n]o: ", "no")
    assert terminal.end() == 1
    assert "runbooks/count-up.md:34: you said no to 'The team knows'" in plain(terminal.shown)
    assert site.events == [*BEFORE[:-1], "answered before: The team knows no", "end failed"]


def test_a_skipped_change_is_checked(site: Site) -> None:
    terminal = site.terminal("count-up", "--env", "staging")
    terminal.answer("[y]es, [n]o: ", "y")
    terminal.answer("[r]un, [s]kip, [q]uit: ", "s")
    assert terminal.end() == 1
    assert site.events == [
        *BEFORE, "answered one.1 skip", "skipped one.1", "begun one.2", "ended one.2 failed", "end failed",
    ]  # fmt: skip
    assert "Skipped: one.1" in terminal.shown
    # Done by hand meanwhile, and skipped again: its check now holds.
    site.query("INSERT INTO numbers VALUES (1) RETURNING n")
    terminal = site.terminal("count-up", "--env", "staging", "--resume")
    terminal.answer("[r]un, [s]kip, [q]uit: ", "s")
    terminal.answer("[r]un, [s]kip, [q]uit: ", "r")
    terminal.answer("type destroy to run it, [s]kip, [q]uit: ", "s")
    assert terminal.end() == 1  # the check of what was skipped: the number is there
    assert site.events[-4:] == ["skipped forget.1", "begun forget.2", "ended forget.2 failed", "end failed"]


def test_a_symptom_that_does_not_show(site: Site) -> None:
    site.query("INSERT INTO numbers VALUES (10) RETURNING n")
    done = site.run("count-up", "--env", "staging", "--yes")
    assert done.returncode == 1
    hint = "the symptom does not show: look for another runbook, or begin with --from-step 1\n"
    assert f"-0\n+1\n{hint}Done so far: nothing\n" in done.stdout
    assert site.events == ["begin", "begun when.1", "ended when.1 failed", "end failed"]


def test_quit_and_the_end_of_the_input(site: Site) -> None:
    for typed, reason in (("q\n", "you quit before one.1"), ("\x04", "nobody answered for one.1")):
        terminal = site.terminal("count-up", "--env", "staging")
        terminal.answer("[y]es, [n]o: ", "y")
        terminal.expect("[r]un, [s]kip, [q]uit: ")
        terminal.send(typed)
        assert terminal.end() == 1
        assert f"{reason}\n" in plain(terminal.shown)
        assert "If it fails" not in terminal.shown
        assert site.journals[-1].events[-1].facts == {"outcome": "stopped", "reason": reason}
    assert site.numbers == []


# -- failure and resume -------------------------------------------------------------------------------


def test_a_failure_says_what_to_do_and_is_resumed(site: Site) -> None:
    (site.root / "broken").touch()
    terminal = site.terminal("count-up", "--env", "staging")
    until_two(terminal)
    assert terminal.end() == 1
    path = site.journals[0].path.relative_to(site.root)
    ending = plain(terminal.shown).partition("  | begun, at last\n")[2]
    assert ending == (
        "runbooks/count-up.md:65: 'test ! -e broken' ended with 1, not with 0; it printed\n    begun, at last\n"
        "Done so far: when.1, before.1, one.1, one.2\n\nIf it fails\nGo on with another page (other.md#where).\n"
        f"To go on:\n    backout run count-up --env staging --resume {path}\n"
    )
    (site.root / "broken").unlink()
    terminal = site.terminal("count-up", "--env", "staging", "--resume", str(path))
    terminal.answer("[r]un, [s]kip, [q]uit: ", "r")
    terminal.answer("type destroy to run it, [s]kip, [q]uit: ", "destroy")
    assert terminal.end() == 0, terminal.shown
    assert len(site.journals) == 1
    resumed = site.events[site.events.index("resume") :]
    assert resumed == ["resume", "begun one.2", "ended one.2 passed", *TWO, *FORGET, *VERIFY]
    assert site.numbers == [2, 2]
    done = site.run("count-up", "--env", "staging", "--resume", str(path))
    assert done.returncode == 3
    assert done.stderr == f"error: the run of {path} came to its end; begin a new one, without --resume\n"


def test_a_check_of_a_done_step_that_does_not_hold_any_more_stops_a_resumed_run(site: Site) -> None:
    (site.root / "broken").touch()
    assert site.run("count-up", "--env", "staging", "--yes").returncode == 1
    site.query("DELETE FROM numbers WHERE n = 1 RETURNING n")
    done = site.run("count-up", "--env", "staging", "--yes", "--resume")
    assert done.returncode == 1
    assert site.events[-3:] == ["begun one.2", "ended one.2 failed", "end failed"]


def test_a_runbook_that_was_edited_is_refused(site: Site, fault: Callable[[str, int, str, int], None]) -> None:
    (site.root / "broken").touch()
    assert site.run("count-up", "--env", "staging", "--yes").returncode == 1
    page = site.root / "runbooks/count-up.md"
    page.write_text(page.read_text() + "\nMore.\n")
    before = site.numbers
    done = site.run("count-up", "--env", "staging", "--yes", "--resume")
    assert done.returncode == 3
    assert done.stderr == (
        f"error: runbooks/count-up.md was edited since {site.journals[0].path} was begun, so that what is done there "
        "may be something else; bring back its text (commit unknown), or begin anew: --from-step\n"
    )
    assert site.numbers == before == [1, 2]
    happened = "refused to go on; nothing was run"
    fault("runbook edited between failure and resume", 1, happened, len(set(before) - set(site.numbers)))


def test_another_runbook_environment_or_database_is_refused(
    site: Site, disposable: Callable[..., Database], backout_server: Server
) -> None:
    (site.root / "broken").touch()
    assert site.run("count-up", "--env", "staging", "--yes").returncode == 1
    path = site.journals[0].path
    done = site.run("count-up", "--env", "production", "--resume", str(path))
    assert (done.returncode, done.stderr) == (
        3,
        f"error: the journal {path} is of a run in staging, not in production\n",
    )
    done = site.run("unlock", "--env", "staging", "--resume", str(path), HOLDER="x")
    assert done.stderr == f"error: the journal {path} is of runbooks/count-up.md, not of runbooks/unlock.md\n"
    other = disposable()
    done = site.run("count-up", "--env", "staging", "--resume", str(path), **backout_server.environment(other))
    assert done.returncode == 3
    assert done.stderr.startswith(f"error: the journal {path} is of a run on {site.database.name} at ")
    assert f", and DATABASE_URL names {other.name} at " in done.stderr


def test_a_run_that_lives_is_not_resumed(site: Site) -> None:
    terminal = site.terminal("count-up", "--env", "staging")
    terminal.expect("[y]es, [n]o: ")
    done = site.run("count-up", "--env", "staging", "--resume", "--yes")
    assert done.returncode == 3
    told = f"another run writes the journal {site.journals[0].path}; wait until it has ended"
    assert told in done.stderr
    terminal.send("n\n")
    assert terminal.end() == 1


# -- ends that nobody wanted --------------------------------------------------------------------------


def descendants(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def alive(processes: list[psutil.Process]) -> list[psutil.Process]:
    return [one for one in processes if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]


SLEEPING = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)%' AND pid <> pg_backend_pid()"


@pytest.mark.parametrize(
    ("number", "status"), [(None, 130), (signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_ends_the_block_its_query_too(site: Site, number: signal.Signals | None, status: int) -> None:
    (site.root / "slow").touch()
    terminal = site.terminal("count-up", "--env", "staging")
    until_two(terminal)
    terminal.expect("  | begun")
    wait_for(lambda: site.query(SLEEPING + " AND datname = current_database()") == [1])
    started = descendants(terminal.process)
    assert len(started) > 1
    if number is None:
        terminal.send("\x03")
    else:
        terminal.process.send_signal(number)
    assert terminal.end() == status
    assert alive(started) == []
    assert site.query(SLEEPING + " AND datname = current_database()") == [0]
    assert site.events[-2:] == ["ended two.1 interrupted", "end stopped"]
    name = signal.Signals(status - 128).name
    assert f"stopped in two.1, whose processes were ended ({name})\n" in plain(terminal.shown)
    # Nobody knows how far it came: it is asked, also with --yes.
    (site.root / "slow").unlink()
    done = site.run("count-up", "--env", "staging", "--yes", "--resume")
    assert done.returncode == 3
    assert (
        done.stderr.startswith("error: the block two.1 changes a row of the table numbers, and nobody can be asked")
        or "was running when the run was cut off" in done.stderr
    )


def test_a_terminal_that_hangs_up(site: Site) -> None:
    (site.root / "slow").touch()
    terminal = site.terminal("count-up", "--env", "staging")
    until_two(terminal)
    terminal.expect("  | begun")
    started = descendants(terminal.process)
    terminal.close()
    assert terminal.process.wait(LONG) == 129
    assert alive(started) == []
    assert site.events[-2:] == ["ended two.1 interrupted", "end stopped"]


def test_a_signal_between_two_blocks(site: Site) -> None:
    terminal = site.terminal("count-up", "--env", "staging")
    terminal.expect("[y]es, [n]o: ")
    terminal.send("\x03")
    assert terminal.end() == 130
    assert "stopped between two blocks (SIGINT)\n" in plain(terminal.shown)
    assert site.events == [*BEFORE[:-1], "end stopped"]


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_killed_while_asking(site: Site) -> None:
    terminal = site.terminal("count-up", "--env", "staging")
    terminal.answer("[y]es, [n]o: ", "y")
    terminal.expect("[r]un, [s]kip, [q]uit: ")
    terminal.process.kill()
    terminal.process.wait()
    assert site.events == BEFORE
    assert not site.journals[0].is_ended
    wait_for(lambda: "still runs" not in site.run("count-up", "--env", "staging", "--resume").stderr)
    terminal = site.terminal("count-up", "--env", "staging", "--resume")
    terminal.answer("[r]un, [s]kip, [q]uit: ", "r")  # the checklist was answered
    terminal.answer("[r]un, [s]kip, [q]uit: ", "r")
    terminal.answer("type destroy to run it, [s]kip, [q]uit: ", "destroy")
    assert terminal.end() == 0
    assert site.numbers == [2]


def test_killed_within_a_change(site: Site) -> None:
    """What it has started goes on, and is told; then it is asked what becomes of the block."""
    (site.root / "slow").touch()
    terminal = site.terminal("count-up", "--env", "staging")
    until_two(terminal)
    terminal.expect("  | begun")
    wait_for(lambda: site.query(SLEEPING + " AND datname = current_database()") == [1])
    terminal.process.kill()
    terminal.process.wait()
    assert site.events[-1] == "begun two.1"
    done = site.run("count-up", "--env", "staging", "--yes", "--resume")
    assert done.returncode == 3
    first, *rest = done.stderr.splitlines()
    path = site.journals[0].path
    assert first == f"error: what the run of {path} has started still runs; wait until it has ended, or end it:"
    assert any("pg_sleep(600)" in line for line in rest)
    site.query(SLEEPING.replace("count(*)", "pg_terminate_backend(pid)") + " AND datname = current_database()")
    wait_for(lambda: "still runs" not in site.run("count-up", "--env", "staging", "--yes", "--resume").stderr)
    done = site.run("count-up", "--env", "staging", "--yes", "--resume")
    assert done.returncode == 3
    assert done.stderr.startswith(
        "error: the block two.1 was running when the run was cut off, and nobody can be asked whether to run it again: "
        "standard input is no terminal; go on with: "
    )
    (site.root / "slow").unlink()
    terminal = site.terminal("count-up", "--env", "staging", "--yes", "--resume")
    terminal.expect("It was running when the run was cut off: nobody knows how far it came.")
    terminal.answer("[r]un, [s]kip, [q]uit: ", "s")  # looked: it is there
    terminal.answer("type destroy to run it, [s]kip, [q]uit: ", "destroy")
    assert terminal.end() == 0, terminal.shown
    assert "Done, but for what was skipped: two.1" in terminal.shown
    assert site.numbers == [2]


def test_a_torn_line_is_cut_off(site: Site) -> None:
    (site.root / "broken").touch()
    assert site.run("count-up", "--env", "staging", "--yes").returncode == 1
    path = site.journals[0].path
    path.write_bytes(path.read_bytes()[:-9])
    (site.root / "broken").unlink()
    done = site.run("count-up", "--env", "staging", "--yes", "--resume")
    assert done.returncode == 3  # at the block that destroys
    assert "torn" in site.events


# -- secrets ------------------------------------------------------------------------------------------

PASSWORD = "p@ss/w:rd #1'x"


def test_no_secret_is_shown_or_written(site: Site) -> None:
    page = site.root / "runbooks/count-up.md"
    echo = (
        'echo "1 $PGPASSWORD 2 $OTHER_URL 3 $HUSH 4 $DATABASE_URL 5"; cat "${PGPASSFILE:-/dev/null}"; '
        "printf 'secret-'; sleep 0.3; echo token-9"
    )
    page.write_text(
        page.read_text().replace(
            "psql -XAtc 'SELECT count(*) FROM numbers WHERE n = 0'", f"{echo}\n  psql -XAtc 'SELECT 0'"
        )
    )
    url = site.environment["DATABASE_URL"].replace("@", f":{quote(PASSWORD, safe='')}@", 1)
    variables = {
        "DATABASE_URL": url, "PGPASSWORD": "inherited-word", "HUSH": "quiet-please", "API_TOKEN": "secret-token-9",
        "OTHER_URL": "redis://:tricky%3Aword@cache/0",
    }  # fmt: skip
    done = site.run("count-up", "--env", "staging", "--yes", **variables)
    report = site.run("--report", str(site.journals[-1].path))
    texts = [done.stdout, done.stderr, report.stdout, *(one.path.read_text() for one in site.journals)]
    for text in texts:
        for secret in (
            PASSWORD,
            quote(PASSWORD, safe=""),
            "inherited-word",
            "quiet-please",
            "tricky",
            "secret-token-9",
        ):
            assert secret not in text
    assert "2 redis://:***@cache/0 3 *** 4 postgresql://" in done.stdout


# -- the report ---------------------------------------------------------------------------------------


def test_the_report(site: Site) -> None:
    (site.root / "broken").touch()
    assert site.run("count-up", "--env", "production", "--yes").returncode == 1
    (site.root / "broken").unlink()
    terminal = site.terminal("count-up", "--env", "production", "--yes", "--resume")
    terminal.answer("type destroy to run it, [s]kip, [q]uit: ", "destroy")
    assert terminal.end() == 0
    path = site.journals[0].path
    done = site.run("--report", str(path))
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].startswith("# Count up: production, ")
    assert "- How it ended: it came to its end" in lines
    rows = [
        line.split(" | ", 1)[1] for line in lines if line.startswith("| ") and ":" in line[:12] and line[2].isdigit()
    ]
    plain_rows = [row.rsplit(" | ", 1)[0] for row in rows]
    assert plain_rows[:4] == [
        "when.1 | passed", "before.1 | passed", "before: The team knows | answered yes (--yes) |"[:-2],
        "one.1 | answered run (--yes) |"[:-2],
    ]  # fmt: skip
    assert "two.1 | failed" in plain_rows
    assert "forget.1 | answered run (operator)" in plain_rows
    assert plain_rows[-1] == "end | done"
    assert "## two.1: failed, " in done.stdout
    assert "runbooks/count-up.md:65: 'test ! -e broken' ended with 1, not with 0; it printed" in done.stdout
    events = json.loads(site.run("--report", str(path), "--json").stdout)
    assert [event["n"] for event in events] == list(range(1, len(events) + 1))
    assert (events[0]["event"], events[-1]["event"], events[-1]["outcome"]) == ("begin", "end", "done")


def test_the_report_of_a_run_that_was_cut_off(site: Site) -> None:
    (site.root / "broken").touch()
    assert site.run("count-up", "--env", "staging", "--yes").returncode == 1
    path = site.journals[0].path
    lines = path.read_bytes().splitlines(keepends=True)
    cut = next(number for number, line in enumerate(lines) if b'"begun", "id": "two.1"' in line)
    path.write_bytes(b"".join(lines[: cut + 1]))
    text = site.run("--report", str(path)).stdout
    assert "- How it ended: **cut off**: nobody wrote its end\n" in text
    assert "| two.1 | **cut off** | |\n" in text


def test_the_report_of_something_else(site: Site, tmp_path: Path) -> None:
    with journal.create(tmp_path, "apply", Masking()) as other:
        pass
    done = site.run("--report", str(other.path))
    assert (done.returncode, done.stderr) == (2, f"error: {other.path} is the journal of apply, not of a runbook\n")
