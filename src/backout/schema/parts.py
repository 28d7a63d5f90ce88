"""What belongs to a relation, as entries: its columns, constraints and indexes; and which relations have kept theirs.

They are most of a schema, and what PostgreSQL takes longest to write out. A row of a catalogue tells by its ``xmin``
which transaction wrote it, also in a copy of the database: a relation all of whose rows are older than a reading, and
of which none is gone, has the parts that were read then, as long as what they mention has kept its name.

Not here: the queries (``schema.tables``), relations themselves and whatever else there is (``schema.reading``, which
alone imports this).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from backout.evidence import Key

Rows = list[tuple[Any, ...]]
# Of a kind of object, its name, privileges and owner: what is granted, or None where it is so by nature.
Granted = Callable[[str, str, list[str], str | None], str | None]

# Kind of relation → what it is called, and how its definition begins.
WORDS = {
    "r": ("table", "TABLE"),
    "p": ("table", "TABLE"),
    "f": ("foreign table", "FOREIGN TABLE"),
    "v": ("view", ""),
    "m": ("materialized view", ""),
    "c": ("type", ""),
}


@dataclass
class Part:
    """What belongs to one relation; not to be changed once it is read.

    :ivar objects: its entries.
    :ivar names: catalogue, OID and column's number → the entry that it has, or would have.
    :ivar columns: quoted names of a table's columns, in their order.
    :ivar written_out: columns whose privileges are stored although they are what they are by nature.
    :ivar told_by: OID of an index → the constraint that implies it.
    :ivar constraints: OIDs.
    :ivar classes: OIDs of its indexes, and of the sequences of its identity columns.
    """

    objects: dict[Key, str] = field(default_factory=dict)
    names: dict[tuple[str, int, int], Key] = field(default_factory=dict)
    columns: list[str] = field(default_factory=list)
    written_out: set[Key] = field(default_factory=set)
    told_by: dict[int, Key] = field(default_factory=dict)
    constraints: set[int] = field(default_factory=set)
    classes: set[int] = field(default_factory=set)


def kept(before: Mapping[int, Part], relations: Collection[int], found: Mapping[str, Rows]) -> dict[int, Part]:
    """Those of the relations whose parts are as they were.

    :param before: the parts at an earlier reading of this database, or of the one that it is a copy of.
    :param found: what was written since, and what is there.
    """
    newer = {oid for (oid,) in found["newer"]}
    there = {catalog: frozenset(oids or ()) for catalog, oids in found["there"]}
    return {
        relation: part
        for relation in relations
        if relation not in newer
        and (part := before.get(relation)) is not None
        and newer.isdisjoint(part.classes)
        and part.classes <= there["pg_class"]
        and part.constraints <= there["pg_constraint"]
    }


def read_parts(found: Mapping[str, Rows], relations: Collection[int], granted: Granted) -> dict[int, Part]:
    """Put the rows of the queries for parts together.

    :param relations: OIDs of those that were asked about.
    """
    parts = {relation: Part() for relation in relations}
    if parts:
        _enter_columns(parts, found, granted)
        _enter_indexes(parts, found)
    return parts


def _enter_columns(parts: Mapping[int, Part], found: Mapping[str, Rows], granted: Granted) -> None:
    relations = {row[0]: (WORDS[row[2]][1], *row[3:6], row[8]) for row in found["relations"]}
    defaults = {(row[0], row[1]): row[2] for row in found["defaults"]}
    named = {(row[0], row[1]): row[2:] for row in found.get("not null", ())}
    identities = {(row[6], row[7]): row for row in found.get("sequences", ()) if row[5] == "i"}
    for row in found["columns"]:
        relation, number, raw, name, definition, required, identity, generated, rest, local, acl = row
        word, partition, table, raw_table, owner = relations[relation]
        part, place, full = parts[relation], (relation, number), f"{table}.{name}"
        if not word:
            definition = ""  # a view's query or a type's definition tells its columns
        else:
            part.columns.append(name)
            if identity:
                sequence = identities.get(place)
                definition += f" {_identity(identity, definition, sequence)}"
                part.classes.update(() if sequence is None else (sequence[0],))
            if required:
                definition += f" {_not_null(raw_table, raw, partition, named.get(place))}"
        if place in defaults:
            definition += f" {_default(generated, defaults[place])}"
        if rest:
            definition += f" {rest}"
        if word and not local and not partition:
            definition += " INHERITED"
        part.names["pg_class", relation, number] = ("column", full)
        if definition:
            part.objects["column", full] = definition.lstrip()
        if acl is not None:
            privileges = granted("column", full, acl, owner)
            if privileges is None:
                part.written_out.add(("column", full))
            else:
                part.objects["privilege", f"column {full}"] = privileges


def _enter_indexes(parts: Mapping[int, Part], found: Mapping[str, Rows]) -> None:
    """Indexes and constraints; an index that a constraint implies is part of that."""
    tables = {row[0]: row[4] for row in found["relations"]}
    implied: dict[int, Key] = {}
    for oid, relation, name, definition, index in found["constraints"]:
        part, key = parts[relation], ("constraint", f"{tables[relation]}.{name}")
        part.names["pg_constraint", oid, 0] = key
        part.objects[key] = definition
        part.constraints.add(oid)
        if index:
            implied[index] = key
    for oid, relation, name, definition, words, options in found["indexes"]:
        part, constraint = parts[relation], implied.get(oid)
        part.names["pg_class", oid, 0] = ("index", name)
        part.classes.add(oid)
        if constraint:
            part.told_by[oid] = constraint
            part.objects[constraint] = " ".join(filter(None, [part.objects[constraint], options, words]))
        elif definition is not None:  # which has the options
            part.objects["index", name] = f"{definition} {words}" if words else definition


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
