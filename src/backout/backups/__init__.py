"""Backups of a database that people use: taken, verified by restoring them, recorded, believed or not.

::

    with real_database(url) as database:
        backup = take(database, folder)                     # a dump and its manifest, or nothing
        receipt = verify(backup.dump, database=database)    # restored elsewhere, and compared
        receipt = latest_receipt(folder, database=database)
        problem(receipt, datetime.now(UTC), timedelta(hours=24))

Nothing here changes the database. Not here: whether a backup is needed (``production``), and asking.

``cli`` and whoever changes a database that people use may import it, and find all names here. It is built on
``backups.identity`` (which database), ``backups.contents`` (what it holds), ``backups.files``, ``backups.programs``,
``backups.taking``, ``backups.restoring`` and ``backups.statements``.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from backout.backups.files import (
    VARIABLE,
    Manifest,
    Receipt,
    damage,
    directory,
    read_manifest,
    read_receipt,
    receipt_path,
    receipts,
    utc,
)
from backout.backups.identity import Identity, identity_of
from backout.backups.programs import Watch
from backout.backups.restoring import Restored, restore, verify
from backout.backups.statements import record
from backout.backups.taking import VERSION_TABLE, Backup, bytes_in_words, take
from backout.errors import ConfigurationError
from backout.postgres import RealDatabase

__all__ = [
    "VARIABLE",
    "VERSION_TABLE",
    "Backup",
    "Identity",
    "Manifest",
    "Receipt",
    "Restored",
    "Watch",
    "bytes_in_words",
    "directory",
    "identity_of",
    "kept",
    "latest_dump",
    "latest_receipt",
    "objections",
    "problem",
    "record",
    "restore",
    "take",
    "utc",
    "verify",
]


@dataclass(frozen=True)
class Kept:
    """A dump or a statement in a directory of backups, by what its files say; its dump was not read.

    :param name: of the dump, or of the provider's snapshot.
    :param size: bytes; None for a statement.
    :param state: ``verified …``, ``not verified``, ``a statement of …``, or what is wrong.
    """

    name: str
    path: Path
    taken: datetime | None
    revisions: tuple[str, ...]
    size: int | None
    state: str


def latest_receipt(folder: Path, *, database: RealDatabase, statements: bool = True) -> Receipt | None:
    """The newest receipt that stands for a backup of this database.

    Reads the dump that it is about: one that was changed, truncated or removed since is no backup. What
    else is in the directory, and why that does not count, :func:`objections` tells.

    :param statements: whether somebody's word is enough.
    :raises PostgresError: the database does not answer.
    """
    here = identity_of(database)
    for receipt in receipts(folder):
        fits = not receipt.database.is_other_than(here) and (statements or receipt.kind == "verified")
        if fits and not _damage(receipt):
            return receipt
    return None


def latest_dump(folder: Path, *, database: RealDatabase | None = None) -> Path:
    """The newest dump in the directory, verified or not.

    :param database: that it must be of, as its manifest says.
    :raises ConfigurationError: there is none.
    """
    here = identity_of(database) if database is not None else None
    found = []
    for dump in folder.glob("*.dump"):
        with suppress(ConfigurationError):
            manifest = read_manifest(dump)
            if here is None or not manifest.database.is_other_than(here):
                found.append((manifest.began, dump))
    if not found:
        of = f" of {here}" if here else ""
        raise ConfigurationError(f"there is no backup{of} in {folder}; take one: backout backup")
    return max(found)[1]


def problem(
    receipt: Receipt, now: datetime, max_age: timedelta, *, revisions: tuple[str, ...] | None = None
) -> str | None:
    """Why a receipt is not enough, in words; None when it is. Reads the dump.

    :param now: with a time zone.
    :param revisions: those that the database is at; a backup of before it came there lacks what was done since.
    """
    if found := _damage(receipt):
        return found
    age = now - receipt.taken
    if age < timedelta(0):
        return f"{_named(receipt)} is of {utc(receipt.taken)}, which is to come; see to this machine's clock"
    if age > max_age:
        return (
            f"{_named(receipt)} is {_in_words(age)} old, and at most {_in_words(max_age)} are allowed; "
            "take another and verify it: backout backup, backout backup verify --latest"
        )
    if revisions is not None and receipt.revisions != tuple(sorted(revisions)):
        return (
            f"{_named(receipt)} is of the database at {', '.join(receipt.revisions) or 'base'}, and it is at "
            f"{', '.join(sorted(revisions)) or 'base'} now; take another and verify it: "
            "backout backup, backout backup verify --latest"
        )
    return None


def objections(folder: Path, *, database: RealDatabase) -> tuple[str, ...]:
    """Why what is in the directory is no backup of this database, a sentence each; reads the dumps.

    :raises PostgresError: the database does not answer.
    """
    here = identity_of(database)
    found = []
    for path in sorted(folder.glob("*.receipt.json")):
        try:
            receipt = read_receipt(path)
        except ConfigurationError as error:
            found.append(str(error))
            continue
        if receipt.database.is_other_than(here):
            found.append(f"{_named(receipt)} is of another database: of {receipt.database}, and this is {here}")
        elif said := _damage(receipt):
            found.append(said)
    for dump in sorted(folder.glob("*.dump")):
        if not receipt_path(dump).exists():
            found.append(f"the backup {dump.name} was not verified; verify it: backout backup verify {dump}")
    return tuple(found)


def kept(folder: Path) -> tuple[Kept, ...]:
    """What is in the directory, newest first. Dumps are not read: of these only the size is compared."""
    found = [_kept(dump) for dump in folder.glob("*.dump")]
    for path in folder.glob("*.receipt.json"):
        dump = path.with_name(path.name.removesuffix(".receipt.json") + ".dump")
        try:
            receipt = read_receipt(path)
        except ConfigurationError as error:
            found.append(Kept(path.name, path, None, (), None, str(error)))
            continue
        if receipt.kind == "statement":
            state = f"a statement of {receipt.by}, not verified"
            name = f"{receipt.provider} {receipt.snapshot}"
            found.append(Kept(name, path, receipt.taken, receipt.revisions, None, state))
        elif not dump.exists():
            found.append(Kept(dump.name, path, receipt.taken, receipt.revisions, None, "the dump is gone"))
    return tuple(sorted(found, key=lambda one: (one.taken or _NEVER, one.name), reverse=True))


_NEVER = datetime.min.replace(tzinfo=UTC)


def _kept(dump: Path) -> Kept:
    size = dump.stat().st_size
    try:
        manifest = read_manifest(dump)
    except ConfigurationError as error:
        return Kept(dump.name, dump, None, (), size, str(error))
    return Kept(dump.name, dump, manifest.began, manifest.revisions, size, _state(dump, manifest, size))


def _state(dump: Path, manifest: Manifest, size: int) -> str:
    if size != manifest.size:
        return f"it has {size} bytes, and had {manifest.size}"
    if not receipt_path(dump).exists():
        return "not verified"
    try:
        receipt = read_receipt(receipt_path(dump))
    except ConfigurationError as error:
        return str(error)
    if receipt.sha256 != manifest.sha256 or receipt.verified is None:
        return "not verified: the receipt is of another dump"
    if dump.stat().st_mtime > receipt.verified.timestamp():
        return "changed since it was verified"
    return f"verified {utc(receipt.verified)}"


def _damage(receipt: Receipt) -> str:
    if receipt.dump is None:
        return ""
    found = damage(receipt.dump, receipt.sha256, receipt.size)
    return f"{_named(receipt)} is not what was verified: {found}; take another: backout backup" if found else ""


def _named(receipt: Receipt) -> str:
    return f"the backup {receipt.dump.name}" if receipt.dump else f"the snapshot {receipt.snapshot}"


def _in_words(age: timedelta) -> str:
    seconds = int(age.total_seconds())
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}s"
    return f"{seconds} seconds"
