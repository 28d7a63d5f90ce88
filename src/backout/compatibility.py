"""The statements of the previous release on the new schema, and of the next release on the old one.

What a release says is taken from the schema that it was written for: it selects every column that it knows,
inserts with those that it must name, updates and deletes. Each statement runs in a savepoint that is rolled back.
An insert brings tame values which the schema under it accepts: what is asked is whether the release's statements
still fit, not whether its data do.

Not here: where the deploy goes then (``rehearsal`` takes the order from :func:`order`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg

from backout.evidence import Incompatibility, Order
from backout.seed import insert_of
from backout.tables import Table


@dataclass(frozen=True)
class View:
    """A view or materialized view; columns are quoted."""

    qualified: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Release:
    """What a release knows of the relations that a revision concerns.

    :param inserts: table → its INSERT, with values that its own schema accepts, where the other schema has no such
        table; it may have a view of that name.
    """

    tables: tuple[Table, ...]
    views: tuple[View, ...]
    inserts: Mapping[str, str]


def release(
    connection: psycopg.Connection[Any], tables: Mapping[str, Table], names: Collection[str], other: Collection[str]
) -> Release:
    """The release that was written for the schema as it is.

    :param tables: that there are.
    :param names: qualified, of the relations that matter; what is none of the schema's is left out.
    :param other: the tables of the schema that its statements will meet.
    """
    views = connection.execute(_VIEWS, [sorted(names)]).fetchall()
    known = tuple(table for name, table in tables.items() if name in names and table.kind != "f")
    return Release(
        known,
        tuple(View(name, tuple(columns)) for name, columns in views),
        {one.qualified: insert_of(connection, one, tables) for one in known if one.qualified not in other},
    )


def failures(
    connection: psycopg.Connection[Any], tables: Mapping[str, Table], known: Release
) -> tuple[Incompatibility, ...]:
    """The release's statements that the schema as it is refuses; sorted.

    :param tables: that there are.
    """
    found = []
    for table in known.tables:
        insert = known.inserts.get(table.qualified) if table.qualified not in tables else None
        for verb, statement in _statements(table, insert or insert_of(connection, table, tables)):
            if error := _try(connection, statement):
                found.append(Incompatibility(f"{verb} {table.qualified}", error))
    for view in known.views:
        if error := _try(connection, f"SELECT {', '.join(view.columns) or '1'} FROM {view.qualified} WHERE false"):
            found.append(Incompatibility(f"SELECT {view.qualified}", error))
    return tuple(sorted(found, key=lambda one: one.statement))


def order(previous_on_new: Collection[Incompatibility], next_on_old: Collection[Incompatibility]) -> Order:
    """Where the migration goes: before the deploy, after it, either, or in two parts."""
    if not previous_on_new:
        return "before" if next_on_old else "either"
    return "split" if next_on_old else "after"


def _statements(table: Table, insert: str) -> Iterator[tuple[str, str]]:
    columns = [column.quoted for column in table.columns]
    written = [column.quoted for column in table.columns if not column.generated and column.identity != "a"]
    yield "SELECT", f"SELECT {', '.join(columns) or '1'} FROM {table.qualified} WHERE false"
    yield "INSERT", insert
    if written:
        changes = ", ".join(f"{column} = {column}" for column in written)
        yield "UPDATE", f"UPDATE {table.qualified} SET {changes} WHERE false"
    yield "DELETE", f"DELETE FROM {table.qualified} WHERE false"


def _try(connection: psycopg.Connection[Any], statement: str) -> str | None:
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(statement.encode())
    except psycopg.Error as error:
        return f"{error.sqlstate} {error.diag.message_primary}"
    return None


_VIEWS = """
    SELECT format('%%I.%%I', nspname, relname) AS name, array_agg(quote_ident(attname) ORDER BY attnum)
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = relnamespace JOIN pg_attribute ON attrelid = c.oid
    WHERE relkind IN ('v', 'm') AND attnum > 0 AND format('%%I.%%I', nspname, relname) = ANY (%s)
    GROUP BY 1 ORDER BY 1
"""
