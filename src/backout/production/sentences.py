"""What a preview says, in words, with the user's own names; and the same as JSON values.

Facts come from ``production.preview``; here nothing is judged or counted. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from backout.evidence import Loss
from backout.production.counting import Count
from backout.production.preview import Advice, Blocked, CountedLoss, CountedObstacle, Preview, Undone

FORMAT = "backout/preview"
VERSION = 1

# What to do: in words, and by which runbook, for one revision and for several.
ADVICE: Mapping[Advice, tuple[str, tuple[str, str]]] = {
    "nothing": (
        "Nothing is lost.",
        ("roll-back-one-revision", "roll-back-to-a-revision"),
    ),
    "nothing seen": (
        "Nothing is lost of what could be measured.",
        ("roll-back-one-revision", "roll-back-to-a-revision"),
    ),
    "not brought back": (
        "Nothing that is there now is lost. What was lost when it was applied does not come back.",
        ("roll-back-one-revision", "roll-back-to-a-revision"),
    ),
    "kept": (
        "Values are lost, and salvage can keep them until the next upgrade.",
        ("roll-back-without-losing-data", "roll-back-without-losing-data"),
    ),
    "thrown away": (
        "It does not bring back what was there before. Fix forward; or restore a backup from before it was applied.",
        ("restore-from-a-backup", "restore-from-a-backup"),
    ),
    "lost": (
        "Values are lost for good, and salvage cannot keep them. Fix forward; or make a backup first.",
        ("restore-from-a-backup", "restore-from-a-backup"),
    ),
    "fails now": (
        "It fails on rows that are there, or may; a human must say what becomes of them first.",
        ("roll-back-one-revision", "roll-back-to-a-revision"),
    ),
    "unproven": (
        "What it loses is not known. Measure it first: backout rehearse; until then only a backup is safe.",
        ("restore-from-a-backup", "restore-from-a-backup"),
    ),
    "fails": (
        "It cannot be rolled back: its downgrade fails. Fix forward; or restore a backup from before it was applied.",
        ("restore-from-a-backup", "restore-from-a-backup"),
    ),
}


def conclusion(preview: Preview) -> tuple[str, str]:
    """What to do, and the name of the runbook."""
    text, runbooks = ADVICE[preview.advice]
    return text, runbooks[len(preview.undone) > 1]


def details(one: Undone) -> tuple[tuple[str, str], ...]:
    """What there is to say of one revision: a label and a text each."""
    return tuple(_details(one))


def to_builtins(preview: Preview) -> dict[str, Any]:
    """All of it, as JSON values."""
    text, runbook = conclusion(preview)
    return {
        "format": FORMAT,
        "version": VERSION,
        "database": preview.database,
        "current": list(preview.current),
        "to": list(preview.to),
        "advice": preview.advice,
        "text": text,
        "runbook": runbook,
        "revisions": [
            {
                **msgspec.to_builtins(one),
                "blocked": None if one.blocked is None else [_blocked_values(each) for each in one.blocked],
                "told": [{"about": label, "text": told} for label, told in details(one)],
            }
            for one in preview.undone
        ],
    }


def _details(one: Undone) -> Iterator[tuple[str, str]]:
    yield "measured", f"risk {one.risk}, rollback {one.rollback}" if one.measured else "unproven: not measured"
    for why in one.why_unproven:
        yield "unproven", why
    if one.measured:
        yield from _of_rows(one)
        yield from _of_the_step(one)
        yield from _of_salvage(one)


def _of_rows(one: Undone) -> Iterator[tuple[str, str]]:
    if one.fails is not None:
        yield "fails", f"its downgrade failed in the rehearsal: {one.fails}"
    for obstacle in one.fails_on:
        yield "fails", _obstacle(obstacle)
    for loss in one.losses:
        yield "loses", _loss(loss)
    if not one.proves_loss:
        yield "loses", "what else is lost was not measured: in the rehearsal the downgrade failed on what was written"
    elif not one.losses and not one.why_unproven and one.fails is None:
        yield "loses", "nothing that is there now"
    for gone in one.thrown_away:
        yield "lost", _thrown_away(gone)


def _of_the_step(one: Undone) -> Iterator[tuple[str, str]]:
    if one.blocked is None:
        yield "blocks", "not known: not all of it could be observed"
    for each in one.blocked or ():
        yield "blocks", _blocked(each)
    yield "runs", _TRANSACTION[one.transactional]
    if one.restored is False:
        yield "leaves", "another schema than there was before"


def _of_salvage(one: Undone) -> Iterator[tuple[str, str]]:
    if one.loses:
        for refusal in one.cannot_keep:
            yield "salvage", f"cannot keep it: {refusal}"
        if one.kept:
            yield "salvage", f"can keep {', '.join(map(_plain, one.kept))}"


_TRANSACTION = {
    True: "in one transaction: a failure changes nothing",
    False: "not in one transaction: a failure may leave half of it",
    None: "in one transaction or not: not known",
}


def _loss(one: CountedLoss) -> str:
    doomed, table = one.doomed, _plain(one.doomed.table)
    template = _LOSSES[doomed.fate]
    if one.lost.basis == "not counted":
        template = _UNCOUNTED[doomed.fate]
    elif doomed.fate == "column" and not one.has_default:
        template = "{lost} of {rows} {table} have a value in `{column}`"
    return template.format(
        table=table,
        column=doomed.column,
        lost=number(one.lost),
        rows=number(one.rows) if one.rows.number is not None else "an unknown number of",
        was=doomed.was,
        labels=" or ".join(repr(label) for label in doomed.labels),
        partitions=", ".join(map(_plain, doomed.partitions)),
        rehearsed="not measured"
        if doomed.rehearsed is None
        else f"{doomed.rehearsed[0]:,} of {doomed.rehearsed[1]:,} in the rehearsal",
        why=one.lost.why,
    ) + _estimate(one.lost, one.rows)


_LOSSES = {
    "table": "drops table {table}: {lost} rows",
    "partition": "drops {partitions}: {lost} of {rows} rows of {table}",
    "rows": "deletes rows of {table}: {lost} of {rows}",
    "column": "{lost} of {rows} {table} have `{column}` other than the default",
    "retyped": "{lost} of {rows} {table} have a `{column}` that {was} cannot hold",
    "labels": "{lost} of {rows} {table} have `{column}` {labels}",
    "overwritten": "writes over `{column}` of {table}: {lost} of {rows}",
}
_UNCOUNTED = {
    "table": "drops table {table}: rows not counted: {why}",
    "partition": "drops {partitions} of {table}: rows not counted: {why}",
    "rows": "deletes rows of {table} ({rehearsed}); of {rows} rows now, not counted: {why}",
    "column": "drops `{column}` of {table}; of {rows} rows now, not counted: {why}",
    "retyped": "converts `{column}` of {table} to {was} ({rehearsed}); of {rows} rows now, not counted: {why}",
    "labels": "removes {labels} from `{column}` of {table}; of {rows} rows now, not counted: {why}",
    "overwritten": "writes over `{column}` of {table} ({rehearsed}); of {rows} rows now, not counted: {why}",
}


def _obstacle(one: CountedObstacle) -> str:
    where = f" of {_plain(one.obstacle.table)}" if one.obstacle.table else ""
    if one.rows.number is None:
        return f"may fail, as in the rehearsal, on rows{where}: {one.obstacle.error}; not counted: {one.rows.why}"
    if one.rows.number == 0:
        return f"on none of the rows{where} that are there now, for {one.obstacle.what}"
    return f"on {one.rows.number:,} rows{where}, for {one.obstacle.what}"


def _thrown_away(loss: Loss) -> str:
    name = _plain(loss.table) if loss.column is None else f"`{loss.column}` of {_plain(loss.table)}"
    what = "rows" if loss.column is None else "values"
    return (
        f"{name}: {what} were lost when it was applied ({loss.lost:,} of {loss.of:,} in the rehearsal); they are not "
        "there any more, so no query can count them"
    )


def _blocked(one: Blocked) -> str:
    size = "size not known" if one.size is None else size_of(one.size)
    rows = "rows not known" if one.rows.number is None else f"{number(one.rows)} rows"
    return f"{_plain(one.relation)} ({size}, {rows}): {', '.join(map(str, one.how))}"


def _blocked_values(one: Blocked) -> dict[str, Any]:
    return {**msgspec.to_builtins(one), "how": [str(how) for how in one.how]}


def number(count: Count) -> str:
    """``1,204``, ``about 1,204``."""
    if count.number is None:
        return "an unknown number of"
    return f"{'about ' if count.basis == 'estimated' else ''}{count.number:,}"


def size_of(size: int) -> str:
    """Bytes, as PostgreSQL's ``pg_size_pretty`` writes them: ``12 MB``."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 10 * 1024:
            return f"{size} {unit}"
        size = (size + 512) // 1024
    return f"{size} TB"


def _estimate(*counts: Count) -> str:
    why = next((one.why for one in counts if one.basis == "estimated"), None)
    return "" if why is None else f" (estimate: {why})"


def _plain(name: str) -> str:
    return name.removeprefix("public.")
