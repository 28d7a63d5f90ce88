"""The words and shapes in which the site tells facts: risk, rollback, deploy, locks, losses.

Every colour has a shape and a word beside it. What was not measured has its own, never that of something harmless.

Not here: tables and pages (templates), other pictures (``timeline``, ``chain_picture``, ``entities``). Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from markupsafe import Markup, escape

from backout.blocking import Blocking, blocking
from backout.evidence import Evidence, Loss, Order, Statement
from backout.verdict import is_within_added

RISKS = {
    "low": "Low",
    "medium": "Medium",
    "high": "High",
    "unproven": "Unproven",
    None: "Not measured",
}
ROLLBACKS = {
    "yes": "Yes",
    "yes if unused": "Yes, if unused",
    "risky": "Risky",
    "no": "No",
    "unproven": "Unproven",
    None: "Not measured",
}
ROLLBACK_RISKS = {"yes": "low", "yes if unused": "low", "risky": "medium", "no": "high", "unproven": "unproven"}
DEPLOYS: dict[Order | None, str] = {
    "before": "Before the deploy",
    "after": "After the deploy",
    "either": "Before or after the deploy",
    "split": "Neither works: split it",
    None: "Not measured",
}
OUTCOMES = {
    "applied": "ran",
    "failed": "failed",
    "no-op": "had nothing to do",
    "not-run": "was not run",
}

# Circle, triangle, octagon, broken ring, empty square: told apart without colour, 16 units wide.
_SHAPES = {
    "low": '<circle cx="8" cy="8" r="6"/>',
    "medium": '<path d="M8 1.5 15 14H1z"/>',
    "high": '<path d="M5.2 1h5.6L15 5.2v5.6L10.8 15H5.2L1 10.8V5.2z"/>',
    "unproven": '<circle cx="8" cy="8" r="5.5" class="bo-hollow" stroke-width="2.5" stroke-dasharray="3 2"/>',
    "moment": '<path d="M8 2v12M2 8h12" fill="none" stroke-width="2"/>',
    None: '<path d="M2.2 2.2h11.6v11.6H2.2zM5 5l6 6M11 5l-6 6" class="bo-hollow" stroke-width="2"/>',
}


def shape(risk: str | None) -> Markup:
    """The shape of a risk, 16 units wide, to stand in an ``svg``."""
    return Markup(f'<g class="bo-shape bo-{risk or "unmeasured"}">{_SHAPES[risk]}</g>')  # noqa: S704 - our own markup


def icon(risk: str | None) -> Markup:
    """The shape as a picture beside a word that says the same."""
    return Markup('<svg class="bo-icon" viewBox="0 0 16 16" aria-hidden="true">{}</svg>').format(shape(risk))


def short(name: str) -> str:
    """A name without the schema that is usual."""
    return name.removeprefix("public.")


def mode(lock: str) -> str:
    """A lock mode as the manual writes it: ``ACCESS EXCLUSIVE``."""
    return " ".join(re.findall(r"[A-Z][a-z]+", lock.removesuffix("Lock"))).upper()


def inline(text: str) -> Markup:
    """Text in which only code between backticks is marked."""
    pieces = re.split(r"`([^`]+)`", text)
    return Markup("").join(
        Markup("<code>{}</code>").format(piece) if number % 2 else escape(piece) for number, piece in enumerate(pieces)
    )


def told_lost(evidence: Evidence) -> list[str] | None:
    """What a rollback destroys, or that it does not run, for a glance; None: nothing of it was measured."""
    untouched, lived_in = evidence.loss.untouched, evidence.loss.lived_in
    found = [told for name, told in _FAILURES.items() if getattr(evidence, name).outcome == "failed"]
    failing = bool(found)
    found += [told_loss(loss) for loss in untouched or ()]
    known = {(loss.table, loss.column) for loss in untouched or ()}
    later = [loss for loss in lived_in or () if (loss.table, loss.column) not in known]
    found += [f"{told_loss(loss)}, once used" for loss in later if not is_within_added(loss, evidence)]
    if any(is_within_added(loss, evidence) for loss in later):
        found.append("What is written into what it adds")
    if untouched is None or lived_in is None:
        return found if failing else [*found, "The rest was not measured"] if found else None
    return found


_FAILURES = {
    "downgrade": "The downgrade fails",
    "reupgrade": "The next upgrade fails",
    "lived_in_downgrade": "After use the downgrade fails",
    "lived_in_reupgrade": "After use the next upgrade fails",
}


def told_loss(loss: Loss) -> str:
    """``20 of 20 values of users.bio``."""
    if loss.column is None:
        return f"{loss.lost} of {loss.of} rows of {short(loss.table)}"
    return f"{loss.lost} of {loss.of} values of {short(loss.table)}.{loss.column}"


def value(text: str | None) -> Markup:
    """A value as it is shown; NULL is told from the word."""
    if text is None:
        return Markup('<em class="bo-null">NULL</em>')
    shown = text if len(text) <= 80 else f"{text[:79]}…"
    return Markup('<code class="bo-value">{}</code>').format(
        shown.replace("\n", "⏎").replace("\t", "⇥").replace(" ", "\u00a0")
    )


def told_blocked(statements: Iterable[Statement] | None) -> list[str] | None:
    """Who waits, and how long, for a glance; None: not all of it was seen."""
    found = blocking(statements)
    if found is None:
        return None
    return [f"{short(relation)}: {one}" for relation, those in found.items() for one in those]


def told_worst(found: Sequence[Blocking] | None) -> str:
    """What several revisions block at most."""
    if found is None:
        return "Not measured"
    text = ", ".join(map(str, found))
    return text[:1].upper() + text[1:] or "Nothing"


def weight(found: Sequence[Blocking] | None) -> str | None:
    """The colour of what is blocked, like a risk; ``moment`` where nobody waits for long, None: not measured."""
    if found is None:
        return None
    if not any(one.how_long for one in found):
        return "moment" if found else "low"
    return "high" if any(one.who & 2 and one.how_long >= 2 for one in found) else "medium"


def who(found: Sequence[Blocking] | None) -> str:
    """For a filter: ``nothing``, ``writes``, ``reads and writes``, ``not measured``."""
    if found is None:
        return "not measured"
    blocked = 0
    for one in found:
        blocked |= one.who
    return ("nothing", "writes", "reads", "reads and writes")[blocked]


def block_anchor(step: str) -> str:
    """The address of a block on its page, of its id: ``block-before-1``."""
    return "block-" + step.replace(".", "-")
