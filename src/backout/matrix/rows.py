"""What the rows of the risk matrix must say, from committed evidence: the tables ``kinds`` and ``all kinds``.

A row is measured on the typical variant of its kind. Its note tells why the verdict is what it is, and names every
variant for which whoever goes by the row would be wrong, with what it is instead.

Not here: the tables on the pages (``matrix.tables``), the kinds (``matrix.kinds``), measuring them (``specimens``).
Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from backout.blocking import worst
from backout.evidence import Evidence, Order, Rollback
from backout.matrix.facts import (
    BLOCKS_UNMEASURED,
    MAY_FAIL,
    RISKS,
    ROLLBACKS,
    UNMEASURED,
    Facts,
    facts,
    told_blocks,
    told_deploy,
)
from backout.matrix.kinds import Kind
from backout.matrix.tables import Line, Table
from backout.verdict import added_by, comes_back_hollow, is_within, removed_by, verdict

_WORSE = "Worse:"


@dataclass(frozen=True)
class Row:
    """A kind, as the tables must say.

    :param short: it stands in the short table, too.
    :param words: how a note begins that is written for the first time.
    :param note: the measured part.
    :param typical: the evidence that it follows from.
    """

    title: str
    short: bool
    risk: str
    rollback: str
    blocks: str
    deploy: str
    words: str
    note: str
    typical: tuple[Evidence, ...]

    def holds(self, claim: str) -> bool | None:
        """Whether a claim of :data:`CLAIMS` is true of it; None: it is none of them."""
        predicate = CLAIMS.get(claim.removesuffix("."))
        return None if predicate is None else all(map(predicate, self.typical))

    def claims(self) -> tuple[str, ...]:
        """Every claim that is true of it."""
        return tuple(claim for claim in CLAIMS if self.holds(claim))

    def objection(self, words: str) -> str | None:
        """Why words of a note are not true, or None: they claim nothing, or what holds."""
        if self.holds(words) is not False:
            return None
        otherwise = " and ".join(map(repr, self.claims())) or f"{self.risk}, {self.rollback}"
        return f"claims {words!r}; what was measured is otherwise: {otherwise}; mend it"


def measured_rows(
    kinds: Mapping[str, Kind], evidence: Mapping[str, Mapping[str, tuple[Evidence, ...]]]
) -> tuple[Row, ...]:
    """The rows of both tables, in their order.

    :param evidence: kind → variant → of each of its revisions; see :func:`backout.matrix.kinds.read_evidence`.
    """
    return tuple(_row(kind, evidence[kind.id]) for kind in kinds.values())


def kind_tables(rows: Sequence[Row]) -> tuple[Table, Table]:
    """``kinds``, the short table, whose notes are claims; and ``all kinds``, whose notes tell what is worse."""
    return (
        Table(
            name="kinds",
            header=("Migration Type", "Risk Level", "Rollback Safe?", "Notes"),
            noun="kind",
            lines=tuple(map(_short_line, (row for row in rows if row.short))),
            needs={"all kinds": "names the variants that are worse than a row of this one"},
        ),
        Table(
            name="all kinds",
            header=("Migration type", "Risk", "Rollback", "Blocks", "Deploy", "Notes"),
            noun="kind",
            lines=tuple(map(_long_line, rows)),
        ),
    )


def parted(note: str) -> tuple[str, str]:
    """A note's own words, and its measured part: from the first sentence on that is said here."""
    found = _MEASURED.search(note)
    return (note, "") if found is None else (note[: found.start()].strip(), found[0].strip())


def _short_line(row: Row) -> Line:
    def objection(claim: str) -> str | None:
        if row.holds(claim) is None:
            return f"claims {claim!r}, which nothing can decide; known are {', '.join(map(repr, CLAIMS))}"
        return row.objection(claim)

    return Line(
        title=row.title,
        cells=(row.title, row.risk, row.rollback.removesuffix(", if unused"), ""),
        words=next(iter(row.claims()), ""),
        part=lambda claim: (claim, ""),
        objection=objection,
    )


def _long_line(row: Row) -> Line:
    return Line(
        title=row.title,
        cells=(row.title, row.risk, row.rollback, row.blocks, row.deploy, row.note),
        words=row.words,
        part=parted,
        objection=row.objection,
    )


def _row(kind: Kind, evidence: Mapping[str, tuple[Evidence, ...]]) -> Row:
    typical = facts(evidence[kind.typical])
    worse: dict[str, list[str]] = {}
    for variant in sorted(kind.variants.values(), key=lambda one: one.title.lower()):
        differing = ", ".join(_worse(facts(evidence[variant.name]), typical))
        worse.setdefault(differing, []).append(f"*{variant.title}*")
    groups = [f"{', '.join(titles)}: {differing}" for differing, titles in worse.items() if differing]
    why = [*reasons(evidence[kind.typical]), *([f"{_WORSE} {'; '.join(groups)}."] if groups else [])]
    return Row(
        title=kind.title,
        short=kind.row,
        risk=RISKS[typical.risk],
        rollback=ROLLBACKS[typical.rollback],
        blocks=_capital(told_blocks(typical.blocks)),
        deploy=_capital(_deploy(typical.deploy)),
        words=kind.note,
        note=" ".join(why),
        typical=evidence[kind.typical],
    )


def _worse(variant: Facts, row: Facts) -> Iterator[str]:
    """What of a variant somebody who goes by the row is not prepared for."""
    if list(RISKS).index(variant.risk) > list(RISKS).index(row.risk):
        yield RISKS[variant.risk]
    if list(ROLLBACKS).index(variant.rollback) > list(ROLLBACKS).index(row.rollback):
        yield ROLLBACKS[variant.rollback]
    if variant.fails and not row.fails:
        yield MAY_FAIL
    if row.blocks is not None:
        # What a failed upgrade blocks is not known, and matters to nobody.
        unexpected = [one for one in variant.blocks or () if not any(expected.covers(one) for expected in row.blocks)]
        if unexpected:
            yield f"blocks {told_blocks(worst(unexpected))}"
        if variant.blocks is None and not variant.fails:
            yield BLOCKS_UNMEASURED
    if not _fits(variant.deploy, row.deploy):
        yield told_deploy(variant.deploy)


def _fits(variant: tuple[Order | None, ...], row: tuple[Order | None, ...]) -> bool:
    """Whether a deploy that is right for the row is right for the variant. In steps, each one has its own."""
    if len(variant) > 1:
        return "split" not in variant or "split" in row
    return variant[0] in (None, "either", *row) or "split" in row


def _deploy(orders: tuple[Order | None, ...]) -> str:
    return ", then ".join(order or UNMEASURED.lower() for order in orders)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def reasons(revisions: tuple[Evidence, ...]) -> Iterator[str]:
    """Why the verdict of a row is what it is, in sentences of :data:`_REASONS`; ``site`` tells them, too."""
    if any(one.upgrade.fails_on_data for one in revisions):
        yield _UPGRADE_MAY_FAIL
    hardest = max(revisions, key=lambda one: list(ROLLBACKS).index(verdict(one)[1]))
    yield from (sentence for sentence, holds in _REASONS[verdict(hardest)[1]].items() if holds(hardest))


Predicate = Callable[[Evidence], bool]
_UPGRADE_MAY_FAIL = f"The upgrade {MAY_FAIL}."
_REASONS: dict[Rollback, dict[str, Predicate]] = {
    "no": {
        "The downgrade fails.": lambda one: one.downgrade.outcome == "failed",
        "What it removed comes back without its values.": lambda one: one.downgrade.outcome != "failed",
    },
    "risky": {
        "Values from before are lost.": lambda one: bool(one.loss.untouched),
        "The rollback leaves another schema.": lambda one: one.schema.restored is False,
        "The next upgrade fails.": lambda one: one.reupgrade.outcome == "failed",
        "The next upgrade gives another schema.": lambda one: bool(one.schema.reupgrade_differences),
        "After use the rollback may fail.": lambda one: one.lived_in_downgrade.outcome == "failed",
        "After use the next upgrade may fail.": lambda one: one.lived_in_reupgrade.outcome == "failed",
        "Values written since are lost.": lambda one: any(
            not is_within(loss, added_by(one)) for loss in one.loss.lived_in or ()
        ),
    },
    "unproven": {
        "The upgrade fails.": lambda one: one.upgrade.outcome == "failed",
        "Not all could be measured.": lambda one: one.upgrade.outcome != "failed",
    },
    "yes if unused": {"What was written into it since is lost.": lambda _: True},
    "yes": {},
}

_DATA_ERRORS = ("22", "23")  # classes of SQLSTATE: data exceptions and integrity constraint violations


def _only_added_are_lost(one: Evidence, kind: str) -> bool:
    added = {change.name for change in one.schema.changes or () if change.before is None and change.kind == kind}
    return verdict(one)[1] == "yes if unused" and all(
        (loss.table if kind == "table" else f"{loss.table}.{loss.column}") in added for loss in one.loss.lived_in or ()
    )


def _is_gone(one: Evidence) -> bool:
    gone = removed_by(one)
    return verdict(one)[1] == "no" and any(
        is_within(loss, gone) and comes_back_hollow(loss) for loss in one.loss.untouched or ()
    )


def _does_not_fit(one: Evidence) -> bool:
    failed = one.lived_in_downgrade
    return (
        one.downgrade.outcome == "applied"
        and failed.outcome == "failed"
        and (failed.error or "").startswith(_DATA_ERRORS)
    )


CLAIMS: dict[str, Predicate] = {
    "Safe if column empty": lambda one: _only_added_are_lost(one, "column"),
    "Safe if table empty": lambda one: _only_added_are_lost(one, "table"),
    "Data permanently lost": _is_gone,
    "May fail if data doesn't fit": _does_not_fit,
    "May lose transformations": lambda one: bool(one.loss.untouched) and not removed_by(one),
}


_SENTENCES = [_UPGRADE_MAY_FAIL, *(sentence for some in _REASONS.values() for sentence in some), _WORSE]
_MEASURED = re.compile(rf"(?:^|\s)(?:{'|'.join(map(re.escape, _SENTENCES))}).*$")
