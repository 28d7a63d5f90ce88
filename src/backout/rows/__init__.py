"""What the rows of tables hold, exactly, and what of it is lost afterwards.

::

    before = read_values(connection, tables)
    ...                                         # upgrade, downgrade
    after = read_values(connection, tables)
    losses(before, after, connection=connection)

A value is lost when it was there and is absent afterwards from its row and column. Values are the text that the
server writes for them, under fixed settings: microseconds, padding, the spelling of JSON, the sign of a zero count.

Not here: which tables, and which snapshots to compare (``rehearsal``); rows to begin with (``seed``).

``rehearsal`` and ``production`` may import it. It is built on ``rows.matching``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import tuple_row

from backout.evidence import Loss
from backout.rows.matching import Row, match, order_of
from backout.tables import Table

ColumnName = tuple[str, str]  # table, column

LONGEST = 60  # characters of an example's value

# What the text of a value depends on (manual, "Client Connection Defaults"). An empty search path writes names in
# full. Where row security would hide rows, reading fails.
_SETTINGS = {
    "search_path": "",
    "row_security": "off",
    "timezone": "UTC",
    "datestyle": "ISO, YMD",
    "intervalstyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "lc_monetary": "C",
    "xmlbinary": "base64",
    "quote_all_identifiers": "off",
    "transaction_read_only": "on",
}


@dataclass(frozen=True)
class Rows:
    """The rows of one table.

    :param columns: quoted names; generated columns are left out.
    :param types: as SQL writes them, with modifiers.
    :param key: positions of the columns by which rows are told apart.
    :param rows: in the order of the key, else of all values; None is NULL.
    """

    columns: tuple[str, ...]
    types: tuple[str, ...]
    key: tuple[int, ...] | None
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Values:
    """What the rows hold, by the quoted, qualified name of their table. Two that are equal hold the same."""

    tables: Mapping[str, Rows]


@dataclass(frozen=True)
class _Compared:
    """A table that is there before and afterwards, row by row.

    :param columns: of both: name, and its position before and afterwards.
    :param pairs: rows that are the same row; values afterwards are written as those of the type before.
    :param gone: rows that have no counterpart.
    :param number: of rows afterwards.
    """

    columns: tuple[tuple[str, int, int], ...]
    pairs: tuple[tuple[Row, Row], ...]
    gone: tuple[Row, ...]
    number: int


def read_values(connection: psycopg.Connection[Any], tables: Iterable[Table]) -> Values:
    """All rows of these tables, as text.

    In one read-only transaction, or in a savepoint of the present one; settings are as before afterwards.

    :param tables: a partitioned table is read with its partitions, which are not read once more; a table that others
        inherit from without theirs. Foreign tables are left out.
    :raises psycopg.Error: among others, row security would hide rows from this role.
    """
    present = {table.qualified: table for table in tables}
    chosen = [table for table in present.values() if table.kind != "f" and not _is_read_through(table, present)]
    shown = [tuple(column for column in table.columns if not column.generated) for table in chosen]
    queries = [_settings()]
    for table, columns in zip(chosen, shown, strict=True):
        names = ", ".join(column.quoted for column in columns)
        queries.append(f"SELECT {names} FROM {'ONLY ' if table.kind == 'r' else ''}{table.qualified}")  # noqa: S608
    read = {}
    with connection.transaction(force_rollback=True):
        results = _texts(connection, "; ".join(queries))
        next(results)
        for table, columns, rows in zip(chosen, shown, results, strict=True):
            places = {column.name: place for place, column in enumerate(columns)}
            key = tuple(places[name] for name in table.key) if table.key and places.keys() >= set(table.key) else None
            read[table.qualified] = Rows(
                tuple(column.quoted for column in columns),
                tuple(column.type for column in columns),
                key,
                tuple(sorted(rows, key=order_of(key))),
            )
    return Values(dict(sorted(read.items())))


def losses(
    before: Values,
    after: Values,
    *,
    volatile: Collection[ColumnName] = frozenset(),
    connection: psycopg.Connection[Any] | None = None,
) -> tuple[Loss, ...]:
    """What was there before and is not afterwards; by table, whole rows first, columns in their order.

    :param volatile: see :func:`volatile_columns`; not compared, not shown.
    :param connection: to a database that knows the types of both. Where a column's type differs, a value afterwards is
        cast to the type before, if that loses nothing; without a connection their texts are compared.
    """
    found: list[Loss] = []
    for table, rows in before.tables.items():
        hidden = {column for place, column in volatile if place == table}
        compared = _compare(rows, after.tables.get(table), hidden, connection)
        found += _of_table(table, rows, compared, hidden)
    return tuple(found)


def filled(
    before: Values,
    after: Values,
    *,
    volatile: Collection[ColumnName] = frozenset(),
    connection: psycopg.Connection[Any] | None = None,
) -> tuple[tuple[str, str, int], ...]:
    """NULLs that are values afterwards: table, column, how many."""
    found = []
    for table, rows in before.tables.items():
        hidden = {column for place, column in volatile if place == table}
        compared = _compare(rows, after.tables.get(table), hidden, connection)
        if compared is None:
            continue
        for column, here, there in compared.columns:
            count = sum(old[here] is None and new[there] is not None for old, new in compared.pairs)
            if count and column not in hidden:
                found.append((table, column, count))
    return tuple(found)


def has_written(before: Values, after: Values) -> bool:
    """Whether a step left values, other than NULL, that were not there before."""
    return any(_has_written(before.tables.get(table), rows) for table, rows in after.tables.items())


def _has_written(before: Rows | None, after: Rows) -> bool:
    if before is None:
        return bool(after.rows)
    shared = [column for column in after.columns if column in before.columns]
    here, there = ([rows.columns.index(column) for column in shared] for rows in (before, after))
    kept = Counter(tuple(row[place] for place in here) for row in before.rows)
    if Counter(tuple(row[place] for place in there) for row in after.rows) - kept:
        return True
    new = [place for place, column in enumerate(after.columns) if column not in before.columns]
    return any(row[place] is not None for row in after.rows for place in new)


def volatile_columns(first: Values, second: Values) -> frozenset[ColumnName]:
    """Columns whose values differ between two runs of the same step on the same rows: a clock, a random identifier."""
    found: set[ColumnName] = set()
    for table, rows in first.tables.items():
        others = second.tables.get(table)
        if others is None or rows == others or rows.columns != others.columns:
            continue
        while True:  # rows may be told apart by a volatile column: then once more without it
            hidden = {column for place, column in found if place == table}
            compared = _compare(rows, others, hidden, None)
            assert compared is not None
            more = {
                (table, column)
                for column, here, there in compared.columns
                if column not in hidden and any(old[here] != new[there] for old, new in compared.pairs)
            }
            if not more and compared.gone and rows.key is not None:
                more = {(table, rows.columns[place]) for place in rows.key} - found
            if not more:
                break
            found |= more
    return frozenset(found)


def _is_read_through(table: Table, present: Mapping[str, Table]) -> bool:
    """It is a partition of a table that is read, at any depth."""
    waiting = list(table.parents) if table.bound is not None else []
    while waiting:
        parent = present.get(waiting.pop())
        if parent is not None and parent.kind == "p":
            return True
    return False


def _settings() -> str:
    calls = (f"set_config('{name}', '{value}', true)" for name, value in _SETTINGS.items())
    return f"SELECT {', '.join(calls)}"


def _texts(connection: psycopg.Connection[Any], queries: str) -> Iterator[list[Row]]:
    """The rows of each query, as the server writes them: psycopg would convert values, and a cast would trim some."""
    with connection.cursor(row_factory=tuple_row) as cursor:
        encoding = connection.info.encoding
        cursor.execute(queries.encode(encoding), prepare=False)
        more: bool | None = True
        while more:
            result = cursor.pgresult
            assert result is not None
            width = range(result.nfields)
            yield [
                tuple(
                    None if (raw := result.get_value(row, place)) is None else raw.decode(encoding) for place in width
                )
                for row in range(result.ntuples)
            ]
            more = cursor.nextset()


def _compare(
    before: Rows, after: Rows | None, hidden: Collection[str], connection: psycopg.Connection[Any] | None
) -> _Compared | None:
    """Both, row by row; None when there is nothing afterwards."""
    if after is None:
        return None
    places = {column: place for place, column in enumerate(after.columns)}
    columns = tuple((column, here, places[column]) for here, column in enumerate(before.columns) if column in places)
    if before.rows == after.rows and before.columns == after.columns and before.types == after.types:
        return _Compared(columns, tuple(zip(before.rows, after.rows, strict=True)), (), len(after.rows))
    for _, here, there in columns:
        if connection is not None and before.types[here] != after.types[there]:
            after = _as_before(connection, after, there, before.types[here])
    shared = [(here, there) for column, here, there in columns if column not in hidden]
    key = [(here, there) for here, there in shared if here in (before.key or ())]
    whole = before.key is not None and len(key) == len(before.key)
    pairs, gone = match(before.rows, after.rows, shared, key if whole else None)
    return _Compared(columns, pairs, gone, len(after.rows))


def _as_before(connection: psycopg.Connection[Any], after: Rows, place: int, was: str) -> Rows:
    """The rows with one column's values written as those of the type that it had; those that cannot be stay."""
    present = sorted({row[place] for row in after.rows if row[place] is not None}, key=str)
    cast = _cast(connection, [text for text in present if text is not None], after.types[place], was)
    rows = tuple((*row[:place], cast.get(row[place], row[place]), *row[place + 1 :]) for row in after.rows)
    return replace(after, rows=rows)


def _cast(connection: psycopg.Connection[Any], texts: Sequence[str], present: str, was: str) -> dict[str | None, str]:
    """Those texts that become another type's and back unchanged, and what they become."""
    if not texts:
        return {}
    here, there = sql.SQL(f"CAST(x AS {present})"), sql.SQL(f"CAST(CAST(x AS {present}) AS {was})")
    again = sql.SQL(f"CAST(CAST(CAST(x AS {present}) AS {was}) AS {present})")
    values = sql.SQL(" FROM unnest({}::text[]) AS x").format(list(texts))
    query = sql.SQL("; ").join(
        [sql.SQL(_settings()), sql.SQL("SELECT ") + sql.SQL(", ").join([here, there, again]) + values]
    )
    try:
        with connection.transaction(force_rollback=True):
            _, rows = _texts(connection, query.as_string(connection))
    except (psycopg.DataError, psycopg.IntegrityError):  # one of them cannot be of that type
        if len(texts) == 1:
            return {}
        half = len(texts) // 2
        return _cast(connection, texts[:half], present, was) | _cast(connection, texts[half:], present, was)
    except psycopg.ProgrammingError:  # there is no such type any more, or no such cast
        return {}
    return {text: old for text, (new, old, back) in zip(texts, rows, strict=True) if old is not None and new == back}


def _of_table(table: str, rows: Rows, compared: _Compared | None, hidden: Collection[str]) -> Iterator[Loss]:
    gone = rows.rows if compared is None else compared.gone
    if gone:
        shown = [place for place, column in enumerate(rows.columns) if column not in hidden]
        example = ", ".join("NULL" if gone[0][place] is None else str(gone[0][place]) for place in shown)
        number = 0 if compared is None else compared.number
        yield Loss(table, None, len(gone), len(rows.rows), (_shortened(f"({example})"), None), (len(rows.rows), number))
    if compared is None:
        return
    places = {column: there for column, _, there in compared.columns}
    for here, column in enumerate(rows.columns):
        if column in hidden:
            continue
        there = places.get(column)
        values = [(old[here], None if there is None else new[there]) for old, new in compared.pairs]
        lost = [(old, new) for old, new in values if old is not None and old != new]
        if lost:
            yield Loss(
                table,
                column,
                len(lost),
                sum(row[here] is not None for row in rows.rows),
                (_shortened(lost[0][0]), _shortened(lost[0][1])),
                (len({old for old, _ in values} - {None}), len({new for _, new in values} - {None})),
            )


def _shortened(value: str | None) -> str | None:
    return value if value is None or len(value) <= LONGEST else value[: LONGEST - 1] + "…"
