"""Hazards of the way back: what the downgrade does not restore, where it fails, and what it blocks.

Every difference that a round trip leaves is told by exactly one rule: the parts of a table that was recreated by the
rule of recreated tables, those of a renamed table by the rule of renames, and so on down to the kind of object.

Not here: lost values (``rules.losses``). Only ``rules`` imports it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from backout.evidence import Evidence, SchemaChange, Statement, Step
from backout.rules.facts import (
    NAME,
    Changes,
    Findings,
    Rule,
    changes_of,
    code_of,
    column,
    defined,
    executes,
    is_invalid_index,
    labels,
    listed,
    once,
    one_line,
    parent_of,
    parts,
    rule,
    short,
    work_of,
)

Values = dict[str, str]

_ROUTINES = {"function", "procedure", "aggregate"}
_VIEWS = {"view", "materialized view"}
_RIGHTS = {"privilege", "owner", "default privilege"}
_BY_KIND = {
    "index": "index-not-restored",
    "constraint": "constraint-not-restored",
    "comment": "comment-not-restored",
    "extension": "extension-not-restored",
    "sequence position": "sequence-moved-back",
    "trigger": "trigger-not-restored",
    "rule": "trigger-not-restored",
    "policy": "policy-not-restored",
    **dict.fromkeys(_RIGHTS, "privileges-not-restored"),
    **dict.fromkeys(_VIEWS, "view-not-restored"),
    **dict.fromkeys(_ROUTINES, "function-not-restored"),
}
_ALWAYS_NAMED = {"comment", "sequence position", *_RIGHTS}  # also where they are new
_ON = re.compile(rf" ON (?:ONLY )?({NAME}\.{NAME}) ")
_OWNED_BY = re.compile(r" OWNED BY (\S+)")


# What is not restored


@once
def _told(evidence: Evidence) -> Mapping[str, list[Values]]:
    """Every difference, under the hazard that tells it."""
    found: dict[str, list[Values]] = defaultdict(list)
    for hazard, values in _sorted(evidence):
        found[hazard].append(values)
    return found


def _sorted(evidence: Evidence) -> Iterator[tuple[str, Values]]:
    rest = list(evidence.schema.differences or ())
    grown = [change for change in rest if _new_labels(change)]
    for change in grown:
        for label in _new_labels(change):
            yield "enum-label-left-behind", {"subject": change.name, "type": change.name, "label": f"'{label}'"}
    rest = [change for change in rest if change not in grown]
    if rest and _does_nothing(evidence.downgrade):
        first = next((one for one in rest if one.kind in ("table", "column")), rest[0])
        yield "downgrade-does-nothing", {"subject": first.name, "kind": first.kind, "count": str(len(rest))}
        return
    changes = changes_of(evidence)
    renames = _renames_left(changes, Changes(rest))
    for old, new in renames.items():
        kind = "COLUMN " if parent_of(old) == parent_of(new) and len(parts(old)) == 3 else ""
        table = parent_of(new) if kind else new
        rename = f"ALTER TABLE {table} RENAME {kind}{short(new) + ' ' if kind else ''}TO {short(old)}"
        yield "rename-not-reversed", {"subject": old, "before": old, "after": new, "rename_back": executes(rename)}
    told = {*renames, *renames.values()}
    rest = [change for change in rest if not told & _places(change)]
    differences = Changes(rest)
    recreated = changes.removed_tables - differences.removed_tables
    missing: dict[str, list[SchemaChange]] = defaultdict(list)
    for change in rest:
        for table in recreated & _places(change):
            missing[table].append(change)
    for table, parts_of_it in sorted(missing.items()):
        names = listed([_of_table(change, table) for change in parts_of_it])
        yield "recreated-table-lacks-parts", {"subject": table, "table": table, "missing": names}
    lost = {loss.table for loss in evidence.loss.untouched or ()}
    lost |= {f"{loss.table}.{loss.column}" for loss in evidence.loss.untouched or () if loss.column is not None}
    for change in _without_parts([change for change in rest if not recreated & _places(change)]):
        if change.after is None and change.kind in ("table", "column") and change.name in lost:
            continue  # ``losses`` tells it
        yield from _one(change, evidence)


def _one(change: SchemaChange, evidence: Evidence) -> Iterator[tuple[str, Values]]:
    absent = "what is usual" if change.kind in _RIGHTS else "missing"
    values = {
        "subject": change.name,
        "kind": change.kind,
        "before": defined(change.before, absent),
        "after": defined(change.after, absent),
    }
    if change.before is None and change.kind not in _ALWAYS_NAMED:
        if change.kind == "type" and code_of(evidence.reupgrade.error) == "42710":
            drop = {"drop_type": executes(f"DROP TYPE {change.name}")}
            yield "enum-type-left-behind", {**values, "error": evidence.reupgrade.error or "", **drop}
        else:
            yield "left-behind", values
    elif change.kind == "column" and change.before is not None and change.after is not None:
        yield from _parts_of_column(change.before, change.after, values)
    elif change.kind == "sequence" and _owner(change.before) != _owner(change.after) and change.after is not None:
        yield "sequence-ownership-lost", {**values, "before": _owner(change.before), "after": _owner(change.after)}
    elif change.kind == "table" and _row_security(change.before) != _row_security(change.after) and change.after:
        yield "policy-not-restored", values
    else:
        yield _BY_KIND.get(change.kind, "schema-not-restored"), {**values, **_patches(change)}


def _parts_of_column(before: str, after: str, values: Values) -> Iterator[tuple[str, Values]]:
    was, now = column(before), column(after)
    if (was.type, was.collation) != (now.type, now.collation):
        yield "column-type-not-restored", values
    if was.not_null != now.not_null:
        yield "not-null-not-restored", values
    if was.generated != now.generated:
        yield "generated-expression-not-restored", {**values, "before": was.generated or defined(before)}
    if was.default != now.default:
        told = {**values, "before": defined(was.default, "none"), "after": defined(now.default, "none")}
        if was.default is None:
            yield "default-left-behind", told
        elif was.default.startswith("nextval("):
            yield "sequence-ownership-lost", told
        else:
            yield "default-not-restored", told
    if (was.identity, was.rest) != (now.identity, now.rest) or was == now:
        yield "schema-not-restored", values


def _patches(change: SchemaChange) -> Values:
    """What a downgrade would have to say."""
    if change.kind == "index":
        return {
            "create_index": executes(
                re.sub(r"^CREATE (UNIQUE )?INDEX ", r"CREATE \1INDEX CONCURRENTLY ", change.before or "")
            )
        }
    if change.kind == "constraint":
        definition = f"ALTER TABLE {parent_of(change.name)} ADD CONSTRAINT {short(change.name)} {change.before}"
        return {"add_constraint": executes(definition)}
    return {}


def _new_labels(change: SchemaChange) -> tuple[str, ...]:
    before, after = labels(change.before or ""), labels(change.after or "")
    if change.kind != "type" or before is None or after is None or not set(before) <= set(after):
        return ()
    return tuple(label for label in after if label not in before)


def _renames_left(changes: Changes, differences: Changes) -> Mapping[str, str]:
    """Names before → after, of what the upgrade renamed and the downgrade did not rename back."""
    renames = {**changes.renamed_tables, **changes.moved_tables, **changes.renamed_columns}
    gone = {change.name for change in differences.removed("table", "column")}
    there = {change.name for change in differences.added("table", "column")}
    return {old: new for old, new in renames.items() if old in gone and new in there}


def _without_parts(changes: Sequence[SchemaChange]) -> list[SchemaChange]:
    """Of what is there and should not be, or the reverse, only the whole: its parts go without saying."""
    wholes = {
        change.name
        for change in changes
        if change.kind in ("schema", "extension", "table", "column", *_VIEWS) and None in (change.before, change.after)
    }
    return [change for change in changes if not wholes & (_places(change) - {change.name})]


@lru_cache(maxsize=4096)
def _places(change: SchemaChange) -> frozenset[str]:
    """The names of what it is, and of all that it belongs to: schema, table, column."""
    definition = change.before or change.after or ""
    names = [_own(change)]
    if change.kind == "index" and (table := _ON.search(definition)):
        names.append(table[1])
    if change.kind == "sequence" and (column_of := _OWNED_BY.search(definition)):
        names.append(column_of[1])
    return frozenset(".".join(pieces[:end]) for pieces in map(parts, names) for end in range(1, len(pieces) + 1)) | {
        change.name
    }


def _own(change: SchemaChange) -> str:
    """The name of what it is about: a comment's is ``table public.users``."""
    named_after = change.kind in ("comment", "privilege", "owner")
    return re.sub(r"^(?:[a-z]+ )+", "", change.name) if named_after else change.name


def _of_table(change: SchemaChange, table: str) -> str:
    """A part of a table, for a list."""
    name = _own(change).removeprefix(table).lstrip(".")
    return f"{change.kind} {name}" if name else change.kind


def _owner(definition: str | None) -> str:
    match = _OWNED_BY.search(definition or "")
    return match[1] if match else "none"


def _row_security(definition: str | None) -> list[str]:
    return re.findall(r"\w+ ROW LEVEL SECURITY", definition or "")


def _does_nothing(step: Step) -> bool:
    return step.outcome == "no-op" or (step.outcome == "applied" and step.statements == ())


def _by(hazard: str, gives: str) -> Rule:
    return rule(lambda evidence: _told(evidence)[hazard], f"subject {gives}")


# Where it fails


def _raises(evidence: Evidence) -> Findings:
    if _failed(evidence.downgrade) and not _is_of_server(evidence.downgrade):
        yield {"subject": evidence.revision, "error": evidence.downgrade.error or ""}


def _fails(evidence: Evidence) -> Findings:
    if _failed(evidence.downgrade) and _is_of_server(evidence.downgrade):
        yield {"subject": evidence.revision, "error": evidence.downgrade.error or ""}


def _second_upgrade_fails(evidence: Evidence) -> Findings:
    step = next((step for step in (evidence.reupgrade, evidence.lived_in_reupgrade) if _failed(step)), None)
    if step is None or _told(evidence)["enum-type-left-behind"] or any(_inserted_again(evidence)):
        return
    yield {"subject": evidence.revision, "error": step.error or ""}


def _inserted_again(evidence: Evidence) -> Findings:
    if _failed(evidence.reupgrade) and code_of(evidence.reupgrade.error) == "23505" and not evidence.schema.differences:
        yield {"subject": evidence.revision, "error": evidence.reupgrade.error or ""}


def _second_upgrade_differs(evidence: Evidence) -> Findings:
    for change in _without_parts(evidence.schema.reupgrade_differences or ()):
        yield {
            "subject": change.name,
            "kind": change.kind,
            "before": defined(change.before),
            "after": defined(change.after),
        }


def _fails_after_use(evidence: Evidence) -> str | None:
    """The error of a downgrade that failed only when there were rows of the new release."""
    step = evidence.lived_in_downgrade
    return (step.error or "") if _failed(step) and evidence.downgrade.outcome in ("applied", "no-op") else None


_LIVED_IN = {
    "23505": "downgrade-meets-duplicates",
    "23502": "downgrade-meets-null",
    "22001": "downgrade-meets-long-values",
    "23503": "downgrade-meets-orphans",
    "23514": "downgrade-meets-forbidden-values",
    "22003": "downgrade-meets-large-numbers",
    "22P02": "downgrade-meets-new-label",
}


def _meets(code: str) -> Rule:
    def judge(evidence: Evidence) -> Findings:
        error = _fails_after_use(evidence)
        if error is not None and _met(error) == code:
            yield {"subject": _loosened(evidence, code), "error": error}

    return rule(judge, "subject error")


def _met(error: str) -> str:
    """The SQLSTATE, if it tells what was met, or an empty string."""
    code = code_of(error)
    if code == "22P02" and "for enum" not in error:
        return ""
    return code if code in _LIVED_IN else ""


def _loosened(evidence: Evidence, code: str) -> str:
    """What the upgrade loosened, so that such data could be written; the revision where that cannot be told."""
    changes = changes_of(evidence)
    names: list[str] = []
    if code == "23502":
        names = [
            change.name
            for change, before, after in changes.altered("column")
            if column(before).not_null and not column(after).not_null
        ]
    elif code in ("22001", "22003"):
        names = list(changes.retyped)
    elif code == "22P02":
        names = [change.name for change in changes.of("type") if _new_labels(change)]
    elif code in ("23505", "23503", "23514"):
        words = {"23505": ("UNIQUE", "PRIMARY KEY", "CREATE UNIQUE"), "23503": ("FOREIGN KEY",), "23514": ("CHECK",)}
        loosened = [change for change in changes.of("constraint", "index") if change.before is not None]
        names = [change.name for change in loosened if (change.before or "").startswith(words[code])]
    return listed(names) if names else evidence.revision


def _half_applied(evidence: Evidence) -> Findings:
    steps = {"upgrade": evidence.upgrade, "downgrade": evidence.downgrade}
    for direction, step in steps.items():
        errors = [one.error for one in step.fails_on_data or ()]
        errors += [step.error] if _failed(step) and step.error else []
        invalid = [error for error in errors if is_invalid_index(error)]
        if step.transactional is False and errors and not invalid and len(step.statements or ()) != 1:
            yield {"subject": evidence.revision, "direction": direction, "error": errors[0]}


def _failed(step: Step) -> bool:
    return step.outcome == "failed"


def _is_of_server(step: Step) -> bool:
    return code_of(step.error) != "" or step.error == "timed out"


# What it blocks

_RANKS = {"rewrite": 3, "rebuild": 2, "scan": 2, "backfill": 2}


def _blocks_more(evidence: Evidence) -> Findings:
    upgrade = {table: rank for table, (rank, *_) in _worst(evidence.upgrade).items()}
    for table, (rank, work, blocked, statement) in sorted(_worst(evidence.downgrade).items()):
        if rank > upgrade.get(table, (0, 0)):
            yield {
                "subject": table,
                "table": table,
                "work": work,
                "blocked": blocked,
                "statement": one_line(statement.sql),
            }


def _worst(step: Step) -> Mapping[str, tuple[tuple[int, int], str, str, Statement]]:
    """Of each table the worst work on all of it: whether reads are blocked, what kind, and the statement."""
    worst: dict[str, tuple[tuple[int, int], str, str, Statement]] = {}

    def note(table: str, kind: str, blocked: frozenset[str], statement: Statement) -> None:
        rank = (2 if "reads" in blocked else 1, _RANKS[kind])
        if table not in worst or rank > worst[table][0]:
            worst[table] = (rank, kind, " and ".join(sorted(blocked)), statement)

    for work in work_of(step):
        note(work.table, work.kind, work.blocked, work.statement)
    for statement in step.statements or ():
        if statement.rows_changed:
            for lock in statement.locks or ():
                if "reads" in lock.blocks and not lock.acquired:
                    note(lock.relation, "backfill", frozenset(lock.blocks), statement)
    return worst


RULES: Mapping[str, Rule] = {
    "downgrade-does-nothing": _by("downgrade-does-nothing", "kind count"),
    "downgrade-raises": rule(_raises, "subject error"),
    "downgrade-fails": rule(_fails, "subject error"),
    "recreated-table-lacks-parts": _by("recreated-table-lacks-parts", "table missing"),
    "enum-label-left-behind": _by("enum-label-left-behind", "type label"),
    "enum-type-left-behind": _by("enum-type-left-behind", "kind before after error drop_type"),
    "left-behind": _by("left-behind", "kind before after"),
    "rename-not-reversed": _by("rename-not-reversed", "before after rename_back"),
    "index-not-restored": _by("index-not-restored", "kind before after create_index"),
    "constraint-not-restored": _by("constraint-not-restored", "kind before after add_constraint"),
    **{
        hazard: _by(hazard, "kind before after")
        for hazard in (
            "default-not-restored",
            "default-left-behind",
            "column-type-not-restored",
            "not-null-not-restored",
            "generated-expression-not-restored",
            "comment-not-restored",
            "privileges-not-restored",
            "sequence-moved-back",
            "sequence-ownership-lost",
            "view-not-restored",
            "function-not-restored",
            "trigger-not-restored",
            "policy-not-restored",
            "extension-not-restored",
            "schema-not-restored",
        )
    },
    "second-upgrade-fails": rule(_second_upgrade_fails, "subject error"),
    "second-upgrade-differs": rule(_second_upgrade_differs, "subject kind before after"),
    "rows-inserted-again": rule(_inserted_again, "subject error"),
    **{hazard: _meets(code) for code, hazard in _LIVED_IN.items()},
    "downgrade-fails-after-use": _meets(""),
    "half-applied": rule(_half_applied, "subject direction error"),
    "downgrade-blocks-more": rule(_blocks_more, "subject table work blocked statement"),
}
