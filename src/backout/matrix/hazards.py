"""What the tables of the hazard catalogue must say, from committed evidence.

One table for each group of rules. A hazard is measured on its ``unsafe``, its safer way on the revisions of that. Two
more tables hold the catalogue against the list of known hazards.

Not here: the tables on the pages (``matrix.tables``), the hazards (``rules.catalogue``), measuring them
(``specimens``). Pure, but for :func:`read_hazard_evidence`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from backout.evidence import Evidence
from backout.matrix.facts import BLOCKS_UNMEASURED, MAY_FAIL, ROLLBACKS, facts, told_blocks, told_deploy
from backout.matrix.kinds import evidence_of
from backout.matrix.tables import Line, Table
from backout.rules import Group, Hazard
from backout.rules.elsewhere import Way

_HEADER = ("Hazard", "Unsafe", "Safer way")
_WAYS: Mapping[Way, str] = {"squawk": "told by squawk", "told": "told otherwise", "unseen": "unseen"}
_ID = re.compile(r"`([^`]+)`")


def read_hazard_evidence(catalogue: Mapping[str, Hazard]) -> dict[Path, Evidence]:
    """What was measured of the unsafe revisions and of the safer ways, by file.

    :raises ConfigurationError: a revision was never measured, or its file is no evidence.
    """
    files = {file for hazard in catalogue.values() for file in (hazard.unsafe[-1], *_steps(hazard))}
    return {file: evidence_of(file) for file in sorted(files)}


def hazard_tables(
    catalogue: Mapping[str, Hazard],
    groups: Mapping[str, Collection[str]],
    known: Sequence[Group],
    evidence: Mapping[Path, Evidence],
) -> tuple[Table, ...]:
    """``<group> hazards`` for each group of rules, ``known hazards`` and ``other hazards``.

    :param groups: the hazards of each group.
    :param evidence: see :func:`read_hazard_evidence`.
    """
    names = [f"{group} hazards" for group in groups]
    every = dict.fromkeys(names, "has hazards that this one has not") | {
        "known hazards": "counts what the catalogue has",
        "other hazards": "tells what the catalogue has not",
    }
    return (
        *(
            Table(
                name=name,
                header=_HEADER,
                noun="hazard",
                lines=tuple(_line(catalogue[hazard], evidence) for hazard in sorted(hazards)),
                title=_title,
                needs=every,
            )
            for name, hazards in zip(names, groups.values(), strict=True)
        ),
        Table(
            name="known hazards",
            header=("Known hazards", "In the catalogue", "Not in it"),
            noun="group",
            lines=tuple(map(_counts, known)),
            needs=every,
        ),
        Table(
            name="other hazards",
            header=("Known as", "Hazard", "Who tells it, or what that would take"),
            noun="hazard",
            lines=tuple(
                Line(one.id, (one.id, one.name, f"squawk: {one.text}" if one.way == "squawk" else one.text))
                for group in known
                for one in group.left
            ),
            needs=every,
        ),
    )


def _line(hazard: Hazard, evidence: Mapping[Path, Evidence]) -> Line:
    address = f'<a id="{hazard.id}"></a>`{hazard.id}`'
    return Line(
        title=hazard.id,
        cells=(
            f"{address}<br>{hazard.name}<br>*{hazard.severity}*, {', '.join(hazard.sources)}",
            _told([evidence[hazard.unsafe[-1]]]),
            _told([evidence[file] for file in _steps(hazard)]),
        ),
    )


def _title(cell: str) -> str:
    found = _ID.search(cell)
    return found[1] if found else cell


def _steps(hazard: Hazard) -> list[Path]:
    """The revisions of the safer way, without what is there before it."""
    return [file for file in hazard.safer if file.stem.startswith("safer")]


def _told(revisions: Sequence[Evidence]) -> str:
    """Rollback, what is blocked, and where the deploy goes unless that is all the same, a line each."""
    found = facts(revisions)
    lines = [f"{len(revisions)} revisions"] if len(revisions) > 1 else []
    lines.append(f"Rollback: {ROLLBACKS[found.rollback]}")
    if any(one.upgrade.outcome == "failed" for one in revisions):
        lines.append("the upgrade fails")
    else:
        lines += [MAY_FAIL] if found.fails else []
        lines.append(BLOCKS_UNMEASURED if found.blocks is None else f"blocks {told_blocks(found.blocks)}")
        lines += [told_deploy(found.deploy)] if set(found.deploy) != {"either"} else []
    return "<br>".join(lines)


def _counts(group: Group) -> Line:
    title = f"{group.id}: {group.title}"
    ways = Counter(one.way for one in group.left)
    left = ", ".join(f"{ways[way]} {words}" for way, words in _WAYS.items() if ways[way])
    number = len(group.sources)
    return Line(title, (title, f"{number} of {number + len(group.left)}", left or "none"))
