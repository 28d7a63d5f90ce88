"""Hazards of values: what upgrade and downgrade lose between them, and what is lost after use.

Every untouched loss is told by exactly one rule, by what the upgrade did to its table or column: dropped it, changed
its type, emptied it, or merely changed values.

Not here: the schema that a round trip leaves (``rules.roundtrip``). Only ``rules`` imports it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Mapping

from backout.evidence import Evidence, Loss, Statement
from backout.rules.facts import (
    Changes,
    Findings,
    Rule,
    changes_of,
    column,
    example,
    executes,
    labels,
    listed,
    mentions,
    once,
    parent_of,
    rule,
    says,
    short,
    shortened,
    value,
)
from backout.verdict import added_by, comes_back_hollow, is_within, is_within_added, partitions_added_to

Values = dict[str, str]


@once
def _told(evidence: Evidence) -> Mapping[str, list[Values]]:
    """Every untouched loss, under the hazard that tells it."""
    found: dict[str, list[Values]] = defaultdict(list)
    upgrade, left = changes_of(evidence), Changes(evidence.schema.differences)
    emptied = {loss.table for loss in evidence.loss.untouched or () if loss.column is None and loss.lost == loss.of}
    for loss in evidence.loss.untouched or ():
        if loss.column is not None and loss.table in emptied:
            continue
        hazard, more = _hazard(loss, evidence, upgrade, left)
        if hazard is not None:
            found[hazard].append({**_values(loss), **more})
    return found


def _hazard(loss: Loss, evidence: Evidence, upgrade: Changes, left: Changes) -> tuple[str | None, Values]:
    name = loss.table if loss.column is None else f"{loss.table}.{loss.column}"
    if _is_renamed(loss.table, upgrade, left) or _is_renamed(name, upgrade, left):
        return None, {}  # rename-not-reversed tells it
    if loss.table in upgrade.removed_tables:
        return _of_dropped_table(loss, upgrade, left), _table_aside(loss.table)
    if name in upgrade.removed_columns:
        return _of_dropped_column(loss, name, evidence, upgrade, left)
    statements = evidence.upgrade.statements or ()
    remapped = _removed_labels(loss, upgrade)
    if remapped is not None:
        return "enum-label-remapped", remapped
    if name in upgrade.retyped:
        was, now = upgrade.retyped[name]
        return _of_type(was, now), {"was": was, "now": now, **_with_zone(loss, was, now)}
    if loss.column is not None:
        return "values-overwritten", {}
    partitions = [
        change.name
        for change in upgrade.of("table")
        if f" PARTITION OF {loss.table} " in (change.before or "") and change.after != change.before
    ]
    if partitions:
        return "partition-dropped", {"partition": listed(partitions)}
    return _of_rows(loss, statements), {}


def _is_renamed(name: str, upgrade: Changes, left: Changes) -> bool:
    renames = {**upgrade.renamed_tables, **upgrade.moved_tables, **upgrade.renamed_columns}
    gone = {change.name for change in left.removed("table", "column")}
    return name in renames and name in gone


def _of_dropped_table(loss: Loss, upgrade: Changes, left: Changes) -> str:
    if parent_of(loss.table) in {change.name for change in upgrade.removed("schema")}:
        return "dropped-schema"
    if loss.table in left.removed_tables:
        return "dropped-table-stays-lost"
    return "dropped-table-comes-back-empty" if comes_back_hollow(loss) else "rows-deleted"


def _of_dropped_column(
    loss: Loss, name: str, evidence: Evidence, upgrade: Changes, left: Changes
) -> tuple[str, Values]:
    extensions = [change.name for change in upgrade.removed("extension")]
    statements = evidence.upgrade.statements or ()
    if extensions and not any(mentions(one, name, after="DROP (?:COLUMN )?(?:IF EXISTS )?") for one in statements):
        return "extension-dropped-with-columns", {"extension": listed(extensions)}
    aside = _column_aside(loss, upgrade.removed_columns[name])
    if name in left.removed_columns:
        return "dropped-column-stays-lost", aside
    if not comes_back_hollow(loss):
        return "columns-rebuilt-by-guess", aside
    return ("dropped-column-comes-back-empty" if loss.distinct[1] == 0 else "dropped-column-comes-back-constant"), aside


def _of_rows(loss: Loss, statements: tuple[Statement, ...]) -> str:
    """What took the rows of a table that stays."""
    truncating = [statement for statement in statements if says(statement, r"TRUNCATE\b")]
    if any(mentions(statement, loss.table) for statement in truncating):
        return "truncated-table"
    if any(says(statement, r"DROP TABLE\b") and mentions(statement, loss.table) for statement in statements):
        return "table-recreated"
    deleting = [statement for statement in statements if says(statement, r"DELETE FROM\b")]
    if any(mentions(statement, loss.table, after="DELETE FROM (?:ONLY )?") for statement in deleting):
        return "rows-deleted"
    if truncating:
        return "truncate-cascades"
    return "delete-cascades" if deleting else "rows-deleted"


def _of_type(was: str, now: str) -> str:
    """The hazard of a change from one type to another."""
    if was.endswith("[]") and not now.endswith("[]"):
        return "array-collapsed"
    before, after = _base(was), _base(now)
    return next(
        (hazard for hazard, origins, tos in _BY_TYPE if before in origins and after in tos), "type-change-loses-values"
    )


def _base(type_: str) -> str:
    """A type without modifier, collation and schema."""
    plain = re.sub(r"\(.*?\)", "", type_.partition(" COLLATE ")[0])
    return plain.removeprefix("public.")


_TEXT = {"text", "character varying", "citext"}
_FLOATING = {"numeric", "double precision", "real", "money"}
_WHOLE = {"smallint", "integer", "bigint", "numeric"}
_ZONED = {"timestamp with time zone", "time with time zone"}
_UNZONED = {"timestamp without time zone", "time without time zone"}
_TIMES = {"timestamp with time zone", "timestamp without time zone"}

# In this order: the first that fits.
_BY_TYPE: tuple[tuple[str, Collection[str], Collection[str]], ...] = (
    ("char-padding-lost", _TEXT, {"character"}),
    ("char-padding-lost", {"character"}, _TEXT),
    ("text-truncated", _TEXT, _TEXT),
    ("text-truncated", {"character"}, {"character"}),
    ("float-precision-lost", {"double precision"}, {"real"}),
    ("numeric-rounded", _FLOATING, _WHOLE),
    ("time-zone-shifts-values", _ZONED, _UNZONED),
    ("time-zone-shifts-values", _UNZONED, _ZONED),
    ("time-of-day-lost", _TIMES, {"date"}),
    ("fractional-seconds-lost", _ZONED | _UNZONED | {"interval"}, _ZONED | _UNZONED | {"interval"}),
    ("json-text-lost", {"json"}, {"jsonb"}),
    ("json-text-lost", {"jsonb"}, {"json"}),
)


def _removed_labels(loss: Loss, upgrade: Changes) -> Values | None:
    """The type whose removed label the lost value had."""
    for change, before, after in upgrade.altered("type"):
        removed = [label for label in labels(before) or () if label not in (labels(after) or ())]
        if loss.example[0] in removed:
            return {"type": change.name, "label": listed([f"'{label}'" for label in removed])}
    return None


def _values(loss: Loss) -> Values:
    name = loss.table if loss.column is None else f"{loss.table}.{loss.column}"
    return {
        "subject": name,
        "table": loss.table,
        "column": loss.column or "",
        "lost": str(loss.lost),
        "of": str(loss.of),
        "example": example(loss.example) if loss.column is not None else shortened(loss.example[0] or ""),
        "value": value(loss.example[0]),
    }


def _column_aside(loss: Loss, definition: str) -> Values:
    """What to do instead of dropping it."""
    table, name = loss.table, loss.column or ""
    aside = _aside(name)
    alter = f"ALTER TABLE {table} ALTER COLUMN {name}"
    loosen, tighten = (
        ([f"{alter} DROP NOT NULL"], [f"{alter} SET NOT NULL"]) if column(definition).not_null else ([], [])
    )
    return {
        "aside": aside,
        "set_aside": executes(*loosen, f"ALTER TABLE {table} RENAME COLUMN {name} TO {aside}"),
        "bring_back": executes(f"ALTER TABLE {table} RENAME COLUMN {aside} TO {name}", *tighten),
    }


def _table_aside(table: str) -> Values:
    """What to do instead of dropping it."""
    aside = _aside(short(table))
    return {
        "aside": aside,
        "set_aside": executes(f"ALTER TABLE {table} RENAME TO {aside}"),
        "bring_back": executes(f"ALTER TABLE {parent_of(table)}.{aside} RENAME TO {short(table)}"),
    }


def _aside(name: str) -> str:
    """A name for what is out of use, of at most 63 bytes."""
    quoted = name.startswith('"')
    raw = name[1:-1] if quoted else name
    cut = raw.encode()[:55].decode(errors="ignore") + "_dropped"
    return f'"{cut}"' if quoted else cut


def _with_zone(loss: Loss, was: str, now: str) -> Values:
    alter = f"ALTER TABLE {loss.table} ALTER COLUMN {loss.column} TYPE {{}} USING {loss.column} AT TIME ZONE 'UTC'"
    return {"to_new": executes(alter.format(now)), "to_old": executes(alter.format(was))}


# After use


def _since(evidence: Evidence) -> Findings:
    """What the upgrade added, where values were lost that were written into it."""
    added = added_by(evidence)
    subjects: set[str] = set()
    for loss in evidence.loss.lived_in or ():
        if loss.table in added:
            subjects.add(loss.table)
        elif loss.column is not None and is_within(loss, added):
            subjects.add(f"{loss.table}.{loss.column}")
        elif is_within_added(loss, evidence):
            subjects.update(partitions_added_to(evidence, loss.table))
    return [{"subject": subject} for subject in sorted(subjects)]


def _elsewhere(evidence: Evidence) -> Findings:
    known = {(loss.table, loss.column) for loss in evidence.loss.untouched or ()}
    for loss in evidence.loss.lived_in or ():
        if not is_within_added(loss, evidence) and (loss.table, loss.column) not in known:
            yield _values(loss)


_ANY = "subject table column lost of example value"


def _by(hazard: str, more: str = "") -> Rule:
    return rule(lambda evidence: _told(evidence)[hazard], f"{_ANY} {more}")


_ASIDE = "aside set_aside bring_back"
_TYPED = "was now to_new to_old"

RULES: Mapping[str, Rule] = {
    **{
        hazard: _by(hazard, _ASIDE)
        for hazard in (
            "dropped-column-comes-back-empty",
            "dropped-column-comes-back-constant",
            "dropped-column-stays-lost",
            "columns-rebuilt-by-guess",
            "dropped-table-comes-back-empty",
            "dropped-table-stays-lost",
            "dropped-schema",
        )
    },
    **{
        hazard: _by(hazard, _TYPED)
        for hazard in ("array-collapsed", "type-change-loses-values", *(hazard for hazard, *_ in _BY_TYPE))
    },
    "enum-label-remapped": _by("enum-label-remapped", "type label"),
    "partition-dropped": _by("partition-dropped", "partition"),
    "extension-dropped-with-columns": _by("extension-dropped-with-columns", "extension"),
    **{
        hazard: _by(hazard)
        for hazard in (
            "values-overwritten",
            "rows-deleted",
            "delete-cascades",
            "truncated-table",
            "truncate-cascades",
            "table-recreated",
        )
    },
    "values-written-since-are-lost": rule(_since, "subject"),
    "values-changed-after-use": rule(_elsewhere, _ANY),
}
