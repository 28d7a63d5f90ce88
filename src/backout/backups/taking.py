"""Takes a backup: ``pg_dump`` dumps a snapshot, and what the same snapshot holds is counted meanwhile.

Changes nothing in the database. Not here: asking whether to, and whether the dump can be restored (``restoring``). Only
the package imports it.
"""

import errno
import os
import re
import shutil
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from backout import __version__
from backout.backups.contents import Contents, read_contents, sequences_since
from backout.backups.files import UNFINISHED, Manifest, hash_of, prepare, unfinished, write_manifest
from backout.backups.identity import read_identity
from backout.backups.programs import FULL, LOOK_SECONDS, LOST, Ended, Watch, environment_of, run
from backout.errors import BackoutError, PostgresError
from backout.masking import masked
from backout.postgres import Binaries, RealDatabase
from backout.schema import Snapshot

VERSION_TABLE = "alembic_version"
LOCK_SECONDS = 60


@dataclass(frozen=True)
class Backup:
    """A dump and its manifest.

    :param note: what is to be said about it; empty, or why it may not restore.
    :param others: dumps in the same directory that were being written meanwhile.
    """

    dump: Path
    manifest: Manifest
    note: str
    others: tuple[str, ...]


def take(
    database: RealDatabase, folder: Path, *, version_table: str = VERSION_TABLE, watch: Watch = lambda _: None
) -> Backup:
    """Dump a database into a directory; nothing is left there unless the dump is whole.

    :param folder: made where it is missing, for the current user only.
    :param version_table: Alembic's, with its schema where it is not on the search path.
    :param watch: called all the time with what is being done.
    :raises PostgresError: there is no ``pg_dump`` on this machine, or the database does not answer.
    :raises BackoutError: it could not be dumped, counted or written.
    """
    binaries = database.binaries
    if binaries is None:
        raise PostgresError(
            f"there is no pg_dump on this machine for {database.description}; "
            f"install PostgreSQL {database.major}'s programs"
        )
    with _explained(database, folder):
        others = prepare(folder)
        connecting = database.connect("backup", lock_timeout=f"{LOCK_SECONDS}s", client_encoding="UTF8")
        with closing(connecting) as connection:
            exported = _export_snapshot(connection)
            began = datetime.now(UTC)
            facts = _facts(connection, database)
            revisions = read_revisions(connection, version_table)
            with ExitStack() as stack:
                dump, descriptor = _begin(stack, folder, database.name, revisions)
                part = dump.with_name(dump.name + UNFINISHED)
                contents = _dump(database, connection, exported, facts["encoding"], part, descriptor, watch)
                ended = datetime.now(UTC)
                size = os.fstat(descriptor).st_size
                manifest = Manifest(
                    backout=__version__,
                    database=read_identity(connection, database),
                    server=database.version,
                    pg_dump=binaries.version,
                    revisions=revisions,
                    began=began,
                    ended=ended,
                    sha256=hash_of(part, lambda read: watch(f"reading the dump, {bytes_in_words(read)}")),
                    size=size,
                    contents=contents,
                    **facts,
                )
                write_manifest(dump, manifest)
    return Backup(dump, manifest, _note(binaries, database), tuple(others))


def read_revisions(connection: psycopg.Connection[Any], version_table: str) -> tuple[str, ...]:
    """What Alembic's table holds, sorted; empty for a database that was never migrated."""
    table = version_table_of(connection, version_table)
    if table is None:
        return ()
    found = connection.execute(sql.SQL("SELECT version_num FROM {}").format(table))
    return tuple(sorted(revision for (revision,) in found))


def version_table_of(connection: psycopg.Connection[Any], name: str) -> sql.Identifier | None:
    """Alembic's table, as the session's search path finds it; None where there is none."""
    row = connection.execute(
        "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE c.oid = to_regclass(%s)",
        [name],
    ).fetchone()
    return sql.Identifier(*row) if row else None


def bytes_in_words(number: int) -> str:
    """``12.3 MB``."""
    value = float(number)
    for unit in ("bytes", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "bytes" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def _export_snapshot(connection: psycopg.Connection[Any]) -> str:
    """Begin a read-only transaction; the name under which others see what it sees."""
    connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    ((exported,),) = connection.execute("SELECT pg_export_snapshot()").fetchall()
    return str(exported)


def _begin(stack: ExitStack, folder: Path, name: str, revisions: tuple[str, ...]) -> tuple[Path, int]:
    """The dump's path, and the descriptor that it is written through; ``stack`` gives it its name, or removes it."""
    stem = re.sub(r"[^\w.-]", "_", name)
    at = re.sub(r"[^\w.+-]", "_", "+".join(revisions) or "base")
    while True:
        path = folder / f"{stem}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{at}.dump"
        try:
            return path, stack.enter_context(unfinished(path))
        except FileExistsError:  # two in a second
            time.sleep(0.1)


def _dump(
    database: RealDatabase,
    connection: psycopg.Connection[Any],
    exported: str,
    encoding: str,
    part: Path,
    descriptor: int,
    watch: Watch,
) -> Contents:
    """Dump and count at once; where the sequences stand is read once more when the dump is done."""
    counting = [""]

    def count() -> tuple[Contents, Snapshot]:
        return read_contents(connection, encoding, lambda text: counting.__setitem__(0, text))

    def look(doing: str) -> None:
        written = f"{bytes_in_words(os.fstat(descriptor).st_size)} written"
        watch(", ".join(filter(None, (f"dumping {doing}" if doing else "dumping", written, counting[0]))))
        if counted.done():
            counting[0] = ""
            counted.result()

    assert database.binaries is not None
    command: list[str | Path] = [database.binaries.program("pg_dump"), "--format=custom", f"--snapshot={exported}"]
    # Not to standard output, which pg_dump appends to: only in a file of its own it notes where each table's rows are.
    command += [f"--file={part}"]
    # Longer than our own session waits, whose error tells more.
    command += [f"--lock-wait-timeout={2 * LOCK_SECONDS}s", "--no-password", "--verbose"]
    with ThreadPoolExecutor(1, "counting") as pool:
        counted = pool.submit(count)
        try:
            ended = run(command, environment_of(database), hold=[descriptor], look=look)
            if ended.status:
                raise _program_failed(database, part.parent, ended)
            while not counted.done():
                watch(f"dumped {bytes_in_words(os.fstat(descriptor).st_size)}, {counting[0]}")
                wait([counted], LOOK_SECONDS)
        except BaseException:
            connection.cancel()
            raise
        contents, schema = counted.result()
    return replace(contents, sequences=sequences_since(connection, contents, schema))


def _facts(connection: psycopg.Connection[Any], database: RealDatabase) -> dict[str, Any]:
    """What a server must have for the dump to be restored."""
    recent = database.major >= 17
    row = connection.execute(
        f"""
        SELECT pg_encoding_to_char(encoding), datlocprovider::text, datcollate, datctype,
               {"datlocale" if recent else "daticulocale"}, {"daticurules" if database.major >= 16 else "NULL"},
               pg_get_userbyid(datdba), pg_database_size(oid)
        FROM pg_database WHERE datname = current_database()
        """.encode()  # noqa: S608
    ).fetchone()
    assert row is not None
    encoding, provider, collate, ctype, locale, rules, owner, size = row
    word = {"c": "libc", "i": "icu", "b": "builtin"}[provider]
    options = {"LOCALE_PROVIDER": word, "LC_COLLATE": collate, "LC_CTYPE": ctype, "ICU_RULES": rules}
    options["BUILTIN_LOCALE" if provider == "b" else "ICU_LOCALE"] = locale

    def column(query: LiteralString) -> tuple[str, ...]:
        return tuple(name for (name,) in connection.execute(query).fetchall())

    return {
        "encoding": encoding,
        "locale": {name: value for name, value in options.items() if value},
        "owner": owner,
        "roles": column(_ROLES),
        "extensions": dict(connection.execute(_EXTENSIONS).fetchall()),
        "tablespaces": column(_TABLESPACES),
        "database_size": size,
    }


# That of the bootstrap superuser, which is never noted as depended upon, as well.
_ROLES = """
    SELECT DISTINCT r.rolname::text FROM pg_roles r
    LEFT JOIN pg_shdepend s ON s.refclassid = 'pg_authid'::regclass AND s.refobjid = r.oid
      AND s.dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
    WHERE (s.refobjid IS NOT NULL OR r.oid = 10) AND r.rolname !~ '^pg_'
    ORDER BY 1
"""
_EXTENSIONS = "SELECT extname::text, extversion FROM pg_extension WHERE oid >= 16384 ORDER BY 1"  # FirstNormalObjectId
_TABLESPACES = """
    SELECT DISTINCT s.spcname::text FROM pg_class c JOIN pg_tablespace s ON s.oid = c.reltablespace
    WHERE c.oid >= 16384 ORDER BY 1
"""


def _note(binaries: Binaries, database: RealDatabase) -> str:
    if binaries.major == database.major:
        return ""
    return (
        f"pg_dump is of PostgreSQL {binaries.version} and the server of {database.version}: the dump may not restore "
        f"into PostgreSQL {database.major}, and cannot be verified; install PostgreSQL {database.major}'s programs, "
        "and take it again"
    )


_ADVICE: Mapping[type[psycopg.Error], str] = {
    psycopg.errors.LockNotAvailable: "wait until nobody changes the schema",
    psycopg.errors.UndefinedTable: "somebody changes the schema",
    psycopg.errors.UndefinedColumn: "somebody changes the schema",
    psycopg.errors.InsufficientPrivilege: "use a role that may read everything, as pg_read_all_data may",
    psycopg.OperationalError: "see that the server runs",
}


@contextmanager
def _explained(database: RealDatabase, folder: Path) -> Iterator[None]:
    """Errors of the database and of the file system, in our words."""
    try:
        yield
    except psycopg.Error as error:
        said = masked(error.diag.message_primary or str(error).strip())
        advice = next((text for kind, text in _ADVICE.items() if isinstance(error, kind)), "mend what PostgreSQL says")
        raise _failed(database, folder, said, f"{advice}, and begin again") from error
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        advice = _room(folder) if full else "name a directory that you can write to: --to DIR"
        raise _failed(database, folder, f"{error.filename or folder}: {error.strerror}", advice) from error


def _program_failed(database: RealDatabase, folder: Path, ended: Ended) -> BackoutError:
    if FULL in ended.said:
        advice = _room(folder)
    elif ended.said.endswith("SIGXFSZ"):
        advice = "files may not grow that large here: ulimit -f"
    elif any(text in ended.said for text in LOST):
        advice = "see that the server runs, and begin again"
    else:
        advice = "mend that, and begin again"
    return _failed(database, folder, f"pg_dump said: {ended.said}", advice)


def _room(folder: Path) -> str:
    free = bytes_in_words(shutil.disk_usage(folder).free)
    return f"make room, {free} are free there, or name another directory: --to DIR"


def _failed(database: RealDatabase, folder: Path, said: str, advice: str) -> BackoutError:
    return BackoutError(
        f"the backup of {database.description} failed: {said}; nothing of it is left in {folder}: {advice}"
    )
