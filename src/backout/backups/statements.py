"""Records what somebody says of a backup that backout cannot see: a provider's snapshot.

Believes nothing more than that it was said. Only the package imports it.
"""

import re
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from backout.backups.files import Receipt, prepare, read_manifest, utc, write_receipt
from backout.backups.identity import Identity, read_identity
from backout.backups.taking import VERSION_TABLE, read_revisions, version_table_of
from backout.errors import ConfigurationError, Refused
from backout.postgres import RealDatabase


def record(
    database: RealDatabase,
    folder: Path,
    *,
    provider: str,
    snapshot: str,
    taken: datetime,
    by: str,
    version_table: str = VERSION_TABLE,
) -> Receipt:
    """Write down who says that a snapshot of the database was taken, and when.

    :param taken: what was written until then is in the snapshot.
    :param by: who says so, or made it.
    :raises ConfigurationError: one of these says nothing, or the time has no zone.
    :raises Refused: the time is to come, or is before the database came to its present revision; or it is recorded.
    """
    for name, value, meaning in (
        ("provider", provider, "who keeps the snapshot"),
        ("snapshot", snapshot, "how the provider calls it"),
        ("by", by, "who says so"),
    ):
        if not value.strip():
            raise ConfigurationError(f"--{name} is empty; say {meaning}")
    if taken.tzinfo is None:
        raise ConfigurationError(f"--taken {taken.isoformat()} has no time zone; write 2026-11-28T02:00Z")
    now = datetime.now(UTC)
    if taken > now:
        raise Refused(f"--taken {utc(taken.astimezone(UTC))} is to come: it is {utc(now)} now; give the time that was")
    stem = re.sub(r"[^\w.-]", "_", f"{database.name}-{taken.astimezone(UTC):%Y%m%dT%H%M%SZ}-{provider}-{snapshot}")
    path = folder / f"{stem}.receipt.json"
    with closing(database.connect("backup")) as connection:
        here = read_identity(connection, database)
        revisions = read_revisions(connection, version_table)
        since = _revision_since(connection, version_table)
    older = f"the snapshot {snapshot} of {utc(taken.astimezone(UTC))} is older than the database's revision "
    older += ", ".join(revisions) or "base"
    if since is not None and taken < since:
        raise Refused(f"{older}, to which it came at {utc(since.astimezone(UTC))}; take a snapshot now")
    if (dump := _dumped_at_another(folder, here, revisions, taken)) is not None:
        raise Refused(f"{older}: the backup {dump.name} was taken later, at another one; take a snapshot now")
    prepare(folder)
    if path.exists():
        raise Refused(f"the snapshot {snapshot} is recorded already, in {path}")
    receipt = Receipt(
        kind="statement",
        path=path,
        dump=None,
        database=here,
        revisions=revisions,
        taken=taken.astimezone(UTC),
        by=by,
        recorded=now,
        provider=provider,
        snapshot=snapshot,
        revision_since=since,
    )
    write_receipt(receipt)
    return receipt


def _revision_since(connection: psycopg.Connection[Any], version_table: str) -> datetime | None:
    """When Alembic's table was last written, where ``track_commit_timestamp`` tells; a row that went is not seen."""
    table = version_table_of(connection, version_table)
    if table is None or connection.execute("SHOW track_commit_timestamp").fetchone() != ("on",):
        return None
    row = connection.execute(sql.SQL("SELECT max(pg_xact_commit_timestamp(xmin)) FROM {}").format(table)).fetchone()
    return row[0] if row else None


def _dumped_at_another(folder: Path, here: Identity, revisions: tuple[str, ...], taken: datetime) -> Path | None:
    """A dump of this database that was taken after that time, and at other revisions."""
    for dump in sorted(folder.glob("*.dump")):
        with suppress(ConfigurationError):
            manifest = read_manifest(dump)
            is_ours = not manifest.database.is_other_than(here)
            if is_ours and manifest.began > taken and manifest.revisions != revisions:
                return dump
    return None
