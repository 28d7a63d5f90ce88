"""What a rehearsal measured: facts only, and their JSON form.

::

    Evidence                          one revision
    ├── Step (five)                   upgrade, downgrade, reupgrade, lived_in_downgrade, lived_in_reupgrade
    │   └── Statement                 what it locked, rewrote, scanned
    ├── SchemaChange                  changes of the upgrade; what the round trip did not restore
    ├── Losses                        values lost: by the upgrade, untouched, lived in
    ├── Compatibility                 the statements of the previous and of the next release
    └── Unproven                      what could not be measured, and why

Every name is written as ``quote_ident`` does, tables always with their schema: ``public.users``. What was not
reached is None, never an empty tuple. Nothing here depends on the clock, on OIDs or on chance, so that a file
is the same from run to run. ``docs/reference/evidence.md`` explains the file to its readers.

Not here: judgement (``rules``), words (the catalogue), rendering (``formats``). Anybody may import it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

import msgspec

from backout.errors import ConfigurationError

FORMAT: Literal["backout/evidence"] = "backout/evidence"
VERSION: Literal[1] = 1

Outcome = Literal["applied", "failed", "no-op", "not-run"]
Order = Literal["before", "after", "either", "split"]
Risk = Literal["low", "medium", "high", "unproven"]
Rollback = Literal["yes", "yes if unused", "risky", "no", "unproven"]


@dataclass(frozen=True)
class Lock:
    """A lock on a relation that existed before the step.

    :param mode: as ``pg_locks`` names it, ``AccessExclusiveLock``.
    :param blocks: what others cannot do meanwhile: ``reads``, ``writes``; empty for one that only stops DDL.
    :param acquired: by this very statement; else it was held since an earlier one.
    """

    relation: str
    mode: str
    blocks: tuple[Literal["reads", "writes"], ...]
    acquired: bool


@dataclass(frozen=True)
class Statement:
    """One statement of a step, in the order in which the server got them.

    None in a field: it could not be observed.

    :param sql: the text, without bound values.
    :param rewrites: tables of which every row was written anew.
    :param indexes: indexes that were built anew on a table that existed before.
    :param scans: tables that DDL read from end to end.
    :param rows_changed: of DML.
    """

    sql: str
    locks: tuple[Lock, ...] | None = None
    rewrites: tuple[str, ...] | None = None
    indexes: tuple[str, ...] | None = None
    scans: tuple[str, ...] | None = None
    rows_changed: int | None = None


@dataclass(frozen=True)
class FailsOnData:
    """A precondition: rows on which the step fails.

    :param error: SQLSTATE and primary message.
    :param count_query: counts the rows that violate it, or None where no query can.
    """

    table: str
    error: str
    count_query: str | None


@dataclass(frozen=True)
class Step:
    """One upgrade or downgrade.

    :param error: what made it fail: SQLSTATE and message, ``timed out``, or the name and text of an exception.
    :param transactional: whether all of it ran in one transaction, which a failure undoes.
    """

    outcome: Outcome
    error: str | None = None
    transactional: bool | None = None
    fails_on_data: tuple[FailsOnData, ...] | None = None
    statements: tuple[Statement, ...] | None = None


@dataclass(frozen=True)
class SchemaChange:
    """An object that was created (``before`` is None), dropped (``after`` is None) or altered.

    :param kind: ``table``, ``column``, ``constraint``, ``index`` …, as ``schema`` names them.
    :param before: canonical definition.
    """

    kind: str
    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Schema:
    """What the upgrade changes, and what of it upgrade and downgrade together leave behind.

    :param restored: no differences.
    :param differences: ``before`` is the definition before the upgrade, ``after`` that after the downgrade.
    :param reupgrade_differences: the schema after the first upgrade and after the second.
    :param notes: what differs and harms nobody, in words.
    """

    changes: tuple[SchemaChange, ...] | None = None
    restored: bool | None = None
    differences: tuple[SchemaChange, ...] | None = None
    reupgrade_differences: tuple[SchemaChange, ...] | None = None
    notes: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Loss:
    """Values that were there and are not afterwards.

    :param column: None: whole rows are gone (then ``lost`` and ``of`` count rows).
    :param lost: number of non-NULL values that are absent from their row and column.
    :param of: number of non-NULL values before.
    :param example: a value before, and what stands in its place (None: NULL, or no row).
    :param distinct: number of different non-NULL values before and afterwards.
    """

    table: str
    column: str | None
    lost: int
    of: int
    example: tuple[str | None, str | None]
    distinct: tuple[int, int]


@dataclass(frozen=True)
class Losses:
    """What is lost by the upgrade alone (``S0``, ``S1``), untouched (``S0``, ``S3``), lived in (``S2``, ``S4``)."""

    upgrade: tuple[Loss, ...] | None = None
    untouched: tuple[Loss, ...] | None = None
    lived_in: tuple[Loss, ...] | None = None


@dataclass(frozen=True)
class Incompatibility:
    """A statement of one release that fails on the schema of the other.

    :param statement: ``SELECT public.users``, ``INSERT public.users`` …
    :param error: SQLSTATE and primary message.
    """

    statement: str
    error: str


@dataclass(frozen=True)
class Compatibility:
    """Whether the migration goes before or after the deploy."""

    previous_on_new: tuple[Incompatibility, ...] | None = None
    next_on_old: tuple[Incompatibility, ...] | None = None
    order: Order | None = None


@dataclass(frozen=True)
class Unfilled:
    """A column that is NULL in every row, for no other value could be put into it."""

    table: str
    column: str
    reason: str


@dataclass(frozen=True)
class Seeded:
    """Of the tables that the revision concerns, and of their columns, how many have rows meant to hurt.

    :param unfilled: the columns that have no value; a table without rows is among ``Evidence.unproven``.
    """

    tables: int
    of: int
    columns: int
    of_columns: int
    unfilled: tuple[Unfilled, ...] = ()


@dataclass(frozen=True)
class Unproven:
    """Something that could not be measured. ``table`` is None when it concerns the whole revision."""

    table: str | None
    reason: str


@dataclass(frozen=True)
class Evidence:
    """What was measured of one revision. ``risk`` and ``rollback`` are what ``rules.verdict`` says of the rest.

    :param path: of the revision file, relative to the directory of ``alembic.ini``.
    :param fingerprint: of what was measured: files of the revision and its ancestors, env.py, seed file.
    :param also: major version of PostgreSQL → the fields that differ there.
    """

    revision: str
    parents: tuple[str, ...]
    path: str
    summary: str
    fingerprint: str
    postgres: int
    upgrade: Step
    downgrade: Step
    reupgrade: Step
    lived_in_downgrade: Step
    lived_in_reupgrade: Step
    schema: Schema
    loss: Losses
    compatibility: Compatibility
    seeded: Seeded | None
    unproven: tuple[Unproven, ...]
    assumptions: tuple[str, ...]
    risk: Risk = "unproven"
    rollback: Rollback = "unproven"
    also: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    format: Literal["backout/evidence"] = FORMAT
    version: Literal[1] = VERSION


Key = tuple[str, str]  # kind and name of an object

# What every new database holds.
PRISTINE: Mapping[Key, str] = {
    ("schema", "public"): "SCHEMA",
    ("comment", "schema public"): "standard public schema",
    ("extension", "plpgsql"): "SCHEMA pg_catalog VERSION '1.0'",
    ("comment", "extension plpgsql"): "PL/pgSQL procedural language",
}


def fold(steps: Iterable[Iterable[SchemaChange]], start: Mapping[Key, str] = PRISTINE) -> dict[Key, str]:
    """The objects after all these changes: canonical definitions, by kind and name.

    :param steps: the changes of each step, in the order in which the steps ran.
    """
    objects = dict(start)
    for step in steps:
        for change in step:
            if change.after is None:
                objects.pop((change.kind, change.name), None)
            else:
                objects[change.kind, change.name] = change.after
    return objects


_FIRST = ("format", "version", "postgres", "revision", "parents", "path", "summary", "fingerprint", "risk", "rollback")
_IDENTITY = frozenset(
    {"format", "version", "postgres", "revision", "parents", "path", "summary", "fingerprint", "also"}
)


def to_builtins(evidence: Evidence) -> dict[str, Any]:
    """The evidence as JSON values, in the order of the file."""
    values = msgspec.to_builtins(evidence)
    names = [*_FIRST, *(one.name for one in fields(Evidence) if one.name not in _FIRST)]
    return {name: values[name] for name in names}


def to_json(evidence: Evidence) -> str:
    """The text of an evidence file."""
    return json.dumps(to_builtins(evidence), indent=2, ensure_ascii=False) + "\n"


def from_json(text: str | bytes, where: str) -> Evidence:
    """Read an evidence file.

    :param where: what errors call it, its path.
    :raises ConfigurationError: it is no evidence, or of another version.
    """
    try:
        return msgspec.json.decode(text, type=Evidence)
    except msgspec.MsgspecError as error:
        raise ConfigurationError(
            f"{where} is no evidence of version {VERSION}: {error}; measure again: backout rehearse"
        ) from error


def on_major(evidence: Evidence, major: int) -> Evidence:
    """The evidence as it was measured on a major version of PostgreSQL; the canonical one where it has no other."""
    differing = evidence.also.get(str(major))
    if differing is None:
        return evidence
    values = {**to_builtins(evidence), **differing, "postgres": major, "also": {}}
    return msgspec.convert(values, Evidence)


def with_major(canonical: Evidence, other: Evidence) -> Evidence:
    """The canonical evidence, with what ``other``, measured on another major version, says differently."""
    here, there = to_builtins(canonical), to_builtins(other)
    differing = {name: there[name] for name in there if name not in _IDENTITY and there[name] != here[name]}
    also = {major: values for major, values in canonical.also.items() if major != str(other.postgres)}
    if differing:
        also[str(other.postgres)] = differing
    return replace(canonical, also=dict(sorted(also.items())))


def json_schema() -> dict[str, Any]:
    """The JSON Schema of an evidence file (draft 2020-12)."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **msgspec.json.schema(Evidence)}
