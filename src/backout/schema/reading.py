"""Reads the schema of a database whole: all that ``pg_dump`` would print, as entries ``(kind, name) → definition``.

Names are written as ``quote_ident`` writes each part, with the schema: table ``public.users``, column
``public.users.email``, constraint ``public.users.users_email_key``, index ``public.ix_users_email``, function
``public.f(integer, text)``. A table's definition is short; its columns and constraints are entries of their own. So are
comments (``comment``, ``table public.users``), privileges that are not what an object has by nature (``privilege``) and
owners other than the database's (``owner``).

Definitions hold no OIDs, do not depend on the session's settings, and name no role that a server has by chance: the
owner of an object is ``OWNER`` in its privileges, the owner of the database ``CURRENT_ROLE``.

Not here: the SQL (``schema.facts``, ``schema.tables``, ``schema.kinds``), comparing (``schema``, which alone imports
this and gives its names to everybody above).
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.rows import tuple_row

from backout.evidence import Key
from backout.schema.facts import FACTS, SETTINGS, Facts, Query
from backout.schema.kinds import kind_queries
from backout.schema.privileges import owners_letters, privileges
from backout.schema.tables import (
    addition_queries,
    not_null_name_query,
    other_queries,
    role_queries,
    table_queries,
    uncalled_query,
)

Rows = list[tuple[Any, ...]]


@dataclass(frozen=True)
class Position:
    """Where a sequence stands.

    :param last: last value, or None when this role may not read it.
    :param called: whether that value was given out already.
    """

    last: int | None
    called: bool
    increment: int


@dataclass(frozen=True)
class Snapshot:
    """A schema at one moment.

    :param objects: (kind, name) → canonical definition.
    :param columns: table → its columns' quoted names in their order.
    :param positions: sequence → where it stands.
    :param written_out: objects whose privileges are stored although they are what they are by nature.
    """

    objects: Mapping[Key, str]
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    positions: Mapping[str, Position] = field(default_factory=dict)
    written_out: frozenset[Key] = frozenset()


def snapshot(connection: psycopg.Connection[Any], *, ignored: frozenset[str] = frozenset()) -> Snapshot:
    """Read the schema, in a transaction of its own, or in a savepoint of the one that is open.

    Waits for sessions that hold an ACCESS EXCLUSIVE lock on a table; nobody may change the schema meanwhile.

    :param ignored: relations to leave out with all that belongs to them, as quoted qualified names.
    :raises psycopg.Error: the connection is broken, a lock was not to be had in time, a catalogue may not be read.
    """
    with _reading(connection) as ask:
        found = ask(FACTS)
        facts = _facts(connection.info.server_version, found, ignored)
        entries = table_queries(facts) | kind_queries(facts)
        additions = addition_queries(facts)
        others = other_queries(facts)
        found |= ask({name: query.sql for name, query in (entries | additions).items()} | others)
        book = _Book(found, facts)
        book.enter(entries, additions)
        if book.asked:
            book.answer(ask(book.asked))
    return book.snapshot()


def moved(connection: psycopg.Connection[Any], before: Snapshot, *, ignored: frozenset[str] = frozenset()) -> Snapshot:
    """Read where the sequences stand, when nothing but rows has changed since another snapshot."""
    with _reading(connection) as ask:
        facts = _facts(connection.info.server_version, ask(FACTS), ignored)
        query = other_queries(facts).get("sequences")
        rows = ask({"sequences": query})["sequences"] if query is not None else []
        unread = _unread(rows)
        return replace(before, positions=_read(_positions(rows), ask(unread) if unread else {}))


def roles(connection: psycopg.Connection[Any]) -> Snapshot:
    """Read what all databases of the cluster share: roles, memberships, settings of roles, privileges on parameters."""
    with _reading(connection) as ask:
        found = ask(role_queries(connection.info.server_version))
    return Snapshot({(kind, name): definition for rows in found.values() for kind, name, definition in rows})


@contextmanager
def _reading(connection: psycopg.Connection[Any]) -> Iterator[Callable[[Mapping[str, str]], dict[str, Rows]]]:
    """A function that sends queries in one go and returns the rows of each; all see one state of the catalogues.

    The session's settings are afterwards what they were.
    """
    settings = ", ".join(f"set_config('{name}', '{value}', true)" for name, value in SETTINGS.items())
    before = [f"SELECT {settings}"]
    if connection.info.transaction_status == TransactionStatus.IDLE:
        before.insert(0, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")

    def ask(asked: Mapping[str, str]) -> dict[str, Rows]:
        text = ";\n".join([*before, *asked.values()])
        before.clear()
        results = []
        with connection.cursor(row_factory=tuple_row) as cursor:
            # Several statements in one simple query: one round trip, and none of psycopg's work for each of them.
            cursor.execute(text.encode(), prepare=False)
            while True:
                if cursor.description:
                    results.append(cursor.fetchall())
                if not cursor.nextset():
                    break
        return dict(zip(asked, results[-len(asked) :], strict=True))

    with connection.transaction(force_rollback=True):
        yield ask


_WORDS = {
    "r": ("table", "TABLE"),
    "p": ("table", "TABLE"),
    "f": ("foreign table", "FOREIGN TABLE"),
    "v": ("view", ""),
    "m": ("materialized view", ""),
    "c": ("type", ""),
}


def _facts(version: int, found: dict[str, Rows], ignored: frozenset[str]) -> Facts:
    ((database, owner, filled, builtin, _),) = found["database"]
    members = {catalog: tuple(oids) for catalog, oids in found["members"]}
    theirs = {catalog: frozenset(oids) for catalog, oids in members.items()}
    schemas = {row[0] for row in found["schemas"]} - theirs.get("pg_namespace", frozenset())
    found["relations"] = [
        row
        for row in found["relations"]
        if row[1] in schemas and row[4] not in ignored and row[0] not in theirs.get("pg_class", ())
    ]
    return Facts(
        version=version,
        database=database,
        owner=owner,
        schemas=tuple(sorted(schemas)),
        relations=tuple(row[0] for row in found["relations"]),
        gates=frozenset(filled)
        | {row[0] for row in found["gates"]}
        | {f"relations {row[2]}" for row in found["relations"]},
        members=members,
        builtin_extensions=tuple(builtin),
    )


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _positions(rows: Rows) -> dict[str, Position]:
    """Where the sequences of a query stand."""
    return {
        name: Position(last if readable else None, called is not False, increment)
        for _, name, *_, increment, last, called, readable in rows
    }


def _unread(rows: Rows) -> dict[str, str]:
    """What must be asked about those that were not called yet."""
    uncalled = [(name, _literal(name)) for _, name, *_, last, _, readable in rows if readable and last is None]
    return {"positions": uncalled_query(uncalled)} if uncalled else {}


def _read(positions: Mapping[str, Position], found: Mapping[str, Rows]) -> dict[str, Position]:
    """With the answers to what was ``_unread``."""
    answers = found.get("positions", ())
    return {**positions, **{name: replace(positions[name], last=last, called=called) for name, last, called in answers}}


_KINDS_OF_PRIVILEGES = {  # for acldefault()
    "schema": "n", "table": "r", "view": "r", "materialized view": "r", "foreign table": "r", "sequence": "s",
    "column": "c", "function": "f", "procedure": "f", "aggregate": "f", "type": "T", "domain": "T", "language": "l",
    "foreign data wrapper": "F", "foreign server": "S", "database": "d",
}  # fmt: skip

# Options of foreign objects that are no secrets.
_SHOWN = frozenset(
    (
        "async_capable", "batch_size", "column_name", "dbname", "delimiter", "encoding", "extensions", "fetch_size",
        "filename", "format", "header", "host", "hostaddr", "port", "schema_name", "table_name", "truncatable",
        "updatable", "use_remote_estimate",
    )
)  # fmt: skip


class _Book:
    """Puts the rows of all queries together."""

    def __init__(self, found: Mapping[str, Rows], facts: Facts) -> None:
        self._found = found
        self._facts = facts
        self._objects: dict[Key, str] = {}
        self._known: dict[tuple[str, int, int], Key] = {}
        self._columns: dict[str, list[str]] = {}
        self._positions: dict[str, Position] = {}
        self._written_out: set[Key] = set()
        self._told_by: dict[int, Key] = {}
        natural = found["natural privileges"]
        self._owner_of_database: str = natural[0][2]
        self._roles: dict[str, str] = dict(found["roles"]) | {self._owner_of_database: "CURRENT_ROLE"}
        self._everything = {kind: owners_letters(acl, owner) for kind, acl, owner in natural}
        self._natural = {kind: self._privileges(kind, acl, owner) for kind, acl, owner in natural}
        self.asked: dict[str, str] = {}

    def enter(self, entries: Mapping[str, Query], additions: Mapping[str, Query]) -> None:
        """Enter everything; what is still to be asked then is in ``asked``."""
        for oid, name, owner, acl in self._found["schemas"]:
            if oid in self._facts.schemas:
                self._enter("pg_namespace", oid, "schema", name, "SCHEMA", owner, acl)
        for oid, _, relkind, _, name, _, persistence, rest, owner, acl in self._found["relations"]:
            kind, word = _WORDS[relkind]
            words = ["UNLOGGED" if persistence == "u" else "", word, rest or ""]
            definition = " ".join(filter(None, words)) if word else None
            self._enter("pg_class", oid, kind, name, definition, owner, None if relkind == "c" else acl)
        for query, rows in ((query, self._found[name]) for name, query in entries.items() if not query.parts):
            for row in rows:
                self._enter(query.catalog, *row)
        for query, rows in ((query, self._found[name]) for name, query in entries.items() if query.parts):
            for oid, relation, kind, name, definition in rows:
                whole = self._known.get(("pg_class", relation, 0))
                if whole is not None:
                    self._enter(query.catalog, oid, kind, f"{whole[1]}.{name}", definition)
        self._enter_columns()
        self._enter_indexes()
        self._enter_sequences()
        for name in additions:
            for oid, text in self._found[name]:
                self._add("pg_class", oid, 0, text)
        for catalog, oid, number, options in self._found.get("options", ()):
            told = sorted(_option(self._known.get((catalog, oid, number)), option) for option in options)
            self._add(catalog, oid, number, f"OPTIONS ({', '.join(told)})")
        self._enter_privileges()
        self._enter_comments()

    def answer(self, found: Mapping[str, Rows]) -> None:
        """Enter the answers to what was ``asked``."""
        self._positions = _read(self._positions, found)
        for oid, name in found.get("names", ()):
            self._known["pg_constraint", oid, 0] = ("constraint", name)
        self._enter_comments()

    def snapshot(self) -> Snapshot:
        orders = {table: tuple(names) for table, names in self._columns.items()}
        return Snapshot(self._objects, orders, self._positions, frozenset(self._written_out))

    def _enter(
        self, catalog: str, oid: int, kind: str, name: str, definition: str | None, owner: str | None = None,
        acl: list[str] | None = None, number: int = 0,
    ) -> None:  # fmt: skip
        self._known[catalog, oid, number] = (kind, name)
        if definition is not None:
            self._objects[kind, name] = definition
            if owner is not None and owner != self._natural_owner(kind, name):
                self._objects["owner", f"{kind} {name}"] = self._roles.get(owner, owner)
        if acl is not None:
            self._grant(kind, name, acl, owner)

    def _natural_owner(self, kind: str, name: str) -> str:
        if (kind, name) == ("schema", "public") and self._facts.version >= 150000:  # initdb gives it away
            return "pg_database_owner"
        return self._owner_of_database

    def _grant(self, kind: str, name: str, acl: list[str], owner: str | None) -> None:
        letter = _KINDS_OF_PRIVILEGES[kind]
        natural = self._natural[letter]
        if (kind, name) == ("schema", "public"):  # initdb grants this
            natural += "; USAGE TO PUBLIC" if self._facts.version >= 150000 else "; ALL TO PUBLIC"
        given = self._privileges(letter, acl, owner)
        target = f"{kind} {name}".rstrip()
        if given != natural:
            self._objects["privilege", target] = given
        elif target != "schema public":
            self._written_out.add((kind, name))

    def _privileges(self, letter: str, acl: list[str], owner: str | None) -> str:
        return privileges(acl, owner, self._roles, self._everything[letter])

    def _enter_columns(self) -> None:
        relations = {row[0]: (_WORDS[row[2]][1], *row[3:6], row[8]) for row in self._found["relations"]}
        defaults = {(row[0], row[1]): row[2] for row in self._found["defaults"]}
        named = {(row[0], row[1]): row[2:] for row in self._found.get("not null", ())}
        identities = {(row[6], row[7]): row for row in self._found.get("sequences", ()) if row[5] == "i"}
        for row in self._found["columns"]:
            relation, number, raw, name, definition, required, identity, generated, rest, local, acl = row
            word, partition, table, raw_table, owner = relations[relation]
            full = f"{table}.{name}"
            place = relation, number
            if not word:
                definition = ""  # a view's query or a type's definition tells its columns
            else:
                self._columns.setdefault(table, []).append(name)
                if identity:
                    definition += f" {_identity(identity, definition, identities.get(place))}"
                if required:
                    definition += f" {_not_null(raw_table, raw, partition, named.get(place))}"
            if place in defaults:
                definition += f" {_default(generated, defaults[place])}"
            if rest:
                definition += f" {rest}"
            if word and not local and not partition:
                definition += " INHERITED"
            self._enter("pg_class", relation, "column", full, definition.lstrip() or None, number=number)
            if acl is not None:
                self._grant("column", full, acl, owner)

    def _enter_indexes(self) -> None:
        """Indexes and constraints; an index that a constraint implies is part of that."""
        implied: dict[int, Key] = {}
        for oid, relation, name, definition, index in self._found["constraints"]:
            whole = self._known.get(("pg_class", relation, 0))
            if whole is not None:
                key = ("constraint", f"{whole[1]}.{name}")
                self._enter("pg_constraint", oid, *key, definition)
                if index:
                    implied[index] = key
        for oid, relation, name, definition, words, options in self._found["indexes"]:
            if ("pg_class", relation, 0) not in self._known:
                continue
            constraint = implied.get(oid)
            self._enter("pg_class", oid, "index", name, None if constraint else definition)
            if constraint:
                self._told_by[oid] = constraint
                self._add("pg_class", oid, 0, options)  # an index's own definition has them
            self._add("pg_class", oid, 0, words)

    def _enter_sequences(self) -> None:
        rows = self._found.get("sequences", [])
        for oid, name, persistence, type_, options, dependence, relation, number, owner, acl, *_ in rows:
            column = self._known.get(("pg_class", relation, number), ("", ""))[1]
            definition = None
            if dependence != "i":
                words = ["UNLOGGED" if persistence == "u" else "", f"SEQUENCE AS {type_}", options or ""]
                definition = " ".join(filter(None, [*words, f"OWNED BY {column}" if column else ""]))
            self._enter("pg_class", oid, "sequence", name, definition, owner, acl)
        self._positions = _positions(rows)
        self.asked |= _unread(rows)

    def _add(self, catalog: str, oid: int, number: int, text: str | None) -> None:
        """Add to a definition."""
        key = self._told_by.get(oid) if catalog == "pg_class" and not number else None
        key = key or self._known.get((catalog, oid, number))
        if text and key is not None and key in self._objects:
            self._objects[key] += f" {text}"

    def _enter_privileges(self) -> None:
        ((*_, database),) = self._found["database"]
        if database is not None:
            self._grant("database", "", database, self._owner_of_database)
        for name, letter, role, acl in self._found.get("default privileges", ()):
            self._objects["default privilege", name] = self._privileges(letter, acl, role)
        for kind, name, owner, acl, initial in self._found["their privileges"]:
            letter = _KINDS_OF_PRIVILEGES[kind]
            given = self._privileges(letter, acl, owner)
            if given != (self._natural[letter] if initial is None else self._privileges(letter, initial, None)):
                self._objects["privilege", f"{kind} {name}"] = given

    def _enter_comments(self) -> None:
        """What an extension says about its own objects is part of the extension."""
        unknown = []
        for kind in ("comment", "security label"):
            for catalog, oid, number, text, provider in self._found.get(kind, ()):
                known = self._known.get((catalog, oid, number))
                if known is not None:
                    target = " ".join(known)
                    self._objects[kind, f"{target} by {provider}" if provider else target] = text
                elif catalog == "pg_constraint":
                    unknown.append(oid)
        if unknown:
            self.asked["names"] = not_null_name_query(unknown)


def _identity(kind: str, type_: str, row: tuple[Any, ...] | None) -> str:
    text = f"GENERATED {'ALWAYS' if kind == 'a' else 'BY DEFAULT'} AS IDENTITY"
    if row is None:
        return text
    _, name, persistence, sequence_type, options, *_ = row
    words = ["UNLOGGED" if persistence == "u" else "", f"SEQUENCE NAME {name}"]
    words += ["" if sequence_type == type_ else f"AS {sequence_type}", options or ""]
    return f"{text} ({' '.join(filter(None, words))})"


def _not_null(table: str, column: str, partition: bool, constraint: tuple[str | None, str, str | None] | None) -> str:
    if constraint is None:
        return "NOT NULL"
    raw, quoted, words = constraint
    if raw is None or raw == f"{table}_{column}_not_null" or raw == _generated_name(table, column, "not_null"):
        text = "NOT NULL"
    else:
        text = f"CONSTRAINT {quoted} NOT NULL"
    words = words.removesuffix("LOCAL").rstrip() if words and partition else words
    return f"{text} {words}" if words else text


def _default(generated: str, expression: str) -> str:
    if not generated:
        return f"DEFAULT {expression}"
    return f"GENERATED ALWAYS AS ({expression}) {'VIRTUAL' if generated == 'v' else 'STORED'}"


def _generated_name(table: str, column: str, label: str) -> str:
    """The name that PostgreSQL gives, of at most 63 bytes: ``makeObjectName`` in its ``indexcmds.c``."""
    first, second = table.encode(), column.encode()
    room = 63 - len(label) - 2
    lengths = [len(first), len(second)]
    while sum(lengths) > room:
        lengths[lengths[0] <= lengths[1]] -= 1
    parts = zip((first, second), lengths, strict=True)
    return "_".join([*(part[:length].decode(errors="ignore") for part, length in parts), label])


def _option(key: Key | None, option: str) -> str:
    """An option as it may be printed: its value, or what tells two values apart and reveals neither."""
    name, _, value = option.partition("=")
    if key is None or key[0] == "user mapping" or name not in _SHOWN:
        return f"{name} {_disguised(f'{key} {name}', value)}"
    return f"{name} {_literal(value)}"


@lru_cache
def _disguised(salt: str, value: str) -> str:
    # Slow on purpose: evidence is committed, and a fast hash of a weak password can be guessed.
    return "scrypt:" + hashlib.scrypt(value.encode(), salt=salt.encode(), n=2**14, r=8, p=1, dklen=8).hex()
