"""The experiment on one revision: seed, upgrade, write, downgrade, upgrade again, and compare.

::

    start ─clone─▶ P ─seed─▶ S0 ─upgrade─▶ S1 ─downgrade─▶ S3 ─upgrade─▶ ─write─▶ S2 ─downgrade─▶ ─upgrade─▶ S4
                             │             │               │                      │                          │
                             │             └ previous release's statements        └───────── lived in ───────┘
                             └ next release's statements   └ untouched: S0 against S3

A dry run on empty tables, made when the walk goes over the revision, tells which tables it concerns; only those
and their parents are filled and compared. When a step then touches more, the experiment is repeated with those.

Not here: the order of the revisions and their databases (``walk``), what one step is (``bench``), judgement
(``rules``).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import takewhile
from pathlib import Path

import psycopg

from backout import compatibility, rows, schema, seed
from backout.bench import Bench, Laboratory, Observed, Remedy, Structure, remedy_for, roles_created
from backout.errors import ConfigurationError
from backout.evidence import (
    Compatibility,
    Evidence,
    FailsOnData,
    Loss,
    Losses,
    Schema,
    SchemaChange,
    Seeded,
    Step,
    Unfilled,
    Unproven,
)
from backout.literals import Literal, literals_of_revision, literals_of_sql, unique
from backout.postgres import Database
from backout.preconditions import count_query, is_about_data
from backout.tables import Table, Type
from backout.verdict import verdict
from backout.worker import Revision, StepReport

ATTEMPTS = 8  # of one revision, each with more tables, more literals or tamer rows than the one before
NOT_RUN = Step("not-run")


@dataclass(frozen=True)
class DryRun:
    """The upgrade on the rows that the chain itself brings, as the walk goes over the revision.

    :param before: the schema that it met.
    :param after: the schema that it left; None when it failed.
    :param touched: tables, views … that it locked, or whose objects it changed.
    :param next_release: what the release that comes with the revision knows of them.
    :param remedies: what had to be done for it to run.
    """

    report: StepReport
    before: Structure
    after: Structure | None
    touched: frozenset[str]
    next_release: compatibility.Release | None
    remedies: tuple[Remedy, ...]

    @property
    def known(self) -> tuple[Structure, ...]:
        """What the experiment will meet, where the rows do not make another of it."""
        return (self.before,) if self.after is None else (self.before, self.after)

    @property
    def changes(self) -> tuple[SchemaChange, ...]:
        """Of the schema; none when it failed."""
        return schema.changes(self.before.schema, self.after.schema) if self.after is not None else ()


@dataclass(frozen=True)
class Subject:
    """The revision that an experiment is about.

    :param start: a database at its parents, to be cloned.
    :param clone: of it, for the first attempt.
    :param path: relative to the project.
    :param seeds: SQL that the project adds to the rows.
    :param missing: ancestors that could not be applied.
    """

    revision: Revision
    start: Database
    clone: Database
    dry: DryRun
    path: str
    fingerprint: str
    seeds: Path | None = None
    missing: tuple[str, ...] = ()


def dry_run(
    laboratory: Laboratory, revision: Revision, start: Database, before: Structure | None
) -> tuple[DryRun, Database]:
    """Upgrade a clone of ``start`` to the revision.

    :param before: the schema of ``start``, where it is known.
    :return: what came of it, and the clone; a failure leaves it as it was.
    """
    remedies: tuple[Remedy, ...] = ()
    database = laboratory.server.clone(start)
    while True:
        with Bench(laboratory, database, remedies, [before] if before is not None else ()) as bench:
            if before is None:
                before = bench.structure()
            observed = bench.step(revision, "upgrade")
            if observed.applied:
                after = bench.structure()
                changed = schema.changes(before.schema, after.schema)
                touched = observed.touched | _relations_of(changed, after.tables)
                known = compatibility.release(bench.connection, after.tables, touched, before.tables)
                return DryRun(observed.report, before, after, touched, known, remedies), database
            remedy = remedy_for(observed.report, laboratory.server)
        database = laboratory.server.replace(database, start)
        if remedy is None or remedy in remedies:
            return DryRun(observed.report, before, None, observed.touched, None, remedies), database
        remedies += (remedy,)
        laboratory.remedies.add(remedy)


def rehearse(laboratory: Laboratory, subject: Subject) -> Evidence:
    """Measure one revision."""
    dry = subject.dry
    source = subject.revision.path.read_text(encoding="utf-8")
    database = subject.clone
    conditions = _Conditions(dry.touched, unique([*literals_of_revision(source), *_literals(dry.report)]), dry.remedies)
    for _ in range(ATTEMPTS):
        trial = _Trial(laboratory, subject, conditions)
        trial.run(database)
        better = trial.better_conditions()
        if better is None:
            break
        conditions, database = better, laboratory.server.clone(subject.start)
    evidence = trial.evidence()
    risk, rollback = verdict(evidence)
    return replace(evidence, risk=risk, rollback=rollback)


@dataclass(frozen=True)
class _Conditions:
    """Under which an attempt is made; each attempt may find that it needs others.

    :param scope: relations to fill and to compare, as far as they are tables.
    :param tame: tables that get tame rows, for the hurting ones made the upgrade fail.
    :param preconditions: how they did.
    """

    scope: frozenset[str]
    literals: tuple[Literal, ...]
    remedies: tuple[Remedy, ...]
    tame: frozenset[str] = frozenset()
    preconditions: tuple[FailsOnData, ...] = ()


@dataclass(frozen=True)
class _Written:
    """What the tables hold after the upgrade, if it put values into them."""

    values: rows.Values
    tables: Mapping[str, Table]


@dataclass
class _Trial:
    """One attempt. Its fields are None until they are measured."""

    laboratory: Laboratory
    subject: Subject
    conditions: _Conditions
    upgrade: Observed | None = None
    downgrade: Observed | None = None
    reupgrade: Observed | None = None
    lived_in_downgrade: Observed | None = None
    lived_in_reupgrade: Observed | None = None
    changes: tuple[SchemaChange, ...] | None = None
    differences: tuple[SchemaChange, ...] | None = None
    reupgrade_differences: tuple[SchemaChange, ...] | None = None
    notes: tuple[str, ...] = ()
    loss: Losses = field(default_factory=Losses)
    compatibility: Compatibility = field(default_factory=Compatibility)
    wanted: frozenset[str] = frozenset()
    seeding: seed.Seeding | None = None
    unfilled: tuple[Unproven, ...] = ()
    tables: Mapping[str, Table] = field(default_factory=dict)
    volatile: frozenset[tuple[str, str]] | None = None
    _written: _Written | None = None

    def run(self, database: Database) -> None:
        """Make the experiment, as far as it goes, on a clone of the start, which is dropped."""
        try:
            with Bench(self.laboratory, database, self.conditions.remedies, self.subject.dry.known) as bench:
                self._untouched(bench)
        finally:
            self.laboratory.discard(database)

    def _untouched(self, bench: Bench) -> None:
        self._seed(bench)
        schema_0, values_0 = self._seeded_structure(bench).schema, self._values(bench)
        upgraded = (self.subject.dry.after or self.subject.dry.before).tables
        previous = compatibility.release(bench.connection, bench.tables, self.conditions.scope, upgraded)
        following = self.subject.dry.next_release
        next_on_old = compatibility.failures(bench.connection, bench.tables, following) if following else None
        self.compatibility = Compatibility(next_on_old=next_on_old)

        self.upgrade = bench.step(self.subject.revision, "upgrade")
        if not self.upgrade.applied:
            return
        structure_1, values_1 = bench.structure(), self._values(bench)
        schema_1 = structure_1.schema
        self.changes = schema.changes(schema_0, schema_1)
        if rows.has_written(values_0, values_1):
            self._written = _Written(values_1, structure_1.tables)
        self.loss = Losses(upgrade=self._losses(bench, values_0, values_1))
        previous_on_new = compatibility.failures(bench.connection, bench.tables, previous)
        where = None if next_on_old is None else compatibility.order(previous_on_new, next_on_old)
        self.compatibility = Compatibility(previous_on_new, next_on_old, where)

        self.downgrade = bench.step(self.subject.revision, "downgrade")
        if not self.downgrade.applied:
            return
        schema_3, values_3 = bench.structure().schema, self._values(bench)
        self.differences, self.notes = schema.differences(schema_0, schema_3, between=schema_1, forwards=False)
        self.notes += tuple(
            f"{count} NULLs of {table}.{column} come back filled"
            for table, column, count in rows.filled(values_0, values_3, connection=bench.connection)
        )
        self.loss = replace(self.loss, untouched=self._losses(bench, values_0, values_3))

        self.reupgrade = bench.step(self.subject.revision, "upgrade")
        if not self.reupgrade.applied:
            return
        self.reupgrade_differences, _ = schema.differences(schema_1, bench.structure().schema)
        self._lived_in(bench)

    def _lived_in(self, bench: Bench) -> None:
        added = {change.name for change in self.changes or () if change.before is None}
        present = bench.tables
        if self._written is not None and not rows.volatile_columns(self._written.values, self._values(bench)):
            self._written = None  # the same again: nothing of it is volatile
        # Renamed and new tables, too: whatever the next release writes into.
        written = {name for name in present if name in self.wanted or name in added}
        fill = {(name, column.name) for name in written for column in present[name].columns
                if f"{name}.{column.quoted}" in added}  # fmt: skip
        more = seed.more_rows(bench.connection, present, written, fill=fill, literals=self.conditions.literals)
        self.unfilled = tuple(
            Unproven(table, f"no rows could be written after the upgrade: {reason}")
            for table, reason in sorted(more.unseeded.items())
            if table in added
        )
        values_2 = self._values(bench, written)
        tables = bench.tables
        self.lived_in_downgrade = bench.step(self.subject.revision, "downgrade")
        if not self.lived_in_downgrade.applied:
            return
        self.lived_in_reupgrade = bench.step(self.subject.revision, "upgrade")
        if not self.lived_in_reupgrade.applied:
            return
        bench.tables_like(tables, values_2.tables)
        self.loss = replace(self.loss, lived_in=self._losses(bench, values_2, self._values(bench, written)))

    def _losses(self, bench: Bench, before: rows.Values, after: rows.Values) -> tuple[Loss, ...]:
        """What was lost, without what a clock or chance writes: only where something was lost is that found out."""
        connection = bench.connection
        if before == after or not rows.losses(before, after, connection=connection):
            return ()
        if self.volatile is None:
            self.volatile = self._second_upgrade(self._written) if self._written is not None else frozenset()
        found = rows.losses(before, after, volatile=self._not_compared(), connection=connection)
        return tuple(self._repeatable(loss) for loss in found)

    def _repeatable(self, loss: Loss) -> Loss:
        """Without an example that is another one each time."""
        if (loss.table, loss.column) not in (self.volatile or ()):
            return loss
        table = self.tables.get(loss.table)
        was_there = table is not None and any(column.quoted == loss.column for column in table.columns)
        return replace(loss, example=(loss.example[0] if was_there else "…", "…"))

    def _not_compared(self) -> frozenset[tuple[str, str]]:
        """Columns in which a clock writes over the values that were there, which nobody minds."""
        types = {(name, column.quoted): column.type for name, table in self.tables.items() for column in table.columns}
        return frozenset(one for one in self.volatile or () if one in types and _CLOCK.match(types[one]))

    def _second_upgrade(self, written: _Written) -> frozenset[tuple[str, str]]:
        """Columns that another upgrade of the same rows fills with other values."""
        again = _Trial(self.laboratory, self.subject, self.conditions)
        database = self.laboratory.server.clone(self.subject.start)
        try:
            with Bench(self.laboratory, database, self.conditions.remedies, self.subject.dry.known) as bench:
                again._seed(bench)
                if not bench.step(self.subject.revision, "upgrade").applied:
                    return frozenset()
                bench.tables_like(written.tables, written.values.tables)
                return rows.volatile_columns(written.values, again._values(bench))
        finally:
            self.laboratory.discard(database)

    def _seed(self, bench: Bench) -> None:
        self.tables = bench.tables
        self.wanted = frozenset(name for name in self.tables if name in self.conditions.scope)
        self.seeding = seed.seed(
            bench.connection,
            self.tables,
            self.wanted,
            literals=self.conditions.literals,
            tame=self.conditions.tame,
        )
        if self.subject.seeds is not None:
            try:
                bench.connection.execute(self.subject.seeds.read_bytes())
            except psycopg.Error as error:
                raise ConfigurationError(
                    f"{self.subject.seeds}: {error.sqlstate} {error.diag.message_primary}; "
                    f"it runs on the rows that backout has put into the tables of {self.subject.revision.id}: mend it"
                ) from error

    def _seeded_structure(self, bench: Bench) -> Structure:
        """The schema with the rows, which change it only through triggers, rules and the project's own SQL."""
        if self.subject.seeds is None and not any(one.triggers or one.rules for one in self.tables.values()):
            return bench.after_rows(self.subject.dry.before)
        return bench.structure()

    def _values(self, bench: Bench, more: Collection[str] = ()) -> rows.Values:
        present = bench.tables
        inserted = self.seeding.inserted if self.seeding else {}
        names = {*self.wanted, *inserted, *more}
        return rows.read_values(bench.connection, [table for name, table in present.items() if name in names])

    # -- what the next attempt needs ----------------------------------------------------------------

    def better_conditions(self) -> _Conditions | None:
        """Conditions under which more would be measured; None when these are the best."""
        conditions = self.conditions
        steps = [step for step in self._steps() if step is not None]
        failed = next((step for step in steps if not step.applied), None)
        if failed is not None:
            remedy = remedy_for(failed.report, self.laboratory.server)
            if remedy is not None and remedy not in conditions.remedies:
                return replace(conditions, remedies=(*conditions.remedies, remedy))
        if failed is not None and failed is self.upgrade and (tamer := self._tamer(failed.report)) is not None:
            return tamer
        touched = conditions.scope.union(*(step.touched for step in steps))
        literals = unique([*conditions.literals, *(found for step in steps for found in _literals(step.report))])
        more_tables = any(name in self.tables for name in touched - conditions.scope)
        if more_tables or len(literals) > len(conditions.literals):
            return replace(conditions, scope=touched, literals=literals)
        return None

    def _tamer(self, report: StepReport) -> _Conditions | None:
        failure = report.failure
        if failure is None or not is_about_data(failure.sqlstate) or self.subject.dry.after is None:
            return None
        named = _qualified(self.tables, failure.schema, failure.table)
        tame = (frozenset({named}) if named else self.wanted) | self.conditions.tame
        if tame == self.conditions.tame:
            return None
        met = FailsOnData(
            table=named or ", ".join(sorted(self.wanted)),
            error=f"{failure.sqlstate} {failure.message}",
            count_query=self._count_query(report, named),
        )
        return replace(self.conditions, tame=tame, preconditions=(*self.conditions.preconditions, met))

    def _count_query(self, report: StepReport, table: str | None) -> str | None:
        failure, changes = report.failure, self.subject.dry.changes
        assert failure is not None
        assert failure.sqlstate is not None
        narrowed = {}
        for change in changes:
            owner, _, column = change.name.rpartition(".")
            length = _TEXT_LENGTH.search(change.after or "")
            if change.kind == "column" and change.before and length and (table is None or owner == table):
                table = table or owner
                narrowed[column] = int(length[1])
        if table is None:
            return None
        constraint = next(
            (change.after for change in changes if change.kind in ("constraint", "index") and change.after
             and change.name.rpartition(".")[2].strip('"') == failure.constraint), None,
        )  # fmt: skip
        columns = self.tables[table].columns
        quoted = next((column.quoted for column in columns if column.name == failure.column), failure.column)
        return count_query(failure.sqlstate, table, column=quoted, definition=constraint, narrowed=narrowed)

    # -- what was measured --------------------------------------------------------------------------

    def evidence(self) -> Evidence:
        """The measurements, without risk and verdict."""
        revision = self.subject.revision
        upgrade = self.upgrade
        texts = _stable_texts(upgrade, self.reupgrade)
        return Evidence(
            revision=revision.id,
            parents=revision.parents,
            path=self.subject.path,
            summary=revision.summary,
            fingerprint=self.subject.fingerprint,
            postgres=self.laboratory.server.major,
            upgrade=_step(upgrade, texts, fails_on_data=self.conditions.preconditions),
            downgrade=_step(self.downgrade, _stable_texts(self.downgrade, self.lived_in_downgrade)),
            reupgrade=_outcome(self.reupgrade),
            lived_in_downgrade=_outcome(self.lived_in_downgrade),
            lived_in_reupgrade=_outcome(self.lived_in_reupgrade),
            schema=Schema(
                changes=self.changes,
                restored=None if self.differences is None else not self.differences,
                differences=self.differences,
                reupgrade_differences=self.reupgrade_differences,
                notes=None if self.differences is None else (*self.notes, *self._volatile_notes()),
            ),
            loss=self.loss,
            compatibility=self.compatibility,
            seeded=self._seeded(),
            unproven=self._unproven(),
            assumptions=self._assumptions(),
        )

    def _volatile_notes(self) -> Iterator[str]:
        for table, column in sorted(self._not_compared()):
            yield f"{table}.{column} gets other values each time, and is not compared"

    def _steps(self) -> tuple[Observed | None, ...]:
        return (self.upgrade, self.downgrade, self.reupgrade, self.lived_in_downgrade, self.lived_in_reupgrade)

    def _seeded(self) -> Seeded | None:
        if self.seeding is None:
            return None
        filled = self.wanted - self.seeding.unseeded.keys()
        columns = {
            (name, column.quoted)
            for name in self.wanted
            for column in self.tables[name].columns
            if not column.generated
        }
        unfilled = tuple(
            Unfilled(table, column, reason)
            for (table, column), reason in sorted(self.seeding.columns_unseeded.items())
            if table in filled
        )
        without = {(one.table, one.column) for one in unfilled}
        present = sum(table in filled and (table, column) not in without for table, column in columns)
        return Seeded(len(filled), len(self.wanted), present, len(columns), unfilled)

    def _unproven(self) -> tuple[Unproven, ...]:
        found = [
            Unproven(table, f"no rows could be put into it: {reason}")
            for table, reason in sorted((self.seeding.unseeded if self.seeding else {}).items())
            if table in self.wanted
        ]
        changed, seeded = {change.name for change in self.changes or ()}, self._seeded()
        found += [
            Unproven(one.table, f"{one.column}, which it changes, got no values: {one.reason}")
            for one in (seeded.unfilled if seeded is not None else ())
            if f"{one.table}.{one.column}" in changed
        ]
        found += self.unfilled
        found += [Unproven(None, remedy.assumption) for remedy in self.conditions.remedies if remedy.proves_less]
        found += [
            Unproven(None, f"{name}, which it builds upon, could not be applied") for name in self.subject.missing
        ]
        if self.upgrade is not None and not self.upgrade.applied:
            found.append(Unproven(None, f"the upgrade failed: {_error(self.upgrade.report)}"))
        unseen = sorted({what for step in self._steps() if step is not None for what in step.report.unseen})
        found += [Unproven(None, f"statements were not seen: {what}") for what in unseen]
        return tuple(found)

    def _assumptions(self) -> tuple[str, ...]:
        statements = (statement.sql for step in self._steps() if step is not None for statement in step.statements)
        told = list(roles_created(self.laboratory.server, statements))
        told += [
            remedy.assumption
            for remedy in self.conditions.remedies
            if not remedy.proves_less and remedy.assumption not in told
        ]
        if self.subject.seeds is not None:
            told.append(f"{self.subject.seeds.name} was run on the rows, which the application is to keep so")
        told += [f"{table} was filled with tame rows only" for table in sorted(self.conditions.tame)]
        told += self.seeding.assumptions if self.seeding else ()
        return tuple(told)


def _step(
    observed: Observed | None, texts: Mapping[int, str], fails_on_data: tuple[FailsOnData, ...] | None = None
) -> Step:
    if observed is None:
        return NOT_RUN
    return replace(
        _outcome(observed),
        transactional=observed.report.transactional,
        statements=tuple(
            replace(statement, sql=texts.get(place, statement.sql))
            for place, statement in enumerate(observed.statements)
        ),
        fails_on_data=fails_on_data,
    )


def _outcome(observed: Observed | None) -> Step:
    if observed is None:
        return NOT_RUN
    if observed.applied:
        return Step("applied" if observed.statements else "no-op")
    return Step("failed", error=_error(observed.report))


def _error(report: StepReport) -> str:
    failure = report.failure
    if failure is None:
        return report.outcome
    return f"{failure.sqlstate or failure.kind} {failure.message}"


def _stable_texts(first: Observed | None, second: Observed | None) -> dict[int, str]:
    """The statements whose text is another one each time they run, by place; the part that differs is left out."""
    if first is None or second is None or len(first.statements) != len(second.statements):
        return {}
    pairs = enumerate(zip(first.statements, second.statements, strict=True))
    return {place: _common(one.sql, other.sql) for place, (one, other) in pairs if one.sql != other.sql}


def _common(one: str, other: str) -> str:
    start = _alike(one, other)
    end = _alike(one[start:][::-1], other[start:][::-1])
    return f"{one[:start]}…{one[len(one) - end :]}"


def _alike(one: str, other: str) -> int:
    """How many characters they have in common at the beginning."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _literals(report: StepReport) -> Iterable[Literal]:
    """What the statements look for, in their text and among their bound values.

    Not what SQLAlchemy asks the catalogue, which differs from release to release.
    """
    for ran in report.statements:
        if ran.own and not _ASKS_THE_CATALOGUE.match(ran.sql):
            yield from literals_of_sql(ran.sql)
            yield from ran.literals


def _relations_of(changes: Iterable[SchemaChange], tables: Mapping[str, Table]) -> frozenset[str]:
    """What changed, what it is a part of (``public.users`` of ``public.users.email``), and the tables of its type."""
    names = {name for change in changes for name in (change.name, change.name.rpartition(".")[0])}
    users = {name for name, table in tables.items() if any(_made_of(column.of, names) for column in table.columns)}
    return frozenset(names | users)


def _made_of(type_: Type, names: Collection[str]) -> bool:
    return type_.name in names or (type_.of is not None and _made_of(type_.of, names))


def _qualified(tables: Mapping[str, Table], schema_name: str | None, table: str | None) -> str | None:
    return next(
        (name for name, one in tables.items() if one.name == table and one.schema == (schema_name or one.schema)), None
    )


_ASKS_THE_CATALOGUE = re.compile(r"\s*select\b.*?\b(from|join)\s+(pg_|information_schema\.)", re.IGNORECASE | re.DOTALL)
_CLOCK = re.compile(r"date\b|time")
_TEXT_LENGTH = re.compile(r"character(?: varying)?\((\d+)\)")
