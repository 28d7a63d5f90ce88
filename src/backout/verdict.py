"""Risk and rollback verdict of a revision, from evidence alone.

The table of ``docs/migration-rollback.md``, as code; the first that matches:

* ``no``: the untouched downgrade fails; or what the upgrade removed comes back empty, or with one constant
  where there were several values;
* ``risky``: values are lost untouched; or the schema is not restored; or the second upgrade fails or gives
  another schema; or the lived-in downgrade fails, or loses values outside what the revision added;
* ``unproven``: something that was needed was not measured, and neither of the two above is proved without it;
* ``yes if unused``: only values in what the revision added are lost;
* ``yes``: nothing is lost, and the schema is as before.

Not here: which hazard it was, and what to do (``rules``). Pure: everything above may import it.
"""

from collections.abc import Iterable

from backout.evidence import Evidence, Loss, Risk, Rollback, SchemaChange

_TABLES = frozenset({"table", "column"})


def verdict(evidence: Evidence) -> tuple[Risk, Rollback]:
    """How bad it would be to roll the revision back, and whether one can."""
    rollback = _rollback(evidence)
    if rollback == "unproven":
        return "unproven", rollback
    if rollback == "no" or evidence.loss.untouched:
        return "high", rollback
    return ("medium" if rollback == "risky" else "low"), rollback


def added_by(evidence: Evidence) -> frozenset[str]:
    """Tables and columns that the upgrade adds, the latter as ``public.users.email``."""
    return frozenset(change.name for change in _tables_and_columns(evidence) if change.before is None)


def removed_by(evidence: Evidence) -> frozenset[str]:
    """Tables and columns that the upgrade removes, the latter as ``public.users.email``."""
    return frozenset(change.name for change in _tables_and_columns(evidence) if change.after is None)


def partitions_added_to(evidence: Evidence, table: str) -> tuple[str, ...]:
    """The partitions that the upgrade adds to a table; its rows are read, and lost, in the table itself."""
    return tuple(
        change.name
        for change in _tables_and_columns(evidence)
        if change.before is None and f" PARTITION OF {table} " in (change.after or "")
    )


def is_within(loss: Loss, names: frozenset[str]) -> bool:
    """Whether what was lost lies in one of these tables and columns."""
    return loss.table in names or (loss.column is not None and f"{loss.table}.{loss.column}" in names)


def is_within_added(loss: Loss, evidence: Evidence) -> bool:
    """Whether what was lost lies in what the upgrade adds."""
    return is_within(loss, added_by(evidence)) or (
        loss.column is None and bool(partitions_added_to(evidence, loss.table))
    )


def comes_back_hollow(loss: Loss) -> bool:
    """Whether nothing, or one constant where there were several values, stands where the values stood."""
    if loss.column is None:
        return loss.lost == loss.of
    before, afterwards = loss.distinct
    return afterwards == 0 or (afterwards == 1 and before > 1)


def _rollback(evidence: Evidence) -> Rollback:
    if _is_no(evidence):
        return "no"
    if _is_risky(evidence):
        return "risky"
    if not _is_measured(evidence):
        return "unproven"
    return "yes if unused" if evidence.loss.lived_in else "yes"


def _is_no(evidence: Evidence) -> bool:
    removed = removed_by(evidence)
    return evidence.downgrade.outcome == "failed" or any(
        is_within(loss, removed) and comes_back_hollow(loss) for loss in evidence.loss.untouched or ()
    )


def _is_risky(evidence: Evidence) -> bool:
    schema = evidence.schema
    return (
        bool(evidence.loss.untouched)
        or schema.restored is False
        or bool(schema.differences)
        or bool(schema.reupgrade_differences)
        or "failed" in (evidence.reupgrade.outcome, evidence.lived_in_downgrade.outcome)
        or evidence.lived_in_reupgrade.outcome == "failed"
        or any(not is_within_added(loss, evidence) for loss in evidence.loss.lived_in or ())
    )


def _is_measured(evidence: Evidence) -> bool:
    """Whether nothing is missing that could make it worse than *yes*."""
    steps = (
        evidence.upgrade,
        evidence.downgrade,
        evidence.reupgrade,
        evidence.lived_in_downgrade,
        evidence.lived_in_reupgrade,
    )
    facts = (
        evidence.schema.changes,
        evidence.schema.restored,
        evidence.schema.differences,
        evidence.schema.reupgrade_differences,
        evidence.loss.untouched,
        evidence.loss.lived_in,
        evidence.seeded,
    )
    return (
        not evidence.unproven
        and all(step.outcome in ("applied", "no-op") for step in steps)
        and all(fact is not None for fact in facts)
        and evidence.seeded is not None
        and evidence.seeded.tables >= evidence.seeded.of
        and not _is_blind(evidence)
    )


def _is_blind(evidence: Evidence) -> bool:
    """Whether the upgrade changes a column that had no value which could have been lost."""
    changed = {change.name for change in _tables_and_columns(evidence)}
    unfilled = evidence.seeded.unfilled if evidence.seeded else ()
    return any({one.table, f"{one.table}.{one.column}"} & changed for one in unfilled)


def _tables_and_columns(evidence: Evidence) -> Iterable[SchemaChange]:
    return (change for change in evidence.schema.changes or () if change.kind in _TABLES)
