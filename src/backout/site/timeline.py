"""The time line of a step: one row a statement, with a bar for each lock from where it was taken to where it ends.

Time runs from left to right, a column a statement: the order was measured, durations mean nothing on a small
table. What work took as long as its table is large stands under the bar, in the column of its statement. A statement
whose locks were not seen has a broken bar that says so.

Positions across are in per cent and letters in pixels, so that it fits a phone and a desk. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from backout.evidence import Lock, Statement, Step
from backout.site.words import mode, short

_NOTHING, _NO_NEW = "locks nothing that was there before", "takes no new lock; what is held stays held"
_LINE, _BAR, _GAP, _TOP = 16, 10, 5, 22

# Once a page, before its first time line; ``url(#…)`` finds it in all of them.
PATTERNS = Markup(
    '<svg class="bo-patterns" aria-hidden="true" focusable="false"><defs>'
    '<pattern id="bo-fill-high" width="8" height="8" patternUnits="userSpaceOnUse">'
    '<path class="bo-ground-high" d="M0 0h8v8H0z"/><path class="bo-lines" d="M-2 2l4-4M0 8l8-8M6 10l4-4"/></pattern>'
    '<pattern id="bo-fill-medium" width="8" height="8" patternUnits="userSpaceOnUse">'
    '<path class="bo-ground-medium" d="M0 0h8v8H0z"/><path class="bo-lines" d="M2 0v8"/></pattern>'
    '<pattern id="bo-fill-unmeasured" width="6" height="6" patternUnits="userSpaceOnUse">'
    '<path class="bo-dots" d="M1 1h2v2H1z"/></pattern></defs></svg>'
)


@dataclass(frozen=True)
class Bar:
    """What stands in a row.

    :param first: number of the statement that it begins with.
    :param last: number of the one that it ends with.
    :param kind: ``high`` blocks reads, ``medium`` writes, ``low`` only DDL; ``work`` is a rewrite or the like;
        ``unmeasured`` was not seen.
    """

    first: int
    last: int
    kind: str
    text: str


def timeline(step: Step, name: str, number: str) -> Markup:
    """The picture of a step whose statements are known.

    :param name: what the picture is called: ``Upgrade``.
    :param number: makes its ids, and is another one for each picture of a page.
    """
    statements = step.statements or ()
    rows = [
        row or [Bar(place, place, "none", _NO_NEW if statement.locks else _NOTHING)]
        for place, (statement, row) in enumerate(zip(statements, bars(step), strict=True))
    ]
    marks, y = [], _TOP
    for place, (statement, row) in enumerate(zip(statements, rows, strict=True)):
        marks.append(_text(y + 12, f"{place + 1}", statement.sql))
        y += _LINE
        for bar in row:
            marks.append(_bar(y, bar, len(statements)))
            y += _LINE - 2 + (0 if bar.kind == "none" else _BAR)
        y += _GAP
    grid = _grid(len(statements), y, step.transactional is not False)
    return Markup(
        '<svg class="bo-timeline" width="100%" height="{}" role="img" aria-labelledby="{}-t {}-d">'
        '<title id="{}-t">{}: who waits, statement by statement</title><desc id="{}-d">{}</desc>{}{}</svg>'
    ).format(y + 2, number, number, number, name, number, _told(statements, rows), grid, Markup("").join(marks))


def bars(step: Step) -> Iterator[list[Bar]]:
    """The bars of each statement's row: locks that it took, then what it did to whole tables."""
    statements = step.statements or ()
    for place, statement in enumerate(statements):
        if statement.locks is None:
            row = [Bar(place, place, "unmeasured", "locks not seen")]
        else:
            row = [
                Bar(place, _end(place, lock, step), _kind(lock), f"{short(lock.relation)}: {_waits(lock)}")
                for lock in _strongest(statement.locks)
                if lock.acquired
            ]
        yield [*row, *(Bar(place, place, kind, text) for kind, text in _work(statement))]


def _strongest(locks: Sequence[Lock]) -> list[Lock]:
    """Of several locks on a relation that a statement takes, those that say more than another one."""
    best: dict[tuple[str, bool], Lock] = {}
    for lock in locks:
        known = best.get((lock.relation, lock.acquired))
        if known is None or len(lock.blocks) > len(known.blocks):
            best[lock.relation, lock.acquired] = lock
    return sorted(best.values(), key=lambda lock: (-len(lock.blocks), lock.relation))


def _end(place: int, lock: Lock, step: Step) -> int:
    """The last statement during which the lock is held: the transaction's, or until it is not told any more."""
    statements = step.statements or ()
    if step.transactional:
        return len(statements) - 1
    last = place
    for later in statements[place + 1 :]:
        held = {(one.relation, one.mode) for one in later.locks or () if not one.acquired}
        if (lock.relation, lock.mode) not in held:
            break
        last += 1
    return last


def _kind(lock: Lock) -> str:
    return "high" if "reads" in lock.blocks else "medium" if lock.blocks else "low"


def _waits(lock: Lock) -> str:
    if not lock.blocks:
        return f"only other DDL waits ({mode(lock.mode)})"
    return f"{' and '.join(sorted(lock.blocks))} wait ({mode(lock.mode)})"


def _work(statement: Statement) -> Iterator[tuple[str, str]]:
    if statement.rewrites is None:
        yield "unmeasured", "rewrites not seen"
    for name in statement.rewrites or ():
        yield "work", f"writes every row of {short(name)} anew"
    if statement.scans is None:
        yield "unmeasured", "scans not seen"
    for name in sorted({*(statement.scans or ())} - {*(statement.rewrites or ())}):
        yield "work", f"reads all of {short(name)}"
    if statement.indexes is None:
        yield "unmeasured", "indexes not seen"
    elif statement.indexes:
        yield "work", f"builds {', '.join(map(short, statement.indexes))}"
    if statement.rows_changed:
        yield "work", f"changes {statement.rows_changed} of the rehearsal's rows"


# -- drawing ----------------------------------------------------------------------------------------------------------


def _grid(count: int, height: int, ends: bool) -> Markup:
    """The columns, with numbers, and where the transaction ends."""
    width = _width(count)
    lines = [
        Markup(
            '<text class="bo-axis" x="{:.2f}%" dx="3" y="12">{}</text><line x1="{:.2f}%" x2="{:.2f}%" y1="16" y2="{}"/>'
        ).format(place * width, place + 1, place * width, place * width, height)
        for place in range(count)
    ]
    end = Markup(
        '<text class="bo-axis" x="100%" y="12" text-anchor="end">{}</text>'
        '<line class="bo-commit" x1="{:.2f}%" x2="{:.2f}%" y1="16" y2="{}"/>'
    ).format("commit" if ends else "end", count * width, count * width, height)
    return Markup('<g class="bo-grid">{}{}</g>').format(Markup("").join(lines), end)


def _text(y: int, number: str, sql: str) -> Markup:
    line = " ".join(sql.split())
    return Markup('<text class="bo-sql" y="{}"><tspan class="bo-number">{}</tspan> {}</text>').format(
        y, number, line if len(line) <= 110 else f"{line[:109]}…"
    )


def _bar(y: int, bar: Bar, count: int) -> Markup:
    label = Markup('<text class="bo-label" y="{}">{}</text>').format(y + 10, bar.text)
    if bar.kind == "none":
        return label
    width = _width(count)
    return Markup('{}<rect class="bo-bar bo-bar-{}" x="{:.2f}%" width="{:.2f}%" y="{}" height="{}" rx="2"/>').format(
        label, bar.kind, bar.first * width, (bar.last - bar.first + 1) * width, y + _LINE - 2, _BAR - 2
    )


def _width(count: int) -> float:
    """Of a column, in per cent; a little is left behind the transaction's end."""
    return 96 / max(count, 1)


def _told(statements: Sequence[Statement], rows: Sequence[Sequence[Bar]]) -> str:
    told = []
    for place, (statement, row) in enumerate(zip(statements, rows, strict=True)):
        what = "; ".join(
            bar.text + (f", until after statement {bar.last + 1}" if bar.last > bar.first else "") for bar in row
        )
        told.append(f"{place + 1}. {' '.join(statement.sql.split())[:60]}: {what}.")
    return " ".join(told) or "No statement."
