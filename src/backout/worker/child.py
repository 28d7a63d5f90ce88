"""Runs a chain's own code, one step at a time: a script that ``worker`` starts in the project's interpreter.

Needs nothing there but the standard library, Alembic 1.8, SQLAlchemy 1.4.27 and Python 3.8, or later ones. Orders come
as JSON lines over an inherited socket, never over standard input and output, which are the migrations'::

    load                 → chain | unloadable | unfit
    first, step, stamp, look → connected*, before*, statement*, done
    go, refuse             the parent's answer to connected and before
    where                → where: the line that runs now

Configuration and revision files are read once. The working directory is a scratch copy of the project's (``worker``
makes it), and is the same at every step, as the environment is. In the end of a step no connection is open.

Its parts: ``worker.connections`` (where connections lead), ``worker.settings`` (what the project's settings say of
that) and ``worker.statements`` (what is told of a step), which it loads by their paths. Nobody imports it.
"""
# ruff: noqa: PLC0415, PTH100, PTH103 - what the project has installed is imported late; a link in a path stays one

from __future__ import annotations

import argparse
import functools
import importlib.util
import inspect
import json
import os
import queue
import re
import shutil
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from types import FrameType, ModuleType
from typing import TYPE_CHECKING, Any

HERE = Path(__file__).resolve().parent
OLDEST = {"Alembic": [1, 8], "SQLAlchemy": [1, 4, 27]}
TRACEBACK_LINES, TRACEBACK_LENGTH = 10, 4000


def _module(name: str, path: str | Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python file")
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if TYPE_CHECKING:
    from backout.worker import connections as leading
    from backout.worker import settings as saying
    from backout.worker import statements as telling
else:
    leading = _module("backout_worker_connections", HERE / "connections.py")
    saying = _module("backout_worker_settings", HERE / "settings.py")
    telling = _module("backout_worker_statements", HERE / "statements.py")


def main() -> None:
    """Serve orders until the parent goes away."""
    parser = argparse.ArgumentParser()
    for name in ("--socket", "--parent"):
        parser.add_argument(name, type=int, required=True)
    parser.add_argument("--scratch", required=True)
    given = parser.parse_args()
    if Path(sys.path[0]).resolve() == HERE:
        del sys.path[0]  # the neighbours of this file must not pass for modules of the project
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]
    project = Project(given.scratch)
    pipe = Pipe(given.socket, given.parent, project)
    serve: dict[str, Callable[..., dict[str, Any]]] = {
        "load": project.load,
        "first": functools.partial(project.run, "first"),
        "step": functools.partial(project.run, "step"),
        "stamp": functools.partial(project.run, "stamp"),
        "look": functools.partial(project.run, "look"),
    }
    while True:
        order = pipe.orders.get()
        try:
            answer = serve[order.pop("order")](pipe=pipe, **order)
        except BaseException:  # a defect here, not in the project: the parent says so
            answer = {"is": "broken", "traceback": traceback.format_exc()}
        for stream in (sys.stdout, sys.stderr):
            with suppress(Exception):  # a migration may have closed or replaced it
                stream.flush()
        pipe.send(answer)


class Pipe:
    """The line to the parent. Any thread may send or ask."""

    def __init__(self, descriptor: int, parent: int, project: Project) -> None:
        self.orders: queue.Queue[dict[str, Any]] = queue.Queue()
        self._answers: queue.Queue[dict[str, Any]] = queue.Queue()
        self._socket = socket.socket(fileno=descriptor)
        self._writing, self._asking = threading.Lock(), threading.Lock()
        self._process, self._parent, self._project = os.getpid(), parent, project
        threading.Thread(target=self._read, daemon=True).start()
        threading.Thread(target=self._watch, daemon=True).start()

    def send(self, message: dict[str, Any]) -> None:
        if os.getpid() != self._process:  # a migration forked; its child has no line of its own
            return
        data = json.dumps(message).encode() + b"\n"
        with self._writing:
            self._socket.sendall(data)

    def ask(self, message: dict[str, Any]) -> None:
        """Wait until the parent says go.

        :raises Refusal: it refuses.
        """
        if os.getpid() != self._process:
            raise leading.Refusal("a connection by a forked process was refused: nobody could say where it arrives")
        with self._asking:
            self.send(message)
            answer = self._answers.get()
        if answer["order"] == "refuse":
            raise leading.Refusal(answer["reason"])

    def _read(self) -> None:
        rest = b""
        while True:
            try:
                data = self._socket.recv(65536)
            except OSError:
                data = b""
            if not data:
                self._end()
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                order = json.loads(line)
                if order["order"] == "where":
                    self.send({"is": "where", "where": self._project.where_now()})
                else:
                    (self._answers if order["order"] in ("go", "refuse") else self.orders).put(order)

    def _watch(self) -> None:
        """A process that the parent forked may hold the other end of the socket when the parent is gone."""
        while os.getppid() == self._parent:
            time.sleep(1)
        self._end()

    def _end(self) -> None:
        shutil.rmtree(Path(self._project.scratch).parent, ignore_errors=True)  # which holds nothing else
        with suppress(OSError):
            os.killpg(0, signal.SIGKILL)  # this process is the group's leader
        os._exit(1)


class Project:
    """The chain as it was loaded, and the step that runs."""

    def __init__(self, scratch: str) -> None:
        self.scratch = self.root = scratch
        self.connections: leading.Connections | None = None
        self.statements: telling.Statements | None = None
        self.hooks: ModuleType | None = None
        self.config: Any = None
        self.script: Any = None
        self._lock: int | None = None
        self._files: dict[str, str] = {}  # of revisions: as code objects name them → as people do
        self._environ = dict(os.environ)
        self._settings: saying.Settings

    def load(
        self,
        pipe: Pipe,
        root: str,
        ini: str,
        toml: str | None,
        section: str,
        arguments: list[str],
        options: dict[str, str],
        environment: dict[str, str],
        schemes: dict[str, str],
        hooks: str | None,
        database: dict[str, str] | None,
        parameters: dict[str, str],
        lock: int | None,
    ) -> dict[str, Any]:
        """Read configuration and chain, once.

        :param root: the directory of the configuration.
        :param schemes: variable of the environment that held a URL → how that began.
        :param database: where connections arrive that are opened meanwhile; None refuses them.
        :param parameters: libpq's keywords, with the database of the first step.
        :param lock: number of an advisory lock that every session of a step shares.
        """
        self.root, self._lock = root, lock
        try:
            why = _unfit()
            if why is not None:
                return {"is": "unfit", "why": why}
            os.chdir(root)
            _make_absolute(sys.path)
            installed = leading.redirect(lambda: self.connections)
            telling.listen(lambda: self.statements)
            self.config = _configuration(ini, toml, section, arguments)
            self._settings = saying.Settings(self.config, installed, options, environment, schemes, leading.leads)
            self._settings.lead(parameters)
            if database is not None:
                self._begin(pipe, database, parameters)
                os.chdir(root)
            sys.path.append(root)  # as for `python -m alembic`, but behind all others
            if hooks is not None:
                with suppress(Exception):  # it puts prepend_sys_path in its place; if it fails, it fails again below
                    self._script()
                self.hooks = _module("backout_hooks", hooks)
                self._hook("before_loading", lambda hook: hook(self.config))
            self.script = self._script()
            self.script.dir = os.path.abspath(self.script.dir)
            locations = [str(location) for location in self.script._version_locations]
            os.chdir(self.scratch)
            answer = self._chain(locations)
        except BaseException as error:
            return {"is": "unloadable", "failure": self._failure(error)}
        finally:
            if self.connections is not None:
                self.connections.end()
            self.connections = self.statements = None
        self._environ = dict(os.environ)
        return answer

    def run(
        self,
        work: str,
        pipe: Pipe,
        database: dict[str, str],
        parameters: dict[str, str],
        revision: str = "",
        direction: str = "upgrade",
        probe: str | None = None,
        settings: dict[str, str] | None = None,
        skip: Iterable[str] = (),
        before: Iterable[str] = (),
        around: tuple[list[str], list[str]] = ([], []),
    ) -> dict[str, Any]:
        """Do one piece of work, whatever that does; tell what came of it.

        :param before: revisions to step over first, in the same run of ``env.py``.
        :param around: statements before and behind the last revision's function, in its transaction.
        """
        if os.environ != self._environ:
            os.environ.clear()
            os.environ.update(self._environ)
        self._settings.lead(parameters)
        self._environ = dict(os.environ)
        lock = None if work == "look" else self._lock  # it changes nothing, and is there before the one runner is found
        connections, statements = self._begin(pipe, database, parameters, probe, settings, skip, lock)
        answer: dict[str, Any] = {"is": "done", "outcome": "applied", "failure": None}
        try:
            if work == "first":
                self._hook("before_first", lambda hook: hook(saying.Place(parameters, []).url("postgresql")))
            elif work == "look":
                self._run_env(statements, lambda _context: [], "head", dont_mutate=True)
            else:
                self._migrate(statements, [*before, revision], direction, work == "stamp", around)
        except BaseException as error:
            answer["outcome"] = "exited" if isinstance(error, SystemExit) else "failed"
            if any(isinstance(each, leading.Refusal) for each in telling.causes(error)):
                answer["outcome"] = "refused"
            answer["failure"] = self._failure(error)
        finally:
            answer.update(statements.end())
            answer.update(connections.end())
            self.connections = self.statements = None
        return answer

    def _begin(
        self,
        pipe: Pipe,
        database: dict[str, str],
        parameters: dict[str, str],
        probe: str | None = None,
        settings: dict[str, str] | None = None,
        skip: Iterable[str] = (),
        lock: int | None = None,
    ) -> tuple[leading.Connections, telling.Statements]:
        os.makedirs(self.scratch, exist_ok=True)  # a migration may have removed it
        os.chdir(self.scratch)
        connections = leading.Connections(
            database,
            parameters,
            settings or {},
            pipe.ask,
            self._settings.lead_variables,
            lambda frame: self._place_of(_frames(frame)),
            lock,
        )
        statements = telling.Statements(connections, pipe.send, pipe.ask, probe, skip)
        self.connections, self.statements = connections, statements
        return connections, statements

    def _script(self) -> Any:
        from alembic.script import ScriptDirectory

        try:
            return ScriptDirectory.from_config(self.config)
        finally:
            _make_absolute(sys.path)  # prepend_sys_path is relative to the root

    def _chain(self, locations: list[str]) -> dict[str, Any]:
        import alembic
        import sqlalchemy

        scripts = {script.revision: script for script in self.script.walk_revisions()}
        for script in scripts.values():
            for path in (script.path, script.module.__file__, os.path.realpath(script.path)):
                self._files[path] = self._shown(script.path)
        parents = {
            name: (*script._versioned_down_revisions, *script._resolved_dependencies)
            for name, script in scripts.items()
        }
        heads = sorted(self.script.get_heads())
        return {
            "is": "chain",
            "revisions": [
                {
                    "id": name,
                    "parents": list(scripts[name]._versioned_down_revisions),
                    "dependencies": list(scripts[name]._resolved_dependencies),
                    "labels": _labels(scripts[name].module),
                    "path": os.path.abspath(scripts[name].path),
                    "summary": telling.clean(scripts[name].doc or ""),
                    "docstring": telling.clean(scripts[name].module.__doc__ or ""),
                }
                for name in _ordered(heads, parents)
            ],
            "heads": heads,
            "bases": sorted(self.script.get_bases()),
            "locations": locations,
            "env": str(Path(self.script.dir, "env.py")),
            "versions": {
                "python": ".".join(map(str, sys.version_info[:3])),
                "alembic": alembic.__version__,
                "sqlalchemy": sqlalchemy.__version__,
            },
        }

    def _migrate(
        self,
        statements: telling.Statements,
        revisions: list[str],
        direction: str,
        stamp: bool,
        around: tuple[list[str], list[str]],
    ) -> None:
        """Exactly these revisions in one direction, whatever the branches, as the ``alembic`` command would."""
        from alembic.runtime.migration import RevisionStep

        revision, up = revisions[-1], direction == "upgrade"
        scripts = [self.script.get_revision(name) for name in revisions]
        functions = {script: _nothing if stamp else self._function(script, direction) for script in scripts}
        destination = revision if up else (scripts[-1]._versioned_down_revisions or ("base",))[0]
        self.config.cmd_opts = _options(self.config.cmd_opts, direction, destination)
        sys.argv = ["alembic", direction, destination]

        def steps(context: Any) -> list[Any]:
            found = []
            for script, function in functions.items():
                step = RevisionStep.__new__(RevisionStep)  # whose __init__ would want both functions also for a stamp
                step.revision_map, step.revision, step.is_upgrade = self.script.revision_map, script, up
                step.migration_fn = statements.watched(function)
                found.append(step)
            if any(around):
                found[-1].migration_fn = _surrounded(found[-1].migration_fn, context, *around)
            return found

        with ExitStack() as stack:
            self._hook("around_step", lambda hook: stack.enter_context(hook(revision, direction)))
            run_step = getattr(self.hooks, "run_step", None)
            if run_step is None:
                self._run_env(statements, steps, destination)
            else:
                run_step(lambda: self._run_env(statements, steps, destination), revision, direction)
        if not statements.entered:
            raise RuntimeError("env.py came to its end and had not run any migrations")

    def _run_env(
        self, statements: telling.Statements, steps: Callable[[Any], list[Any]], destination: str, **more: Any
    ) -> None:
        from alembic.runtime.environment import EnvironmentContext

        def entered(_heads: Any, context: Any) -> list[Any]:
            found = steps(context)
            statements.enter(context, leading.SCHEMA)
            return found

        options: dict[str, Any] = {"as_sql": False, "starting_rev": None, "destination_rev": destination, **more}
        with EnvironmentContext(self.config, self.script, fn=entered, tag=None, **options):
            self.script.run_env()

    def _function(self, script: Any, direction: str) -> Callable[..., object]:
        function: Callable[..., object] | None = getattr(script.module, direction, None)
        if function is None:
            raise NotImplementedError(f"{self._shown(script.path)} has no function {direction}()")
        return function

    def _hook(self, name: str, call: Callable[[Any], object]) -> None:
        hook = getattr(self.hooks, name, None)
        if hook is not None:
            call(hook)

    def where_now(self) -> str | None:
        """Where the step is, in whichever thread."""
        found = [self._place_of(_frames(frame)) for frame in sys._current_frames().values()]
        return next((where for where in found if where), None)

    def _place_of(self, frames: Iterable[tuple[str, int]]) -> str | None:
        """``path:line`` of the innermost call in a revision's file, else in the project; the innermost comes last."""
        revision = other = None
        for file, line in frames:
            if file in self._files:
                revision = f"{self._files[file]}:{line}"
            elif self._is_own(file):
                other = f"{self._shown(file)}:{line}"
        return revision or other

    def _is_own(self, file: str) -> bool:
        return file.startswith(self.root + os.sep) and "site-packages" not in file and file not in OURS

    def _shown(self, path: str) -> str:
        return os.path.relpath(os.path.realpath(path), os.path.realpath(self.root)).replace(os.sep, "/")

    def _failure(self, error: BaseException) -> dict[str, Any]:
        frames = traceback.extract_tb(error.__traceback__)
        lines = [
            f"{self._shown(frame.filename)}:{frame.lineno} in {frame.name}: {frame.line}"
            for frame in frames
            if frame.filename in self._files or self._is_own(frame.filename)
        ]
        where = self._place_of((frame.filename, frame.lineno or 0) for frame in frames)
        if isinstance(error, SyntaxError) and error.filename:
            where = f"{self._shown(error.filename)}:{error.lineno}"
        last = "".join(traceback.format_exception_only(type(error), error)).strip()
        return {
            **telling.diagnosis(error),
            "where": where,
            "traceback": telling.clean("\n".join([*lines[-TRACEBACK_LINES:], last]))[-TRACEBACK_LENGTH:],
        }


def _unfit() -> str | None:
    """Why no chain can be run by this interpreter."""
    found = {name: _version(name.lower()) for name in OLDEST}
    missing = [name for name, version in found.items() if version is None]
    if missing:
        return f"it has no {' and no '.join(missing)}"
    for name, version in found.items():
        if [int(part) for part in re.findall(r"\d+", version or "")] < OLDEST[name]:
            return f"it has {name} {version}, and backout needs {'.'.join(map(str, OLDEST[name]))} or later"
    return None


def _version(module: str) -> str | None:
    if importlib.util.find_spec(module) is None:
        return None
    return getattr(importlib.import_module(module), "__version__", None)  # a directory alembic/ has none


def _configuration(ini: str, toml: str | None, section: str, arguments: list[str]) -> Any:
    """As the ``alembic`` command reads it."""
    from alembic.config import CommandLine, Config

    words = ["-c", ini, "-n", section, *(word for argument in arguments for word in ("-x", argument))]
    options = CommandLine("alembic").parser.parse_args([*words, "upgrade", "head"])
    more = {"toml_file": toml} if toml and "toml_file" in inspect.signature(Config).parameters else {}
    return Config(file_=ini, ini_section=section, cmd_opts=options, **more)  # type: ignore[arg-type]


def _options(given: Any, direction: str, destination: str) -> Any:
    """The options of ``alembic upgrade`` or ``alembic downgrade``, at which ``env.py`` may look."""
    from alembic import command

    changed = argparse.Namespace(**vars(given))
    changed.cmd = (getattr(command, direction), ["revision"], ["sql", "tag"])
    changed.revision = destination
    return changed


def _make_absolute(paths: list[str]) -> None:
    paths[:] = dict.fromkeys(os.path.abspath(path) for path in paths)


def _labels(module: Any) -> list[str]:
    labels = getattr(module, "branch_labels", None) or ()
    return [labels] if isinstance(labels, str) else sorted(labels)


def _ordered(heads: list[str], parents: dict[str, tuple[str, ...]]) -> list[str]:
    """Every revision behind those that it needs, a branch in one piece; the same each time."""
    order: dict[str, None] = {}
    waiting = heads[::-1]
    while waiting:
        missing = [parent for parent in parents[waiting[-1]] if parent not in order]
        if missing:
            waiting += missing[::-1]
        else:
            order[waiting.pop()] = None
    return list(order)


def _surrounded(
    function: Callable[..., object], context: Any, first: list[str], last: list[str]
) -> Callable[..., None]:
    """The function between statements, all in one transaction."""

    def ask(statement: str) -> Any:
        # Of this statement only: as an option of the connection it would hold for the revision's own ones, too.
        return context.connection.exec_driver_sql(statement, execution_options={"no_parameters": True})

    def run(*positional: Any, **named: Any) -> None:
        number = "SELECT pg_catalog.pg_current_xact_id()::text"
        before = ask(number).scalar()
        for statement in first:
            ask(statement)
        function(*positional, **named)
        if ask(number).scalar() != before:
            raise RuntimeError("it is not one transaction, so that what belongs together could not be kept together")
        for statement in last:
            ask(statement)

    return run


def _nothing(*_positional: object, **_named: object) -> None:
    """What a stamp runs."""


def _frames(innermost: FrameType | None) -> Iterator[tuple[str, int]]:
    """File and line of every call on a stack, the innermost last."""
    found = []
    while innermost is not None:
        found.append((innermost.f_code.co_filename, innermost.f_lineno))
        innermost = innermost.f_back
    return reversed(found)


OURS = frozenset(str(HERE / name) for name in ("child.py", "connections.py", "settings.py", "statements.py"))


if __name__ == "__main__":
    main()
