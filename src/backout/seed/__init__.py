"""Rows meant to hurt, in any schema: what a migration loses, it loses on them.

Keys, checks, exclusion constraints, domains, partitions and triggers of the application are honoured, because
PostgreSQL itself picks the values and takes the rows. What could not be filled is told, with the reason.

::

    seed                    which tables, in which order; what is told
    └── filling             inserts rows, and mends those that are refused
        ├── rows            which value goes into which row
        ├── solver          values for columns that conditions tie together
        ├── choices         what a column may be
        │   └── values, plain, literals, patterns
        └── table_order, conditions, expressions, batch

The same schema and rows give the same rows: nothing here asks the clock, chance, or the order of a catalogue.

Not here: comparing rows (``rows``).
"""

# ruff: noqa: S608 - statements are made of the catalogue's own names and expressions, on a disposable database

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import psycopg
from psycopg.rows import tuple_row

from backout.seed.batch import Failure, Order, ask, attempt, change, run
from backout.seed.choices import Wish, only_null
from backout.seed.filling import Filler, first_of, insert_sql, update_sql
from backout.seed.rows import Row, Rows
from backout.seed.solver import Group
from backout.seed.table_order import Pass, needed, partitions_of, passes
from backout.tables import Column, Table


@dataclass(frozen=True)
class Seeding:
    """What was put into the tables. Names as in evidence; columns are quoted.

    :param inserted: table → number of new rows; also of tables that were filled because wanted ones refer to them.
    :param unseeded: table that has no row → why.
    :param columns_unseeded: table that has rows, and column that is NULL in all of them → why.
    :param assumptions: what was done that the application would not do, in words.
    """

    inserted: Mapping[str, int]
    unseeded: Mapping[str, str]
    columns_unseeded: Mapping[tuple[str, str], str]
    assumptions: tuple[str, ...] = ()


def seed(
    connection: psycopg.Connection[Any],
    tables: Mapping[str, Table],
    wanted: Collection[str],
    *,
    literals: Sequence[str | int | float | bool | None] = (),
    tame: Collection[str] = (),
) -> Seeding:
    """Put rows meant to hurt into tables, and into those that they refer to.

    Rows that are there stay, and may be referred to. Everything is one transaction, or part of the connection's.

    :param tables: of the whole database, as ``read_tables`` gave them.
    :param wanted: qualified names.
    :param literals: values that the revision looks for: in at least one row of each column of ``wanted`` that takes
        them.
    :param tame: tables that get few rows, with values that should fail nowhere.
    :raises psycopg.Error: the session ended.
    """
    return _fill(connection, tables, wanted, literals=literals, tame=tame, turn=0)


def more_rows(
    connection: psycopg.Connection[Any],
    tables: Mapping[str, Table],
    wanted: Collection[str],
    *,
    fill: Collection[tuple[str, str]] = (),
    literals: Sequence[str | int | float | bool | None] = (),
    tame: Collection[str] = (),
) -> Seeding:
    """What an application writes after an upgrade: new rows, and values in columns that are NULL.

    :param fill: table and raw name of a column that is to be filled where it is NULL.
    """
    return _fill(connection, tables, wanted, literals=literals, tame=tame, turn=1, fill=fill)


def insert_of(connection: psycopg.Connection[Any], table: Table, present: Mapping[str, Table]) -> str:
    """The INSERT of a release: it names the columns that it must name, with values that the database accepts.

    :param table: as the release knows it.
    :param present: the tables of the database, where the table may be another, or missing.
    :return: SQL; where the database accepts no row, one that it refuses. Where that would say nothing about the
        schema (no value is known, or the rows that are there leave room for no other), one that inserts no row.
    """
    there = present.get(table.qualified)
    if there is None or there.kind == "f":
        return insert_sql(table, [{}], [column for column in table.columns if column.required])
    inside = _some_partition(there, present)
    with _settled(connection):
        names = _named(connection, table) | (set(there.partition_columns) if inside != there else set())
        columns = [column for column in table.columns if column.name in names]
        if inside.kind == "p":
            return _insert_of_nothing(there, columns)
        groups = _groups_naming(_tame_filler(connection, inside, present), inside, names)
        rows = _single_rows(inside, groups)
        into = replace(table, qualified=there.qualified)
        statements = list(dict.fromkeys(insert_sql(into, [row], columns) for row in rows))
        answers = run(connection, [attempt(statement) for statement in statements])
    for statement, answer in zip(statements, answers, strict=True):
        if not isinstance(answer, Failure):
            return statement
    unknown = any(group.refused and any(column.name in names for column in group.columns) for group in groups)
    if unknown or all(answer.state in _TAKEN for answer in answers):
        return _insert_of_nothing(there, columns)
    return statements[0]


_TAKEN = frozenset({"23505", "23P01"})


def _insert_of_nothing(table: Table, columns: Sequence[Column]) -> str:
    """Where no row can be told that the table takes, or the rows that are there leave room for no other."""
    names = ", ".join(column.quoted for column in columns)
    nulls = ", ".join("NULL" for _ in columns)
    return f"INSERT INTO {table.qualified}{f' ({names})' if names else ''} SELECT {nulls} WHERE false"


def _named(connection: psycopg.Connection[Any], table: Table) -> set[str]:
    """The columns that an INSERT must name: those without a default, and those that the table's own checks ask for."""
    required = {column.name for column in table.columns if column.required}
    for key in table.foreign_keys:
        if key.full and required.intersection(key.columns):
            required.update(key.columns)
    alike = replace(table, kind="r", foreign_keys=(), bound=None, bound_check=None)
    filler = _tame_filler(connection, alike, {})
    for name, choice in filler.choices[table.qualified].items():
        if not choice.null and choice.column.default is None and not choice.column.identity:
            required.add(name)
    for group in _groups_naming(filler, alike, required):
        if group.refused is not None or not (group.shown or group.nulls):
            required |= {column.name for column in group.columns}
    return required


def _tame_filler(connection: psycopg.Connection[Any], table: Table, tables: Mapping[str, Table]) -> Filler:
    wishes = {table.qualified: Wish(tame=True, turn=2)}
    return Filler(connection, {**tables, table.qualified: table}, [table.qualified], wishes, immediate=True)


def _groups_naming(filler: Filler, table: Table, names: Collection[str]) -> list[Group]:
    """Groups of columns for rows that name only some of them; the others have their default."""
    choices = filler.choices[table.qualified]
    for name, choice in choices.items():
        if name not in names:
            default = choice.column.default or ("0" if choice.column.identity else "NULL")
            if choice.column.sequence is not None:
                default = "1"
            none = only_null(choice, default)
            choices[name] = none if default == "NULL" else replace(none, shown=choice.shown)
    return filler.groups([Pass(table.qualified)])[table.qualified]


# -- filling --------------------------------------------------------------------------------------------


class _Unfinished(Exception):  # noqa: N818 - it ends one attempt, and is no error
    """What was deferred is wrong in the end."""


def _fill(
    connection: psycopg.Connection[Any],
    tables: Mapping[str, Table],
    wanted: Collection[str],
    *,
    literals: Sequence[str | int | float | bool | None],
    tame: Collection[str],
    turn: int,
    fill: Collection[tuple[str, str]] = (),
) -> Seeding:
    texts = tuple(dict.fromkeys(text for literal in literals if (text := _text(literal)) is not None))
    names = needed(tables, wanted)
    direct = {name for name in wanted if name in tables} | _below(wanted, partitions_of(tables))
    wishes = {
        name: Wish(
            literals=texts if name in direct and name not in tame else (),
            wanted=name in direct,
            tame=name in tame,
            turn=turn,
        )
        for name in names
    }
    with _settled(connection):
        immediate = not any(" DEFERRABLE " in one.definition for name in names for one in tables[name].triggers)
        try:
            with connection.transaction():
                return _attempted(connection, tables, names, wishes, fill, immediate=immediate)
        except _Unfinished:
            return _attempted(connection, tables, names, wishes, fill, immediate=True)


def _attempted(
    connection: psycopg.Connection[Any],
    tables: Mapping[str, Table],
    names: Collection[str],
    wishes: Mapping[str, Wish],
    fill: Collection[tuple[str, str]],
    *,
    immediate: bool,
) -> Seeding:
    run(connection, [change("SET CONSTRAINTS ALL IMMEDIATE")])
    filler = Filler(connection, tables, names, wishes, immediate=immediate)
    for level in passes(tables, names):
        filler.fill(level)
    counts = _counts(filler, [tables[name] for name in sorted(names) if tables[name].kind != "f"])
    empty = [
        (name, column)
        for name, (rows, filled) in counts.items()
        if rows and tables[name].kind == "r"
        for column in tables[name].columns
        if filled[column.name] == 0 and not column.generated
    ]
    if empty or fill:
        wished = [(name, column) for name, column in fill if name in counts and tables[name].kind == "r"]
        _fill_columns(tables, filler, [(name, column.name) for name, column in empty], most=2)
        _fill_columns(tables, filler, wished, most=100)
        counts = _counts(filler, [tables[name] for name in sorted(names) if tables[name].kind != "f"])
    [last] = filler.run([change("SET CONSTRAINTS ALL IMMEDIATE")])
    if isinstance(last, Failure) and not immediate:
        raise _Unfinished
    return _told(tables, names, filler, counts)


def _fill_columns(
    tables: Mapping[str, Table],
    filler: Filler,
    wished: Sequence[tuple[str, str]],
    *,
    most: int,
) -> None:
    """Give columns a value in rows where they are NULL, one row after the other, with the first that is accepted."""
    columns: dict[str, list[str]] = {}
    for name, column in dict.fromkeys(wished):
        if any(column == one.name and not one.generated for one in tables[name].columns):
            columns.setdefault(name, []).append(column)
    ordered = sorted(columns)
    where = {
        name: " OR ".join(f"{tables[name].column(one).quoted} IS NULL" for one in columns[name]) for name in ordered
    }
    cells = {name: ", ".join(f"{tables[name].column(one).quoted} IS NULL" for one in columns[name]) for name in ordered}
    answers = filler.run(
        [
            ask(
                f"SELECT coalesce(json_agg(json_build_array(place, nulls) ORDER BY number), '[]') FROM (SELECT "
                f"ctid::text AS place, ARRAY[{cells[name]}] AS nulls, "
                f"row_number() OVER (ORDER BY {_order(tables[name])}) AS number "
                f"FROM ONLY {name} WHERE {where[name]} ORDER BY number LIMIT {most}) AS t"
            )
            for name in ordered
        ],
    )
    groups = filler.groups([Pass(name) for name in ordered if name in filler.choices])
    waiting = [
        (tables[name], number, place, [column for column, is_null in zip(columns[name], nulls, strict=True) if is_null])
        for name, places in zip(ordered, answers, strict=True)
        for number, (place, nulls) in enumerate(places if isinstance(places, list) else [])
    ]
    whole = [_all_at_once(table, groups[table.qualified], missing, place, number)
             for table, number, place, missing in waiting]  # fmt: skip
    answered = filler.run([change(statement) for statement in whole])
    orders: list[Order] = []
    for (table, number, place, missing), answer in zip(waiting, answered, strict=True):
        if isinstance(answer, Failure):
            for statements in _one_by_one(table, groups[table.qualified], missing, place, number):
                orders += first_of(statements)
    filler.run(orders)


def _order(table: Table) -> str:
    """Sorts rows alike in every run; where they lie differs, for the server makes room on a page when it may."""
    columns = [column for column in table.columns if not column.generated]
    steady = [column for column in columns if column.default is None or column.sequence]
    by_key = [column.quoted for column in steady if column.name in (table.key or ())]
    by_text = [f'{column.quoted}::text COLLATE "C"' for column in steady]
    return ", ".join([*(by_key if table.key and len(by_key) == len(table.key) else by_text), "ctid"])


def _all_at_once(table: Table, groups: Sequence[Group], columns: Sequence[str], place: str, number: int) -> str:
    cells: Row = {}
    for group in groups:
        cells.update(_values(group, columns, number))
    return update_sql(table, cells, place) if cells else "SELECT 1"


def _one_by_one(
    table: Table, groups: Sequence[Group], columns: Sequence[str], place: str, number: int
) -> Iterator[list[str]]:
    """For each group of columns, statements of which one may succeed."""
    for group in groups:
        missing = [column.name for column in group.columns if column.name in columns]
        options = []
        for turn in range(6):
            options.append(_values(group, missing, number + turn))
            options.append(_values(group, [column.name for column in group.columns], number + turn))
        useful = [cells for cells in options if any(cells.get(column) is not None for column in missing)]
        yield list(dict.fromkeys(update_sql(table, cells, place) for cells in useful))


def _values(group: Group, columns: Collection[str], turn: int) -> Row:
    options = [
        one for one in (*group.shown, *group.literals, *group.spares, *group.other) if None not in one
    ] or group.shown
    if not options:
        return {}
    pick = options[turn % len(options)]
    return {column.name: text for column, text in zip(group.columns, pick, strict=True) if column.name in columns}


def _counts(filler: Filler, tables: Sequence[Table]) -> dict[str, tuple[int, dict[str, int]]]:
    """Of each table the number of rows, and of non-NULL values in each column."""
    orders = []
    for table in tables:
        counted = ", ".join(["count(*)", *(f"count({column.quoted})" for column in table.columns)])
        only = "" if table.kind == "p" else "ONLY "
        orders.append(ask(f"SELECT to_json(ARRAY[{counted}]) FROM {only}{table.qualified}"))
    found = {}
    for table, answer in zip(tables, filler.run(orders), strict=True):
        # A virtual column may fail when it is read.
        numbers = [0] * (1 + len(table.columns)) if isinstance(answer, Failure) else answer
        found[table.qualified] = (
            numbers[0],
            dict(zip((column.name for column in table.columns), numbers[1:], strict=True)),
        )
    return found


# -- what is told ---------------------------------------------------------------------------------------


def _told(
    tables: Mapping[str, Table],
    names: Collection[str],
    filler: Filler,
    counts: Mapping[str, tuple[int, Mapping[str, int]]],
) -> Seeding:
    inserted = dict(filler.inserted)
    for name in sorted(names):
        if tables[name].kind == "p":
            inserted[name] = sum(filler.inserted.get(one, 0) for one in _below([name], partitions_of(tables)))
    unseeded = {name: _why_empty(tables[name], filler) for name in sorted(names) if not counts.get(name, (0, {}))[0]}
    empty = {name for name, (rows, _) in counts.items() if not rows}
    columns = {
        (name, column.quoted): _why_null(tables[name], column, filler, empty)
        for name, (rows, filled) in counts.items()
        for column in tables[name].columns
        if rows and not filled[column.name]
    }
    told = [
        f"{name} has row security, which does not hold for backout's role"
        for name in sorted(names)
        if tables[name].row_security and inserted.get(name)
    ]
    told += [
        f"foreign keys of {name} go in a circle that no first row can enter; its first rows were inserted with "
        "session_replication_role = replica, and then completed"
        for name in sorted(set(filler.circles))
    ]
    return Seeding(
        {name: number for name, number in sorted(inserted.items()) if number}, unseeded, columns, tuple(told)
    )


def _why_empty(table: Table, filler: Filler) -> str:
    if table.kind == "f":
        return "it is a foreign table: its rows are on another server"
    if table.kind == "p":
        return "it has no partition, or none of them could be filled"
    failures = filler.failures.get(table.qualified, [])
    for column in table.columns:
        refused = filler.refused.get((table.qualified, column.name))
        if refused is not None and column.not_null:
            return f"its column {column.quoted} can have no value: {refused}"
    if failures:
        first = failures[0]
        return f"{first.state} {first.message}".strip()
    return "no row was found that it takes"


def _why_null(table: Table, column: Column, filler: Filler, empty: Collection[str]) -> str:
    if column.generated:
        return "it is generated, and its expression gave NULL for every row"
    for key in table.foreign_keys:
        if column.name in key.columns and key.references in empty:
            return f"{key.references} has no row that it could refer to"
    refused = filler.refused.get((table.qualified, column.name))
    if refused is None and table.qualified in filler.choices:
        refused = filler.choices[table.qualified][column.name].refused
    return refused or "no value was accepted, or a trigger took it away again"


# -- statements of a release ----------------------------------------------------------------------------


def _single_rows(table: Table, groups: Sequence[Group]) -> Iterator[Row]:
    """Rows to try, one by one; each of other values."""
    for turn in range(24):
        rows = Rows(table, [_turned(group, turn) for group in groups])
        rows.assemble(1, tame=True, exactly=True)
        yield rows.rows.get(0, {})


def _turned(group: Group, turn: int) -> Group:
    options = [*group.spares[:1], *group.tame, *group.shown, *group.spares[1:], *group.other, *group.nulls]
    picked = options[turn % len(options) :][:1] if options else []
    return replace(group, tame=picked, shown=picked)


def _some_partition(table: Table, tables: Mapping[str, Table]) -> Table:
    """The partition that a row for a partitioned table is made for: its first one without further partitions."""
    partitions = partitions_of(tables)
    while table.kind == "p" and partitions.get(table.qualified):
        table = tables[min(partitions[table.qualified])]
    return table


# -- the session ----------------------------------------------------------------------------------------

_SETTINGS = {
    "DateStyle": "ISO, YMD", "IntervalStyle": "postgres", "TimeZone": "UTC", "standard_conforming_strings": "on",
    "bytea_output": "hex", "extra_float_digits": "1", "xmloption": "content", "statement_timeout": "0",
    "row_security": "on",
}  # fmt: skip


@contextmanager
def _settled(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """A transaction in a session with known settings, which are as before afterwards."""
    with connection.transaction():
        names = list(_SETTINGS)
        cursor = connection.cursor(row_factory=tuple_row)
        cursor.execute(
            "SELECT " + ", ".join(f"current_setting('{name}'), set_config('{name}', %s, false)" for name in names),
            list(_SETTINGS.values()),
        )
        before = (cursor.fetchone() or ())[::2]
        yield
        connection.execute("SELECT " + ", ".join(f"set_config('{name}', %s, false)" for name in names), before)


def _below(names: Collection[str], partitions: Mapping[str, Sequence[str]]) -> set[str]:
    """The partitions of tables, and theirs."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        beneath = partitions.get(waiting.pop(), ())
        found.update(beneath)
        waiting += beneath
    return found


def _text(literal: str | int | float | bool | None) -> str | None:
    """None: every column shows it anyway."""
    return None if literal is None or isinstance(literal, bool) else str(literal)
