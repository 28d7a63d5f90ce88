"""Hazards of two releases on one schema: what the previous release can no longer say, or does not expect.

Every statement of the previous release that fails on the new schema is told by exactly one rule, by the cause that the
upgrade gives; what has no known cause is told by a general one. Changes under which no statement fails, and which a
release may still trip over, are notes.

Not here: the order of migration and deploy, which is evidence. Only ``rules`` imports it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping

from backout.evidence import Evidence, Incompatibility
from backout.rules.facts import (
    Changes,
    Findings,
    Rule,
    changes_of,
    code_of,
    column,
    defined,
    labels,
    listed,
    once,
    parent_of,
    referenced,
    rule,
    short,
)

Values = dict[str, str]

_ROUTINES = ("function", "procedure", "aggregate")
_VIEWS = ("view", "materialized view")
_OF_ROWS = ("23502", "23503")


@once
def _told(evidence: Evidence) -> Mapping[str, list[Values]]:
    """Every statement of the previous release that fails, under the hazard that tells it; each object once."""
    found: dict[str, list[Values]] = defaultdict(list)
    changes = changes_of(evidence)
    for one in evidence.compatibility.previous_on_new or ():
        for hazard, values in _causes(one, changes):
            told = {"order": evidence.compatibility.order or "unknown", **values}
            if all(told["subject"] != other["subject"] for other in found[hazard]):
                found[hazard].append(told)
    return found


def _causes(one: Incompatibility, changes: Changes) -> Iterator[tuple[str, Values]]:
    relation = one.statement.partition(" ")[2]
    code = code_of(one.error)
    values = {"statement": one.statement, "error": one.error, "table": relation}
    if code == "42P01":
        if relation not in {change.name for change in changes.removed(*_VIEWS)}:  # view-dropped tells it
            yield _gone(relation, changes, values)
        return
    causes: list[tuple[str, Values]] = []
    if code == "42703":
        causes = list(_without_columns(relation, changes, values))
    elif code == "23502":
        causes = list(_now_required(relation, changes, one.error, values))
    elif code == "428C9":
        causes = [
            (
                "identity-always-rejects-explicit-values",
                {**values, "subject": change.name, "column": short(change.name)},
            )
            for change in changes.of("column")
            if parent_of(change.name) == relation and column(change.after or "?").identity == "ALWAYS"
        ]
    if not causes and code in _OF_ROWS and not any(_is_about(change.name, relation) for change in changes.all):
        return  # the upgrade has taken the rows that the insert would refer to, which is no matter of the schema
    yield from causes or [("previous-release-fails", {**values, "subject": relation})]


def _is_about(name: str, relation: str) -> bool:
    return name == relation or name.startswith(f"{relation}.")


def _gone(relation: str, changes: Changes, values: Values) -> tuple[str, Values]:
    if relation in changes.renamed_tables:
        return "renamed-table", {**values, "subject": relation, "new": changes.renamed_tables[relation]}
    if relation in changes.moved_tables:
        return "moved-to-another-schema", {**values, "subject": relation, "new": changes.moved_tables[relation]}
    if relation in changes.removed_tables:
        return "dropped-table-still-read", {**values, "subject": relation}
    return "previous-release-fails", {**values, "subject": relation}


def _without_columns(relation: str, changes: Changes, values: Values) -> Iterator[tuple[str, Values]]:
    for name in changes.removed_columns:
        if parent_of(name) != relation:
            continue
        told = {**values, "subject": name, "column": short(name)}
        if name in changes.renamed_columns:
            yield "renamed-column", {**told, "new": short(changes.renamed_columns[name])}
        else:
            yield "dropped-column-still-read", told


def _now_required(relation: str, changes: Changes, error: str, values: Values) -> Iterator[tuple[str, Values]]:
    for change in changes.of("column"):
        quoted = re.search(r'column "(.+?)" of relation', error)
        raw = short(change.name).strip('"').replace('""', '"')
        if parent_of(change.name) != relation or change.after is None or (quoted and quoted[1] != raw):
            continue
        now, was = column(change.after), column(change.before) if change.before is not None else None
        told = {**values, "subject": change.name, "column": short(change.name)}
        if not now.not_null:
            continue
        if was is None:
            yield "required-column-added", told
        elif was.default is not None and now.default is None:
            yield "default-dropped-under-old-writers", told
        elif not was.not_null:
            yield "not-null-rejects-old-writers", told


def _failing(hazard: str, gives: str) -> Rule:
    return rule(lambda evidence: _told(evidence)[hazard], f"subject table statement error order {gives}")


def _neither(evidence: Evidence) -> Findings:
    """Tables from which something that is read was taken, and to which something was added, without being a rename."""
    if evidence.compatibility.order != "split":
        return
    changes = changes_of(evidence)
    renamed = changes.renamed_columns
    taken = {parent_of(name) for name in changes.removed_columns if name not in renamed}
    given = {parent_of(name) for name in changes.added_columns if name not in renamed.values()}
    for table in sorted(taken & given):
        removed = [short(name) for name in changes.removed_columns if parent_of(name) == table]
        added = [short(name) for name in changes.added_columns if parent_of(name) == table]
        yield {"subject": table, "table": table, "removed": listed(removed), "added": listed(added)}


# What makes no statement fail


def _null_allowed(evidence: Evidence) -> Findings:
    for change, before, after in changes_of(evidence).altered("column"):
        if column(before).not_null and not column(after).not_null:
            yield _of_column(change.name)


def _default_changed(evidence: Evidence) -> Findings:
    for change, before, after in changes_of(evidence).altered("column"):
        was, now = column(before).default, column(after).default
        if was != now and was is not None and (now is not None or not column(after).not_null):
            yield {**_of_column(change.name), "before": was, "after": defined(now, "none")}


def _narrowed(evidence: Evidence) -> Findings:
    lost = {f"{loss.table}.{loss.column}" for loss in evidence.loss.untouched or ()}
    for name, (was, now) in changes_of(evidence).retyped.items():
        if name not in lost and _is_narrower(was, now):
            yield {**_of_column(name), "before": was, "after": now}


def _of_column(name: str) -> Values:
    return {"subject": name, "table": parent_of(name), "column": short(name)}


_WIDTHS = ("smallint", "integer", "bigint", "numeric")


def _is_narrower(was: str, now: str) -> bool:
    """Whether some values of the old type are none of the new one."""
    base, limits = _parts(was)
    new_base, new_limits = _parts(now)
    if base in _WIDTHS and new_base in _WIDTHS and base != new_base:
        return _WIDTHS.index(new_base) < _WIDTHS.index(base)
    if base != new_base:
        return base in ("text", "character varying", "character") and new_base not in ("text", "citext")
    if not new_limits or base not in ("character varying", "character", "numeric"):
        return False
    if not limits:
        return True
    scale, new_scale = (numbers[1] if len(numbers) > 1 else 0 for numbers in (limits, new_limits))
    return new_scale < scale or new_limits[0] - new_scale < limits[0] - scale


def _parts(type_: str) -> tuple[str, list[int]]:
    plain = type_.partition(" COLLATE ")[0]
    numbers = re.search(r"\(([\d,-]+)\)", plain)
    return re.sub(r"\(.*?\)", "", plain), [int(one) for one in numbers[1].split(",")] if numbers else []


def _label_added(evidence: Evidence) -> Findings:
    for change, before, after in changes_of(evidence).altered("type"):
        was, now = labels(before), labels(after)
        if was is not None and now is not None and set(was) < set(now):
            yield {
                "subject": change.name,
                "type": change.name,
                "label": listed([f"'{one}'" for one in now if one not in was]),
            }


def _label_renamed(evidence: Evidence) -> Findings:
    for change, before, after in changes_of(evidence).altered("type"):
        was, now = labels(before), labels(after)
        if was is not None and now is not None and len(was) == len(now):
            for old, new in zip(was, now, strict=True):
                if old != new and old not in now and new not in was:
                    yield {"subject": change.name, "type": change.name, "before": f"'{old}'", "after": f"'{new}'"}


def _constraint_added(evidence: Evidence) -> Findings:
    changes = changes_of(evidence)
    new = {short(name) for name in changes.added_columns}
    for change in changes.added("constraint"):
        table, definition = parent_of(change.name), change.after or ""
        if table in changes.added_tables or not definition.startswith(("CHECK", "UNIQUE", "FOREIGN KEY", "EXCLUDE")):
            continue
        if referenced(definition) in changes.added_tables:
            continue
        if any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", definition) for name in new):
            continue  # of a column that the previous release does not know
        yield {
            "subject": change.name,
            "table": table,
            "constraint": short(change.name),
            "definition": defined(definition),
        }


def _cascade_added(evidence: Evidence) -> Findings:
    changes = changes_of(evidence)
    for change in changes.of("constraint"):
        if "ON DELETE CASCADE" not in (change.after or "") or "ON DELETE CASCADE" in (change.before or ""):
            continue
        if parent_of(change.name) not in changes.added_tables:
            yield {"subject": change.name, "table": parent_of(change.name), "parent": referenced(change.after) or ""}


def _view_replaced(evidence: Evidence) -> Findings:
    for change, _, _ in changes_of(evidence).altered(*_VIEWS):
        yield {"subject": change.name}


def _view_dropped(evidence: Evidence) -> Findings:
    for change in changes_of(evidence).removed(*_VIEWS):
        yield {"subject": change.name}


def _function_replaced(evidence: Evidence) -> Findings:
    for change, _, _ in changes_of(evidence).altered(*_ROUTINES):
        yield {"subject": change.name}


def _privileges(evidence: Evidence) -> Findings:
    changes = changes_of(evidence)
    gone = changes.removed_tables | {change.name for change in changes.removed(*_VIEWS, *_ROUTINES, "sequence", "type")}
    new = changes.added_tables | {change.name for change in changes.added(*_VIEWS, *_ROUTINES, "sequence", "type")}
    for change in changes.of("privilege", "owner", "default privilege"):
        name = re.sub(r"^(?:[a-z]+ )+", "", change.name)
        if not {name, parent_of(name)} & (gone | new):
            yield {
                "subject": change.name,
                "before": defined(change.before, "what is usual"),
                "after": defined(change.after, "what is usual"),
            }


def _row_security(evidence: Evidence) -> Findings:
    changes = changes_of(evidence)
    tables = {
        change.name
        for change, before, after in changes.altered("table")
        if ("ROW LEVEL SECURITY" in before) != ("ROW LEVEL SECURITY" in after)
    }
    tables |= {parent_of(change.name) for change in changes.of("policy")}
    return [
        {"subject": table, "table": table} for table in sorted(tables - changes.added_tables - changes.removed_tables)
    ]


def _unlogged(evidence: Evidence) -> Findings:
    for change, before, after in changes_of(evidence).altered("table"):
        if after.startswith("UNLOGGED ") and not before.startswith("UNLOGGED "):
            yield {"subject": change.name, "table": change.name}


RULES: Mapping[str, Rule] = {
    "dropped-column-still-read": _failing("dropped-column-still-read", "column"),
    "dropped-table-still-read": _failing("dropped-table-still-read", ""),
    "renamed-column": _failing("renamed-column", "column new"),
    "renamed-table": _failing("renamed-table", "new"),
    "moved-to-another-schema": _failing("moved-to-another-schema", "new"),
    "required-column-added": _failing("required-column-added", "column"),
    "default-dropped-under-old-writers": _failing("default-dropped-under-old-writers", "column"),
    "not-null-rejects-old-writers": _failing("not-null-rejects-old-writers", "column"),
    "identity-always-rejects-explicit-values": _failing("identity-always-rejects-explicit-values", "column"),
    "previous-release-fails": _failing("previous-release-fails", ""),
    "neither-order-works": rule(_neither, "subject table removed added"),
    "null-allowed-under-old-readers": rule(_null_allowed, "subject table column"),
    "default-changed": rule(_default_changed, "subject table column before after"),
    "narrower-type-rejects-old-writers": rule(_narrowed, "subject table column before after"),
    "enum-label-added": rule(_label_added, "subject type label"),
    "enum-label-renamed": rule(_label_renamed, "subject type before after"),
    "new-constraint-rejects-old-writers": rule(_constraint_added, "subject table constraint definition"),
    "cascade-added": rule(_cascade_added, "subject table parent"),
    "view-dropped": rule(_view_dropped, "subject"),
    "view-replaced": rule(_view_replaced, "subject"),
    "function-replaced": rule(_function_replaced, "subject"),
    "privileges-changed": rule(_privileges, "subject before after"),
    "row-security-changed": rule(_row_security, "subject table"),
    "unlogged-table": rule(_unlogged, "subject table"),
}
