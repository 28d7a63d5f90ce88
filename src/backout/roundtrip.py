"""The rollback test of the last revision: up, one down, up again, and nothing may differ afterwards.

Compares what ``pg_dump`` prints of the schema, every row of every table, and the sequences. It only ever
migrates a disposable database. The full experiment, on rows meant to hurt, is the rehearsal.
"""

import difflib
import os
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from backout.errors import BackoutError, Refused
from backout.masking import Masking
from backout.postgres import is_disposable
from backout.production import Deployment, open_deployment
from backout.worker import Direction, Revision, Target

STEP_SECONDS = 3600.0


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


def round_trip(target: Target, url: str, masking: Masking, say: Callable[[str], None]) -> None:
    """Apply everything, roll the last revision back, apply it again, and compare.

    :param say: called with a line for each of the five steps.
    :raises Refused: the database is not disposable, or which revision is the last is not clear.
    :raises BackoutError: a step failed, or the final state differs; says in what.
    """
    if not is_disposable(url):
        raise Refused(
            "the rollback test migrates only databases that backout created, and this one is not; for a disposable "
            "one: backout postgres --revision head --sample -- make migrate-test"
        )
    with open_deployment(target, url, masking) as deployment:
        say(f"1/5 current revision: {', '.join(deployment.current()) or 'none'}")
        for one in deployment.pending(deployment.current()):
            _step(deployment, one, "upgrade")
        say(f"2/5 all migrations applied: {', '.join(deployment.current())} (head)")
        original = contents(url)
        (last,) = deployment.undone(deployment.current())
        _step(deployment, last, "downgrade")
        say(f"3/5 rolled back {last.id}: {', '.join(deployment.current()) or 'base'}")
        _step(deployment, last, "upgrade")
        say(f"4/5 applied again: {', '.join(deployment.current())} (head)")
    differences = compare(original, contents(url))
    if differences:
        raise BackoutError(
            f"rolling back {last.id} and applying it again changed the database:\n"
            + "\n".join(f"    {line}" for line in differences)
        )
    rows = sum(map(len, original.rows.values()))
    say(f"5/5 final state matches the original: schema, {rows} rows in {len(original.rows)} tables, sequences")


def _step(deployment: Deployment, one: Revision, direction: Direction) -> None:
    report = deployment.worker.step(deployment.real.database, one.id, direction, timeout=STEP_SECONDS)
    if report.failure is not None:
        where = f"{report.failure.where}: " if report.failure.where else ""
        raise BackoutError(f"{where}the {direction} of {one.id} failed: {report.failure.told}")


def contents(url: str) -> Contents:
    """Read schema, rows and sequences of a database.

    :raises BackoutError: no ``pg_dump`` on PATH, or it failed.
    """
    if shutil.which("pg_dump") is None:
        raise BackoutError(
            "pg_dump is not on PATH, and the schemas are compared by what it prints; run backout postgres -- COMMAND"
        )
    done = subprocess.run(
        ["pg_dump", "--schema-only", url],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LC_ALL": "C"},
    )
    if done.returncode:
        raise BackoutError(f"pg_dump failed: {done.stderr.strip()}")
    with psycopg.connect(url, options="-c timezone=UTC") as connection:
        tables = connection.execute(_TABLES).fetchall()
        names = {f"{schema}.{table}": tuple(columns) for schema, table, columns in tables}
        rows = {f"{schema}.{table}": _rows(connection, schema, table, columns) for schema, table, columns in tables}
        sequences: dict[str, int | None] = dict(
            connection.execute("SELECT schemaname || '.' || sequencename, last_value FROM pg_sequences").fetchall()
        )
    return Contents(_plain_schema(done.stdout), names, rows, sequences)


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
