"""What a database holds, so that what was restored can be compared with what was dumped.

Rows are counted, and of each table a checksum is computed by the server: of each row's text under fixed settings the
first 64 bits of its SHA-256, added up, whatever the order of the rows. It does not depend on the encoding.

Not compared: what is in large objects (they are counted), what materialized views and foreign tables show, rows of
tables that belong to an extension. Nor what no dump of a database holds: roles, tablespaces, the settings and
privileges of the database itself.

Only the package imports it.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg

from backout.schema import Snapshot, moved, snapshot
from backout.tables import read_tables

# What the text of a value depends on (manual, "Client Connection Defaults"). Where row security would hide rows,
# reading fails, as pg_dump does.
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
}
# A subscription is not restored: it would begin to copy.
_APART = frozenset(("subscription",))


@dataclass(frozen=True)
class TableContents:
    """The rows of one table, without those of its partitions or children.

    :param checksum: 16 hexadecimal digits.
    """

    rows: int
    checksum: str


@dataclass(frozen=True)
class SchemaObject:
    """One entry of a schema, as ``backout.schema`` reads it."""

    kind: str
    name: str
    definition: str


@dataclass(frozen=True)
class Contents:
    """What a database holds.

    :param tables: by qualified, quoted name.
    :param sequences: the least and the greatest next value that a dump of it may hold. Sequences stand outside of
        transactions: others draw from them while the dump is made.
    :param large_objects: their number.
    :param schema: SHA-256 of the objects.
    :param objects: every object of the schema, sorted.
    """

    tables: Mapping[str, TableContents]
    sequences: Mapping[str, tuple[int, int]]
    large_objects: int
    schema: str
    objects: tuple[SchemaObject, ...]

    @property
    def rows(self) -> int:
        """Of all tables."""
        return sum(table.rows for table in self.tables.values())


def read_contents(
    connection: psycopg.Connection[Any], encoding: str, doing: Callable[[str], object]
) -> tuple[Contents, Snapshot]:
    """Count and add up every table, in the connection's transaction if there is one.

    :param encoding: of the database that was dumped.
    :param doing: is told what is being read.
    :return: the contents, and the schema as it was read, for :func:`sequences_since`.
    :raises psycopg.Error: among others, a row is not visible to this role, or the schema changed meanwhile.
    """
    # Bytes without a known encoding cannot be converted to another.
    text = encoding if encoding == "SQL_ASCII" else "UTF8"
    settings = ", ".join(f"set_config('{name}', '{value}', true)" for name, value in _SETTINGS.items())
    tables = {}
    with connection.transaction(force_rollback=True):
        doing("reading the schema")
        schema = snapshot(connection)
        chosen = [table.qualified for table in read_tables(connection).values() if table.kind == "r"]
        connection.execute(f"SELECT {settings}".encode())
        for number, table in enumerate(chosen, 1):
            doing(f"counting {table} ({number} of {len(chosen)})")
            query = f"SELECT count(*), coalesce(sum({_HASH.format(text)}), 0)::text FROM ONLY {table} AS r"  # noqa: S608
            ((rows, total),) = connection.execute(query.encode()).fetchall()
            tables[table] = TableContents(rows, f"{int(total) % 2**64:016x}")
        ((large,),) = connection.execute("SELECT count(*) FROM pg_largeobject_metadata").fetchall()
    objects = tuple(
        SchemaObject(kind, name, definition)
        for (kind, name), definition in sorted(schema.objects.items())
        if kind not in _APART
    )
    written = json.dumps([[one.kind, one.name, one.definition] for one in objects], ensure_ascii=False)
    hashed = hashlib.sha256(written.encode()).hexdigest()
    return Contents(tables, _next_values(schema), large, hashed, objects), schema


# Of one row. ``ROW(r.*)``, for ``r::text`` would be a column of that name.
_HASH = "('x' || left(encode(sha256(convert_to(ROW(r.*)::text, '{}')), 'hex'), 16))::bit(64)::bigint"


def sequences_since(
    connection: psycopg.Connection[Any], before: Contents, schema: Snapshot
) -> dict[str, tuple[int, int]]:
    """Where the sequences may stand in a dump that was made since ``before`` was read."""
    now = _next_values(moved(connection, schema))
    both = ((name, *before.sequences[name], *now[name]) for name in sorted(before.sequences.keys() & now.keys()))
    return {name: (min(values), max(values)) for name, *values in both}


def outside_of_dumps(objects: Iterable[SchemaObject]) -> list[SchemaObject]:
    """Those that belong to the database itself, which ``pg_restore`` restores with ``--create`` only."""
    return [one for one in objects if _is_of_the_database(one.kind, one.name)]


def differences(expected: Contents, found: Contents) -> list[str]:
    """What was restored otherwise than it was dumped, one line each; tables first."""
    return [*_of_tables(expected, found), *_of_sequences(expected, found), *_of_schemas(expected, found)]


def _next_values(schema: Snapshot) -> dict[str, tuple[int, int]]:
    found = {}
    for name, at in sorted(schema.positions.items()):
        if at.last is not None:
            value = at.last + at.increment if at.called else at.last
            found[name] = (value, value)
    return found


def _of_tables(expected: Contents, found: Contents) -> Iterator[str]:
    for table in sorted(expected.tables.keys() | found.tables.keys()):
        there, here = expected.tables.get(table), found.tables.get(table)
        if there is None:
            yield f"{table}: expected no such table, found one"
        elif here is None:
            yield f"{table}: expected {_counted(there)}, found no such table"
        elif there.rows != here.rows:
            yield f"{table}: expected {_counted(there)}, found {_counted(here)}"
        elif there != here:
            yield (
                f"{table}: expected {_counted(there)} with the checksum {there.checksum}, "
                f"found as many with {here.checksum}"
            )
    if expected.large_objects != found.large_objects:
        yield f"large objects: expected {expected.large_objects}, found {found.large_objects}"


def _of_sequences(expected: Contents, found: Contents) -> Iterator[str]:
    for name, (least, greatest) in expected.sequences.items():
        here = found.sequences.get(name)
        wanted = str(least) if least == greatest else f"one of {least} to {greatest}"
        if here is None:
            yield f"sequence {name}: expected the next value {wanted}, found no such sequence"
        elif not least <= here[0] <= greatest:
            yield f"sequence {name}: expected the next value {wanted}, found {here[0]}"


def _of_schemas(expected: Contents, found: Contents) -> Iterator[str]:
    there, here = _comparable(expected), _comparable(found)
    for kind, name in sorted(there.keys() | here.keys()):
        was, now = there.get((kind, name)), here.get((kind, name))
        if was != now:
            yield f"{kind} {name}: expected {_quoted(was)}, found {_quoted(now)}"


def _comparable(contents: Contents) -> dict[tuple[str, str], str]:
    return {
        (one.kind, one.name): _VERSION.sub("", one.definition) if one.kind == "extension" else _rewritten(one)
        for one in contents.objects
        if not _is_of_the_database(one.kind, one.name)
    }


# A dump creates extensions in the version that the server has.
_VERSION = re.compile(r" VERSION '[^']*'")
_LITERAL = r"'(?:[^']|'')*'::[a-z ]+(?:\(\d+\))?"
_ARRAY = re.compile(rf"\(ARRAY\[({_LITERAL}(?:, {_LITERAL})*)\]\)::([a-z ]+)\[\]")


def _rewritten(one: SchemaObject) -> str:
    """What becomes of ``kind IN ('a', 'b')`` when PostgreSQL reads what it has written of it: each element is cast."""

    def cast(found: re.Match[str]) -> str:
        return f"ARRAY[{', '.join(f'({literal})::{found[2]}' for literal in re.findall(_LITERAL, found[1]))}]"

    return _ARRAY.sub(cast, one.definition)


def _is_of_the_database(kind: str, name: str) -> bool:
    return (kind == "setting" and name.startswith("database ")) or (kind, name) == ("privilege", "database")


def _counted(table: TableContents) -> str:
    return "1 row" if table.rows == 1 else f"{table.rows} rows"


def _quoted(definition: str | None) -> str:
    return "nothing" if definition is None else f"[{definition}]"
