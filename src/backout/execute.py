"""Runs the steps of one page, in order, in a world of its own, and compares what they print.

A page's world is a working copy of the repository, a disposable database, a bash and a Python, and the
services that its front matter asks for. Nothing it does reaches the repository or another page. The
engine knows neither pytest nor the terminal: it answers with outcomes.
"""

import codecs
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

from backout import transcript
from backout.chain import database_at
from backout.configuration import Project, Service
from backout.errors import BackoutError, ConfigurationError
from backout.pages import Command, Expected, Page, Step
from backout.postgres import Database, Server
from backout.record import Outcome
from backout.repository import GIT_IDENTITY, copy_repository
from backout.sessions import Interpreter, Ran, Shell

DEFAULT_TIMEOUT = 60.0
_FOLDERS = ("home", "tmp")  # $HOME and $TMPDIR, beside the working copy
# Ends that no block may ask for.
_NEVER_WANTED = {
    "timeout": "was stopped after {seconds:g} s, its time-out",
    "gone": "ended the page's own shell or Python, in which the blocks behind it would run",
}


@dataclass(frozen=True)
class Result:
    """What became of a step.

    :param message: of a failure: ``page.md:line``, what was expected and what was seen; else empty.
    :param updates: expected outputs that differ from what was printed, and what was.
    """

    outcome: Outcome
    message: str = ""
    updates: tuple[tuple[Expected, str], ...] = ()


class PageRun:
    """One run of one page; a context manager that leaves nothing behind.

    :param update: take printed output that differs for the new expectation instead of failing.
    :param scratch: an empty directory that this run may fill; removed at the end.
    """

    def __init__(self, page: Page, project: Project, server: Server, *, scratch: Path, update: bool = False) -> None:
        self.page = page
        self.project = project
        self.server = server
        self.update = update
        self.scratch = scratch
        self.work = scratch / "work"
        self.results: dict[str, Result] = {}
        self._stack = ExitStack()
        self._database: Database | None = None
        self._shell: Shell | None = None
        self._python: Interpreter | None = None
        self._unsabotaged: tuple[int, dict[str, bool]] | None = None
        self._environment: dict[str, str] = {}

    def __enter__(self) -> "PageRun":
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    # -- steps --------------------------------------------------------------------------------------

    def reach(self, step: Step) -> Result:
        """Run every step up to and with this one that was not run yet; the result of this one.

        A page stops at its first failure; what comes after it is *not reached*.
        """
        for earlier in self.page.runnable:
            if earlier.id not in self.results:
                self.results[earlier.id] = self._next(earlier)
            if earlier.id == step.id:
                break
        return self.results[step.id]

    def reach_end(self) -> Result | None:
        """Run what is left; the failure that stopped the page, or None."""
        if self.page.runnable:
            self.reach(self.page.runnable[-1])
        return self._failure()

    def _failure(self) -> Result | None:
        return next((result for result in self.results.values() if result.outcome == "failed"), None)

    def _next(self, step: Step) -> Result:
        failed = next((name for name, result in self.results.items() if result.outcome == "failed"), None)
        if failed is not None:
            return Result("not reached", f"not reached: {self.page.path} stopped at {failed}")
        try:
            self._open()
        except BackoutError as error:
            return Result("failed", f"{self.page.path}:{step.line}: the page's world could not be made: {error}")
        return self._run(step, keep=True, update=self.update)

    def _run(self, step: Step, *, keep: bool, update: bool = False) -> Result:
        updates: list[tuple[Expected, str]] = []
        for command in step.commands:
            wanted = step.fails if step.fails is not None and command is step.commands[-1] else "0"
            ran = self._command(step, command, keep=keep and wanted == "0")
            problem = self._judge(command, ran, wanted, step)
            if problem is None:
                continue
            if update and command.expected is not None and ran.status == wanted:
                updates.append((command.expected, transcript.updated(command.expected.text, ran.output)))
                continue
            return Result("failed", problem)
        return Result("passed", updates=tuple(updates))

    def _command(self, step: Step, command: Command, *, keep: bool) -> Ran:
        timeout = step.timeout or DEFAULT_TIMEOUT
        if step.language == "python":
            return self._interpreter().run(command.text, name=self.page.path, line=command.line, timeout=timeout)
        assert self._shell is not None
        if step.language == "sql":
            return self._shell.sql(command.text, timeout=timeout)
        return self._shell.run(command.text, timeout=timeout, keep=keep)

    def _judge(self, command: Command, ran: Ran, wanted: str, step: Step) -> str | None:
        where = f"{self.page.path}:{command.line + (ran.line or 1) - 1}"
        if ran.status != wanted or ran.status in _NEVER_WANTED:
            lines = command.text.splitlines()
            text = lines[(ran.line or 1) - 1].strip() if ran.line and ran.line <= len(lines) else lines[0].strip()
            seen = _NEVER_WANTED.get(ran.status, "ended with {status}, not with {wanted}").format(
                status=ran.status, wanted=wanted, seconds=step.timeout or DEFAULT_TIMEOUT
            )
            return f"{where}: {text!r} {seen}; it printed{_quoted(ran.output)}"
        if command.expected is None or transcript.matches(command.expected.text, ran.output):
            return None
        return (
            f"{where}: {command.text.splitlines()[0].strip()!r} printed something else than the page says\n"
            + transcript.difference(command.expected.text, ran.output, path=self.page.path, line=command.expected.line)
        )

    def trial(self, step: Step) -> Result:
        """Run a step, not necessarily of the page, as the next one, and put database and files back."""
        self._open()
        with self._state_kept():
            return self._run(step, keep=False)

    # -- proofs that a check can fail ---------------------------------------------------------------

    def prove(self, check: Step) -> Result:
        """Show that the check's sabotage makes this check fail, and no other check of the page.

        The page is brought to the end of the check's list first; database and files are put back.
        """
        assert check.sabotage is not None
        where = f"{self.page.path}:{check.line}"
        if self.reach(self.page.proof_point(check)).outcome != "passed":
            return Result("not reached", f"not reached: {self.page.path} stopped before {check.id} could be sabotaged")
        if any(result.updates for result in self.results.values()):
            return Result("not reached", f"not reached: {self.page.path} is being updated; run it again")
        with self._state_kept():
            before = self._checks_before()
            if not before[check.id]:
                return Result("failed", f"{where}: the check {check.id} fails at the end of its list, unsabotaged")
            assert self._shell is not None
            ran = self._shell.run(check.sabotage, timeout=check.timeout or DEFAULT_TIMEOUT, keep=False)
            if ran.status != "0":
                told = f"the sabotage {check.sabotage!r} ended with {ran.status}; it printed{_quoted(ran.output)}"
                return Result("failed", f"{where}: {told}")
            after = self._checks()
        others = [name for name, passes in before.items() if name != check.id and passes != after[name]]
        problem = None
        if after[check.id]:
            problem = f"the check {check.id} still passes after {check.sabotage!r}; it cannot fail"
        elif others:
            problem = (
                f"the sabotage {check.sabotage!r} also changes {', '.join(others)}; "
                "it must change only the fact that its own check is about"
            )
        return Result("failed", f"{where}: {problem}") if problem else Result("passed")

    def _checks_before(self) -> dict[str, bool]:
        """The checks as they are, unsabotaged; once for all checks that are sabotaged at this point."""
        if self._unsabotaged is None or self._unsabotaged[0] != len(self.results):
            self._unsabotaged = (len(self.results), self._checks())
        return self._unsabotaged[1]

    def _checks(self) -> dict[str, bool]:
        return {
            step.id: self._run(step, keep=False).outcome == "passed"
            for step in self.page.runnable
            if step.sabotage is not None
        }

    @contextmanager
    def _state_kept(self) -> Iterator[None]:
        """Put database and files back to what they are now."""
        aside = self.scratch / "kept"
        folders = [self.work, *(self.scratch / name for name in _FOLDERS)]
        self.server.disconnect(self.database)
        copy = self.server.clone(self.database)
        for folder in folders:
            shutil.copytree(folder, aside / folder.name, symlinks=True)
        try:
            yield
        finally:
            self._database = self.server.replace(self.database, copy)
            self.server.drop(copy)
            for folder in folders:
                _mirror(aside / folder.name, folder)
            shutil.rmtree(aside)

    # -- the page's world ---------------------------------------------------------------------------

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables that every process of the page gets."""
        self._open()
        return self._environment

    @property
    def database(self) -> Database:
        """The page's database, as its steps have left it."""
        self._open()
        assert self._database is not None
        return self._database

    def _open(self) -> None:
        if self._shell is not None:
            return
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
        shell = Shell(state=state, cwd=self.work, environment=self._environment)
        self._stack.callback(shell.close)
        self._shell = shell

    def _drop_database(self) -> None:
        assert self._database is not None
        self.server.drop(self._database)

    def _interpreter(self) -> Interpreter:
        if self._python is None:
            state = self.scratch / "state"
            self._python = Interpreter(state=state, cwd=self.work, environment=self._environment)
            self._stack.callback(self._python.close)
        return self._python

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
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "TERM": "dumb",
            "COLUMNS": "80",
            "LINES": "24",
            "NO_COLOR": "1",
            "PAGER": "cat",
            "MAKEFLAGS": "--no-print-directory",
            **GIT_IDENTITY,
        }

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
        process = _start_service(name, service, port=port, log=log, cwd=self.work, environment=self._environment)
        self._stack.callback(_stop, process)
        self._environment[service.variable] = f"http://127.0.0.1:{port}"


def _quoted(output: str) -> str:
    return "".join(f"\n    {line}" for line in output.rstrip().splitlines()[-40:]) or " nothing"


def write_updates(page: Page, results: Mapping[str, Result], path: Path) -> int:
    """Rewrite the expected outputs of a page that differ from what was printed; how many there were."""
    updates = sorted(
        (update for result in results.values() for update in result.updates), key=lambda update: -update[0].start
    )
    text = page.source
    for expected, printed in updates:
        lines = printed.splitlines()
        block = "".join((expected.indent + line if line.strip() else "") + "\n" for line in lines)
        text = text[: expected.start] + block + text[expected.end :]
    if updates:
        before = path.read_bytes()
        newline = b"\r\n" if b"\r\n" in before else b"\n"
        mark = codecs.BOM_UTF8 if before.startswith(codecs.BOM_UTF8) else b""
        path.write_bytes(mark + text.encode().replace(b"\n", newline))
    return len(updates)


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
    name: str, service: Service, *, port: int, log: Path, cwd: Path, environment: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["bash", "-c", "exec " + service.command.format(port=port)],
            cwd=cwd,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return process
        time.sleep(0.02)
    _stop(process)
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
    raise BackoutError(f"the service {name!r} did not answer on its port within 30 s; it printed\n{tail}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
