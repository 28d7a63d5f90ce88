"""Counts rows of a database that people use: read-only, in one snapshot, each count under a time-out.

What could not be counted is estimated from the planner's statistics, and says so; where they tell nothing either, it
is not counted, and says why. Never is it zero.

Only ``production.preview`` imports it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, LiteralString

import psycopg
from psycopg.rows import tuple_row

from backout.tables import Column, Table

Basis = Literal["counted", "estimated", "not counted"]


@dataclass(frozen=True)
class Count:
    """How many there are.

    :param number: None: nobody knows.
    :param why: it is an estimate, or was not counted.
    """

    number: int | None
    basis: Basis
    why: str = ""


@dataclass(frozen=True)
class Values:
    """Of a column: how many are concerned, and of how many rows.

    :param concerned: of these rows, or values.
    """

    concerned: Count
    rows: Count


class Counter:
    """Counts in one snapshot.

    :param timeout: seconds for each count.
    """

    def __init__(self, connection: psycopg.Connection[Any], timeout: float) -> None:
        self._connection, self._timeout = connection, timeout

    def rows(self, table: Table, partitions: Sequence[str] = ()) -> Count:
        """Of a table, or of these of its partitions."""
        names = partitions or (_from(table),)
        found = [self._ask(f"SELECT count(*) FROM {name}") for name in names]  # noqa: S608
        if any(isinstance(one, str) for one in found):
            why = next(one for one in found if isinstance(one, str))
            return self._estimated(self._row_estimate(partitions or (table.qualified,)), why)
        return Count(sum(one[0] for one in found if not isinstance(one, str)), "counted")

    def values(self, table: Table, condition: str, column: Column | None = None, default: str | None = None) -> Values:
        """How many rows fulfil a condition, and how many there are.

        :param column: for the estimate: the condition holds where it is neither NULL nor has the default.
        """
        query = f"SELECT count(*) FILTER (WHERE {condition}), count(*) FROM {_from(table)}"  # noqa: S608
        found = self._ask(query)
        if not isinstance(found, str):
            return Values(Count(found[0], "counted"), Count(found[1], "counted"))
        rows = self._row_estimate([table.qualified])
        share = self._share(table, column, default) if column is not None and rows is not None else None
        concerned = None if share is None or rows is None else round(rows * share)
        return Values(self._estimated(concerned, found), self._estimated(rows, found))

    def changed_by_cast(self, table: Table, column: Column, was: str) -> Values:
        """How many values of a column another type cannot hold as they are."""
        differs = f"{{0}}::text IS DISTINCT FROM {{0}}::{was}::{column.type}::text"
        found = self._ask(
            f"SELECT count(*) FILTER (WHERE {differs.format(column.quoted)}), count(*) FROM {_from(table)}"  # noqa: S608
        )
        if isinstance(found, str) and _OF_DATA.match(found):
            # Only a block with a handler can go on behind a value that cannot be cast.
            block = _CAST_EACH.format(column=column.quoted, table=_from(table), differs=differs.format("one.value"))
            found = self._ask("SELECT current_setting('backout.lost'), current_setting('backout.rows')", first=block)
        if not isinstance(found, str):
            return Values(Count(int(found[0]), "counted"), Count(int(found[1]), "counted"))
        return Values(Count(None, "not counted", found), self._estimated(self._row_estimate([table.qualified]), found))

    def query(self, query: str) -> Count:
        """What a query that counts says."""
        found = self._ask(query)
        return Count(None, "not counted", found) if isinstance(found, str) else Count(int(found[0]), "counted")

    def size(self, relation: str) -> int | None:
        """Bytes of a table with its indexes and TOAST, and those of its partitions; None: it could not be asked."""
        found = self._look(_SIZE, [relation, relation])
        return None if isinstance(found, str) or found[0] is None else int(found[0])

    def about_rows(self, table: Table) -> Count:
        """Of a table, by the planner's statistics; counted where there are none."""
        number = self._row_estimate([table.qualified])
        return self.rows(table) if number is None else Count(number, "estimated", "by the planner's statistics")

    def _ask(self, query: str, *, first: str | None = None) -> Any:
        """The row, or why there is none."""
        return self._look(query, timeout=self._timeout, first=first)

    def _look(
        self, query: str, parameters: Sequence[object] | None = None, *, timeout: float = 5.0, first: str | None = None
    ) -> Any:
        """Likewise, for what is quick."""
        try:
            with self._timed(timeout), self._connection.cursor(row_factory=tuple_row) as cursor:
                if first is not None:
                    cursor.execute(first.encode())
                cursor.execute(query.encode(), parameters)
                return cursor.fetchone()
        except psycopg.errors.QueryCanceled:
            return f"it takes longer than {timeout:g} s"
        except psycopg.OperationalError:
            raise
        except psycopg.Error as error:
            if "row-level security" in (error.diag.message_primary or ""):
                return "row security hides rows of it from this role"
            return f"{error.sqlstate} {error.diag.message_primary}"

    @contextmanager
    def _timed(self, timeout: float) -> Iterator[None]:
        with self._connection.transaction():
            limit = f"{max(1, round(timeout * 1000))}ms"
            self._connection.execute("SELECT set_config('statement_timeout', %s, true)", [limit])
            yield

    def _estimated(self, number: int | None, why: str) -> Count:
        return Count(None, "not counted", why) if number is None else Count(number, "estimated", why)

    def _row_estimate(self, relations: Sequence[str]) -> int | None:
        found = self._look(_ROWS, [list(relations)])
        return None if isinstance(found, str) or found[0] is None else round(found[0])

    def _share(self, table: Table, column: Column, default: str | None) -> float | None:
        """Of rows in which the column is neither NULL nor has the default."""
        found = self._look(_STATISTICS, [table.schema, table.name, column.name])
        if isinstance(found, str) or found is None:
            return None
        nulls, values, shares = found
        share = 1.0 - nulls
        if default is not None:
            text = self._look(f"SELECT (CAST({default} AS {column.type}))::text")
            if isinstance(text, str):
                return None
            share -= dict(zip(values or (), shares or (), strict=True)).get(text[0], 0.0)
        return float(max(share, 0.0))


def is_constant(default: str | None) -> bool:
    """Whether a default is a literal, perhaps with a cast: every row has got the same."""
    return re.fullmatch(r"('(?:[^']|'')*'|-?[\d.]+|\(-?[\d.]+\)|true|false)(::.+)?", default or "") is not None


def _from(table: Table) -> str:
    return f"ONLY {table.qualified}" if table.kind == "r" else table.qualified


_OF_DATA = re.compile(r"2[23]\w{3} ")
_CAST_EACH = """
    DO $backout$
    DECLARE one record; lost bigint := 0; present bigint := 0;
    BEGIN
        FOR one IN SELECT {column} AS value FROM {table} LOOP
            present := present + 1;
            BEGIN
                IF {differs} THEN lost := lost + 1; END IF;
            EXCEPTION WHEN data_exception OR integrity_constraint_violation THEN lost := lost + 1;
            END;
        END LOOP;
        PERFORM set_config('backout.lost', lost::text, true), set_config('backout.rows', present::text, true);
    END $backout$
"""
_SIZE: LiteralString = """
    SELECT sum(pg_total_relation_size(relid)) FROM (
        SELECT to_regclass(%s)::oid UNION SELECT relid FROM pg_partition_tree(to_regclass(%s))
    ) AS one(relid) WHERE relid IS NOT NULL
"""
_ROWS: LiteralString = """
    WITH named AS (SELECT to_regclass(name) AS oid FROM unnest(%s::text[]) AS name),
    leaves AS (
        SELECT oid FROM named WHERE oid IS NOT NULL
        UNION SELECT leaf.relid FROM named, pg_partition_tree(named.oid) AS leaf WHERE leaf.isleaf
    )
    SELECT CASE WHEN bool_and(reltuples >= 0) THEN sum(reltuples) END
    FROM leaves JOIN pg_class USING (oid) WHERE relkind <> 'p'
"""
_STATISTICS: LiteralString = """
    SELECT null_frac, most_common_vals::text::text[], most_common_freqs FROM pg_stats
    WHERE schemaname = %s AND tablename = %s AND attname = %s ORDER BY inherited DESC LIMIT 1
"""
