"""The process of a worker: how it is started, talked to and killed, its scratch directory and its environment.

Not here: what is said (``worker``), what the process does (``worker.child``).

Below ``worker``, which alone imports it.
"""

import json
import os
import re
import secrets
import selectors
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import psutil

from backout.errors import ConfigurationError
from backout.postgres import Database
from backout.processes import started

GONE_SECONDS = 10.0

TAIL = 4000  # bytes of what a step printed

OLDEST_PYTHON = (3, 8)
NAME_IT = "name the interpreter that the project's packages are installed in: --python .venv/bin/python"

NOWHERE = "backout"  # the database's name where there is none yet; nobody has one of that name

COPIED_FILES, COPIED_BYTES = 1000, 16 * 1024 * 1024  # of a project, into the scratch directory
LEFT_OUT = frozenset(
    {".git", ".hg", ".svn", ".venv", "venv", ".tox", ".nox", "node_modules", "__pycache__", ".mypy_cache",
     ".pytest_cache", ".ruff_cache"}
)  # fmt: skip

# Variables that say where a database is: cleared, and those of a known kind written anew for the disposable one.
PLACE = re.compile(
    r"(?:\w*_)?(?:POSTGRES|POSTGRESQL|PG|DB|DATABASE)_?"
    r"(?P<part>HOST|HOSTNAME|SERVER|PORT|NAME|DB|DATABASE|USER|USERNAME|PASSWORD|PASS)"
)
PARTS = {
    "HOST": "{host}", "HOSTNAME": "{host}", "SERVER": "{host}", "PORT": "{port}", "NAME": "{database}",
    "DB": "{database}", "DATABASE": "{database}", "USER": "{user}", "USERNAME": "{user}", "PASSWORD": "unused",
    "PASS": "unused",
}  # fmt: skip
DATABASE_URL = re.compile(r"(postgres(?:ql)?(?:\+\w+)?)://", re.IGNORECASE)


class Server(Protocol):
    """Where databases are: :class:`backout.postgres.Server`, or :class:`backout.postgres.RealDatabase`."""

    @property
    def url(self) -> str:
        """Of a database there, without a password."""

    @property
    def description(self) -> str:
        """For people."""

    def environment(self, database: Database, /) -> dict[str, str]:
        """Variables that lead a program to a database."""


class Child:
    """The process, its socket and its scratch directory."""

    def __init__(self, python: str, root: Path, folder: Path, environment: Mapping[str, str]) -> None:
        if os.sep in python:
            python = os.path.abspath(python)  # noqa: PTH100 - not resolved: a link is what makes it a virtual environment
        self.folder = folder / f"worker-{secrets.token_hex(4)}"
        self.folder.mkdir(0o700)
        self.scratch = self.folder / (root.name or "project")
        self.scratch.mkdir()
        fill_scratch(root, self.scratch)
        self.is_new = True
        self._rest = b""
        self._messages: list[dict[str, Any]] = []
        self._printed = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed in end()
        self._offset = 0
        ours, its = socket.socketpair()
        with its:
            self._socket = ours
            command = [python, "-u", str(Path(__file__).with_name("child.py"))]
            command += ["--socket", str(its.fileno()), "--parent", str(os.getpid()), "--scratch", str(self.scratch)]
            try:
                self._process = started(
                    lambda: subprocess.Popen(
                        command,
                        cwd=root,  # relative entries of PYTHONPATH
                        env=dict(environment),
                        stdin=subprocess.DEVNULL,
                        stdout=self._printed,
                        stderr=self._printed,
                        pass_fds=[its.fileno()],
                        start_new_session=True,  # a group to kill, out of reach of the terminal's Ctrl-C
                    )
                )
            except OSError as error:
                ours.close()
                self._printed.close()
                shutil.rmtree(self.folder, ignore_errors=True)
                raise ConfigurationError(
                    f"{python} could not be started: {error.strerror or error}; {NAME_IT}"
                ) from error
        self._selector = selectors.DefaultSelector()
        self._selector.register(ours, selectors.EVENT_READ)

    def send(self, order: Mapping[str, Any]) -> None:
        with suppress(OSError):  # that it is gone is found when its answer is awaited
            self._socket.sendall(json.dumps(order).encode() + b"\n")

    def receive(self, seconds: float) -> dict[str, Any] | None:
        """The next message; None when there is none in time; ``{"is": "gone"}`` when there will be none."""
        until = time.monotonic() + seconds
        while not self._messages:
            left = until - time.monotonic()
            if not self._selector.select(max(left, 0)):
                if self._process.poll() is not None and not self._selector.select(0):
                    return {"is": "gone"}  # a process that it left holds the socket open
                if left <= 0:
                    return None
                continue
            try:
                data = os.read(self._socket.fileno(), 65536)
            except OSError:
                data = b""
            if not data:
                return {"is": "gone"}
            *lines, self._rest = (self._rest + data).split(b"\n")
            self._messages += [json.loads(line) for line in lines]
        return self._messages.pop(0)

    def peek(self) -> bool:
        """Whether a message has come."""
        return bool(self._messages) or bool(self._selector.select(0))

    def begin(self) -> None:
        """What is printed from now on is the next order's."""
        self._offset = os.fstat(self._printed.fileno()).st_size

    def tail(self) -> str:
        """The end of what was printed since."""
        size = os.fstat(self._printed.fileno()).st_size
        start = max(self._offset, size - TAIL)
        printed = os.pread(self._printed.fileno(), size - start, start).decode(errors="replace")
        return re.sub(r"(://[^:/?#@\s]*):[^@\s/]*@", r"\1:***@", printed)

    def kill(self) -> None:
        """Kill the process and all that it started. Any thread may do that."""
        process = self._process
        with suppress(psutil.Error):
            for child in psutil.Process(process.pid).children(recursive=True):
                with suppress(psutil.Error):
                    child.kill()
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)

    def end(self) -> None:
        """Kill it, and leave nothing of it."""
        self.kill()
        self._process.wait()
        self._selector.close()
        self._socket.close()
        self._printed.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def status(self) -> str:
        """How the process ended, in words."""
        try:
            code = self._process.wait(timeout=GONE_SECONDS)
        except subprocess.TimeoutExpired:
            return "its process closed the line to backout"
        if code < 0:
            return f"its process was ended by {signal.Signals(-code).name}"
        return f"its process ended with exit status {code}"


def require_python(python: str) -> None:
    """Of an interpreter whose process ended too early.

    :raises ConfigurationError: it is no Python, or too old a one.
    """
    told = subprocess.run(
        [python, "-c", "import sys; print(sys.version_info[:2])"],
        check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
    ).stdout  # fmt: skip
    found = re.fullmatch(r"\((\d+), (\d+)\)\n", told)
    if found is None:
        raise ConfigurationError(f"{python} is no Python interpreter; {NAME_IT}")
    if tuple(map(int, found.groups())) < OLDEST_PYTHON:
        raise ConfigurationError(
            f"{python} is Python {found[1]}.{found[2]}, and backout needs {'.'.join(map(str, OLDEST_PYTHON))} or later "
            f"there; {NAME_IT}"
        )


def environment(server: Server, database: Database | None) -> dict[str, str]:
    """The parent's variables, with those of the ordered database instead of what leads to another one."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not (name.startswith("PG") or name in ("DATABASE_URL", "BACKOUT_POSTGRES"))
        and not PLACE.fullmatch(name)
        and not DATABASE_URL.search(value)
    }
    kept |= server.environment(database or Database(NOWHERE, server.url, ""))
    if database is None:
        kept["PGDATABASE"] = NOWHERE
    kept.setdefault("PYTHONHASHSEED", "0")  # a migration that loops over a set does it in the same order each time
    kept.pop("PGPASSWORD", None)  # the empty one, which asyncpg would take for the password
    return kept


def places() -> dict[str, str]:
    """Of the parent's variables that say where a database is, those of a known kind, as templates."""
    found = {name: PLACE.fullmatch(name) for name in os.environ if not name.startswith("PG")}
    return {name: PARTS[match["part"]] for name, match in found.items() if match and match["part"] in PARTS}


def schemes() -> dict[str, str]:
    """Of the parent's variables that hold a database's URL, how that begins."""
    found = {name: DATABASE_URL.match(value) for name, value in os.environ.items() if name != "BACKOUT_POSTGRES"}
    return {name: match[1].lower() for name, match in found.items() if match}


def fill_scratch(root: Path, scratch: Path) -> None:
    """Copy a project's files and small directories; link large ones, and what may not be read."""
    files, size = COPIED_FILES, COPIED_BYTES
    sources = [(*_measured(Path(entry.path)), entry.name) for entry in _entries(root)]
    for its_files, its_size, name in sorted(sources):  # the smallest come first
        if its_files <= files and its_size <= size:
            _copy(root / name, scratch / name)
            files, size = files - its_files, size - its_size
        else:
            (scratch / name).symlink_to((root / name).resolve())


def _entries(directory: Path) -> list[os.DirEntry[str]]:
    """What of a directory belongs to the project, in the order of the names."""
    with os.scandir(directory) as found:
        entries = [entry for entry in found if entry.name not in LEFT_OUT and (entry.is_file() or entry.is_dir())]
    environments = {entry.name for entry in entries if os.access(f"{entry.path}/pyvenv.cfg", os.F_OK)}
    return sorted((entry for entry in entries if entry.name not in environments), key=lambda entry: entry.name)


def _measured(path: Path) -> tuple[int, int]:
    """Number and size of the files at or below a path; more than are copied when they cannot be counted."""
    files = size = 0
    waiting = [path]
    while waiting and files <= COPIED_FILES and size <= COPIED_BYTES:
        current = waiting.pop()
        try:
            if current.is_symlink():
                files += 1
            elif current.is_dir():
                waiting += [Path(entry.path) for entry in _entries(current)]
            else:
                files, size = files + 1, size + current.stat().st_size
        except OSError:
            return COPIED_FILES + 1, 0
    return files, size


def _copy(source: Path, target: Path) -> None:
    if source.is_symlink():
        target.symlink_to(source.resolve())
    elif source.is_dir():
        target.mkdir()
        for entry in _entries(source):
            _copy(Path(entry.path), target / entry.name)
    else:
        try:
            shutil.copy2(source, target)
        except OSError:  # it may not be read
            target.unlink(missing_ok=True)
            target.symlink_to(source)
