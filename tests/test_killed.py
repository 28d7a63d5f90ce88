"""backout rehearse, interrupted and killed at many moments: what it leaves, at once and after the next start."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import psycopg
import pytest

from backout.evidence_files import EvidenceFiles
from backout.postgres import Server, cluster, open_server

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="NOT CHECKED: signals are POSIX's")

SAMPLES = Path(__file__).parent / "samples" / "projects"
BACKOUT = Path(sys.executable).parent / "backout"
MOMENTS = 4  # of each way to end on each server, no two the same
GONE_SECONDS = 20.0  # for what ends by itself; it takes one

ENVIRON = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith("PG") and name not in ("DATABASE_URL", "BACKOUT_POSTGRES")
}


@dataclass(frozen=True)
class End:
    """A way to end a run.

    :param whole_group: of its processes, as ``timeout`` and terminals do, instead of the one only.
    """

    number: signal.Signals
    whole_group: bool = False


ENDS = {
    "SIGINT": End(signal.SIGINT),
    "SIGTERM": End(signal.SIGTERM),
    "SIGKILL": End(signal.SIGKILL),
    "SIGKILL to the group": End(signal.SIGKILL, whole_group=True),
}


@dataclass
class Run:
    """A ``backout rehearse`` that has begun, and what it has made so far.

    :ivar folders: of its server and its workers; complete when it is looked at.
    """

    process: subprocess.Popen[str]
    mark: str
    folders: set[Path] = field(default_factory=set)
    _kept: list[Callable[[], None]] = field(default_factory=list)

    def work(self) -> float:
        """Seconds of processor time that it has used itself: how far it is, whatever else the machine does."""
        with suppress(psutil.Error):
            times = psutil.Process(self.process.pid).cpu_times()
            return float(times.user + times.system)
        return 0.0

    def alive(self) -> list[str]:
        """The processes that it has started and that live, itself included, however they descend from it."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if self.mark in process.environ().values() and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(" ".join(process.cmdline()))
        return found

    def left(self) -> list[Path]:
        """Those of its folders that are there."""
        return [folder for folder in self.folders if folder.exists()]

    def look(self) -> None:
        """Learn its folders: it holds them open, and its processes name them."""
        words = [word for command in self.alive() for word in command.split()]
        with suppress(OSError):
            words += [str(path.readlink()) for path in Path(f"/proc/{self.process.pid}/fd").iterdir()]
        found = (re.match(r"/.*/backout-[0-9a-f]{8}(?=/|$)", word) for word in words)
        self.folders |= {Path(match[0]) for match in found if match}

    def wait_until(self, work: float) -> None:
        """Let it do so much work, or come to its end."""
        while self.process.poll() is None and self.work() < work:
            time.sleep(0.005)

    def end(self, end: End) -> bool:
        """Whether it lived to see that."""
        self.look()
        if self.process.poll() is not None:
            return False
        (os.killpg if end.whole_group else os.kill)(self.process.pid, end.number)
        if end.number == signal.SIGKILL:
            self._keep()
        return True

    def _keep(self) -> None:
        """Lock its folders in its place: what it leaves is for the next of its own runs, not for other tests' commands,
        which would say that they removed a server.
        """
        self.process.wait()
        self._kept += [release for folder in self.folders if (release := cluster._hold(folder)) is not None]

    def leave(self) -> None:
        """What is kept is anybody's."""
        while self._kept:
            self._kept.pop()()


class Project:
    """A copy of a sample project, run on one server.

    :ivar temporary: the directory for temporary files of its runs.
    """

    def __init__(self, folder: Path, sample: str, url: str | None) -> None:
        self.root = Path(shutil.copytree(SAMPLES / sample, folder / sample))
        self.temporary = folder / "temporary"
        self.temporary.mkdir()
        self._environ = {**ENVIRON, "TMPDIR": str(self.temporary)} | ({"BACKOUT_POSTGRES": url} if url else {})

    def start(self, *arguments: str, **variables: str) -> Run:
        mark = uuid.uuid4().hex
        process = subprocess.Popen(
            [BACKOUT, "rehearse", "--jobs", "2", *arguments],
            cwd=self.root, env={**self._environ, "KILLED_MARK": mark, **variables}, start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        return Run(process, mark)

    def start_next(self, *killed: Run) -> None:
        """Any command that needs a server, after runs that were killed."""
        for run in killed:
            run.leave()
        command = [BACKOUT, "postgres", "--", "true"]
        subprocess.run(command, cwd=self.root, env=self._environ, check=True, capture_output=True)

    def left(self) -> list[Path]:
        """What its runs left in the directory for temporary files; not what Python's ``tempfile`` leaves of its trial
        whether a file can be written there, a file of a word, when it is killed between writing and removing it.
        """
        return [
            path
            for path in self.temporary.iterdir()
            if not (path.is_file() and re.fullmatch(r"[a-z0-9_]{8}", path.name) and path.read_bytes() in (b"", b"blat"))
        ]

    @property
    def files(self) -> EvidenceFiles:
        return EvidenceFiles(self.root / "migrations")

    def evidence(self) -> dict[str, bytes]:
        """All that lies where evidence is, hidden files included; the others are evidence, to the strict reader."""
        self.files.read()
        return {path.name: path.read_bytes() for path in self.files.directory.iterdir()}


@pytest.fixture(scope="module")
def given() -> Iterator[tuple[Server, str]]:
    """Somebody's server, and the URL for a role that may create databases on it."""
    with open_server("embedded") as server:
        for statement in ("CREATE ROLE tester LOGIN CREATEDB", "CREATE DATABASE app OWNER tester"):
            with psycopg.connect(server.url, autocommit=True) as connection:
                connection.execute(statement)  # type: ignore[arg-type]
        yield server, server.url.replace("postgres@/postgres?", "tester@/app?")


def on(server: Server) -> list[tuple[str, ...]]:
    """Databases, roles and sessions of others that are there."""
    with psycopg.connect(server.url, autocommit=True) as connection:
        return connection.execute("""
            SELECT datname FROM pg_database UNION ALL SELECT rolname FROM pg_roles UNION ALL
            SELECT application_name || ': ' || query FROM pg_stat_activity
            WHERE backend_type = 'client backend' AND usename = 'tester' ORDER BY 1
        """).fetchall()


def gone(what: Callable[[], Sequence[object]]) -> None:
    """Wait until there is nothing of it."""
    until = time.monotonic() + GONE_SECONDS
    while what() and time.monotonic() < until:
        time.sleep(0.05)
    assert what() == []


@dataclass(frozen=True)
class Whole:
    """A run that nobody ended.

    :param url: of the given server, or None.
    :param work: as :meth:`Run.work` tells.
    """

    url: str | None
    evidence: Mapping[str, bytes]
    work: float


@pytest.fixture(scope="module", params=["embedded", "given"])
def whole(request: pytest.FixtureRequest, given: tuple[Server, str], tmp_path_factory: pytest.TempPathFactory) -> Whole:
    url = given[1] if request.param == "given" else None
    project = Project(tmp_path_factory.mktemp("whole"), "settings", url)
    run, work = project.start(), 0.0
    while run.process.poll() is None:
        work = max(work, run.work())
        time.sleep(0.005)
    _, complaints = run.process.communicate()
    assert run.process.returncode == 0, complaints
    return Whole(url, project.evidence(), work)


@pytest.mark.parametrize("name", ENDS)
def test_an_end_at_any_moment_leaves_nothing(
    name: str, whole: Whole, tmp_path: Path, given: tuple[Server, str]
) -> None:
    server, _ = given
    end, project, before = ENDS[name], Project(tmp_path, "settings", whole.url), on(server)
    new = whole.evidence
    old = {path: re.sub(rb'("fingerprint": ")\w+', rb"\g<1>" + b"0" * 64, text) for path, text in new.items()}
    assert old != new
    project.files.directory.mkdir()
    own = (list(ENDS).index(name) + 0.5 * (whole.url is not None) + 0.25) / len(ENDS)
    hits, runs = 0, []
    for moment in range(MOMENTS):
        for path, text in old.items():
            (project.files.directory / path).write_bytes(text)
        run = project.start()
        run.wait_until(whole.work * (moment + own) / MOMENTS)
        hits += run.end(end)
        _, complaints = run.process.communicate()
        if end.number != signal.SIGKILL:
            assert run.alive() == []
            assert run.left() == []
            assert on(server) == before
            assert "PostgreSQL" not in complaints or "Traceback" not in complaints
        evidence = project.evidence()
        unfinished = {f".{path}.{run.process.pid}" for path in new} if end.number == signal.SIGKILL else set()
        assert new.keys() <= evidence.keys() <= new.keys() | unfinished
        project.files.sweep()  # as the next run does
        evidence = project.evidence()
        assert evidence.keys() == new.keys()
        assert [path for path in evidence if evidence[path] not in (old[path], new[path])] == []
        runs.append(run)
    assert hits >= MOMENTS - 1
    if end.number == signal.SIGKILL:
        for run in runs:
            gone(lambda: [command for command in run.alive() if "child.py" in command])  # noqa: B023
        gone(lambda: [one for one in on(server) if ": " in one[0]])
        project.start_next(*runs)
        assert on(server) == before
        for run in runs:
            gone(run.alive)
            gone(run.left)  # another test's command may be at it
    assert project.left() == []


@pytest.mark.parametrize(("name", "where"), [("SIGINT", "process"), ("SIGTERM", "server"), ("SIGKILL", "server")])
def test_a_migration_that_sleeps_is_not_waited_for(
    name: str, where: str, tmp_path: Path, given: tuple[Server, str]
) -> None:
    server, url = given
    project, asleep, before = Project(tmp_path, "sleeping", url), tmp_path / "asleep", on(server)
    run = project.start("--timeout", "600", ASLEEP=str(asleep), WHERE=where)
    until = time.monotonic() + 60
    while not asleep.exists():
        assert time.monotonic() < until
        time.sleep(0.01)
    began = time.monotonic()
    assert run.end(ENDS[name])
    run.process.communicate()
    assert time.monotonic() - began < GONE_SECONDS
    if name == "SIGKILL":
        gone(run.alive)
        project.start_next(run)
        gone(run.left)
    assert run.alive() == []
    assert on(server) == before
    assert run.left() == []
    assert project.left() == []
