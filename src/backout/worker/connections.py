"""Where a worker's connections go: to the ordered database, or nowhere.

Every way to PostgreSQL that Python code has in this process ends in a driver's ``connect``, so those are wrapped
(psycopg, psycopg2, asyncpg): an engine with ``creator=`` and a raw connection come by here too. On the new connection,
before anybody else has it, the name and the token of its database are read, and the parent is asked. SQLAlchemy lets
no other driver through, and its pools take no connection that did not come by here.

Not redirected: other programs that the project's code starts (they find the disposable database in their environment,
and may name another; PostgreSQL's own are told), what goes below the drivers' ``connect`` (libpq by ``psycopg.pq``, by
``ctypes`` or by an extension in C), other drivers without SQLAlchemy, the server's own ways out (``dblink``, foreign
data wrappers), and databases other than PostgreSQL that are reached without SQLAlchemy.

Part of ``worker.child``, which loads it by its path: standard library and SQLAlchemy only, Python 3.8 or later.
"""
# ruff: noqa: PLC0415 - what the project has installed is imported when a project is there

from __future__ import annotations

import functools
import importlib
import inspect
import json
import os
import re
import sys
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

DRIVERS = ("psycopg", "psycopg2", "asyncpg")

# Keywords that say where, as whom and how safely to connect: libpq's (manual, "Parameter Key Words") and asyncpg's.
# Libpq's variables are called likewise, without underscores.
LEADING = re.compile(
    r"dsn|conninfo|(host|port|user|pass|service|ssl|gss|krb|oauth|require|scram|target_?session|min_?protocol|max_?protocol)\w*"
    r"|dbname|database|direct_tls|channel_?binding|load_?balance_?hosts|replication"
)
# What starts a program (Python's audit events) → place of its words among the event's arguments.
STARTS = {"subprocess.Popen": 1, "os.posix_spawn": 1, "os.exec": 1, "os.system": 0}
CLIENTS = re.compile(r"\b(psql|pg_restore|createdb|dropdb|createuser|dropuser|vacuumdb|reindexdb|clusterdb)\b")
# As shobj_description() would say; a new session takes half as long. 1262 is pg_database (postgres.h, fixed).
CHECK = (
    "SELECT pg_catalog.current_database(), (SELECT s.description FROM pg_catalog.pg_shdescription AS s "
    "WHERE s.classoid = 1262 AND s.objoid = "
    "(SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database()))"
)
SCHEMA = "SELECT pg_catalog.current_schema()"


class Refusal(Exception):  # noqa: N818 - an answer, not an error of ours
    """A connection that is not to be."""


class Opened:
    """A driver's connection.

    :ivar pooled: SQLAlchemy has it; else nobody sees its statements.
    :ivar transaction: number of transactions before the present one.
    :ivar used: a statement was sent since the last commit or rollback.
    :ivar committed: transactions that have ended → whether by a commit.
    :ivar autocommit: the statement that runs is outside any transaction.
    """

    def __init__(self, raw: Any, driver: str, where: str | None) -> None:
        self.raw, self.driver, self.where = raw, driver, where
        self.pooled = self.used = self.autocommit = False
        self.transaction = 0
        self.committed: dict[int, bool] = {}
        if driver == "asyncpg":
            self.pid: int = raw.get_server_pid()
        else:
            self.pid = raw.info.backend_pid

    @property
    def state(self) -> str:
        """``idle``: outside a transaction; ``open``; ``failed``."""
        if self.driver == "asyncpg":
            return "open" if self.raw.is_in_transaction() else "idle"
        return {0: "idle", 3: "failed", 4: "failed"}.get(int(self.raw.info.transaction_status), "open")

    def is_alone(self, adapted: Any) -> bool:
        """Whether a statement that is sent now runs outside any transaction."""
        if self.state != "idle":
            return False
        if self.driver == "asyncpg":  # its adapter begins once, and does not notice a COMMIT that was sent as text
            return bool(adapted.autocommit or getattr(adapted, "_started", False))
        return bool(self.raw.autocommit)

    def ask(self, adapted: Any, query: str) -> str | None:
        """One text value, told by the session itself; no event is fired."""
        if self.driver == "psycopg":
            return _row(self.raw, query)[0]
        cursor = adapted.cursor() if self.driver == "asyncpg" else _cursor(self.raw)
        try:
            cursor.execute(query)
            row = cursor.fetchone()
            return None if row is None or row[0] is None else str(row[0])
        finally:
            cursor.close()

    def close(self) -> bool:
        """Close it, which rolls back. False when only the server can."""
        try:
            if self.driver == "psycopg":
                self.raw.pgconn.finish()
            elif self.driver == "psycopg2":
                self.raw.close()
            elif not self.raw.is_closed():
                self.raw.terminate()
        except Exception:  # asyncpg's event loop has been closed before it
            return False
        return True


class Connections:
    """The connections of one step, and where they are to arrive.

    :param database: name and token.
    :param parameters: libpq's keywords of the database.
    :param settings: of new sessions, unless the project sets its own.
    :param ask: asks the parent, and raises :class:`Refusal`.
    :param settle: puts the variables right that say where a database is.
    :param where: ``path:line`` in the project, of a stack.
    :param lock: number of an advisory lock that each session shares until its end.
    """

    def __init__(
        self,
        database: dict[str, str],
        parameters: dict[str, str],
        settings: dict[str, str],
        ask: Callable[[dict[str, Any]], None],
        settle: Callable[[], None],
        where: Callable[[FrameType], str | None],
        lock: int | None,
    ) -> None:
        self.parameters, self.settings, self.settle = parameters, settings, settle
        self.unseen: list[str] = []
        self.refusals: list[str] = []
        self.check = CHECK if lock is None else f"{CHECK}, pg_catalog.pg_advisory_lock_shared({lock})::text"
        self._name, self._token = database["name"], database["token"]
        self._ask, self._where = ask, where
        self._opened: dict[int, Opened] = {}

    def admit(self, raw: Any, driver: str, name: str | None, comment: str | None, *_lock: object) -> Any:
        """Take a new connection, which has answered ``check`` with the name and the comment of its database.

        :raises Refusal: it is not the ordered one.
        """
        opened = Opened(raw, driver, self._where(sys._getframe(1)))
        try:
            if name != self._name or _token(comment) != self._token:
                raise self.refused(
                    f"a connection by {driver} arrived at the database {name}, "
                    f"which is not the ordered database {self._name}"
                )
            self._ask({"is": "connected", "pid": opened.pid})
        except BaseException:
            opened.close()
            raise
        self._opened[id(raw)] = opened
        return raw

    def refused(self, message: str) -> Refusal:
        """The exception; the step remembers it, also when the project's code catches it."""
        self.refusals.append(message)
        return Refusal(message)

    def find(self, adapted: Any) -> Opened | None:
        """What SQLAlchemy's adapter of a driver's connection stands for."""
        return self._opened.get(id(getattr(adapted, "_connection", adapted)))

    def below(self, connection: Any) -> tuple[Opened | None, Any]:
        """The driver's connection below one of SQLAlchemy's, and what SQLAlchemy talks to."""
        try:
            adapted = connection._dbapi_connection.dbapi_connection
        except AttributeError:  # it was closed or invalidated meanwhile; asking for it would connect again
            return None, None
        return self.find(adapted), adapted

    def take_cursor(self, caller: FrameType) -> None:
        """Somebody else than SQLAlchemy takes a cursor from one of its connections."""
        where = self._where(caller)
        self.unseen.append("statements of a driver's cursor" + (f", taken at {where}" if where else ""))

    def start_program(self, name: str, caller: FrameType) -> None:
        """A client of PostgreSQL's is started."""
        where = self._where(caller)
        self.unseen.append(f"statements of {name}" + (f", started at {where}" if where else ""))

    def end(self) -> dict[str, Any]:
        """Close all. What nobody saw, what was refused, and the sessions that only the server can end."""
        raw = [opened for opened in self._opened.values() if not opened.pooled]
        self.unseen += [
            f"statements of a connection by {one.driver}" + (f", opened at {one.where}" if one.where else "")
            for one in raw
        ]
        left = [opened.pid for opened in self._opened.values() if not opened.close()]
        return {"unseen": self.unseen, "refusals": self.refusals, "left": left}


def leads(variable: str) -> bool:
    """Whether it is one of libpq's that say where, as whom and how safely to connect."""
    return variable.startswith("PG") and LEADING.fullmatch(variable[2:].lower()) is not None


def redirect(current: Callable[[], Connections | None]) -> list[str]:
    """Redirect every connection from now on.

    :param current: the connections of the step that runs; None while there is no step.
    :return: the drivers that are installed.
    """

    def ordered() -> Connections:
        connections = current()
        if connections is None:
            raise Refusal("a connection was opened outside of a step, and there is no database for it to arrive at")
        connections.settle()
        return connections

    installed = []
    for name, wrap in (("psycopg", _wrap_psycopg), ("psycopg2", _wrap_psycopg2), ("asyncpg", _wrap_asyncpg)):
        try:
            module = importlib.import_module(name)
        except ImportError:  # also: psycopg without a libpq
            continue
        wrap(module, ordered)
        installed.append(name)
    _guard_pools(current, ordered)
    _watch_cursors(current)
    _watch_programs(current)
    return installed


def _keywords(connections: Connections, given: dict[str, Any]) -> dict[str, Any]:
    """libpq's keywords: those of the ordered database, and what of the given ones does not lead elsewhere."""
    kept = {name: value for name, value in given.items() if value is not None and not LEADING.fullmatch(name)}
    if "passfile" in connections.parameters:
        kept["password"] = ""  # rather than PGPASSWORD's
    told = [re.sub(r"([\\ ])", r"\\\1", f"{name}={value}") for name, value in connections.settings.items()]
    # The project's own options come behind ours, and win.
    options = [connections.parameters.get("options", ""), *(f"-c {one}" for one in told), kept.pop("options", "")]
    joined = {"options": " ".join(filter(None, options))} if any(options) else {}
    return {**kept, **connections.parameters, **joined}


def _wrap_psycopg(module: Any, ordered: Callable[[], Connections]) -> None:
    here = module.Connection.__dict__["connect"].__func__
    there = module.AsyncConnection.__dict__["connect"].__func__

    def redirected(conninfo: str, given: dict[str, Any]) -> tuple[Connections, dict[str, Any]]:
        connections = ordered()
        return connections, _keywords(connections, {**module.conninfo.conninfo_to_dict(conninfo), **given})

    def connect(cls: Any, /, conninfo: str = "", **given: Any) -> Any:
        connections, keywords = redirected(conninfo, given)
        connection = here(cls, "", **keywords)
        return connections.admit(connection, "psycopg", *_row(connection, connections.check))

    async def connect_async(cls: Any, /, conninfo: str = "", **given: Any) -> Any:
        connections, keywords = redirected(conninfo, given)
        connection = await there(cls, "", **keywords)
        return connections.admit(connection, "psycopg", *_row(connection, connections.check))

    functools.update_wrapper(connect, here)
    functools.update_wrapper(connect_async, there)
    module.Connection.connect = classmethod(connect)
    module.AsyncConnection.connect = classmethod(connect_async)
    module.connect = module.Connection.connect


def _wrap_psycopg2(module: Any, ordered: Callable[[], Connections]) -> None:
    inner = module._connect  # below psycopg2.connect, its pools, and whoever imports that by name
    extensions = importlib.import_module("psycopg2.extensions")

    def connect(dsn: str | None = None, connection_factory: Any = None, **given: Any) -> Any:
        connections = ordered()
        if given.get("async") or given.get("async_"):
            raise connections.refused("an asynchronous connection by psycopg2 was refused: it cannot be checked")
        keywords = _keywords(connections, extensions.parse_dsn(dsn or ""))
        connection = inner(extensions.make_dsn(**keywords), connection_factory=connection_factory)
        cursor = _cursor(connection)
        cursor.execute(connections.check)
        row = cursor.fetchone()
        connection.rollback()
        return connections.admit(connection, "psycopg2", *row)

    module._connect = connect


def _wrap_asyncpg(module: Any, ordered: Callable[[], Connections]) -> None:
    outer, inner = module.connection.connect, module.connect_utils._connect_addr
    own = set(inspect.signature(outer).parameters)
    ours = {"host": "host", "port": "port", "user": "user", "dbname": "database", "passfile": "passfile"}

    async def connect(dsn: str | None = None, **given: Any) -> Any:
        connections = ordered()
        queried = parse_qsl(urlsplit(dsn or "").query)
        settings = {name: value for name, value in queried if name not in own and not LEADING.fullmatch(name)}
        settings.update(given.pop("server_settings", None) or {})
        own_names = {name.lower() for name in settings}
        ours_too = connections.settings.items()
        settings.update({name: value for name, value in ours_too if name.lower() not in own_names})
        kept = {name: value for name, value in given.items() if not LEADING.fullmatch(name)}
        place = {ours[name]: value for name, value in connections.parameters.items() if name in ours}
        return await outer(**{**kept, "server_settings": settings, **place})

    async def connect_address(**given: Any) -> Any:  # where the pools of older releases come by themselves
        connections = ordered()
        connection = await inner(**given)
        row = await connection.fetchrow(connections.check)
        return connections.admit(connection, "asyncpg", row[0], row[1])

    functools.update_wrapper(connect, outer)
    functools.update_wrapper(connect_address, inner)
    module.connect = module.connection.connect = connect
    module.connect_utils._connect_addr = connect_address


def _guard_pools(current: Callable[[], Connections | None], ordered: Callable[[], Connections]) -> None:
    """SQLAlchemy takes no connection that did not come by here, and none of an earlier step."""
    from sqlalchemy import event
    from sqlalchemy.engine import Engine
    from sqlalchemy.exc import DisconnectionError
    from sqlalchemy.pool import Pool

    def do_connect(dialect: Any, _record: Any, _positional: Any, _named: Any) -> None:
        if dialect.name != "postgresql" or dialect.driver.replace("_async", "") not in DRIVERS:
            raise ordered().refused(
                f"a connection to {dialect.name} by {dialect.driver} was refused: "
                f"only PostgreSQL by {', '.join(DRIVERS)} is led to the disposable database"
            )

    def connect(adapted: Any, record: Any) -> None:
        connections = ordered()
        opened = connections.find(adapted)
        if opened is None:
            with suppress(Exception):
                adapted.close()
            kind = type(adapted)
            raise connections.refused(
                f"a connection of the type {kind.__module__}.{kind.__qualname__} was refused: "
                f"it was opened by none of {', '.join(DRIVERS)}, so that nobody knows where it leads"
            )
        opened.pooled = True
        record.info["backout"] = connections

    def checkout(_adapted: Any, record: Any, _proxy: Any) -> None:
        if record.info.get("backout") is not current():
            raise DisconnectionError("it was opened in an earlier step")

    event.listen(Engine, "do_connect", do_connect)
    event.listen(Pool, "connect", connect)
    event.listen(Pool, "checkout", checkout)


def _watch_cursors(current: Callable[[], Connections | None]) -> None:
    """A cursor that was not taken by SQLAlchemy runs statements of which SQLAlchemy tells nothing."""
    from sqlalchemy.pool import base

    fairy: Any = base._ConnectionFairy
    inner = fairy.cursor

    @functools.wraps(inner)
    def cursor(self: Any, *positional: Any, **named: Any) -> Any:
        connections, caller = current(), sys._getframe(1)
        if connections is not None and not caller.f_globals.get("__name__", "").startswith("sqlalchemy."):
            connections.take_cursor(caller)
        return inner(self, *positional, **named)

    fairy.cursor = cursor


def _watch_programs(current: Callable[[], Connections | None]) -> None:
    """A client that is started runs statements of which nobody here hears."""

    def heard(event: str, facts: Any) -> None:
        connections = current() if event in STARTS else None
        if connections is not None:
            words = facts[STARTS[event]]
            with suppress(Exception):  # which would keep the program from starting
                words = [words] if isinstance(words, (str, bytes)) else words
                found = CLIENTS.search(" ".join(map(os.fsdecode, words)))
                if found:
                    connections.start_program(found[1], sys._getframe(1))

    sys.addaudithook(heard)


def _row(connection: Any, query: str) -> list[str | None]:
    """The one row of a query, past psycopg's transactions, row factories and event loop."""
    result = connection.pgconn.exec_(query.encode())
    if result.ntuples != 1:
        raise RuntimeError(result.error_message.decode(errors="replace").strip() or "the query gave no row")
    values = (result.get_value(0, column) for column in range(result.nfields))
    return [None if value is None else value.decode(errors="replace") for value in values]


def _cursor(connection: Any) -> Any:
    """A cursor of psycopg2 whose rows are tuples, whatever the connection's class would make."""
    return importlib.import_module("psycopg2.extensions").cursor(connection)


def _token(comment: str | None) -> str:
    try:
        return str(json.loads(comment or "")["backout"]["token"])
    except (ValueError, KeyError, TypeError):
        return ""
