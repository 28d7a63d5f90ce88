"""The files of a directory of backups: dumps, what is in each, and what proves that it is one.

::

    crew-20261128T021307Z-7f544264830f.dump           pg_dump's custom format
    crew-20261128T021307Z-7f544264830f.json           its manifest: hash, rows, checksums, schema
    crew-20261128T021307Z-7f544264830f.receipt.json   written by ``verify``, when all of that came back

A dump is whole when it has its name: it is written as ``….dump.part``, which is locked as long as somebody writes it.
A receipt counts as long as its dump is the same, byte for byte.

Not here: making them (``taking``), restoring and comparing (``restoring``). Only the package imports it.
"""

import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from backout.backups.contents import Contents
from backout.backups.identity import Identity
from backout.errors import ConfigurationError

if sys.platform != "win32":
    import fcntl

VARIABLE = "BACKOUT_BACKUPS"
MANIFEST, RECEIPT, VERSION = "backout/backup", "backout/backup-receipt", 1
UNFINISHED = ".part"
BLOCK = 1 << 20  # bytes

Time = Annotated[datetime, msgspec.Meta(tz=True)]


@dataclass(frozen=True)
class Manifest:
    """What a dump is of, and what must be in it.

    :param server: version of the server that was dumped.
    :param locale: options of ``CREATE DATABASE`` (manual), to make one like it.
    :param owner: of the database.
    :param roles: that its objects name.
    :param extensions: name → version.
    :param tablespaces: that its objects name.
    :param revisions: in its ``alembic_version``, sorted.
    :param began: moment of the snapshot that was dumped.
    :param sha256: of the dump.
    :param size: of the dump, bytes.
    :param database_size: of what was dumped, on the server's disk, bytes.
    """

    backout: str
    database: Identity
    server: str
    pg_dump: str
    encoding: str
    locale: Mapping[str, str]
    owner: str
    roles: tuple[str, ...]
    extensions: Mapping[str, str]
    tablespaces: tuple[str, ...]
    revisions: tuple[str, ...]
    began: Time
    ended: Time
    sha256: str
    size: int
    contents: Contents
    database_size: int

    @property
    def major(self) -> int:
        """Of the server that was dumped."""
        return int(self.server.partition(".")[0])

    @property
    def pg_dump_major(self) -> int:
        """Of the programs that dumped it, whose server its statements are for."""
        return int(self.pg_dump.partition(".")[0])


@dataclass(frozen=True)
class Receipt:
    """What says that there is a backup.

    :param kind: ``verified``: it was restored here and compared. ``statement``: somebody said so.
    :param path: of the receipt.
    :param dump: None for a statement.
    :param database: which it is a backup of.
    :param revisions: in the backup; of a statement, those that the database was at when it was recorded.
    :param taken: what was written until then is in it.
    :param by: who verified or stated it.
    :param verified: when; None for a statement.
    :param age_seconds: of the backup when it was verified.
    :param recorded: when the statement was; None for a verified one.
    :param rows: that came back; None for a statement.
    :param tables: likewise.
    :param sha256: of the dump.
    :param size: of the dump, bytes.
    :param server: that it was restored into.
    :param revision_since: of a statement: when the database came to its revisions, as far as it tells.
    """

    kind: Literal["verified", "statement"]
    path: Path
    dump: Path | None
    database: Identity
    revisions: tuple[str, ...]
    taken: Time
    by: str
    verified: Time | None = None
    age_seconds: int | None = None
    recorded: Time | None = None
    rows: int | None = None
    tables: int | None = None
    sha256: str | None = None
    size: int | None = None
    server: str | None = None
    provider: str | None = None
    snapshot: str | None = None
    revision_since: Time | None = None

    def __str__(self) -> str:
        """What it says, in a sentence."""
        at = ", ".join(self.revisions) or "base"
        if self.dump is None:
            return (
                f"a statement, not verified: {self.by} says that {self.provider} took the snapshot {self.snapshot} "
                f"at {utc(self.taken)}; the database was at {at} when that was recorded"
            )
        return (
            f"the backup {self.dump.name} of {utc(self.taken)} at {at}, restored and compared at "
            f"{utc(self.verified or self.taken)}: {self.tables} tables, {self.rows} rows"
        )


def directory(root: Path, environment: Mapping[str, str] = os.environ) -> Path:
    """Where a project's backups are: ``$BACKOUT_BACKUPS``, else ``backups``."""
    named = environment.get(VARIABLE, "").strip()
    return root / named if named else root / "backups"


def manifest_path(dump: Path) -> Path:
    """Beside the dump."""
    return dump.with_suffix(".json")


def receipt_path(dump: Path) -> Path:
    """Beside the dump."""
    return dump.with_suffix(".receipt.json")


def read_manifest(dump: Path) -> Manifest:
    """What must be in a dump.

    :raises ConfigurationError: there is no manifest beside it, or none that can be read.
    """
    path = manifest_path(dump)
    return _read(path, MANIFEST, lambda values: msgspec.convert(values, Manifest))


def read_receipt(path: Path) -> Receipt:
    """What a receipt says; not whether its dump is still the same, which :func:`damage` tells.

    :raises ConfigurationError: it is none.
    """

    def convert(values: dict[str, Any]) -> Receipt:
        statement = values.get("kind") == "statement"
        dump = None if statement else str(path).removesuffix(".receipt.json") + ".dump"
        values |= {"path": str(path), "dump": dump}
        needed = ("recorded", "provider", "snapshot") if statement else ("verified", "rows", "tables", "sha256", "size")
        if missing := [name for name in needed if values.get(name) is None]:
            raise msgspec.ValidationError(f"Object missing required field `{missing[0]}`")
        return msgspec.convert(values, Receipt, dec_hook=lambda kind, value: kind(value))

    return _read(path, RECEIPT, convert)


def receipts(folder: Path) -> Iterator[Receipt]:
    """All that can be read, newest first."""
    found = []
    for path in folder.glob("*.receipt.json"):
        with suppress(ConfigurationError):
            found.append(read_receipt(path))
    yield from sorted(found, key=lambda one: (one.taken, one.verified or one.taken, one.path), reverse=True)


def damage(dump: Path, sha256: str | None, size: int | None, look: Callable[[int], object] = lambda _: None) -> str:
    """Why a dump is not the file that it was, in words; empty when it is. Reads the whole file.

    :param look: is told how many bytes were read.
    """
    try:
        there = dump.stat().st_size
        if there == 0 and size:
            return f"it is empty; it had {size} bytes"
        if there != size:
            return f"it has {there} bytes and had {size}: it was {'truncated' if there < (size or 0) else 'changed'}"
        if hash_of(dump, look) != sha256:
            return "its SHA-256 is not the one of the dump that was taken: it was changed, or is another one"
    except FileNotFoundError:
        return "it is gone"
    except OSError as error:
        return f"it cannot be read: {error.strerror}"
    return ""


def hash_of(path: Path, look: Callable[[int], object] = lambda _: None) -> str:
    """SHA-256 of a file."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
            size += len(block)
            look(size)
    return digest.hexdigest()


def write_manifest(dump: Path, manifest: Manifest) -> None:
    """Put it beside its dump, whole or not at all."""
    _write(manifest_path(dump), MANIFEST, msgspec.to_builtins(manifest))


def write_receipt(receipt: Receipt) -> None:
    """Put it in its place, whole or not at all."""
    values = msgspec.to_builtins(receipt, enc_hook=str)
    kept = {name: value for name, value in values.items() if value is not None and name not in ("path", "dump")}
    _write(receipt.path, RECEIPT, kept)


def prepare(folder: Path) -> list[str]:
    """Make the directory where it is missing, and remove what killed runs left in it.

    :return: the names of the dumps that are being written now.
    """
    folder.mkdir(0o700, parents=True, exist_ok=True)
    living = []
    with _locked(folder):
        for part in sorted(folder.glob(f"*{UNFINISHED}")):
            dump = part.with_name(part.name.removesuffix(UNFINISHED))
            if _is_being_written(part):
                living.append(dump.name)
                continue
            part.unlink()
            if dump.suffix == ".dump" and not dump.exists():
                manifest_path(dump).unlink(missing_ok=True)
    return living


@contextmanager
def unfinished(dump: Path) -> Iterator[int]:
    """A file to write a dump to: it gets its name when the context ends well, else it and its manifest are removed.

    :return: its file descriptor. Who inherits it goes on holding it for being written.
    :raises FileExistsError: there is such a dump, or one is being written.
    """
    begun = False
    try:
        with _written(dump, new=True) as descriptor:
            begun = True
            yield descriptor
    except BaseException:
        if begun:
            manifest_path(dump).unlink(missing_ok=True)
        raise


def utc(time: datetime) -> str:
    """``2026-11-28 02:13 UTC``."""
    return f"{time:%Y-%m-%d %H:%M} UTC"


@contextmanager
def _written(path: Path, *, new: bool = False) -> Iterator[int]:
    """A descriptor to write a file through, which has its name when it is whole and on disk.

    :param new: there must be none of that name.
    """
    part = path.with_name(f"{path.name}{UNFINISHED}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    with _locked(path.parent):
        if new and path.exists():
            raise FileExistsError(path)
        descriptor = os.open(part, flags, 0o600)
        if sys.platform != "win32":  # there an open file cannot be removed
            fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield descriptor
        os.fsync(descriptor)
    except BaseException:
        os.close(descriptor)
        part.unlink()
        raise
    with _locked(path.parent) as sync:
        os.close(descriptor)
        part.replace(path)
        sync()


@contextmanager
def _locked(folder: Path) -> Iterator[Callable[[], None]]:
    """Keep others from looking for unfinished files between two steps.

    :return: has the directory on disk, where that can be asked for.
    """
    if sys.platform == "win32":
        yield lambda: None
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield lambda: os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _is_being_written(part: Path) -> bool:
    try:
        descriptor = os.open(part, os.O_RDWR)
    except OSError:
        return True
    try:
        if sys.platform != "win32":
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def _write(path: Path, form: str, values: Mapping[str, Any]) -> None:
    text = json.dumps({"format": form, "version": VERSION, **values}, indent=1, ensure_ascii=False)
    with _written(path) as descriptor, os.fdopen(descriptor, "w", encoding="utf-8", closefd=False) as file:
        file.write(text + "\n")


Read = TypeVar("Read")


def _read(path: Path, form: str, convert: Callable[[dict[str, Any]], Read]) -> Read:
    what = "manifest" if form == MANIFEST else "receipt"
    try:
        values = json.loads(path.read_bytes())
    except OSError as error:
        raise ConfigurationError(f"the {what} {path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ConfigurationError(f"{path} is no {what} of a backup: {error}") from None
    if not isinstance(values, dict) or (values.get("format"), values.get("version")) != (form, VERSION):
        raise ConfigurationError(f"{path} is no {what} of a backup of version {VERSION}")
    try:
        return convert(values)
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"{path} is no {what} of a backup: {error}") from None
