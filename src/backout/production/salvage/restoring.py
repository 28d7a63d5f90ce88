"""Puts back with an upgrade what a downgrade's salvage has kept; tells and drops what is kept.

Only ``production.salvage`` imports it.
"""

# ruff: noqa: S608 - statements are made of names of our own and of the register, which are quoted

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.rows import namedtuple_row, tuple_row

from backout.errors import ConfigurationError, Refused
from backout.evidence import Evidence
from backout.production.deployment import Deployment
from backout.production.salvage.taking import FUNCTIONS, SCHEMA, array, literal, lock_statements
from backout.tables import read_tables
from backout.worker import Revision

PUT_BACK = "put back"


@dataclass(frozen=True)
class Restoration:
    """How an upgrade puts back what was kept; empty where nothing may match.

    :param subjects: tables of which something may come back.
    :param first: SQL statements to run before the upgrade, in its transaction.
    :param last: to run behind it.
    :param behind: to run in one transaction once the upgrade is done: where that is not one transaction, or where its
        transaction cannot use yet what it adds, a label of an enum.
    """

    revision: str
    subjects: tuple[str, ...] = ()
    first: tuple[str, ...] = ()
    last: tuple[str, ...] = ()
    behind: tuple[str, ...] = ()


@dataclass(frozen=True)
class Left:
    """Rows that were not put back.

    :param why: ``the row is gone``, ``changed since`` …; None: no upgrade has come yet that they belong to.
    """

    why: str | None
    rows: int


@dataclass(frozen=True)
class Salvage:
    """What one rollback has kept of one table.

    :param by: the role.
    :param columns: quoted; empty: whole rows.
    :param put_back: rows.
    :param put_back_by: the revision whose upgrade has tried.
    :param data: the table in which it is.
    :param size: of that, bytes.
    """

    number: int
    revision: str
    taken: datetime
    by: str
    table: str
    columns: tuple[str, ...]
    rows: int
    put_back: int
    left: tuple[Left, ...]
    put_back_by: str | None
    data: str
    size: int

    @property
    def is_done(self) -> bool:
        """Every row is back."""
        return not self.left


def restoration(deployment: Deployment, revision: Revision, connection: psycopg.Connection[Any]) -> Restoration:
    """How the upgrade of a revision puts back what was kept; to be asked right before it. Reads only.

    :param revision: the one that was rolled back, or one that brings the same tables or columns.
    """
    if not _has_register(connection):
        return Restoration(revision.id)
    evidence = deployment.evidence.get(revision.id)
    known = [one.id for one in deployment.chain.revisions]
    waiting = [one for one in _waiting(connection) if _may_concern(one, revision, evidence, known)]
    if not waiting:
        return Restoration(revision.id)
    subjects = tuple(dict.fromkeys(one.relation for one in waiting))
    whole = evidence is not None and evidence.upgrade.transactional is True
    within = [one for one in waiting if whole and not _has_new_label(one.types, evidence)]
    later = [one for one in waiting if one not in within]
    first: tuple[str, ...] = ()
    last: tuple[str, ...] = ()
    behind: tuple[str, ...] = ()
    if within and evidence is not None:
        tables = read_tables(connection, deployment.version_tables)
        there = [tables[one.relation] for one in within if one.relation in tables]
        locks = lock_statements(evidence.upgrade.statements, there)
        first = (*FUNCTIONS, *locks, f"SELECT {SCHEMA}.note({_numbers(within)})")
        last = (_put_back(within, revision, known),)
    if later:
        present = {str(one.id): _present(connection, one.relation) for one in later}
        behind = (*FUNCTIONS, _put_back(later, revision, known, present))
    return Restoration(revision.id, subjects, first, last, behind)


def contents(connection: psycopg.Connection[Any]) -> tuple[Salvage, ...]:
    """All that is kept, in the order in which it was taken."""
    return tuple(_contents(connection)) if _has_register(connection) else ()


def drop(
    connection: psycopg.Connection[Any], revision: str | None = None, *, lose_what_is_left: bool = False
) -> tuple[Salvage, ...]:
    """Throw kept values away, in one transaction.

    :param revision: what its rollbacks have kept; None: everything, and the schema.
    :param lose_what_is_left: also what was not put back.
    :return: what was dropped.
    :raises ConfigurationError: nothing was kept of that revision.
    :raises Refused: something is left that was not put back.
    """
    with connection.transaction():
        chosen = [one for one in contents(connection) if revision in (None, one.revision)]
        if revision is not None and not chosen:
            raise ConfigurationError(f"nothing is kept of {revision}; backout salvage list shows what is")
        left = [one for one in chosen if not one.is_done]
        if left and not lose_what_is_left:
            number = sum(each.rows for one in left for each in one.left)
            raise Refused(
                f"{number} rows of {', '.join(dict.fromkeys(one.table for one in left))} were not put back, and are "
                "nowhere else; look at them first: backout salvage list; to lose them: --lose-what-is-left"
            )
        for one in chosen:
            connection.execute(sql.SQL("DROP TABLE {}").format(sql.SQL(one.data)))
            connection.execute(f"DELETE FROM {SCHEMA}.register WHERE id = %s", [one.number])
        if revision is None:
            connection.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
    return tuple(chosen)


def _has_register(connection: psycopg.Connection[Any]) -> bool:
    with connection.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(f"SELECT to_regclass('{SCHEMA}.register')").fetchone() != (None,)


def _waiting(connection: psycopg.Connection[Any]) -> list[Any]:
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(_WAITING).fetchall()


_WAITING: LiteralString = """
    SELECT id, revision, parents, relation, columns, types
    FROM backout_salvage.register WHERE put_back_at IS NULL ORDER BY id
"""


def _may_concern(one: Any, revision: Revision, evidence: Evidence | None, known: Collection[str]) -> bool:
    """Whether the upgrade may bring back what a salvage belongs to; others are not to wait for it.

    Where the revision that was rolled back is no more, that may be another one: which makes or alters the same table or
    column, or stands in its place and writes into the table.
    """
    if one.revision in known:
        return bool(one.revision == revision.id)
    if evidence is None or evidence.schema.changes is None:
        return True
    names = {one.relation, *(f"{one.relation}.{column}" for column in one.columns)}
    if any(change.name in names for change in evidence.schema.changes):
        return True
    return set(one.parents) == set(revision.parents) and any(
        lock.relation == one.relation and lock.mode != "AccessShareLock"
        for statement in evidence.upgrade.statements or ()
        for lock in statement.locks or ()
    )


def _has_new_label(types: Collection[str], evidence: Evidence | None) -> bool:
    """Whether the upgrade adds a label to one of these enums, which its own transaction cannot use yet."""
    enums = {
        change.name
        for change in (evidence.schema.changes or () if evidence is not None else ())
        if change.kind == "type" and change.before is not None and (change.after or "").startswith("ENUM (")
    }
    return any(type_.removesuffix("[]") in enums for type_ in types)


def _put_back(
    waiting: Sequence[Any], revision: Revision, known: Sequence[str], present: Mapping[str, Any] | None = None
) -> str:
    values = [_numbers(waiting), literal(revision.id), array(revision.parents), array(known)]
    values.append("pg_catalog.current_setting('search_path')")
    if present is not None:
        values.append(f"{literal(json.dumps(present))}::pg_catalog.jsonb")
    return f"SELECT {SCHEMA}.put_back({', '.join(values)})"


def _numbers(waiting: Sequence[Any]) -> str:
    return f"ARRAY[{', '.join(str(one.id) for one in waiting)}]::pg_catalog.int8[]"


def _present(connection: psycopg.Connection[Any], relation: str) -> Mapping[str, Any]:
    with connection.cursor(row_factory=tuple_row) as cursor:
        (found,) = cursor.execute(_PRESENT, {"relation": relation}).fetchone() or ({},)
        return dict(found)


# What the function ``present`` says, which may not be there yet in this form.
_PRESENT: LiteralString = """
    SELECT jsonb_build_object(
        'relation', to_regclass(%(relation)s)::oid::bigint,
        'tables', (SELECT jsonb_object_agg(oid, relnatts) FROM pg_class WHERE relkind IN ('r', 'p') AND oid >= 16384),
        'columns', (SELECT jsonb_object_agg(quote_ident(attname), format_type(atttypid, atttypmod)) FROM pg_attribute
                    WHERE attrelid = to_regclass(%(relation)s) AND attnum > 0 AND NOT attisdropped))
"""


def _contents(connection: psycopg.Connection[Any]) -> Iterator[Salvage]:
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        register: Sequence[Any] = cursor.execute(_REGISTER).fetchall()
        for one in register:
            rows: Sequence[Any] = cursor.execute(
                f"SELECT outcome, count(*) AS number FROM {one.data} GROUP BY outcome ORDER BY count(*) DESC, outcome"
            ).fetchall()
            yield Salvage(
                number=one.id,
                revision=one.revision,
                taken=one.taken_at,
                by=one.taken_by,
                table=one.relation,
                columns=() if one.whole else tuple(one.columns),
                rows=sum(each.number for each in rows),
                put_back=sum(each.number for each in rows if each.outcome == PUT_BACK),
                left=tuple(Left(each.outcome, each.number) for each in rows if each.outcome != PUT_BACK),
                put_back_by=one.put_back_by,
                data=one.data,
                size=one.size,
            )


_REGISTER: LiteralString = """
    SELECT id, revision, taken_at, taken_by, relation, columns, whole, put_back_by,
           quote_ident(nspname) || '.' || quote_ident(relname) AS data, pg_total_relation_size(data) AS size
    FROM backout_salvage.register JOIN pg_class ON pg_class.oid = data
    JOIN pg_namespace ON pg_namespace.oid = relnamespace ORDER BY id
"""
