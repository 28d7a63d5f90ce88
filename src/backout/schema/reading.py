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
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
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
from backout.schema.parts import WORDS, Part, Rows, kept, read_parts
from backout.schema.privileges import owners_letters, privileges
from backout.schema.tables import (
    addition_queries,
    newer_queries,
    not_null_name_query,
    other_queries,
    part_queries,
    role_queries,
    table_queries,
    uncalled_query,
)


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
class Reading:
    """What the next reading of the same database, or of a copy, need not ask again.

    :param since: a transaction; it and those that began later were not seen.
    :param parts: OID of a relation → what belongs to it.
    :param names: catalogue, OID and column's number → kind and name.
    """

    since: str
    facts: Facts
    parts: Mapping[int, Part]
    names: Mapping[tuple[str, int, int], Key]
    roles: frozenset[tuple[Any, ...]]


@dataclass(frozen=True)
class Snapshot:
    """A schema at one moment.

    :param objects: (kind, name) → canonical definition.
    :param columns: table → its columns' quoted names in their order.
    :param positions: sequence → where it stands.
    :param written_out: objects whose privileges are stored although they are what they are by nature.
    :param reading: how it was read; None: it was put together otherwise.
    """

    objects: Mapping[Key, str]
    columns: Mapping[str, Sequence[str]] = field(default_factory=dict)
    positions: Mapping[str, Position] = field(default_factory=dict)
    written_out: frozenset[Key] = frozenset()
    reading: Reading | None = field(default=None, compare=False, repr=False)


def snapshot(
    connection: psycopg.Connection[Any], *, ignored: frozenset[str] = frozenset(), before: Snapshot | None = None
) -> Snapshot:
    """Read the schema, in a transaction of its own, or in a savepoint of the one that is open.

    Waits for sessions that hold an ACCESS EXCLUSIVE lock on a table; nobody may change the schema meanwhile.

    :param ignored: relations to leave out with all that belongs to them, as quoted qualified names.
    :param before: of this database, or of the one that it is a copy of: what belongs to a relation is only read where
        something of it was written since, which is quicker and gives the same.
    :raises psycopg.Error: the connection is broken, a lock was not to be had in time, a catalogue may not be read.
    """
    version = connection.info.server_version
    with _reading(connection) as ask:
        book = _book(ask, version, ignored, before)
        if before is not None and book.doubts(before):
            book = _book(ask, version, ignored, None)
        if book.asked:
            book.answer(ask(book.asked))
    return book.snapshot()


def moved(connection: psycopg.Connection[Any], before: Snapshot) -> Snapshot:
    """Read where the sequences stand, when nothing but rows has changed since a snapshot that was read."""
    assert before.reading is not None
    with _reading(connection) as ask:
        query = other_queries(before.reading.facts).get("sequences")
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


def _book(
    ask: Callable[[Mapping[str, str]], dict[str, Rows]], version: int, ignored: frozenset[str], before: Snapshot | None
) -> "_Book":
    """Read and enter everything, or of the parts of relations those that may differ from an earlier snapshot."""
    reading = before.reading if before is not None else None
    found = ask(FACTS if reading is None else {**FACTS, **newer_queries(reading.since)})
    facts = _facts(version, found, ignored)
    parts = {} if reading is None else kept(reading.parts, facts.relations, found)
    asked = tuple(relation for relation in facts.relations if relation not in parts)
    entries = table_queries(facts) | kind_queries(facts)
    additions = addition_queries(facts)
    others = part_queries(replace(facts, relations=asked)) | other_queries(facts)
    found |= ask({name: query.sql for name, query in (entries | additions).items()} | others)
    book = _Book(found, facts)
    book.enter(entries, additions, parts, asked)
    return book


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


# Kinds of entries of which more than the name shows in parts of relations: labels, storage, whether a cast is implicit.
_SHOWN_ELSEWHERE = frozenset(("cast", "domain", "extension", "operator class", "type"))


class _Book:
    """Puts the rows of all queries together."""

    def __init__(self, found: Mapping[str, Rows], facts: Facts) -> None:
        self._found = found
        self._facts = facts
        self._objects: dict[Key, str] = {}
        self._known: dict[tuple[str, int, int], Key] = {}
        self._parts: dict[int, Part] = {}
        self._positions: dict[str, Position] = {}
        self._written_out: set[Key] = set()
        self._told_by: dict[int, Key] = {}
        natural = found["natural privileges"]
        self._owner_of_database: str = natural[0][2]
        self._roles = {name: quoted for _, name, quoted in found["roles"]}
        self._roles[self._owner_of_database] = "CURRENT_ROLE"
        self._everything = {kind: owners_letters(acl, owner) for kind, acl, owner in natural}
        self._natural = {kind: self._privileges(kind, acl, owner) for kind, acl, owner in natural}
        self.asked: dict[str, str] = {}

    def enter(
        self, entries: Mapping[str, Query], additions: Mapping[str, Query], parts: Mapping[int, Part],
        relations: Collection[int],
    ) -> None:  # fmt: skip
        """Enter everything; what is still to be asked then is in ``asked``.

        :param parts: known ones.
        :param relations: those of which the parts were asked.
        """
        for oid, name, owner, acl in self._found["schemas"]:
            if oid in self._facts.schemas:
                self._enter("pg_namespace", oid, "schema", name, "SCHEMA", owner, acl)
        for oid, _, relkind, _, name, _, persistence, rest, owner, acl in self._found["relations"]:
            kind, word = WORDS[relkind]
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
        self._enter_parts({**parts, **read_parts(self._found, relations, self._granted)})
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

    def doubts(self, before: Snapshot) -> bool:
        """Whether what was taken over from an earlier snapshot may read otherwise now: it names what has changed."""
        reading = before.reading
        if reading is None or reading.roles != frozenset(self._found["roles"]):
            return True
        if any(self._known.get(place, name) != name for place, name in reading.names.items() - self._known.items()):
            return True
        return any(kind in _SHOWN_ELSEWHERE for (kind, _), _ in before.objects.items() ^ self._objects.items())

    def snapshot(self) -> Snapshot:
        columns = {row[4]: self._parts[row[0]].columns for row in self._found["relations"]}
        ((since,),) = self._found["since"]
        reading = Reading(since, self._facts, self._parts, self._known, frozenset(self._found["roles"]))
        orders = {table: names for table, names in columns.items() if names}
        return Snapshot(self._objects, orders, self._positions, frozenset(self._written_out), reading)

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
        given = self._granted(kind, name, acl, owner)
        target = f"{kind} {name}".rstrip()
        if given is not None:
            self._objects["privilege", target] = given
        elif target != "schema public":
            self._written_out.add((kind, name))

    def _granted(self, kind: str, name: str, acl: list[str], owner: str | None) -> str | None:
        """What is granted; None where it is what such an object has by nature."""
        letter = _KINDS_OF_PRIVILEGES[kind]
        natural = self._natural[letter]
        if (kind, name) == ("schema", "public"):  # initdb grants this
            natural += "; USAGE TO PUBLIC" if self._facts.version >= 150000 else "; ALL TO PUBLIC"
        given = self._privileges(letter, acl, owner)
        return given if given != natural else None

    def _privileges(self, letter: str, acl: list[str], owner: str | None) -> str:
        return privileges(acl, owner, self._roles, self._everything[letter])

    def _enter_parts(self, parts: dict[int, Part]) -> None:
        self._parts = parts
        for part in parts.values():
            self._objects.update(part.objects)
            self._known.update(part.names)
            self._written_out.update(part.written_out)
            self._told_by.update(part.told_by)

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
