"""A PostgreSQL server of one run: its folder, its start, its end, and what killed runs left behind.

Everything a server makes lies in one folder, whose lock the owning process holds as long as it
lives. Hence the sweep: a folder whose lock can be taken belongs to nobody who lives.

Not here: finding programs (``postgres.binaries``), databases (``postgres``).

Between ``postgres.binaries`` and ``postgres``. Of those above, who needs a private folder that a
sweep removes may import ``run_folder()``.
"""

import atexit
import contextlib
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal

import psutil
import psycopg

from backout.errors import ConfigurationError, PostgresError
from backout.postgres.binaries import Binaries, as_server, cached, copy_tree, discard, fingerprint, server_uid
from backout.processes import started

if sys.platform == "win32":
    import filelock
else:
    import fcntl
    import pwd

Transport = Literal["socket", "tcp"]
Setting = str | int | bool

SUPERUSER = "postgres"
PORT = "5432"
# sockaddr_un holds 108 bytes on Linux and 104 on macOS, the last one a NUL.
LONGEST_SOCKET_PATH = 103
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - a file system in memory, where a private folder is made
ROOM = 1 << 30
START_SECONDS = 60
STOP_SECONDS = 10  # PostgreSQL itself kills what has not ended after five

# For databases that nobody will miss. The manual's section "Non-Durable Settings", and what saves time at the start.
DISPOSABLE: Mapping[str, Setting] = {
    "fsync": False,
    "synchronous_commit": False,
    "full_page_writes": False,
    "autovacuum": False,
    "jit": False,
    "shared_buffers": "32MB",
    "max_connections": 200,
    "huge_pages": False,
    "wal_level": "replica",  # so that pg_basebackup works
    "max_wal_senders": 10,
    "wal_init_zero": False,
    "wal_recycle": False,
    "dynamic_shared_memory_type": "sysv" if sys.platform == "win32" else "mmap",  # in the folder, not beside it
    "log_checkpoints": False,
    "log_timezone": "UTC",
    "timezone": "UTC",
    "lc_messages": "C",
    "datestyle": "iso, mdy",
    "default_text_search_config": "pg_catalog.english",
}


def start(
    binaries: Binaries, stack: ExitStack, *, settings: Mapping[str, Setting], transport: Transport, room: int = 0
) -> dict[str, str]:
    """Start a server; ``stack`` stops it and removes its folder.

    :param room: bytes that it must have for what it will hold; less than ``ROOM`` needs no mention.
    :return: libpq's connection keywords, without ``dbname`` and without a password.
    :raises PostgresError: it did not start; with the last lines of its log.
    """
    key = _data_key(binaries)
    for attempt in (1, 2):
        with ExitStack() as parts:
            with cached(key, lambda part: _initialise(binaries, part)) as entry:
                folder = run_folder(parts, socket_inside=transport == "socket", room=room)
                _copy_data(entry / "data", folder / "data")
            try:
                parameters = _start_in(folder, binaries, parts, settings=settings, transport=transport)
            except PostgresError:
                if attempt == 2:
                    raise
                # A power cut can have emptied the files of a finished entry: once more, from initdb.
                discard(key)
            else:
                stack.push(parts.pop_all())
                return parameters
    raise AssertionError("unreachable")


def run_folder(stack: ExitStack, *, socket_inside: bool = False, room: int = 0) -> Path:
    """A private folder for this run, locked while this process lives; ``stack`` removes it."""
    for parent in _parents(room):
        if socket_inside and len(os.fsencode(parent / "backout-01234567" / f".s.PGSQL.{PORT}")) > LONGEST_SOCKET_PATH:
            continue
        while True:
            folder = parent / f"backout-{secrets.token_hex(4)}"
            try:
                folder.mkdir(0o700)
            except FileExistsError:
                continue
            except OSError:
                break
            release = _hold(folder)
            if release is None:  # a sweep was quicker, and removes it
                continue
            _left[folder] = release
            stack.callback(_remove_run, folder, release)
            return folder
    raise PostgresError(
        f"there is no folder for a server: {', '.join(map(str, _places()))} are not writable, "
        "not open to the server's user, or too long for a socket's path; set TMPDIR to one that is"
    )


def remove_left() -> None:
    """Remove what is left of this process's folders, because an interruption came while they were being removed."""
    for folder, release in list(_left.items()):
        _remove_run(folder, release)


def sweep() -> list[str]:
    """Stop the servers and remove the folders of this user's runs that were killed.

    :return: the servers that were stopped, for people; nobody misses a folder without one.
    """
    removed = []
    for parent in _places():
        for folder in parent.glob("backout-*"):
            if not re.fullmatch(r"backout-[0-9a-f]{8}", folder.name) or not _is_mine(folder):
                continue
            release = _hold(folder)
            if release is None:
                continue
            is_server = (folder / "data").exists()
            _remove_run(folder, release)
            if is_server:
                removed.append(f"the server in {folder}")
    return removed


def passfile(folder: Path, parameters: Mapping[str, str], password: str) -> Path:
    """Write the password for these connection keywords where libpq finds it (manual, "The Password File")."""

    def escaped(text: str) -> str:
        return text.replace("\\", r"\\").replace(":", r"\:")

    host, port = parameters.get("host", "*"), parameters.get("port", PORT)
    # For the default socket folder, whichever that is, libpq looks under localhost.
    hosts = [host, "localhost"] if host.startswith("/") else [host]
    user, secret = escaped(parameters["user"]), escaped(password)
    lines = [f"{escaped(name) if name != '*' else name}:{port}:*:{user}:{secret}" for name in hosts]
    path = folder / "passfile"
    path.touch(0o600, exist_ok=False)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _parents(room: int = 0) -> list[Path]:
    """The folders that a new run's folder can be made in, the best first."""
    usable = [parent for parent in _places() if os.access(parent, os.W_OK | os.X_OK)]
    if SHARED_MEMORY in usable and shutil.disk_usage(SHARED_MEMORY).free < max(ROOM, room):
        usable.remove(SHARED_MEMORY)
    if server_uid() is not None:
        usable = [parent for parent in usable if _passable(parent)]
    return usable


def _places() -> list[Path]:
    """The folders that runs' folders may lie in."""
    temporary = Path(tempfile.gettempdir()).resolve()
    if sys.platform == "win32":
        return [temporary]
    everyones = [Path("/tmp").resolve(), Path("/var/tmp").resolve()]  # noqa: S108 - a private folder is made in it
    return [place for place in dict.fromkeys([SHARED_MEMORY, temporary, *everyones]) if place.is_dir()]


def _passable(folder: Path) -> bool:
    """Whether everybody may pass through."""
    return all(path.stat().st_mode & 0o001 for path in [folder, *folder.parents])


def _is_mine(folder: Path) -> bool:
    try:
        status = folder.lstat()
    except FileNotFoundError:
        return False
    return sys.platform == "win32" or status.st_uid in (os.geteuid(), server_uid())


# Of this process. A child that was forked would keep them locked after our end, or remove them.
_held: set[int] = set()
_left: dict[Path, Callable[[], None]] = {}
atexit.register(remove_left)


def _forget_held() -> None:
    for descriptor in _held:
        os.close(descriptor)
    _held.clear()
    _left.clear()


if sys.platform != "win32":
    os.register_at_fork(after_in_child=_forget_held)


def _hold(folder: Path) -> Callable[[], None] | None:
    """Lock a run's folder; None when somebody holds it, or when it is gone."""
    if sys.platform == "win32":
        lock = filelock.FileLock(folder / "owner.lock", timeout=0)
        try:
            lock.acquire()
        except (filelock.Timeout, OSError):
            return None
        return lock.release
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        gone = not os.path.samestat(os.fstat(descriptor), folder.lstat())
    except OSError:  # held, or removed between the two
        gone = True
    if gone:
        os.close(descriptor)
        return None
    _held.add(descriptor)
    ours = [descriptor]

    def release() -> None:
        if ours:  # an interrupted removal is begun again
            _held.discard(ours[0])
            os.close(ours.pop())

    return release


def _remove_run(folder: Path, release: Callable[[], None]) -> None:
    try:
        if postmaster := _postmaster(folder / "data"):
            _stop(postmaster)
        if sys.platform == "win32":
            release()  # an open file cannot be removed there
        _remove(folder)
        _left.pop(folder, None)
    finally:
        if sys.platform != "win32":
            release()


def _remove(folder: Path) -> None:
    deadline = time.monotonic() + STOP_SECONDS
    while folder.exists():
        try:
            shutil.rmtree(folder)
        except OSError:  # the last backends of a killed server are still ending
            if time.monotonic() > deadline:
                raise
            time.sleep(0.001)


def _postmaster(data: Path) -> psutil.Process | None:
    """The server on that data directory, as ``postmaster.pid`` says and its command line confirms."""
    try:
        pid = int((data / "postmaster.pid").read_text().partition("\n")[0])
        process = psutil.Process(pid)
        with process.oneshot():
            command = process.cmdline()
            owner = process.uids().real if sys.platform != "win32" else None
    except (OSError, ValueError, psutil.Error):
        return None
    ours = owner in (None, os.geteuid() if server_uid() is None else server_uid())
    is_it = len(command) >= 3 and Path(command[0]).stem == "postgres" and command[1:3] == ["-D", str(data)]
    return process if ours and is_it else None


def _stop(process: psutil.Process) -> None:
    """The manual's immediate shutdown: nothing needs to be written, and it frees the shared memory."""
    with contextlib.suppress(psutil.NoSuchProcess):
        if sys.platform == "win32":
            process.terminate()
        else:
            process.send_signal(signal.SIGQUIT)
        try:
            process.wait(STOP_SECONDS)
        except psutil.TimeoutExpired:
            for one in [*process.children(), process]:
                one.kill()
            process.wait()


def _data_key(binaries: Binaries) -> str:
    who = "" if sys.platform == "win32" else f"-{os.geteuid()}"
    return f"data-{binaries.version}-{binaries.origin}-{fingerprint(binaries.directory)}{who}"


def _initialise(binaries: Binaries, part: Path) -> None:
    """A fresh data directory in ``part/data``: UTF-8, and needing no locale of the operating system."""
    locale = ["--locale=C"]
    if binaries.major >= 17:
        locale += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    uid = server_uid()
    if sys.platform != "win32":
        _require_name(os.geteuid() if uid is None else uid)
    with ExitStack() as stack:
        folder = run_folder(stack)  # in memory where there is room: initdb writes everything several times
        if uid is not None:
            os.chown(folder, uid, uid)
        command = [str(binaries.program("initdb")), "-D", str(folder / "data"), f"--username={SUPERUSER}"]
        # Segments of 1 MB: less to copy at each start.
        command += ["--auth=trust", "--encoding=UTF8", *locale, "--no-sync", "--wal-segsize=1", "--no-instructions"]
        answer = subprocess.run(
            command, check=False, capture_output=True, text=True, errors="replace", cwd=folder, **as_server()
        )
        if answer.returncode != 0:
            raise PostgresError(
                f"initdb of PostgreSQL {binaries.version} in {binaries.directory} failed with exit code "
                f"{answer.returncode}:{_indented(answer.stderr)}\n"
                "set BACKOUT_POSTGRES to another server (embedded, system, system:15, postgresql://…)"
            )
        copy_tree(folder / "data", part / "data")


def _copy_data(source: Path, target: Path) -> None:
    try:
        copy_tree(source, target, owner=server_uid())
    except OSError as error:
        raise PostgresError(
            f"a data directory could not be made in {target.parent}: {error.strerror}; "
            "make room there, or set TMPDIR to a folder that has it"
        ) from error


def _require_name(uid: int) -> None:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        raise PostgresError(
            f"initdb works for users with a name only, and the user {uid} is not in /etc/passwd; "
            "add the user, or set BACKOUT_POSTGRES=postgresql://… to use a server that runs already"
        ) from None


def _start_in(
    folder: Path, binaries: Binaries, stack: ExitStack, *, settings: Mapping[str, Setting], transport: Transport
) -> dict[str, str]:
    data = folder / "data"
    parameters = {"host": str(folder), "port": PORT, "user": SUPERUSER}
    # Every libpq client of this process sends PGPASSWORD rather than the passfile's word: they must be the same.
    password = os.environ.get("PGPASSWORD") or secrets.token_urlsafe(24)
    access = "local all all trust\nlocal replication all trust\n"
    listen: dict[str, Setting] = {"listen_addresses": "", "unix_socket_directories": str(folder), "port": int(PORT)}
    if transport == "tcp":
        parameters |= {"host": "127.0.0.1", "port": str(_free_port())}
        listen = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "port": int(parameters["port"])}
        access = "host all all 127.0.0.1/32 scram-sha-256\nhost replication all 127.0.0.1/32 scram-sha-256\n"
    newest = {"io_method": "sync"} if binaries.major >= 18 else {}  # three processes less
    configuration = _configuration({**DISPOSABLE, **newest, **listen, **settings})
    (data / "postgresql.conf").write_text(configuration, encoding="utf-8")
    (data / "pg_hba.conf").write_text(access, encoding="utf-8")
    if transport == "tcp":
        parameters["passfile"] = str(passfile(folder, parameters, password))
    log = folder / "server.log"
    with log.open("ab") as output:
        if (uid := server_uid()) is not None:  # the last of what root writes there: until here nobody else could enter
            os.chown(folder, uid, uid)
        if transport == "tcp":
            _set_password(binaries, data, password)
        process = started(
            lambda: psutil.Popen(
                [str(binaries.program("postgres")), "-D", str(data)],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=folder, **as_server(),
            )
        )  # fmt: skip
    stack.callback(_stop, process)
    _wait_until_ready(process, parameters, password, log)
    return parameters


def _configuration(settings: Mapping[str, Setting]) -> str:
    lines = []
    for name, value in settings.items():
        if not re.fullmatch(r"[A-Za-z_][\w.]*", name):
            raise ConfigurationError(f"{name!r} is no name of a PostgreSQL setting; use a name like work_mem")
        text = ("on" if value else "off") if isinstance(value, bool) else str(value)
        if "\n" in text:
            raise ConfigurationError(f"the PostgreSQL setting {name} has a line break in its value; remove it")
        quoted = text.replace("\\", r"\\").replace("'", "''")
        lines.append(f"{name} = '{quoted}'\n")
    return "".join(lines)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _set_password(binaries: Binaries, data: Path, password: str) -> None:
    """Before the server runs, in single-user mode: nobody can connect without it, at no time."""
    verifier = password.replace("'", "''")
    answer = subprocess.run(
        [str(binaries.program("postgres")), "--single", "-D", str(data), "postgres"],
        check=False, input=f"ALTER ROLE {SUPERUSER} PASSWORD '{verifier}'\n",
        capture_output=True, text=True, errors="replace", cwd=data, **as_server(),
    )  # fmt: skip
    if answer.returncode != 0 or "ERROR" in answer.stderr:
        detail = _indented(answer.stderr.replace(password, "***"))
        raise PostgresError(f"the new server's password could not be set:{detail}\nset BACKOUT_POSTGRES to another one")


def _wait_until_ready(process: psutil.Popen, parameters: Mapping[str, str], password: str, log: Path) -> None:
    endpoint = Path(parameters["host"]) / f".s.PGSQL.{parameters['port']}" if "passfile" not in parameters else None
    keywords: dict[str, Any] = {key: value for key, value in parameters.items() if key != "passfile"}
    deadline = time.monotonic() + START_SECONDS
    observed = "it does not listen"
    while process.poll() is None and time.monotonic() < deadline:
        if endpoint is None or endpoint.exists():
            try:
                psycopg.connect(**keywords, dbname="postgres", password=password, connect_timeout=10).close()
            except psycopg.OperationalError as error:
                observed = str(error).replace(password, "***").strip()
            else:
                return
        time.sleep(0.001)
    if process.poll() is not None:
        observed = f"it ended with exit code {process.returncode}"
    tail = _indented(log.read_text(encoding="utf-8", errors="replace"))
    raise PostgresError(
        f"the PostgreSQL server did not start: {observed}; the end of its log:{tail}\n"
        "mend what it says, or set BACKOUT_POSTGRES to another server (embedded, system, system:15, postgresql://…)"
    )


def _indented(text: str, lines: int = 10) -> str:
    """The last lines, each on a line of its own and indented."""
    last = text.strip().splitlines()[-lines:] or ["(nothing)"]
    return "".join(f"\n    {line}" for line in last)
