"""Hazards of blocking: work on whole tables while others wait, and locks that reach further than one would think.

Any lock stops others for an instant, which is no hazard: what counts is work that takes as long as the table is large
while the lock is held. Every such work of the upgrade is told by exactly one rule, by what its statement says; what no
rule recognises is told by a general one. The downgrade's is ``downgrade-blocks-more``'s.

Not here: durations, which a toy table does not have. Only ``rules`` imports it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace

from backout.evidence import Evidence, Lock, Statement
from backout.rules.facts import (
    Findings,
    Rule,
    Work,
    changes_of,
    code_of,
    executes,
    is_invalid_index,
    listed,
    locks_of,
    mentions,
    once,
    one_line,
    parent_of,
    referenced,
    rule,
    says,
    shape,
    short,
    work_of,
)

Values = dict[str, str]

_ADD_COLUMN = r"ADD (?:COLUMN )?(?:IF NOT EXISTS )?(?!CONSTRAINT\b|CHECK\b|UNIQUE\b|PRIMARY\b|FOREIGN\b|EXCLUDE\b)"

# By what the statement says, the first that fits. The last of each fits everything.
_REWRITES = (
    ("materialized-view-refreshed", r"REFRESH MATERIALIZED VIEW\b"),
    ("clustered-table", r"(?:CLUSTER|VACUUM)\b"),
    ("storage-change-rewrites", r"SET (?:LOGGED|UNLOGGED|TABLESPACE|ACCESS METHOD)\b"),
    ("type-change-rewrites", r"ALTER (?:COLUMN )?\S+ (?:SET DATA )?TYPE\b"),
    ("serial-column-rewrites", _ADD_COLUMN + r".*(?:\bAS IDENTITY\b|\b(?:SMALL|BIG)?SERIAL\b)"),
    ("stored-generated-column-rewrites", _ADD_COLUMN + r".*\bGENERATED ALWAYS AS \("),
    ("volatile-default-rewrites", _ADD_COLUMN + r".*\bDEFAULT\b"),
    ("constrained-domain-rewrites", _ADD_COLUMN),
    ("table-rewritten", ""),
)
_SCANS = (
    ("reindexed-table", r"REINDEX\b"),
    ("type-change-reads-table", r"ALTER (?:COLUMN )?\S+ (?:SET DATA )?TYPE\b"),
    ("plain-unique-index", r"CREATE UNIQUE INDEX\b"),
    ("plain-index", r"CREATE INDEX\b"),
    ("attached-partition-scans", r"ATTACH PARTITION\b"),
    ("domain-constraint-scans", r"(?:ALTER|CREATE) DOMAIN\b"),
    ("validated-under-lock", r"VALIDATE CONSTRAINT\b"),
    ("primary-key-on-nullable-column-scans", r"ADD (?:CONSTRAINT \S+ )?PRIMARY KEY USING INDEX\b"),
    ("primary-key-builds-index", r"ADD .*PRIMARY KEY\b"),
    ("exclusion-constraint-builds-index", r"ADD .*EXCLUDE\b"),
    ("unique-constraint-builds-index", r"ADD .*UNIQUE\b"),
    ("not-null-scans", r"SET NOT NULL\b"),
    ("check-constraint-scans", r"ADD .*CHECK \("),
    ("foreign-key-scans", r"ADD .*REFERENCES\b"),
    ("required-column-without-default", _ADD_COLUMN + r".*\bNOT NULL\b"),
    ("table-scanned-under-lock", ""),
)
# These take no lock that blocks reads: where reads are blocked, an earlier statement of the transaction did it.
_MILD = {"plain-unique-index", "plain-index", "foreign-key-scans", "domain-constraint-scans"}

_APART = {"foreign-key-scans", "required-column-without-default"}


@once
def _told(evidence: Evidence) -> Mapping[str, list[Values]]:
    """All work of the upgrade on whole tables, under the hazard that tells it."""
    found: dict[str, list[Values]] = defaultdict(list)
    for work in work_of(evidence.upgrade):
        hazard, values = _hazard(work), _values(work)
        if hazard == "foreign-key-scans":
            child, parent = _ends(evidence, work.statement)
            values = {**_values(replace(work, table=child or work.table)), "parent": parent or work.table}
        if values not in found[hazard]:
            found[hazard].append(values)
    return found


def _hazard(work: Work) -> str:
    reads = "reads" in work.blocked
    if work.kind == "rebuild" and says(work.statement, r"ALTER (?:COLUMN )?\S+ (?:SET DATA )?TYPE\b"):
        return "type-change-rebuilds-indexes"
    hazard = next(
        name
        for name, pattern in (_REWRITES if work.kind == "rewrite" else _SCANS)
        if not pattern or says(work.statement, pattern)
    )
    if reads and work.inherited and hazard in _MILD:
        return "slow-work-under-lock"
    if not reads and hazard in ("table-scanned-under-lock", "validated-under-lock"):
        return "writes-blocked-during-scan"
    return hazard


def _values(work: Work) -> Values:
    return {
        "subject": work.table,
        "table": work.table,
        "statement": one_line(work.statement.sql),
        **_patches(work),
    }


def _patches(work: Work) -> Values:
    """The same statement, as it does not block."""
    sql = work.statement.sql.strip().rstrip(";")
    concurrently = re.sub(r"(?i)\b(INDEX)\b(?!\s+CONCURRENTLY)", r"\1 CONCURRENTLY", sql, count=1)
    name = _constraint(work.statement)
    validate = f"ALTER TABLE {work.table} VALIDATE CONSTRAINT {name}"
    index = re.search(r'(?is)ADD\s+CONSTRAINT\s+("(?:[^"]|"")+"|\S+)\s+(UNIQUE|PRIMARY\s+KEY)\s*(\(.*\))', sql)
    build = use = ""
    if index:
        build = f"CREATE UNIQUE INDEX CONCURRENTLY {index[1]} ON {work.table} {index[3]}"
        use = f"ALTER TABLE {work.table} ADD CONSTRAINT {index[1]} {index[2].upper()} USING INDEX {index[1]}"
    column = re.search(r'(?is)ALTER\s+(?:COLUMN\s+)?("(?:[^"]|"")+"|\S+)\s+SET\s+NOT\s+NULL', sql)
    column_name = column[1] if column else "?"
    check = f"{_bare(short(work.table))}_{_bare(column_name)}_present"
    return {
        "concurrently": executes(concurrently),
        "not_valid": executes(f"{sql} NOT VALID"),
        "validate": executes(validate),
        "build_index": executes(build),
        "use_index": executes(use),
        "add_check": executes(
            f"ALTER TABLE {work.table} ADD CONSTRAINT {check} CHECK ({column_name} IS NOT NULL) NOT VALID"
        ),
        "validate_check": executes(f"ALTER TABLE {work.table} VALIDATE CONSTRAINT {check}"),
        "set_not_null": executes(
            f"ALTER TABLE {work.table} ALTER COLUMN {column_name} SET NOT NULL",
            f"ALTER TABLE {work.table} DROP CONSTRAINT {check}",
        ),
    }


def _constraint(statement: Statement) -> str:
    match = re.search(r'(?is)ADD\s+CONSTRAINT\s+("(?:[^"]|"")+"|\S+)', statement.sql)
    return match[1] if match else "…"


def _bare(name: str) -> str:
    return re.sub(r"\W+", "_", name.strip('"').lower())


def _ends(evidence: Evidence, statement: Statement) -> tuple[str | None, str | None]:
    """The two tables of a foreign key that the statement added: the one that refers, and the one referred to."""
    for change in changes_of(evidence).of("constraint"):
        parent = referenced(change.after)
        child = parent_of(change.name)
        if (
            parent is not None
            and change.before != change.after
            and mentions(statement, child)
            and mentions(statement, parent)
        ):
            return child, parent
    return None, None


def _by(hazard: str, gives: str = "") -> Rule:
    return rule(lambda evidence: _told(evidence)[hazard], f"{_GIVEN} {gives}")


_GIVEN = (
    "subject table statement concurrently not_valid validate build_index use_index add_check validate_check "
    "set_not_null"
)


# Data under a lock


def _backfill_under_lock(evidence: Evidence) -> Findings:
    for statement, lock in _held(evidence):
        if statement.rows_changed:
            yield {
                "subject": lock.relation,
                "table": lock.relation,
                "rows": str(statement.rows_changed),
                "statement": one_line(statement.sql),
            }


def _held(evidence: Evidence) -> Iterator[tuple[Statement, Lock]]:
    return locks_of(evidence.upgrade, "reads", acquired=False)


def _backfill(evidence: Evidence) -> Findings:
    """UPDATE and DELETE that are no batches: a loop over batches sends one text several times."""
    statements = evidence.upgrade.statements or ()
    shapes = [shape(statement.sql) for statement in statements]
    added = changes_of(evidence).added_tables
    for statement in statements:
        plain = shape(statement.sql)
        if not statement.rows_changed or not re.match(r"(?:WITH .*)?\b(?:UPDATE|DELETE)\b", plain):
            continue
        if shapes.count(plain) > 1 or any(
            mentions(statement, table, after="(?:UPDATE|FROM) (?:ONLY )?") for table in added
        ):
            continue
        yield {
            "subject": one_line(statement.sql),
            "statement": one_line(statement.sql),
            "rows": str(statement.rows_changed),
        }


def _scanned_twice(evidence: Evidence) -> Findings:
    seen: dict[str, list[str]] = defaultdict(list)
    for work in work_of(evidence.upgrade):
        seen[work.table].append(one_line(work.statement.sql))
    for table, statements in sorted(seen.items()):
        if len(set(statements)) > 1:
            yield {"subject": table, "table": table, "times": str(len(set(statements)))}


# Locks that reach further


def _foreign_key_dropped(evidence: Evidence) -> Findings:
    changes = changes_of(evidence)
    for change in changes.of("constraint"):
        parent, child = referenced(change.before), parent_of(change.name)
        if parent in (None, child) or parent in changes.removed_tables:
            continue
        for statement, lock in locks_of(evidence.upgrade, "reads", acquired=True):
            if lock.relation == parent and mentions(statement, child):
                yield {
                    "subject": parent,
                    "table": child,
                    "parent": parent,
                    "mode": lock.mode,
                    "constraint": short(change.name),
                }


def _foreign_key_added(evidence: Evidence) -> Findings:
    scanned = {work.statement for work in work_of(evidence.upgrade)}
    ends = {
        (parent_of(change.name), parent)
        for change in changes_of(evidence).added("constraint")
        if (parent := referenced(change.after)) not in (None, parent_of(change.name))
    }
    for child, parent in sorted(ends):
        for statement, lock in locks_of(evidence.upgrade, "writes", acquired=True):
            if lock.relation == parent and statement not in scanned and mentions(statement, child):
                yield {"subject": parent, "table": child, "parent": parent, "mode": lock.mode}
                break


def _explicit(evidence: Evidence) -> Findings:
    for statement, lock in locks_of(evidence.upgrade, "writes", acquired=True):
        if says(statement, r"LOCK (?:TABLE )?") and re.match(r"LOCK\b", shape(statement.sql)):
            yield {
                "subject": lock.relation,
                "table": lock.relation,
                "mode": lock.mode,
                "statement": one_line(statement.sql),
            }


def _dropped_index(evidence: Evidence) -> Findings:
    for statement, lock in locks_of(evidence.upgrade, "reads", acquired=True):
        if says(statement, r"DROP INDEX (?!CONCURRENTLY\b)"):
            concurrently = re.sub(r"(?i)\bINDEX\b", "INDEX CONCURRENTLY", statement.sql.strip(), count=1)
            yield {"subject": lock.relation, "table": lock.relation, "concurrently": executes(concurrently)}


def _detached(evidence: Evidence) -> Findings:
    for statement, lock in locks_of(evidence.upgrade, "reads", acquired=True):
        if says(statement, r"DETACH PARTITION\b") and mentions(
            statement, lock.relation, after="ALTER TABLE (?:IF EXISTS )?(?:ONLY )?"
        ):
            yield {"subject": lock.relation, "table": lock.relation, "mode": lock.mode}


def _trigger(evidence: Evidence) -> Findings:
    for statement, lock in locks_of(evidence.upgrade, "writes", acquired=True):
        if says(statement, r"(?:CREATE (?:OR REPLACE )?(?:CONSTRAINT )?TRIGGER|(?:DIS|EN)ABLE TRIGGER)\b"):
            yield {"subject": lock.relation, "table": lock.relation, "mode": lock.mode}


def _several(evidence: Evidence) -> Findings:
    """Tables that are closed one after the other, and all stay closed until the commit."""
    if evidence.upgrade.transactional is False:
        return
    by_statement = [
        {lock.relation for lock in statement.locks or () if "reads" in lock.blocks and lock.acquired}
        for statement in evidence.upgrade.statements or ()
    ]
    closing = [tables for tables in by_statement if tables]
    names = sorted(set().union(*closing))
    if len(closing) > 1 and len(names) > 1 and all(tables != set(names) for tables in closing):
        yield {"subject": names[0], "tables": listed(names), "count": str(len(names))}


# Upgrades that fail


def _concurrently_inside(evidence: Evidence) -> Findings:
    if evidence.upgrade.outcome == "failed" and code_of(evidence.upgrade.error) == "25001":
        yield {"subject": evidence.revision, "error": evidence.upgrade.error or ""}


def _used_by_view(evidence: Evidence) -> Findings:
    error = evidence.upgrade.error or ""
    if evidence.upgrade.outcome == "failed" and code_of(error) == "0A000" and "used by a view" in error:
        yield {"subject": evidence.revision, "error": error}


def _invalid_index(evidence: Evidence) -> Findings:
    for one in evidence.upgrade.fails_on_data or ():
        if evidence.upgrade.transactional is False and is_invalid_index(one.error):
            yield {"subject": one.table, "table": one.table, "error": one.error}


def _required_column(evidence: Evidence) -> Findings:
    """ADD COLUMN … NOT NULL reads the table only to find out that it has no row."""
    for work in work_of(evidence.upgrade):
        if _hazard(work) == "required-column-without-default":
            yield {"subject": work.table, "table": work.table, "statement": one_line(work.statement.sql)}
    for one in evidence.upgrade.fails_on_data or ():
        if _is_required(evidence, one.error):
            yield {"subject": one.table, "table": one.table, "statement": one.error}


def _is_required(evidence: Evidence, error: str) -> bool:
    """Whether rows cannot have a new column, because it must not be NULL."""
    added = {short(name).strip('"') for name in changes_of(evidence).added_columns}
    column = re.match(r'23502 column "(.+)" of relation ".+" contains null values', error)
    # Where the upgrade fails on tame rows too, nothing about the column that should have been added is known.
    return column is not None and (evidence.upgrade.outcome == "failed" or column[1] in added)


def _fails_on_data(evidence: Evidence) -> Findings:
    for one in evidence.upgrade.fails_on_data or ():
        if _is_required(evidence, one.error):
            continue
        if evidence.upgrade.transactional is False and is_invalid_index(one.error):
            continue
        yield {"subject": one.table, "table": one.table, "error": one.error, "count_query": one.count_query or ""}


def _upgrade_fails(evidence: Evidence) -> Findings:
    known = (_concurrently_inside, _used_by_view, _required_column, _fails_on_data, _invalid_index)
    if evidence.upgrade.outcome == "failed" and not any(list(judge(evidence)) for judge in known):
        yield {"subject": evidence.revision, "error": evidence.upgrade.error or ""}


RULES: Mapping[str, Rule] = {
    **{hazard: _by(hazard) for hazard, _ in (*_REWRITES, *_SCANS) if hazard not in _APART},
    "foreign-key-scans": _by("foreign-key-scans", "parent"),
    "type-change-rebuilds-indexes": _by("type-change-rebuilds-indexes"),
    "slow-work-under-lock": _by("slow-work-under-lock"),
    "writes-blocked-during-scan": _by("writes-blocked-during-scan"),
    "backfill-under-lock": rule(_backfill_under_lock, "subject table rows statement"),
    "backfill-in-one-statement": rule(_backfill, "subject statement rows"),
    "scanned-more-than-once": rule(_scanned_twice, "subject table times"),
    "foreign-key-drop-locks-parent": rule(_foreign_key_dropped, "subject table parent mode constraint"),
    "foreign-key-locks-parent": rule(_foreign_key_added, "subject table parent mode"),
    "explicit-table-lock": rule(_explicit, "subject table mode statement"),
    "plain-index-drop": rule(_dropped_index, "subject table concurrently"),
    "detached-partition-locks-parent": rule(_detached, "subject table mode"),
    "trigger-change-blocks-writes": rule(_trigger, "subject table mode"),
    "several-tables-locked": rule(_several, "subject tables count"),
    "concurrently-inside-a-transaction": rule(_concurrently_inside, "subject error"),
    "type-change-blocked-by-view": rule(_used_by_view, "subject error"),
    "invalid-index-left-behind": rule(_invalid_index, "subject table error"),
    "required-column-without-default": rule(_required_column, "subject table statement"),
    "fails-on-data": rule(_fails_on_data, "subject table error count_query"),
    "upgrade-fails": rule(_upgrade_fails, "subject error"),
}
