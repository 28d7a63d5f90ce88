"""Keeps what a downgrade would lose, in the downgrade's own transaction: what, how, and why it cannot be.

Rows are kept by their key, values as they are; those of types that are not PostgreSQL's own as text, for the downgrade
may drop or alter the type. ``functions.sql`` has what must be found out while the downgrade runs.

Only ``production.salvage`` imports it.
"""

# ruff: noqa: S608 - statements are made of the catalogue's own, quoted names

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from importlib.resources import files
from typing import Any, LiteralString

import psycopg
from psycopg.rows import tuple_row

from backout.evidence import Evidence
from backout.production.cascades import cascades
from backout.production.deployment import Deployment
from backout.production.doomed import Doomed, doomed, thrown_away
from backout.tables import Column, Table, Type, read_tables
from backout.verdict import added_by
from backout.worker import Revision

SCHEMA = "backout_salvage"

# The statements that make the schema and its functions, in their order.
FUNCTIONS = tuple(
    part.strip() for part in files(__package__).joinpath("functions.sql").read_text("utf-8").split(f"\n{'-' * 120}\n")
)

_MODES = (
    "ACCESS SHARE", "ROW SHARE", "ROW EXCLUSIVE", "SHARE UPDATE EXCLUSIVE", "SHARE", "SHARE ROW EXCLUSIVE", "EXCLUSIVE",
    "ACCESS EXCLUSIVE",
)  # fmt: skip
_STEADY = "SHARE ROW EXCLUSIVE"  # nobody writes, and nobody else takes the same


@dataclass(frozen=True)
class Subject:
    """What is kept of one table.

    :param columns: quoted; empty: whole rows.
    :param key: quoted columns by which the rows are found again; empty for a table that goes as a whole.
    """

    table: str
    columns: tuple[str, ...]
    key: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """``public.users.email``, or the table."""
        return tuple(f"{self.table}.{column}" for column in self.columns) or (self.table,)


@dataclass(frozen=True)
class Plan:
    """How what one revision's downgrade would lose is kept.

    :param refusals: why it cannot be, in words; then neither subjects nor statements are there.
    :param needed: something that is there now would be lost, or nobody knows. Where not, a refusal says only that
        salvage brings nothing back; in a rollback of several revisions it may still keep what others lose.
    :param first: SQL statements to run before the downgrade, in its transaction.
    :param last: to run behind it.
    """

    revision: str
    refusals: tuple[str, ...]
    needed: bool = True
    subjects: tuple[Subject, ...] = ()
    first: tuple[str, ...] = ()
    last: tuple[str, ...] = ()


def plan(
    deployment: Deployment,
    revision: Revision,
    connection: psycopg.Connection[Any],
    tables: Mapping[str, Table] | None = None,
) -> Plan:
    """How to keep what the downgrade of a revision would lose; reads only.

    What the statements say holds for the schema at this revision: of an older one, which others are rolled back before,
    plan again when its turn comes. Its refusals are known before, except for tables that are not there yet.

    :param tables: of the database, where they are known.
    :return: without subjects and statements where nothing can be lost.
    """
    evidence = deployment.evidence.get(revision.id)
    if evidence is None:
        why = "its evidence is of other files" if revision.id in deployment.stale else "there is no evidence of it"
        return Plan(revision.id, (f"what {revision.id} loses is not known: {why}; measure it: backout rehearse",))
    if tables is None:
        tables = read_tables(connection, deployment.version_tables)
    found = doomed(evidence, tables)
    refusals = [*_by_evidence(revision, evidence, found)]
    is_next = revision.id in deployment.current()
    kept: list[_Kept] = []
    reached = [*found, *cascades(connection, found, tables)]
    for name in dict.fromkeys(one.table for one in reached):
        those = [one for one in reached if one.table == name]
        table = tables.get(name)
        if table is None:
            refusals += [f"{name} is not there"] if is_next else []
            continue
        one = _kept(table, those, evidence)
        refusals += _by_table(one, those)
        kept.append(one)
    refusals += _by_role(connection, kept)
    if not found and not refusals:
        return Plan(revision.id, tuple(_thrown_away(revision, evidence)), needed=False)
    if refusals or not kept:
        return Plan(revision.id, tuple(refusals))
    kept = _parents_first(kept)
    start = _next_number(connection)
    numbers = range(start, start + len(kept))
    first = [*FUNCTIONS, f"SELECT {SCHEMA}.only_owner('{SCHEMA}.register')"]
    first += lock_statements(evidence.downgrade.statements, [one.table for one in kept])
    for one, number in zip(kept, numbers, strict=True):
        first += _take(one, number, revision)
    last = tuple(f"SELECT {SCHEMA}.mark({number})" for number in numbers)
    return Plan(revision.id, (), True, tuple(one.subject for one in kept), tuple(first), last)


def lock_statements(statements: Sequence[Any] | None, tables: Collection[Table]) -> Iterator[str]:
    """Lock these tables as strongly as the statements of a step will; at least against writers.

    :param statements: of evidence.
    """
    strongest: dict[str, int] = {}
    for statement in statements or ():
        for lock in statement.locks or ():
            mode = _MODES.index(_mode(lock.mode))
            strongest[lock.relation] = max(mode, strongest.get(lock.relation, 0))
    order = list(strongest)
    least = _MODES.index(_STEADY)
    for table in sorted(tables, key=lambda one: order.index(one.qualified) if one.qualified in order else len(order)):
        word = _MODES[max(least, strongest.get(table.qualified, 0))]
        yield f"LOCK TABLE {source(table)} IN {word} MODE"


def literal(text: str) -> str:
    """A text as SQL writes it, whatever ``standard_conforming_strings`` says."""
    quoted = text.replace("'", "''")
    return f"'{quoted}'" if "\\" not in text else "E'" + quoted.replace("\\", "\\\\") + "'"


def array(texts: Sequence[str]) -> str:
    """An array of texts."""
    return f"ARRAY[{', '.join(map(literal, texts))}]::pg_catalog.text[]"


def source(table: Table) -> str:
    """The table without those that inherit from it, which are tables of their own."""
    return f"ONLY {table.qualified}" if table.kind == "r" else table.qualified


@dataclass(frozen=True)
class _Kept:
    """What is kept of one table.

    :param key: columns that the downgrade leaves; None: there is no such key.
    :param partitions: of which the rows are kept; empty: of all.
    """

    table: Table
    columns: tuple[Column, ...]
    whole: bool
    goes: bool
    key: tuple[Column, ...] | None
    partitions: tuple[str, ...]

    @property
    def subject(self) -> Subject:
        columns = () if self.whole else tuple(one.quoted for one in self.columns)
        return Subject(self.table.qualified, columns, tuple(one.quoted for one in self.key or ()))


def _kept(table: Table, those: Sequence[Doomed], evidence: Evidence) -> _Kept:
    whole = any(one.column is None for one in those)
    goes = any(one.fate == "table" for one in those)
    wanted = {one.column for one in those}
    columns = tuple(one for one in table.columns if not one.generated and (whole or one.quoted in wanted))
    partitions = tuple(name for one in those for name in one.partitions)
    partly = whole and all(one.fate == "partition" for one in those)
    return _Kept(table, columns, whole, goes, _key(table, evidence, goes), partitions if partly else ())


def _key(table: Table, evidence: Evidence, goes: bool) -> tuple[Column, ...] | None:
    """Columns that tell rows apart and that the downgrade leaves; of a table that goes, or has another name, any."""
    added = added_by(evidence)
    if goes or table.qualified in added:
        added = frozenset()
    filled = {one.name for one in table.columns if one.not_null}
    fit = [
        (not one.primary, len(one.columns), one.name, tuple(name for name in one.columns if name is not None))
        for one in table.uniques
        if one.valid and one.predicate is None and filled.issuperset(one.columns) and not one.deferrable
    ]
    if table.key is not None:
        fit.append((True, len(table.columns), "", table.key))
    for *_, names in sorted(fit):
        columns = tuple(table.column(name) for name in names)
        if not any(f"{table.qualified}.{one.quoted}" in added for one in columns):
            return columns
    return () if goes else None


def _by_evidence(revision: Revision, evidence: Evidence, found: Sequence[Doomed]) -> Iterator[str]:
    """Why the evidence forbids it."""
    if evidence.downgrade.outcome == "failed":
        yield f"the downgrade of {revision.id} failed in the rehearsal: {evidence.downgrade.error}"
        return
    if evidence.rollback == "unproven":
        yield f"what {revision.id} loses is not proved: not all of it could be measured"
    if found and evidence.downgrade.transactional is not True:
        yield f"the downgrade of {revision.id} is not one transaction, so that nothing can be kept together with it"


def _thrown_away(revision: Revision, evidence: Evidence) -> Iterator[str]:
    """Why there is nothing to keep where something is missing."""
    gone = [loss.table if loss.column is None else f"{loss.table}.{loss.column}" for loss in thrown_away(evidence)]
    if gone:
        yield f"there is nothing to keep: {', '.join(gone)} lost its values when {revision.id} was applied"


def _by_table(kept: _Kept, those: Sequence[Doomed]) -> Iterator[str]:
    table = kept.table
    if table.kind == "f":
        yield f"{table.qualified} is a foreign table"
    if kept.key is None:
        what = ", ".join(one.column or "rows" for one in those)
        yield f"{table.qualified} has no key that outlives the downgrade, by which {what} could be put back"


def _by_role(connection: psycopg.Connection[Any], kept: Sequence[_Kept]) -> Iterator[str]:
    """Why the role of the connection, which is that of the migration, cannot."""
    if not kept:
        return
    with connection.cursor(row_factory=tuple_row) as cursor:
        (may_create, usable, role) = cursor.execute(_MAY, {"schema": SCHEMA}).fetchone() or (False, None, "")
        if usable is False:
            yield f"the schema {SCHEMA} belongs to another role than {role}"
        if usable is None and not may_create:
            yield f"the role {role} may not create a schema in this database: GRANT CREATE ON DATABASE"
        for one in kept:
            name = one.table.qualified
            columns = [column.quoted for column in (*one.columns, *(one.key or ()))]
            asked = cursor.execute(_READABLE, {"table": name, "columns": columns})
            active, unreadable = asked.fetchone() or (False, [])
            if active:
                yield f"row security hides rows of {name} from the role {role}"
            if unreadable:
                yield f"the role {role} may not read {', '.join(unreadable)} of {name}"


_MAY: LiteralString = """
    SELECT has_database_privilege(current_database(), 'CREATE'),
           (SELECT pg_has_role(nspowner, 'USAGE') FROM pg_namespace WHERE nspname = %(schema)s), current_user::text
"""
_READABLE: LiteralString = """
    SELECT row_security_active(%(table)s::regclass),
           ARRAY(SELECT quote_ident(attname) FROM pg_attribute
                 WHERE attrelid = %(table)s::regclass AND quote_ident(attname) = ANY (%(columns)s)
                   AND NOT attisdropped AND NOT has_column_privilege(attrelid, attnum, 'SELECT'))
"""


def _parents_first(kept: Sequence[_Kept]) -> list[_Kept]:
    """Tables that others refer to before those; they are put back in this order."""
    by_name: Mapping[str, _Kept] = {one.table.qualified: one for one in kept}
    graph = {
        name: {key.references for key in one.table.foreign_keys} & (by_name.keys() - {name})
        for name, one in sorted(by_name.items())
    }
    try:
        return [by_name[name] for name in TopologicalSorter(graph).static_order()]
    except CycleError:
        return [by_name[name] for name in sorted(by_name)]


def _next_number(connection: psycopg.Connection[Any]) -> int:
    with connection.cursor(row_factory=tuple_row) as cursor:
        if cursor.execute("SELECT to_regclass('backout_salvage.register')").fetchone() == (None,):
            return 1
        (number,) = cursor.execute("SELECT coalesce(max(id), 0) + 1 FROM backout_salvage.register").fetchone() or (1,)
        return int(number)


def _take(kept: _Kept, number: int, revision: Revision) -> Iterator[str]:
    """Copy the values, and register the copy."""
    data, columns, key = f"{SCHEMA}.kept_{number}", kept.columns, kept.key or ()
    shown = [f"{_value(one)} AS k{place}" for place, one in enumerate(key, 1)]
    for place, one in enumerate(columns, 1):
        shown += [
            f"{_value(one)} AS v{place}",
            f"NULL::bytea AS l{place}",
            f"false AS h{place}",
            f"false AS ok{place}",
        ]
    shown += ["false AS was_left", "NULL::bytea AS left_row", "NULL::boolean AS held_row", "NULL::boolean AS found"]
    shown += ["NULL::boolean AS insertable", "NULL::text AS outcome"]
    some = " OR ".join(f"t.{one.quoted} IS DISTINCT FROM NULL" for one in columns)  # NOT NULL asks each field of a row
    where = "" if kept.whole else f" WHERE {some}"
    names = ", ".join(dict.fromkeys(one.quoted for one in (*columns, *key)))
    rows = " UNION ALL ".join(f"SELECT {names} FROM {name}" for name in kept.partitions)
    rows = f"({rows})" if rows else source(kept.table)
    copy = f"CREATE TABLE {data} AS SELECT row_number() OVER () AS n, {', '.join(shown)} FROM {rows} AS t{where}"
    yield f"SELECT {SCHEMA}.run({literal(copy)})"
    yield f"ALTER TABLE {data} ADD PRIMARY KEY (n)"
    sequences = ", ".join(
        f"{literal(one.name)}, (SELECT CASE WHEN is_called THEN last_value END FROM {one.sequence.qualified})"
        for one in columns
        if one.sequence is not None
    )
    yield (
        f"INSERT INTO {SCHEMA}.register "
        "(id, revision, parents, relation, data, whole, keys, columns, types, sequences) "
        f"VALUES ({number}, {literal(revision.id)}, {array(revision.parents)}, {literal(kept.table.qualified)}, "
        f"'{data}', {kept.whole}, {array([one.quoted for one in key])}, {array([one.quoted for one in columns])}, "
        f"{array([one.type for one in columns])}, pg_catalog.jsonb_strip_nulls("
        f"pg_catalog.jsonb_build_object({sequences})))"
    )
    yield f"SELECT {SCHEMA}.only_owner('{data}')"


def _value(column: Column) -> str:
    """As it is kept: of PostgreSQL's own types as they are, else as text."""
    if "." in column.of.name:
        return f't.{column.quoted}::text COLLATE "C"'
    element: Type = column.of.of if column.of.kind == "array" and column.of.of is not None else column.of
    collated = element.catalogue_name in ("text", "varchar", "bpchar")
    return f"t.{column.quoted}" + (' COLLATE "C"' if collated else "")


def _mode(mode: str) -> str:
    """``AccessExclusiveLock`` as ``ACCESS EXCLUSIVE``."""
    spaced = "".join(f" {letter}" if letter.isupper() else letter for letter in mode.removesuffix("Lock"))
    return spaced.strip().upper()
