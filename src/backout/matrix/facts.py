"""What a migration of one or several revisions is, all together, and the words of the tables for it.

Not here: which cells a table has (``matrix.rows``, ``matrix.hazards``). Pure; ``site`` asks it, too.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from backout.blocking import Blocking, blocking, worst
from backout.evidence import Evidence, Order, Risk, Rollback
from backout.verdict import verdict

# Worse goes up; what was not measured is worse than what was found harmless, and better than what was found harmful.
RISKS: dict[Risk, str] = {"low": "🟢 Low", "unproven": "⚪ Unproven", "medium": "🟡 Medium", "high": "🔴 High"}
ROLLBACKS: dict[Rollback, str] = {
    "yes": "✅ Yes",
    "yes if unused": "✅ Yes, if unused",
    "unproven": "❔ Unproven",
    "risky": "⚠️ Risky",
    "no": "❌ No",
}
_WHEN: dict[Order | None, str] = {
    "before": "before the deploy",
    "after": "after the deploy",
    "either": "before or after the deploy",
    "split": "split around the deploy",
    None: "deploy not measured",
}
UNMEASURED = "Not measured"
MAY_FAIL = "may fail on the rows that are there"
BLOCKS_UNMEASURED = "what it blocks was not measured"


@dataclass(frozen=True)
class Facts:
    """What a migration is, all its revisions together.

    :param blocks: None: not all was observed.
    :param deploy: of each revision.
    :param fails: the upgrade, on rows that may well be there.
    """

    risk: Risk
    rollback: Rollback
    blocks: tuple[Blocking, ...] | None
    deploy: tuple[Order | None, ...]
    fails: bool


def facts(revisions: Sequence[Evidence]) -> Facts:
    """Of revisions that belong together, the worst."""
    verdicts = [verdict(one) for one in revisions]
    blocked = [blocking(one.upgrade.statements) if one.upgrade.outcome != "failed" else None for one in revisions]
    known = [found for found in blocked if found is not None]
    return Facts(
        risk=max((risk for risk, _ in verdicts), key=list(RISKS).index),
        rollback=max((rollback for _, rollback in verdicts), key=list(ROLLBACKS).index),
        blocks=worst(one for found in known for every in found.values() for one in every)
        if len(known) == len(blocked)
        else None,
        deploy=tuple(one.compatibility.order for one in revisions),
        fails=any(one.upgrade.outcome == "failed" or one.upgrade.fails_on_data for one in revisions),
    )


def told_blocks(found: tuple[Blocking, ...] | None) -> str:
    """Who is blocked, and how long, in words."""
    if found is None:
        return UNMEASURED.lower()
    return ", ".join(map(str, found)) or "nothing"


def told_deploy(orders: Sequence[Order | None]) -> str:
    """Where the deploy goes, in words; of several revisions one after the other, where they differ."""
    return ", then ".join(_WHEN[order] for order, _ in itertools.groupby(orders))
