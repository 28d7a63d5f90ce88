"""The worlds that the blocks of a page are run in: a disposable one, and the real one of an operator.

The disposable one is a working copy of the repository, a disposable database, the services that the page's front
matter asks for, and the incident of a runbook, made real. Nothing in it reaches the repository or another page. The
real one is the project's own directory, the caller's environment, and the database that ``DATABASE_URL`` names.

What is run, and whether it holds, is ``execute``'s. ``execute`` and ``operate`` import it.
"""

import filecmp
import os
import shutil
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from backout.chain import database_at, project_environment
from backout.configuration import Project, Service
from backout.errors import BackoutError, ConfigurationError
from backout.pages import Page
from backout.postgres import Database, RealDatabase, Server
from backout.processes import started
from backout.repository import GIT_IDENTITY, copy_repository
from backout.sessions import Shell, left_running

DEFAULT_TIMEOUT = 60.0  # seconds, of a block in the tests
OPERATORS_TIMEOUT = 3600.0  # seconds, of a block that an operator runs: a table may be large
PATIENCE = 10.0  # seconds that an operator's block has to end by itself once it is stopped
NEEDS = "BACKOUT_NEEDS"  # names the file to which an incident writes NAME=value lines
_FOLDERS = ("home", "tmp")  # $HOME and $TMPDIR, beside the working copy
# What a block prints must not depend on who runs it.
_ALIKE = {
    "LANG": "C.UTF-8",
    "TZ": "UTC",
    "TERM": "dumb",
    "COLUMNS": "80",
    "LINES": "24",
    "NO_COLOR": "1",
    "PAGER": "cat",
    "MAKEFLAGS": "--no-print-directory",
}


@dataclass(frozen=True)
class World:
    """What a block is run in.

    :param environment: the variables that every process gets.
    :param state: a folder for what is run and printed; every process is marked with it.
    :param timeout: seconds, of a block that names none.
    :param patience: seconds that processes have to end by themselves when they are stopped.
    """

    cwd: Path
    environment: Mapping[str, str]
    state: Path
    timeout: float = DEFAULT_TIMEOUT
    patience: float = 0


def real_world(project: Project, database: RealDatabase | None, state: Path) -> World:
    """The world of an operator.

    :param database: the one that ``DATABASE_URL`` names; None: it names none, or does not answer.
    :param state: an empty folder.
    """
    inherited = dict(os.environ)
    if database is not None:  # libpq's variables may lead elsewhere, PGSERVICE before all others
        inherited = {name: value for name, value in inherited.items() if not name.startswith("PG")}
        inherited |= database.environment()
    environment = {**inherited, **project_environment(project), **_ALIKE, "LC_ALL": "C.UTF-8"}
    path = [str(Path(sys.executable).parent), environment.get("PATH", os.defpath)]
    environment["PATH"] = os.pathsep.join(path)
    return World(project.root, environment, state, timeout=OPERATORS_TIMEOUT, patience=PATIENCE)


def missing_needs(page: Page, environment: Mapping[str, str]) -> list[str]:
    """What of a runbook's ``needs`` is not there, each as ``INDEX is not set: see line 40``, where the page says it."""
    needs = page.runbook.needs if page.runbook else ()
    told = {span.text.removeprefix("$"): f": see line {span.line}" for span in reversed(page.spans)}
    return [
        f"{need} is not set{told.get(need, '')}" if need == need.upper() else f"{need} is not on PATH"
        for need in needs
        if not (environment.get(need) if need == need.upper() else shutil.which(need, path=environment.get("PATH")))
    ]


class DisposableWorld:
    """A world for one run of one page, made when it is opened; a context manager that leaves nothing behind.

    :param scratch: an empty directory that it may fill; removed at the end.
    :param incident: whether a runbook's incident is made real.
    :param told: what an incident has written elsewhere, for a world without.
    :ivar told: variables that the incident has written.
    """

    def __init__(
        self,
        page: Page,
        project: Project,
        server: Server,
        *,
        scratch: Path,
        incident: bool = True,
        told: Mapping[str, str] | None = None,
    ) -> None:
        self.page = page
        self.project = project
        self.server = server
        self.scratch = scratch
        self.work = scratch / "work"
        self._incident = page.runbook.incident if page.runbook is not None and incident else None
        self._stack = ExitStack()
        self._database: Database | None = None
        self._environment: dict[str, str] = {}
        self._world: World | None = None
        self._failure: BackoutError | None = None
        self._incident_shell: Shell | None = None
        self.told = dict(told or {})

    def close(self) -> None:
        """End what was started, drop the database, remove the files."""
        self._stack.close()

    def open(self) -> World:
        """The world; made at the first call.

        :raises BackoutError: it could not be made.
        """
        if self._failure is not None:
            raise self._failure
        if self._world is None:
            try:
                self._world = self._made()
            except BackoutError as error:
                self._failure = error
                raise
        return self._world

    @property
    def database(self) -> Database:
        """As the blocks have left it."""
        self.open()
        assert self._database is not None
        return self._database

    @property
    def is_lively(self) -> bool:
        """Whether something that the incident has started goes on, and would be ended by :meth:`kept`."""
        return len(left_running(str(self._incident_state))) > 1  # the shell itself

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Put database and files back to what they are now; sessions of the database end."""
        database = self.database
        aside = self.scratch / "kept"
        folders = [self.work, *(self.scratch / name for name in _FOLDERS)]
        self.server.disconnect(database)
        copy = self.server.clone(database)
        for folder in folders:
            shutil.copytree(folder, aside / folder.name, symlinks=True)
        try:
            yield
        finally:
            self._database = self.server.replace(database, copy)
            self.server.drop(copy)
            for folder in folders:
                _mirror(aside / folder.name, folder)
            shutil.rmtree(aside)

    def _made(self) -> World:
        front = self.page.front
        state = self.scratch / "state"
        self._stack.callback(_remove, self.scratch)
        for folder in (state, *(self.scratch / name for name in _FOLDERS)):
            folder.mkdir(parents=True)
        copy_repository(self.project.root, self.work)
        self._database = database_at(self.server, self.project, front.revision, front.rows)
        self._stack.callback(self._drop_database)
        self._environment = self._variables()
        for name in front.services:
            self._serve(name)
        if self.page.runbook is not None:
            self._environment |= self.page.runbook.examples
            if self._incident is not None:
                self._make_real(self._incident)
            self._environment |= self.told
            missing = missing_needs(self.page, self._environment)
            if missing:
                raise ConfigurationError(
                    f"{self.page.path} needs what its world has not: {', '.join(missing)}; "
                    "give variables under examples: in the front matter, or have the incident write them"
                )
        return World(self.work, self._environment, state)

    def end_incident(self) -> None:
        """End what the incident has started and goes on, sessions included."""
        if self._incident_shell is not None:
            self._incident_shell.close()
        self.server.disconnect(self.database)

    def _drop_database(self) -> None:
        assert self._database is not None
        self.server.drop(self._database)

    def _variables(self) -> dict[str, str]:
        assert self._database is not None
        postgres = self.server.environment(self._database)
        path = [str(Path(sys.executable).parent), postgres.get("PATH", os.environ.get("PATH", os.defpath))]
        # Nothing of the caller's environment but what programs cannot start without.
        needed = ("SYSTEMROOT", "LD_LIBRARY_PATH", "SSL_CERT_FILE")
        kept = {name: os.environ[name] for name in needed if name in os.environ}
        return {
            **kept,
            **postgres,
            "PATH": os.pathsep.join(path),
            "HOME": str(self.scratch / "home"),
            "TMPDIR": str(self.scratch / "tmp"),
            "PYTHONPATH": str(self.work / "src"),
            "PYTHONPYCACHEPREFIX": str(self.scratch / "pycache"),  # not into the working copy
            "BACKOUT_POSTGRES": self.server.handle(),
            **_ALIKE,
            **GIT_IDENTITY,
        }

    @property
    def _incident_state(self) -> Path:
        return self.scratch / "incident"

    def _make_real(self, incident: str) -> None:
        """Run the incident's script; what it starts in the background goes on until the world is closed."""
        if not (self.work / incident).is_file():
            raise ConfigurationError(f"the incident {incident} is no file of the project; write it, or mend the path")
        self._incident_state.mkdir()
        told = self._incident_state / "needs"
        told.touch()
        environment = {**self._environment, NEEDS: str(told)}
        shell = self._incident_shell = Shell(state=self._incident_state, cwd=self.work, environment=environment)
        self._stack.callback(shell.close)
        ran = shell.run(f"bash -Eeuo pipefail {incident}\n", timeout=DEFAULT_TIMEOUT, keep=False)
        if ran.status != "0":
            printed = "\n".join(f"    {line}" for line in ran.output.splitlines()[-15:]) or "    nothing"
            raise BackoutError(f"the incident {incident} ended with {ran.status}; it printed\n{printed}")
        for line in told.read_text(encoding="utf-8").splitlines():
            name, separator, value = line.partition("=")
            if not separator or self.page.runbook is None or name not in self.page.runbook.needs:
                raise ConfigurationError(
                    f"the incident {incident} wrote {line!r} to ${NEEDS}, which takes NAME=value lines of what is "
                    "under needs: in the front matter"
                )
            self.told[name] = value

    def _serve(self, name: str) -> None:
        service = self.project.services.get(name)
        if service is None:
            known = ", ".join(self.project.services) or "none"
            raise ConfigurationError(
                f"{self.page.path} asks for the service {name!r}, and [tool.backout.services] knows {known}; "
                "add it there"
            )
        port = _free_port()
        log = self.scratch / f"{name}.log"
        process = _start_service(service, port=port, log=log, cwd=self.work, environment=self._environment)
        self._stack.callback(_stop, process)
        _wait_for(name, process, port=port, log=log)
        self._environment[service.variable] = f"http://127.0.0.1:{port}"


def _mirror(source: Path, target: Path) -> None:
    """Make ``target`` hold what ``source`` holds, and keep its directories, where a shell may stand."""
    target.chmod(stat.S_IRWXU)
    wanted = {path.name: path for path in source.iterdir()}
    for path in target.iterdir():
        if path.name not in wanted or _is_folder(path) != _is_folder(wanted[path.name]):
            _remove(path)
    for name, path in wanted.items():
        if _is_folder(path):
            (target / name).mkdir(exist_ok=True)
            _mirror(path, target / name)
        elif not _same(path, target / name):
            (target / name).unlink(missing_ok=True)
            shutil.copy2(path, target / name, follow_symlinks=False)
    shutil.copystat(source, target)


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _same(first: Path, second: Path) -> bool:
    if not second.exists() or first.is_symlink() or second.is_symlink():
        return False
    one, other = first.stat(), second.stat()
    if (one.st_size, one.st_mtime_ns, one.st_mode) != (other.st_size, other.st_mtime_ns, other.st_mode):
        return False
    return filecmp.cmp(first, second, shallow=False)


def _remove(path: Path) -> None:
    """Remove a file or a tree, also of directories that a page has closed."""
    if not _is_folder(path):
        path.unlink(missing_ok=True)
        return
    path.chmod(stat.S_IRWXU)
    for folder, names, _ in os.walk(path):
        for closed in (Path(folder, name) for name in names):
            if _is_folder(closed):
                closed.chmod(stat.S_IRWXU)
    shutil.rmtree(path, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _start_service(
    service: Service, *, port: int, log: Path, cwd: Path, environment: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    with log.open("wb") as output:
        return started(
            lambda: subprocess.Popen(
                ["bash", "-c", "exec " + service.command.format(port=port)],
                cwd=cwd,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        )


def _wait_for(name: str, process: subprocess.Popen[bytes], *, port: int, log: Path) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.02)
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
    raise BackoutError(f"the service {name!r} did not answer on its port within 30 s; it printed\n{tail}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
