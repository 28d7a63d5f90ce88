"""What a downgrade takes from the rows, by the evidence, in the tables that there are now.

::

    doomed(evidence, tables)        what somebody loses who rolls back after use
    thrown_away(evidence)           what the upgrade itself threw away, which no rollback brings back
    obstacles(evidence, tables)     rows on which the downgrade fails

The evidence tells in which columns; how many values there are now is counted by ``production.preview``, and kept by
``production.salvage``. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from backout.evidence import Evidence, Loss, SchemaChange
from backout.preconditions import count_query
from backout.tables import Column, Table, Type
from backout.verdict import added_by, partitions_added_to

Fate = Literal["table", "partition", "rows", "column", "retyped", "labels", "overwritten"]


@dataclass(frozen=True)
class Doomed:
    """Values that a rollback takes away.

    :param column: quoted; None: whole rows.
    :param fate: their ``table`` or ``partition`` is dropped, ``rows`` are deleted, their ``column`` is dropped, it is
        ``retyped``, ``labels`` of its enum are removed, or they are ``overwritten``.
    :param rehearsed: values lost, and values that there were, in the rehearsal; None: that was not measured, as its
        downgrade failed on what had been written.
    :param was: of a retyped column, the type that the downgrade gives it.
    :param labels: that the downgrade removes.
    :param partitions: that the downgrade drops, qualified.
    :param own_way: the revision converts or rewrites the values by an expression of its own.
    """

    table: str
    column: str | None
    fate: Fate
    rehearsed: tuple[int, int] | None
    was: str | None = None
    labels: tuple[str, ...] = ()
    partitions: tuple[str, ...] = ()
    own_way: bool = False

    @property
    def name(self) -> str:
        """As evidence has it: ``public.users.email``."""
        return self.table if self.column is None else f"{self.table}.{self.column}"


@dataclass(frozen=True)
class Obstacle:
    """Rows on which the downgrade fails.

    :param what: the demand that they violate, in words: ``orders_status_check``.
    :param error: what the rehearsal's downgrade failed with.
    :param count_query: None where no query counts them.
    """

    table: str | None
    what: str
    error: str
    count_query: str | None


def doomed(evidence: Evidence, tables: Mapping[str, Table]) -> tuple[Doomed, ...]:
    """What a rollback takes from rows that are there; tables in the order of their names.

    Where the rehearsal's downgrade failed on what had been written, what is lost was not measured: then whatever the
    downgrade drops or converts is doomed.

    :param tables: of the real database; of those that it has not, less is known.
    """
    added, retyped, labels = added_by(evidence), _retyped(evidence), _labels(evidence)
    measured = {(loss.table, loss.column): (loss.lost, loss.of) for loss in _losses(evidence)}
    names: set[tuple[str, str | None]] = set(measured)
    if evidence.loss.lived_in is None:
        names |= set(_structural(evidence, tables, added, retyped, labels))
    whole = {table for table, column in names if column is None and table in added}
    found = []
    for table, column in sorted(names, key=lambda one: (one[0], one[1] is not None, one[1] or "")):
        if column is not None and table in whole:
            continue
        rehearsed = measured.get((table, column))
        if column is None:
            partitions = partitions_added_to(evidence, table)
            fate: Fate = "table" if table in added else "partition" if partitions else "rows"
            found.append(Doomed(table, None, fate, rehearsed, partitions=partitions if fate == "partition" else ()))
            continue
        name = f"{table}.{column}"
        gone = _labels_in(tables, table, column, labels)
        found.append(
            Doomed(
                table,
                column,
                "column" if name in added else "retyped" if name in retyped else "labels" if gone else "overwritten",
                rehearsed,
                was=None if name in added else retyped.get(name),
                labels=() if name in added or name in retyped else gone,
                own_way=_own_way(evidence, column),
            )
        )
    return tuple(found)


def thrown_away(evidence: Evidence) -> tuple[Loss, ...]:
    """What was lost when the revision was applied, and does not come back with the rollback."""
    upgrade = {(loss.table, loss.column) for loss in evidence.loss.upgrade or ()}
    back = evidence.loss.untouched if evidence.loss.untouched is not None else evidence.loss.upgrade
    return tuple(loss for loss in back or () if (loss.table, loss.column) in upgrade)


def obstacles(evidence: Evidence, tables: Mapping[str, Table]) -> tuple[Obstacle, ...]:
    """On what the downgrade fails that failed in the rehearsal once rows had been written; else nothing."""
    step = evidence.lived_in_downgrade
    if step.outcome != "failed":
        return ()
    error = step.error or "it failed"
    if step.fails_on_data:
        return tuple(Obstacle(one.table, one.error, error, one.count_query) for one in step.fails_on_data)
    state = error.partition(" ")[0]
    found = list(_demands(evidence, tables, error))
    alike = [one for wanted, one in found if wanted == state]
    chosen = alike or ([] if state in _STATES else [one for _, one in found])
    return tuple(chosen) or (Obstacle(None, "what was written", error, None),)


def is_plain_cast(was: Type | str, column: Column) -> bool:
    """Whether a column's values, cast to the type that they had, tell by themselves what gets lost.

    Between texts, and between numbers; between others a conversion depends on how it is made.
    """
    name = (was if isinstance(was, str) else was.name).partition("(")[0].strip()
    return any({name, column.type.partition("(")[0].strip()} <= family for family in _FAMILIES)


_FAMILIES = (
    frozenset({"text", "character varying", "character", "bpchar"}),
    frozenset({"smallint", "integer", "bigint", "numeric", "real", "double precision"}),
)
_STATES = frozenset({"23502", "23503", "23505", "23514", "22001", "22003", "22P02"})


def _losses(evidence: Evidence) -> Iterator[Loss]:
    """What is lost after use, and what the way back alone loses untouched."""
    upgrade = {(loss.table, loss.column) for loss in evidence.loss.upgrade or ()}
    lived_in = {(loss.table, loss.column) for loss in evidence.loss.lived_in or ()}
    yield from evidence.loss.lived_in or ()
    for loss in evidence.loss.untouched or ():
        if (loss.table, loss.column) not in upgrade | lived_in:
            yield loss


def _structural(
    evidence: Evidence,
    tables: Mapping[str, Table],
    added: frozenset[str],
    retyped: Mapping[str, str],
    labels: Mapping[str, tuple[str, ...]],
) -> Iterator[tuple[str, str | None]]:
    """Whatever the downgrade drops or converts."""
    for change in evidence.schema.changes or ():
        if change.kind == "table" and change.before is None and " PARTITION OF " not in (change.after or ""):
            yield change.name, None
        owner, column = _split(change.name) if change.kind == "column" else ("", "")
        if owner and owner not in added and (change.name in added or change.name in retyped):
            yield owner, column
    for name, table in tables.items():
        for column_ in table.columns:
            if name not in added and _labels_in(tables, name, column_.quoted, labels):
                yield name, column_.quoted


def _retyped(evidence: Evidence) -> dict[str, str]:
    """Columns that the downgrade gives another type → that type."""
    found = {}
    for change in evidence.schema.changes or ():
        if change.kind == "column" and change.before is not None and change.after is not None:
            was, now = type_of(change.before), type_of(change.after)
            if was != now:
                found[change.name] = was
    return found


def type_of(definition: str) -> str:
    """The type in a column's definition, as ``schema`` writes it: ``character varying(60)``."""
    return _BEHIND_A_TYPE.split(definition, maxsplit=1)[0]


_BEHIND_A_TYPE = re.compile(
    r' (?:COLLATE|STORAGE|COMPRESSION|STATISTICS|WITH \(|GENERATED|CONSTRAINT|NOT NULL|DEFAULT|INHERITED)(?![\w"])'
)


def _labels(evidence: Evidence) -> dict[str, tuple[str, ...]]:
    """Enum types → the labels that the downgrade removes."""
    found = {}
    for change in evidence.schema.changes or ():
        if change.kind == "type" and (change.before or "").startswith("ENUM (") and change.after is not None:
            was = _LABEL.findall(change.before or "")
            gone = tuple(label.replace("''", "'") for label in _LABEL.findall(change.after) if label not in was)
            if gone:
                found[change.name] = gone
    return found


_LABEL = re.compile(r"'((?:[^']|'')*)'")


def _labels_in(
    tables: Mapping[str, Table], table: str, column: str, labels: Mapping[str, tuple[str, ...]]
) -> tuple[str, ...]:
    type_: Type | None = next((one.of for one in tables[table].columns if one.quoted == column), None) if (
        table in tables
    ) else None  # fmt: skip
    while type_ is not None:
        if type_.name in labels:
            return labels[type_.name]
        type_ = type_.of
    return ()


def _own_way(evidence: Evidence, column: str) -> bool:
    """Whether the downgrade converts the column by more than a cast."""
    raw = re.escape(column.strip('"'))
    for statement in evidence.downgrade.statements or ():
        text = " ".join(statement.sql.split())
        if re.match(r"(?:WITH\b.*)?UPDATE\b", text, re.IGNORECASE) and re.search(rf"(?<!\w){raw}(?!\w)", text):
            return True
        plain = rf'USING\s+(?:CAST\s*\(\s*)?"?{raw}"?\s*(?:::|AS\b)'
        using = rf'ALTER\s+(?:COLUMN\s+)?"?{raw}"?\s+(?:SET DATA )?TYPE\b.*\bUSING\b'
        if re.search(using, text, re.IGNORECASE) and not re.search(plain, text, re.IGNORECASE):
            return True
    return False


def _demands(evidence: Evidence, tables: Mapping[str, Table], error: str) -> Iterator[tuple[str, Obstacle]]:
    """What the downgrade demands of rows again that the upgrade had stopped to demand, by SQLSTATE."""
    for change in evidence.schema.changes or ():
        if change.before is None or change.before == change.after:
            continue
        for state, table, query in _queries(change):
            if table in tables:
                yield state, Obstacle(table, _own_name(change), error, query)
    for type_, gone in _labels(evidence).items():
        for name, table_ in tables.items():
            for column in table_.columns:
                if _labels_in(tables, name, column.quoted, {type_: gone}):
                    query = f"SELECT count(*) FROM {name} WHERE {has_label(column, gone)}"  # noqa: S608
                    yield "22P02", Obstacle(name, f"{_plain(name)}.{column.quoted}", error, query)


def _queries(change: SchemaChange) -> Iterator[tuple[str, str, str | None]]:
    """SQLSTATE, table, and the query that counts the violators."""
    before = change.before or ""
    if change.kind == "constraint":
        table = _split(change.name)[0]
        state = next((state for word, state in _CONSTRAINTS.items() if before.startswith(word)), None)
        if state is not None:
            yield state, table, count_query(state, table, column=None, definition=before, narrowed={})
    elif change.kind == "index" and before.startswith("CREATE UNIQUE"):
        on = re.search(r' ON (?:ONLY )?((?:"(?:[^"]|"")+"|[^\s."]+)\.(?:"(?:[^"]|"")+"|[^\s."(]+))', before)
        if on is not None:
            yield "23505", on[1], count_query("23505", on[1], column=None, definition=before, narrowed={})
    elif change.kind == "column" and change.after is not None:
        table, column = _split(change.name)
        if " NOT NULL" in before and " NOT NULL" not in change.after:
            yield "23502", table, count_query("23502", table, column=column, definition=None, narrowed={})
        was = type_of(before)
        if was != type_of(change.after):
            length = re.fullmatch(r"character(?: varying)?\((\d+)\)", was)
            narrowed = {column: int(length[1])} if length else {}
            limit = out_of_range(column, was)
            if narrowed:
                yield "22001", table, count_query("22001", table, column=None, definition=None, narrowed=narrowed)
            elif limit is not None:
                yield "22003", table, f"SELECT count(*) FROM {table} WHERE {limit}"  # noqa: S608


_CONSTRAINTS = {"CHECK": "23514", "UNIQUE": "23505", "PRIMARY KEY": "23505", "FOREIGN KEY": "23503"}


def out_of_range(column: str, type_: str) -> str | None:
    """The condition that a number is none of that type; None for types without limits, or that are no numbers."""
    limits = {"smallint": 2**15, "integer": 2**31, "bigint": 2**63}
    if type_ in limits:
        return f"round({column}::numeric) NOT BETWEEN {-limits[type_]} AND {limits[type_] - 1}"
    found = re.fullmatch(r"numeric\((\d+),(-?\d+)\)", type_)
    if found is None:
        return None
    return f"abs(round({column}::numeric, {int(found[2])})) >= power(10::numeric, {int(found[1]) - int(found[2])})"


def has_label(column: Column, labels: tuple[str, ...]) -> str:
    """The condition that a column of an enum, or of an array of it, holds one of these labels."""
    listed = "ARRAY[" + ", ".join("'" + label.replace("'", "''") + "'" for label in labels) + "]::text[]"
    if column.of.kind == "array":
        return f"{column.quoted}::text[] && {listed}"
    return f"{column.quoted}::text = ANY ({listed})"


def _own_name(change: SchemaChange) -> str:
    return _plain(change.name) if change.kind == "column" else _split(change.name)[1]


def _plain(name: str) -> str:
    return name.removeprefix("public.")


def _split(name: str) -> tuple[str, str]:
    """``public.users.email`` as the table and what it has."""
    found = re.fullmatch(r'(.*)\.((?:"(?:[^"]|"")+"|[^".]+))', name)
    return (found[1], found[2]) if found else ("", name)
