"""What a database holds, read whole, and what differs between two readings.

Compares what ``pg_dump`` prints of the schema, every row of every table, and the sequences: for small databases, of
tests. How a rehearsal compares is ``schema``'s and ``rows``'.
"""

import difflib
import os
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from backout.errors import BackoutError

LOCK_SECONDS = 3  # how long a reading waits for a table that somebody has locked
_LOCKED = f"somebody has locked a table for {LOCK_SECONDS} s, which could not be read"


class Locked(BackoutError):  # noqa: N818 - a state of the table, not of ours
    """Somebody holds a lock on a table, which cannot be read meanwhile."""


@dataclass(frozen=True)
class Contents:
    """What a database holds.

    :param schema: what ``pg_dump --schema-only`` prints, without what differs between two runs of it.
    :param columns: table → its columns, in the order of their names; generated ones are left out.
    :param rows: table → its rows as COPY writes them, sorted; columns in the same order.
    :param sequences: sequence → last value, None when it was never used.
    """

    schema: tuple[str, ...]
    columns: Mapping[str, tuple[str, ...]]
    rows: Mapping[str, tuple[str, ...]]
    sequences: Mapping[str, int | None]


def contents(url: str, environment: Mapping[str, str] = os.environ) -> Contents:
    """Read schema, rows and sequences of a database.

    :param environment: in which ``pg_dump`` is found and runs.
    :raises Locked: a table was locked for three seconds.
    :raises BackoutError: no ``pg_dump`` on PATH, or it failed.
    """
    pg_dump = shutil.which("pg_dump", path=environment.get("PATH", os.defpath))
    if pg_dump is None:
        raise BackoutError(
            "pg_dump is not on PATH, and the schemas are compared by what it prints; run backout postgres -- COMMAND"
        )
    done = subprocess.run(
        [pg_dump, "--schema-only", f"--lock-wait-timeout={LOCK_SECONDS}s", url],
        capture_output=True,
        text=True,
        check=False,
        env={**environment, "LC_ALL": "C"},
    )
    if "LOCK TABLE" in done.stderr and "timeout" in done.stderr:
        raise Locked(_LOCKED)
    if done.returncode:
        raise BackoutError(f"pg_dump failed: {done.stderr.strip()}")
    schema = _plain_schema(done.stdout)
    try:
        return _read(url, schema)
    except psycopg.errors.LockNotAvailable as error:
        raise Locked(_LOCKED) from error


def compare(before: Contents, after: Contents) -> list[str]:
    """What differs, for people; empty when nothing does.

    A sequence that moved forward is no difference, one that moved back is: it will give numbers out twice.
    """
    schemas = before.schema, after.schema
    differences = list(difflib.unified_diff(*schemas, "schema before", "schema after", lineterm="", n=1))
    for table in sorted(before.rows.keys() | after.rows.keys()):
        differences += _row_differences(table, before, after)
    for name, was in sorted(before.sequences.items()):
        now = after.sequences.get(name)
        if was is not None and (now is None or now < was):
            differences.append(f"sequence {name}: last value was {was}, is {'none' if now is None else now}")
    return differences


def _read(url: str, schema: tuple[str, ...]) -> Contents:
    with psycopg.connect(url, options=f"-c timezone=UTC -c lock_timeout={LOCK_SECONDS}s") as connection:
        tables = connection.execute(_TABLES).fetchall()
        names = {f"{schema}.{table}": tuple(columns) for schema, table, columns in tables}
        rows = {f"{schema}.{table}": _rows(connection, schema, table, columns) for schema, table, columns in tables}
        sequences: dict[str, int | None] = dict(
            connection.execute("SELECT schemaname || '.' || sequencename, last_value FROM pg_sequences").fetchall()
        )
    return Contents(schema, names, rows, sequences)


def _row_differences(table: str, before: Contents, after: Contents) -> list[str]:
    if table not in before.rows or table not in after.rows:
        return [f"table {table}: {'is gone' if table in before.rows else 'is new'}"]
    old, new = Counter(before.rows[table]), Counter(after.rows[table])
    if old == new:
        return []
    gone, added = sorted((old - new).elements()), sorted((new - old).elements())
    return [
        f"table {table}: {len(gone)} of {old.total()} rows are gone or changed, {len(added)} are new",
        *(f"- {_named(before.columns[table], row)}" for row in gone[:3]),
        *(f"+ {_named(after.columns[table], row)}" for row in added[:3]),
    ]


def _named(columns: tuple[str, ...], row: str) -> str:
    """A row for people: ``email=ann@example.org, name=NULL``."""
    values = ("NULL" if value == "\\N" else value for value in row.split("\t"))
    return ", ".join(f"{column}={value}" for column, value in zip(columns, values, strict=True))


def _plain_schema(dump: str) -> tuple[str, ...]:
    """Without comments, the random word of \\restrict, and the order of a table's columns.

    A column that was dropped and added again comes last; nobody loses by that.
    """
    lines: list[str] = []
    table: list[str] | None = None
    for line in dump.splitlines():
        if line.startswith(("--", "\\restrict", "\\unrestrict")) or not line:
            continue
        if line.startswith("CREATE TABLE "):
            table = []
            lines.append(line)
        elif table is not None and line.startswith(")"):
            lines += sorted(table)
            lines.append(line)
            table = None
        elif table is not None:
            table.append(re.sub(r",$", "", line))
        else:
            lines.append(line)
    return tuple(lines)


def _rows(
    connection: psycopg.Connection[tuple[Any, ...]], schema: str, table: str, columns: list[str]
) -> tuple[str, ...]:
    names = sql.SQL(", ").join(sql.Identifier(column) for column in columns)
    query = sql.SQL("COPY (SELECT {} FROM ONLY {}) TO STDOUT").format(names, sql.Identifier(schema, table))
    with connection.cursor() as cursor, cursor.copy(query) as copy:
        data = b"".join(bytes(part) for part in copy)
    return tuple(sorted(data.decode().split("\n")[:-1]))  # not splitlines(): it also splits at U+2028 and its like


_TABLES = """
    SELECT nspname, relname, array_agg(attname::text ORDER BY attname)
    FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace JOIN pg_attribute ON attrelid = pg_class.oid
    WHERE relkind = 'r' AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
      AND nspname NOT IN ('pg_catalog', 'information_schema') AND nspname !~ '^pg_toast'
    GROUP BY nspname, relname ORDER BY 1, 2
"""
