"""The structure of a database's tables: columns, types, keys, constraints, as seeding and comparing values need them.

Not here: what has no bearing on a table's rows, and definitions to compare (``schema``); the rows themselves
(``rows``, ``seed``).

Everything above may import it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, LiteralString

import psycopg
from psycopg import sql
from psycopg.rows import tuple_row

TypeKind = Literal["base", "array", "enum", "domain", "composite", "range", "multirange"]

_TYPE_KINDS: Mapping[str, TypeKind] = {
    "b": "base", "p": "base", "e": "enum", "d": "domain", "c": "composite", "r": "range", "m": "multirange",
}  # fmt: skip


@dataclass(frozen=True)
class Type:
    """A data type, with what its values are made of.

    :param name: as SQL writes it, without a modifier; schema-qualified unless it is built in.
    :param catalogue_name: raw ``pg_type.typname``: ``varchar``, ``citext``.
    :param extension: that brought it.
    :param of: of an array its elements', of a domain its base, of a range its bounds', of a multirange its range.
    :param of_type: the same with its modifier, ``character varying(20)``; for domains only.
    :param labels: of an enum, in their order.
    :param fields: of a composite type: raw name, type as SQL writes it with its modifier, and the type.
    :param not_null: of a domain; one of its bases' counts too.
    :param checks: of a domain and not of its bases: expressions over ``VALUE``.
    """

    name: str
    catalogue_name: str
    kind: TypeKind
    extension: str | None = None
    of: Type | None = None
    of_type: str = ""
    labels: tuple[str, ...] = ()
    fields: tuple[tuple[str, str, Type], ...] = ()
    not_null: bool = False
    checks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sequence:
    """A sequence that a column's values come from.

    :param qualified: quoted, with its schema.
    :param least: the smallest value it may have.
    :param greatest: the largest.
    """

    qualified: str
    increment: int
    least: int
    greatest: int


@dataclass(frozen=True)
class Column:
    """A column of a table, at its place.

    :param name: raw.
    :param quoted: as ``quote_ident`` writes it: the name in evidence.
    :param type: with its modifier, as SQL writes it: ``numeric(10,2)``.
    :param of: the type itself.
    :param not_null: by the column or by its domain.
    :param default: expression; None for generated columns.
    :param identity: ``a`` always, ``d`` by default.
    :param sequence: of an identity, or that the default draws from.
    :param expression: of a generated column.
    """

    name: str
    quoted: str
    position: int
    type: str
    of: Type
    not_null: bool
    default: str | None
    identity: Literal["", "a", "d"]
    generated: bool
    sequence: Sequence | None
    expression: str | None = None

    @property
    def required(self) -> bool:
        """Whether an INSERT must name it."""
        return self.not_null and self.default is None and not self.identity and not self.generated


@dataclass(frozen=True)
class ForeignKey:
    """A foreign key; column names are raw, those of both sides in the same order.

    :param references: qualified name of the other table.
    :param full: MATCH FULL: all columns are NULL, or none.
    """

    name: str
    columns: tuple[str, ...]
    references: str
    referenced: tuple[str, ...]
    full: bool
    deferrable: bool
    enforced: bool
    validated: bool


@dataclass(frozen=True)
class Check:
    """A CHECK constraint.

    :param columns: raw names of those it reads.
    """

    name: str
    expression: str
    columns: tuple[str, ...]
    enforced: bool
    validated: bool


@dataclass(frozen=True)
class Unique:
    """A unique index, of a constraint or not.

    :param columns: raw names; None in the place of an expression.
    :param expressions: what is unique, as SQL, each in parentheses unless it is a column.
    :param predicate: of a partial index.
    """

    name: str
    columns: tuple[str | None, ...]
    expressions: tuple[str, ...]
    predicate: str | None
    nulls_distinct: bool
    primary: bool
    deferrable: bool
    valid: bool


@dataclass(frozen=True)
class Exclusion:
    """An exclusion constraint, or a key WITHOUT OVERLAPS: no two rows for which all operators say yes.

    :param columns: raw names; None in the place of an expression.
    :param operators: one for each expression.
    :param primary: a primary key WITHOUT OVERLAPS.
    """

    name: str
    columns: tuple[str | None, ...]
    expressions: tuple[str, ...]
    operators: tuple[str, ...]
    predicate: str | None
    primary: bool = False


@dataclass(frozen=True)
class Trigger:
    """A trigger of the application, which is enabled.

    :param definition: as ``pg_get_triggerdef`` writes it.
    :param function: qualified name.
    """

    name: str
    definition: str
    function: str


@dataclass(frozen=True)
class Table:
    """A table of the user.

    :param schema: raw, as ``name``.
    :param qualified: quoted, with its schema: the name in evidence.
    :param kind: ``r`` ordinary, ``p`` partitioned, ``f`` foreign.
    :param key: raw names of the columns by which rows are told apart: the primary key, else the narrowest unique index
        that is valid, neither partial nor over expressions, of NOT NULL columns only. None: there is no such.
    :param parents: qualified names of the tables it inherits from, or of the one it is a partition of.
    :param bound: of a partition, ``FOR VALUES FROM …``.
    :param bound_check: of a partition, what its rows fulfil, its parents' bounds included; None when they may be any.
    :param partition_key: of a partitioned table, ``RANGE (created_at)``.
    :param partition_columns: raw names of the columns that its partition key reads.
    :param persistence: ``p`` permanent, ``u`` unlogged.
    :param row_security: ``enabled``, ``forced`` (the owner is subject to it too) or empty.
    :param rules: names of the rules that act on INSERT.
    """

    oid: int
    schema: str
    name: str
    qualified: str
    kind: Literal["r", "p", "f"]
    columns: tuple[Column, ...]
    key: tuple[str, ...] | None
    parents: tuple[str, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    checks: tuple[Check, ...] = ()
    uniques: tuple[Unique, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()
    bound: str | None = None
    bound_check: str | None = None
    partition_key: str | None = None
    partition_columns: tuple[str, ...] = ()
    persistence: str = "p"
    row_security: Literal["", "enabled", "forced"] = ""
    triggers: tuple[Trigger, ...] = ()
    rules: tuple[str, ...] = ()

    def column(self, name: str) -> Column:
        """The column of that raw name.

        :raises KeyError: there is none.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)


def read_tables(
    connection: psycopg.Connection[Any], ignored: frozenset[str] = frozenset(), known: Iterable[Table] = ()
) -> dict[str, Table]:
    """Every table outside the system's schemas and the extensions, by its qualified name, in the order of names.

    One round trip, in the connection's transaction if there is one; its settings are as before afterwards.

    :param ignored: qualified names of tables to leave out.
    :param known: tables that are as they were, and need not be read again.
    """
    kept = {one.oid: one for one in known if not any(_has_fields(column.of) for column in one.columns)}
    answers = _ask(connection, kept)
    types = _Types(answers["types"], answers["labels"], answers["fields"], answers["domain_checks"])
    sequences = {row[:2]: Sequence(*row[2:]) for row in answers["sequences"]}
    columns: dict[int, list[Column]] = defaultdict(list)
    for (
        table, name, quoted, position, type_oid, type_name, not_null, default, identity, generated
    ) in answers["columns"]:  # fmt: skip
        of = types.get(type_oid)
        columns[table].append(
            Column(
                name=name,
                quoted=quoted,
                position=position,
                type=type_name,
                of=of,
                not_null=not_null or of.not_null,
                default=None if generated else default,
                identity=identity,
                generated=bool(generated),
                sequence=sequences.get((table, position)),
                expression=default if generated else None,
            )
        )
    found = _tables(answers, columns, kept)
    return dict(sorted((one.qualified, one) for one in (*found, *kept.values()) if one.qualified not in ignored))


def _has_fields(of: Type | None) -> bool:
    """Whether it is made of a composite type: a table's changes with the table."""
    return of is not None and (of.kind == "composite" or _has_fields(of.of))


def has_columns(connection: psycopg.Connection[Any], tables: Iterable[Table]) -> bool:
    """Whether the tables are there with the columns, of the types, that they had. Nothing else is looked at."""
    expected = {(one.qualified, column.quoted, column.type) for one in tables for column in one.columns}
    with connection.transaction(), connection.cursor(row_factory=tuple_row) as cursor:
        cursor.execute("SET LOCAL search_path = ''")
        cursor.execute(_COLUMNS, [sorted({name for name, _, _ in expected})])
        return set(cursor.fetchall()) == expected


_COLUMNS: LiteralString = """
    SELECT name, quote_ident(attname), format_type(atttypid, atttypmod)
    FROM unnest(%s::text[]) AS one(name) JOIN pg_attribute ON attrelid = to_regclass(name)
    WHERE attnum > 0 AND NOT attisdropped
"""


def _tables(
    answers: Mapping[str, list[Any]], columns: Mapping[int, list[Column]], kept: Mapping[int, Table]
) -> Iterator[Table]:
    """Those that were read.

    :param kept: the others.
    """
    qualified = {oid: one.qualified for oid, one in kept.items()} | {row[0]: row[3] for row in answers["relations"]}
    present: dict[int, Iterable[Column]] = {oid: one.columns for oid, one in kept.items()}
    names = {table: {one.position: one.name for one in those} for table, those in {**present, **columns}.items()}
    foreign_keys, checks = _constraints(answers["constraints"], qualified, names)
    uniques, exclusions = _indexes(answers["indexes"], columns)
    parents: dict[int, list[str]] = defaultdict(list)
    for table, parent in answers["parents"]:
        if parent in qualified:
            parents[table].append(qualified[parent])
    triggers: dict[int, list[Trigger]] = defaultdict(list)
    for table, *facts in answers["triggers"]:
        triggers[table].append(Trigger(*facts))
    rules: dict[int, list[str]] = defaultdict(list)
    for table, rule in answers["rules"]:
        rules[table].append(rule)
    for oid, schema, name, full, kind, persistence, secured, forced, bound, bound_check, key, reads in answers[
        "relations"
    ]:
        of = tuple(columns.get(oid, ()))
        yield Table(
            oid=oid,
            schema=schema,
            name=name,
            qualified=full,
            kind=kind,
            columns=of,
            key=_key(of, uniques.get(oid, ()), exclusions.get(oid, ())),
            parents=tuple(parents.get(oid, ())),
            foreign_keys=tuple(foreign_keys.get(oid, ())),
            checks=tuple(checks.get(oid, ())),
            uniques=tuple(uniques.get(oid, ())),
            exclusions=tuple(exclusions.get(oid, ())),
            bound=bound,
            bound_check=bound_check,
            partition_key=key,
            partition_columns=_names(reads, names.get(oid, {})),
            persistence=persistence,
            row_security=("forced" if forced else "enabled") if secured else "",
            triggers=tuple(triggers.get(oid, ())),
            rules=tuple(rules.get(oid, ())),
        )


def _key(
    columns: tuple[Column, ...], uniques: Iterable[Unique], exclusions: Iterable[Exclusion]
) -> tuple[str, ...] | None:
    filled = {column.name for column in columns if column.not_null}
    candidates: list[Unique | Exclusion] = [*uniques, *exclusions]
    fit = [
        (not one.primary, len(one.columns), one.name, tuple(name for name in one.columns if name is not None))
        for one in candidates
        if (one.valid and one.columns if isinstance(one, Unique) else one.primary)
        and one.predicate is None
        and filled.issuperset(one.columns)
    ]
    return min(fit)[-1] if fit else None


def _names(positions: list[int] | None, names: Mapping[int, str]) -> tuple[str, ...]:
    return tuple(names[position] for position in positions or () if position in names)


def _constraints(
    rows: list[Any], qualified: Mapping[int, str], names: Mapping[int, Mapping[int, str]]
) -> tuple[dict[int, list[ForeignKey]], dict[int, list[Check]]]:
    foreign_keys: dict[int, list[ForeignKey]] = defaultdict(list)
    checks: dict[int, list[Check]] = defaultdict(list)
    for table, kind, name, reads, other, other_reads, match, deferrable, enforced, validated, expression in rows:
        columns = _names(reads, names.get(table, {}))
        if kind == "c":
            checks[table].append(Check(name, expression, columns, enforced, validated))
        elif other in qualified:  # an extension's table is no table of the user
            referenced = _names(other_reads, names[other])
            full = match == "f"
            foreign_keys[table].append(
                ForeignKey(name, columns, qualified[other], referenced, full, deferrable, enforced, validated)
            )
    return foreign_keys, checks


def _indexes(
    rows: list[Any], columns: Mapping[int, list[Column]]
) -> tuple[dict[int, list[Unique]], dict[int, list[Exclusion]]]:
    uniques: dict[int, list[Unique]] = defaultdict(list)
    exclusions: dict[int, list[Exclusion]] = defaultdict(list)
    for (
        table, name, positions, expressions, predicate, nulls_distinct, primary, immediate, valid, operators
    ) in rows:  # fmt: skip
        there = {column.position: column for column in columns.get(table, ())}
        if not there.keys() >= {position for position in positions if position}:
            continue  # of an object that is no table of the user
        over = tuple(there[position].name if position else None for position in positions)
        texts = tuple(
            there[position].quoted if position else expressions[place] for place, position in enumerate(positions)
        )
        if operators:
            exclusions[table].append(Exclusion(name, over, texts, tuple(operators), predicate, primary))
        else:
            uniques[table].append(Unique(name, over, texts, predicate, nulls_distinct, primary, not immediate, valid))
    return uniques, exclusions


class _Types:
    """The types of a database, put together from their parts when they are asked for."""

    def __init__(self, types: list[Any], labels: list[Any], fields: list[Any], checks: list[Any]) -> None:
        self._rows = {row[0]: row[1:] for row in types}
        self._labels = {oid: tuple(those) for oid, those in labels}
        self._checks = {oid: tuple(those) for oid, those in checks}
        self._fields: dict[int, list[tuple[str, str, int]]] = defaultdict(list)
        for oid, *field in fields:
            self._fields[oid].append((field[0], field[1], field[2]))
        self._made: dict[int, Type] = {}

    def get(self, oid: int) -> Type:
        if oid not in self._made:
            self._made[oid] = self._make(oid)
        return self._made[oid]

    def _make(self, oid: int) -> Type:
        name, raw, kind, extension, of, of_type, not_null, relation = self._rows[oid]
        base = self.get(of) if of else None
        return Type(
            name=name,
            catalogue_name=raw,
            kind="array" if kind == "a" else _TYPE_KINDS[kind],
            extension=extension,
            of=base,
            of_type=of_type or "",
            labels=self._labels.get(oid, ()),
            fields=tuple((field, typed, self.get(part)) for field, typed, part in self._fields.get(relation, ())),
            not_null=not_null or (kind == "d" and base is not None and base.not_null),
            checks=self._checks.get(oid, ()),
        )


def _ask(connection: psycopg.Connection[Any], kept: Iterable[int]) -> dict[str, list[Any]]:
    """The rows of every query; names in them are written in full, because nothing is on the search path.

    :param kept: OIDs of tables about which nothing is asked.
    """
    recent = connection.info.server_version >= 180000
    parts = {
        "first": sql.Literal(16384),  # FirstNormalObjectId: below it are the system's own
        "kept": sql.SQL("'{{{}}}'::oid[]").format(sql.SQL(",").join(map(sql.SQL, map(str, kept)))),
        "enforced": sql.SQL("k.conenforced" if recent else "true"),
        "period": sql.SQL("k.conperiod" if recent else "false"),
    }
    cursors = {}
    with connection.pipeline():
        for name, query in _QUERIES.items():
            cursors[name] = connection.cursor(row_factory=tuple_row)
            cursors[name].execute(sql.SQL(query).format(**parts), prepare=False)
    return {name: cursor.fetchall() for name, cursor in cursors.items()}


_QUERIES: Mapping[str, LiteralString] = {
    "path": """SELECT set_config('backout.search_path', current_setting('search_path'), false),
                      set_config('search_path', '', false)""",
    "relations": """
        SELECT c.oid, n.nspname, c.relname, quote_ident(n.nspname) || '.' || quote_ident(c.relname),
               c.relkind::text, c.relpersistence::text, c.relrowsecurity, c.relforcerowsecurity,
               pg_get_expr(c.relpartbound, c.oid),
               CASE WHEN c.relispartition THEN pg_get_partition_constraintdef(c.oid) END,
               pg_get_partkeydef(c.oid),
               ARRAY(SELECT DISTINCT d.objsubid FROM pg_depend d
                     WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refobjid = c.oid
                       AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid = 0 AND d.deptype = 'i'
                     ORDER BY 1)
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.oid >= {first} AND c.oid <> ALL ({kept})
          AND c.relkind IN ('r', 'p', 'f') AND c.relpersistence <> 't'
          AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
          AND c.oid NOT IN (SELECT objid FROM pg_depend
                            WHERE classid = 'pg_class'::regclass AND refclassid = 'pg_extension'::regclass
                              AND deptype = 'e')
    """,
    "columns": """
        SELECT a.attrelid, a.attname, quote_ident(a.attname), a.attnum, a.atttypid,
               format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid),
               a.attidentity::text, a.attgenerated::text
        FROM pg_class c
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE c.oid >= {first} AND c.oid <> ALL ({kept}) AND c.relkind IN ('r', 'p', 'f')
        ORDER BY a.attrelid, a.attnum
    """,
    "types": """
        SELECT t.oid, format_type(t.oid, NULL), t.typname,
               CASE WHEN e.oid IS NOT NULL THEN 'a' ELSE t.typtype::text END,
               (SELECT x.extname FROM pg_depend d JOIN pg_extension x ON x.oid = d.refobjid
                WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e'
                  AND d.refclassid = 'pg_extension'::regclass),
               coalesce(e.oid, nullif(t.typbasetype, 0), r.rngsubtype, m.rngtypid),
               CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod) END,
               t.typnotnull, t.typrelid
        FROM pg_type t
        LEFT JOIN pg_class c ON c.oid = t.typrelid
        LEFT JOIN pg_type e ON e.typarray = t.oid
        LEFT JOIN pg_range r ON r.rngtypid = t.oid
        LEFT JOIN pg_range m ON m.rngmultitypid = t.oid
        WHERE t.typnamespace <> 'pg_toast'::regnamespace
          AND (t.typnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
               OR (t.typtype <> 'c' AND (e.oid IS NULL OR e.typtype <> 'c')))
    """,
    "labels": """
        SELECT enumtypid, array_agg(enumlabel::text ORDER BY enumsortorder) FROM pg_enum GROUP BY enumtypid
    """,
    "fields": """
        SELECT a.attrelid, a.attname, format_type(a.atttypid, a.atttypmod), a.atttypid
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE c.relkind = 'c'
           OR c.reltype IN (SELECT CASE WHEN t.typtype = 'c' THEN t.oid ELSE t.typelem END
                            FROM (SELECT atttypid FROM pg_attribute WHERE attrelid >= {first}
                                  UNION SELECT typbasetype FROM pg_type WHERE typtype = 'd') used(oid)
                            JOIN pg_type t USING (oid)
                            WHERE t.typtype = 'c' OR t.typcategory = 'A')
        ORDER BY a.attrelid, a.attnum
    """,
    "domain_checks": """
        SELECT contypid, array_agg(pg_get_expr(conbin, 0) ORDER BY conname COLLATE "C")
        FROM pg_constraint WHERE contypid <> 0 AND contype = 'c' GROUP BY contypid
    """,
    "sequences": """
        SELECT d.refobjid, d.refobjsubid, quote_ident(n.nspname) || '.' || quote_ident(q.relname),
               s.seqincrement, s.seqmin, s.seqmax
        FROM pg_sequence s
        JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = s.seqrelid AND d.deptype IN ('a', 'i')
                        AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0
        JOIN pg_class q ON q.oid = d.objid JOIN pg_namespace n ON n.oid = q.relnamespace
        UNION
        SELECT f.adrelid, f.adnum, quote_ident(n.nspname) || '.' || quote_ident(q.relname),
               s.seqincrement, s.seqmin, s.seqmax
        FROM pg_sequence s
        JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = s.seqrelid
                        AND d.classid = 'pg_attrdef'::regclass
        JOIN pg_attrdef f ON f.oid = d.objid
        JOIN pg_class q ON q.oid = d.refobjid JOIN pg_namespace n ON n.oid = q.relnamespace
        ORDER BY 1, 2, 3
    """,
    "constraints": """
        SELECT k.conrelid, k.contype::text, k.conname, k.conkey, k.confrelid, k.confkey, k.confmatchtype::text,
               k.condeferrable, {enforced}, k.convalidated,
               CASE WHEN k.contype = 'c' THEN pg_get_expr(k.conbin, k.conrelid) END
        FROM pg_constraint k LEFT JOIN pg_constraint p ON p.oid = k.conparentid
        WHERE k.conrelid >= {first} AND k.conrelid <> ALL ({kept}) AND k.contype IN ('c', 'f')
          AND (p.oid IS NULL OR p.conrelid <> k.conrelid OR k.contype = 'c')
        ORDER BY k.conrelid, k.conname COLLATE "C"
    """,
    "indexes": """
        SELECT i.indrelid, x.relname, (i.indkey::int2[])[0:i.indnkeyatts - 1],
               CASE WHEN i.indexprs IS NOT NULL THEN
                 ARRAY(SELECT CASE i.indkey[n - 1] WHEN 0 THEN pg_get_indexdef(i.indexrelid, n, false) END
                       FROM generate_series(1, i.indnkeyatts) n)
               END,
               pg_get_expr(i.indpred, i.indrelid), NOT i.indnullsnotdistinct, i.indisprimary, i.indimmediate,
               i.indisvalid,
               CASE WHEN k.contype = 'x' OR {period} THEN
                 ARRAY(SELECT 'OPERATOR(' || quote_ident(n.nspname) || '.' || o.oprname || ')'
                       FROM unnest(k.conexclop) WITH ORDINALITY one(oid, place)
                       JOIN pg_operator o ON o.oid = one.oid JOIN pg_namespace n ON n.oid = o.oprnamespace
                       ORDER BY place)
               END
        FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
        LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.conrelid = i.indrelid
                                 AND k.contype IN ('p', 'u', 'x')
        WHERE i.indrelid >= {first} AND i.indrelid <> ALL ({kept})
          AND (i.indisunique OR i.indisexclusion) AND i.indisready
        ORDER BY i.indrelid, x.relname COLLATE "C"
    """,
    "parents": "SELECT inhrelid, inhparent FROM pg_inherits ORDER BY inhrelid, inhseqno",
    "triggers": """
        SELECT t.tgrelid, t.tgname, pg_get_triggerdef(t.oid),
               quote_ident(n.nspname) || '.' || quote_ident(p.proname)
        FROM pg_trigger t
        JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE t.tgrelid >= {first} AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A')
        ORDER BY t.tgrelid, t.tgname COLLATE "C"
    """,
    "rules": """
        SELECT r.ev_class, r.rulename FROM pg_rewrite r
        WHERE r.ev_class >= {first} AND r.ev_type = '3' AND r.ev_enabled IN ('O', 'A')
        ORDER BY r.ev_class, r.rulename COLLATE "C"
    """,
    "restore": "SELECT set_config('search_path', current_setting('backout.search_path'), false)",
}  # fmt: skip
