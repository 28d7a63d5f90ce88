"""Restores a dump and compares what came back with its manifest: on a disposable server to verify it, or into a new
database beside the one that people use.

A dump that could be listed, or restored without an error, is not verified. Never writes to a database that holds
something. Only the package imports it.
"""

import getpass
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from backout.backups.contents import Contents, differences, outside_of_dumps, read_contents
from backout.backups.files import (
    Manifest,
    Receipt,
    damage,
    manifest_path,
    read_manifest,
    receipt_path,
    write_receipt,
)
from backout.backups.identity import identity_of
from backout.backups.programs import FULL, LOST, Watch, environment_of, run
from backout.backups.taking import bytes_in_words
from backout.errors import BackoutError, ConfigurationError, PostgresError, Refused
from backout.masking import masked
from backout.postgres import Binaries, RealDatabase, Server, installed, open_server
from backout.schema import PRISTINE, snapshot

SHOWN = 20  # differences

# When the server, and not the dump, is at fault.
_NOT_OF_THE_DUMP = ("permission denied", "must be owner of", "must be able to")


class _NoBackupError(BackoutError):
    """The dump itself is at fault: it is no backup."""


@dataclass(frozen=True)
class Restored:
    """A database that was made from a dump.

    :param left: what no dump holds, and has to be set again: objects of the schema, in words.
    """

    name: str
    tables: int
    rows: int
    left: tuple[str, ...]


def verify(
    dump: Path, choice: str | None = None, *, database: RealDatabase | None = None, watch: Watch = lambda _: None
) -> Receipt:
    """Restore a dump into a disposable database, compare all of it with the manifest, and write a receipt.

    A receipt of before is withdrawn when the dump turns out to be no backup.

    :param choice: of a server, as for :func:`backout.postgres.open_server`; without any the embedded one, or the
        installed one of the dump's major version.
    :param database: that the dump must be of.
    :raises ConfigurationError: there is no such file.
    :raises Refused: the disposable server has another major version than the dump's.
    :raises BackoutError: the dump is no backup, with every difference; or the server could not tell.
    """
    try:
        manifest = _checked(dump, database, watch)
        with _server(choice, dump, manifest) as server:
            contents = _restored(dump, manifest, server, watch)
            found = server.description
    except _NoBackupError:
        receipt_path(dump).unlink(missing_ok=True)
        raise
    now = datetime.now(UTC)
    receipt = Receipt(
        kind="verified",
        path=receipt_path(dump),
        dump=dump,
        database=manifest.database,
        revisions=manifest.revisions,
        taken=manifest.began,
        by=f"{getpass.getuser()}@{socket.gethostname()}",
        verified=now,
        age_seconds=int((now - manifest.began).total_seconds()),
        rows=contents.rows,
        tables=len(contents.tables),
        sha256=manifest.sha256,
        size=manifest.size,
        server=found,
    )
    write_receipt(receipt)
    return receipt


def restore(dump: Path, database: RealDatabase, name: str, *, watch: Watch = lambda _: None) -> Restored:
    """Restore a dump into a new database on the server of another one, and compare it.

    What was created is dropped again unless everything came back.

    :param database: any on the server; it is not touched.
    :param name: of the new database. One that exists must be empty.
    :raises Refused: it is not empty, or a role, an extension or the major version is missing.
    :raises BackoutError: the dump is no backup, or could not be restored.
    """
    manifest = _checked(dump, None, watch)
    _require_major(dump, manifest, database.major, database.description, "restore it on such a server")
    if database.binaries is None:
        raise PostgresError(f"there is no pg_restore on this machine for {database.description}; install it")
    place = RealDatabase({**database.parameters, "dbname": name}, database.version, "", database.binaries)
    with _explained(f"could not restore {dump.name} into {name}"), closing(database.connect("restore")) as connection:
        created = _create(connection, place, manifest)
        try:
            _restore(dump, database.binaries, environment_of(place), name, [], watch)
            with closing(place.connect("restore", client_encoding="UTF8")) as there:
                found, _ = read_contents(there, manifest.encoding, watch)
                _compare(dump, manifest, found)
                watch("analyzing")
                there.execute("ANALYZE")
        except BaseException as error:
            try:
                if created:
                    connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
            except psycopg.Error:
                raise BackoutError(f"{error}; the database {name} is left half restored: drop it") from error
            raise
    left = outside_of_dumps(manifest.contents.objects)
    told = tuple(f"{one.kind} {one.name}: {one.definition}" for one in left)
    return Restored(name, len(found.tables), found.rows, told)


def _checked(dump: Path, database: RealDatabase | None, watch: Watch) -> Manifest:
    """What must be in the dump, which is the file that was taken, and of the right database."""
    if not dump.is_file() or dump.suffix != ".dump":
        what = f"has another name than {dump.stem}.dump" if dump.is_file() else "is no file"
        raise ConfigurationError(f"{dump} {what}; name a dump, or list them: backout backup list")
    if not manifest_path(dump).exists():
        raise _refused(
            dump, [f"it has no manifest {manifest_path(dump).name} beside it: nobody knows what it should hold"]
        )
    try:
        manifest = read_manifest(dump)
    except ConfigurationError as error:
        raise _refused(dump, [str(error)]) from error
    if found := damage(dump, manifest.sha256, manifest.size, lambda read: watch(f"reading {bytes_in_words(read)}")):
        raise _refused(dump, [found])
    if database is not None and (here := identity_of(database)).is_other_than(manifest.database):
        raise _refused(dump, [f"it is of another database: of {manifest.database}, and DATABASE_URL names {here}"])
    return manifest


@contextmanager
def _server(choice: str | None, dump: Path, manifest: Manifest) -> Iterator[Server]:
    """A disposable server of the dump's major version."""
    named = choice or os.environ.get("BACKOUT_POSTGRES", "").strip()
    system, room = f"system:{manifest.major}", 2 * manifest.database_size  # with what is logged
    # libpq's variables tell of the server that was dumped, and not of this one.
    with open_server(choice, alone=True, room=room) as server:
        if named or server.major == manifest.major or installed(manifest.major) is None:
            _require_major(dump, manifest, server.major, server.description, f"choose one: --postgres {system}")
            yield server
            return
    with open_server(system, alone=True, room=room) as server:
        yield server


def _require_major(dump: Path, manifest: Manifest, major: int, where: str, advice: str) -> None:
    if major != manifest.major:
        raise Refused(
            f"{dump.name} is of PostgreSQL {manifest.server}, and this is {where}: "
            f"that it restores into another major version proves nothing for its own; {advice}"
        )
    if manifest.pg_dump_major != manifest.major:
        raise Refused(
            f"{dump.name} is of PostgreSQL {manifest.server} and was made by pg_dump {manifest.pg_dump}, "
            f"whose dumps are for PostgreSQL {manifest.pg_dump_major}; install PostgreSQL {manifest.major}'s programs, "
            "and take it again"
        )


def _restored(dump: Path, manifest: Manifest, server: Server, watch: Watch) -> Contents:
    """What a disposable database holds after the dump was restored into it."""
    database = server.create()
    with _explained(f"could not verify {dump.name} on {server.description}"):
        try:
            for role in sorted({manifest.owner, *manifest.roles}):
                if not server.create_role(role):
                    raise BackoutError(f"the role {role} may not be created there; choose a server where it may")
            with closing(psycopg.connect(database.url, autocommit=True, client_encoding="UTF8")) as connection:
                _require_extensions(connection, manifest)
                if server.origin != "url":
                    _make_tablespaces(connection, manifest)
                options = ["--no-subscriptions"]
                environment = os.environ | server.environment(database)
                _restore(dump, server.binaries, environment, database.name, options, watch)
                # As the owner's, objects are described as they were. It goes back with the transaction.
                with connection.transaction(force_rollback=True):
                    owner = sql.SQL("ALTER DATABASE {} OWNER TO {}")
                    connection.execute(owner.format(sql.Identifier(database.name), sql.Identifier(manifest.owner)))
                    found, _ = read_contents(connection, manifest.encoding, watch)
            _compare(dump, manifest, found)
        except BaseException:
            with suppress(BackoutError):  # the first error is the one to tell; the run's end drops it, too
                server.drop(database)
            raise
        server.drop(database)
    return found


def _require_extensions(connection: psycopg.Connection[Any], manifest: Manifest) -> None:
    present = {name for (name,) in connection.execute("SELECT name FROM pg_available_extensions")}
    if missing := sorted(manifest.extensions.keys() - present):
        raise BackoutError(
            f"the server lacks the extension{'s' if len(missing) > 1 else ''} {', '.join(missing)} that the dump "
            f"needs; install it there, or choose another: --postgres system:{manifest.major} or --postgres postgresql://…"
        )


def _make_tablespaces(connection: psycopg.Connection[Any], manifest: Manifest) -> None:
    """Within the server's own data directory (manual, ``allow_in_place_tablespaces``)."""
    connection.execute("SET allow_in_place_tablespaces = on")
    for name in manifest.tablespaces:
        with suppress(psycopg.errors.DuplicateObject):
            connection.execute(sql.SQL("CREATE TABLESPACE {} LOCATION ''").format(sql.Identifier(name)))


def _restore(
    dump: Path, binaries: Binaries, environment: Mapping[str, str], name: str, options: list[str], watch: Watch
) -> None:
    command: list[str | Path] = [binaries.program("pg_restore"), "--exit-on-error", "--verbose", "--no-password"]
    command += [*options, f"--dbname={make_conninfo(dbname=name)}", dump]
    ended = run(command, environment, look=lambda doing: watch(f"restoring {doing}".rstrip()))
    if not ended.status:
        return
    if any(text in ended.said for text in (FULL, *LOST)):
        raise BackoutError(
            f"pg_restore said: {ended.said}; the server has no room for what is restored, or was ended: "
            "make room, or choose another server: --postgres postgresql://…"
        )
    if ended.status < 0 or any(text in ended.said for text in _NOT_OF_THE_DUMP):
        raise BackoutError(f"pg_restore said: {ended.said}; mend that, and begin again")
    raise _refused(dump, [f"it does not restore: pg_restore said: {ended.said}"])


def _compare(dump: Path, manifest: Manifest, found: Contents) -> None:
    if faults := differences(manifest.contents, found):
        raise _refused(
            dump, [f"restored, it differs from what was dumped: {faults[0]}"] if len(faults) == 1 else faults
        )


def _create(connection: psycopg.Connection[Any], place: RealDatabase, manifest: Manifest) -> bool:
    """Make the database, like the one that was dumped; whether it was not there before."""
    roles = {name for (name,) in connection.execute("SELECT rolname::text FROM pg_roles")}
    if missing := sorted({manifest.owner, *manifest.roles} - roles):
        raise Refused(
            f"the server lacks the role{'s' if len(missing) > 1 else ''} {', '.join(missing)} that the dump names; "
            "create them first: they are in pg_dumpall --globals-only"
        )
    _require_extensions(connection, manifest)
    if connection.execute("SELECT FROM pg_database WHERE datname = %s", [place.name]).fetchone() is not None:
        with closing(place.connect("restore")) as there:
            objects = snapshot(there).objects
        if held := sorted(" ".join(key) for key in objects.keys() - PRISTINE.keys()):
            raise Refused(
                f"the database {place.name} is not empty: it has {held[0]}"
                f"{f' and {len(held) - 1} objects more' if held[1:] else ''}; name one that does not exist"
            )
        return False
    options = {"OWNER": sql.Identifier(manifest.owner), "ENCODING": sql.Literal(manifest.encoding)}
    options |= {name: sql.Literal(value) for name, value in manifest.locale.items() if name != "LOCALE_PROVIDER"}
    options["LOCALE_PROVIDER"] = sql.SQL("{}").format(sql.Identifier(manifest.locale["LOCALE_PROVIDER"]))
    create = sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(place.name))
    for name, value in options.items():
        create += sql.SQL(f" {name} = ") + value
    connection.execute(create)
    return True


def _refused(dump: Path, faults: list[str]) -> _NoBackupError:
    """One fault in the sentence, several below it."""
    if len(faults) == 1:
        return _NoBackupError(f"{dump.name} is refused as a backup: {faults[0]}; take another: backout backup")
    shown = [*faults[:SHOWN], *([f"and {len(faults) - SHOWN} differences more"] if len(faults) > SHOWN else [])]
    lines = "".join(f"\n  {line}" for line in shown)
    return _NoBackupError(
        f"{dump.name} is refused as a backup: restored, it differs from what was dumped:{lines}\n"
        "take another: backout backup"
    )


@contextmanager
def _explained(failure: str) -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        said = masked(error.diag.message_primary or str(error).strip())
        raise BackoutError(f"{failure}: {said}; mend what PostgreSQL says, and begin again") from error
