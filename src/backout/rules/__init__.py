"""The rules: what the catalogue knows as a hazard, found in the evidence of a revision.

::

    for finding in judge(evidence):
        print(finding.severity, finding.hazard, finding.message)

A hazard has its words in ``catalogue/<hazard>/hazard.md`` and its predicate in the table of one module, by what it is
about: ``rules.locks``, ``rules.compatibility``, ``rules.losses``, ``rules.roundtrip``. A predicate is a pure function
from evidence to the names that the message is filled with; it has no words, and asks no database. What no predicate
recognises is told by a general one of its group, never dropped.

A safer way of several revisions is ``safer_1.py``, ``safer_2.py`` …; see ``rules.catalogue``.

Severity: ``error`` where values are lost untouched, the rollback is *no*, or reads and writes are blocked while a table
is rewritten or scanned; ``warning`` where writes are blocked, where the rollback is risky for another reason, and
where neither order of migration and deploy works; ``note`` for the rest.

Not here: risk and rollback verdict (``verdict``), evidence (``rehearsal``), rendering (``formats``).
Pure: everything above may import it, and finds all names here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType

from backout.errors import ConfigurationError
from backout.evidence import Evidence
from backout.rules import catalogue as words
from backout.rules import compatibility, locks, losses, roundtrip, waiving
from backout.rules.catalogue import DIRECTORY, Hazard, Severity, fill, load_harmless
from backout.rules.elsewhere import Elsewhere, Group, load_known
from backout.rules.facts import Rule
from backout.rules.waiving import TEXT, Waiver

__all__ = [
    "GROUPS",
    "PREDICATES",
    "TEXT",
    "UNUSED",
    "Elsewhere",
    "Finding",
    "Group",
    "Hazard",
    "Severity",
    "Waiver",
    "apply_waivers",
    "judge",
    "load_catalogue",
    "load_harmless",
    "load_known",
    "measured_rules",
    "ranked",
    "waivers",
]

# By what the hazards are about.
GROUPS: Mapping[str, Mapping[str, Rule]] = MappingProxyType(
    {
        "lock": locks.RULES,
        "compatibility": compatibility.RULES,
        "loss": losses.RULES,
        "round-trip": roundtrip.RULES,
    }
)
PREDICATES: Mapping[str, Rule] = MappingProxyType(
    {name: rule for rules in GROUPS.values() for name, rule in rules.items()}
)

UNUSED = "unused-waiver"

_ORDER: Sequence[Severity] = ("error", "warning", "note")


@dataclass(frozen=True)
class Finding:
    """A hazard that a revision has.

    :param subject: the object that it is about, as evidence names it; the revision where it is about the whole of it;
        the statement where only its text is known.
    :param message: one paragraph, in the user's own names: what happens, how often, and what to do.
    :param fix: the corrected migration, Python, where there is one.
    :param waiver: the reason why it is accepted, or None.
    :param link: where others document the hazard, or None.
    """

    hazard: str
    severity: Severity
    subject: str
    message: str
    fix: str | None = None
    waiver: str | None = None
    link: str | None = None


@cache
def load_catalogue(directory: Path = DIRECTORY) -> Mapping[str, Hazard]:
    """All hazards by id, each with a predicate that gives what its words ask for.

    :raises ConfigurationError: an entry is malformed, has no predicate, or asks for what its predicate does not give.
    """
    hazards = words.load_catalogue(directory)
    for hazard in hazards.values():
        where = directory / hazard.id / "hazard.md"
        if hazard.id not in PREDICATES:
            raise ConfigurationError(f"{where}: the hazard has no predicate; add it to a table of src/backout/rules")
        unknown = sorted(hazard.placeholders - PREDICATES[hazard.id].gives)
        if unknown:
            raise ConfigurationError(
                f"{where}: unknown placeholder {{{unknown[0]}}}; "
                f"the predicate gives {', '.join(sorted(PREDICATES[hazard.id].gives))}"
            )
    return hazards


def judge(evidence: Evidence, catalogue: Mapping[str, Hazard] | None = None) -> tuple[Finding, ...]:
    """What is dangerous about a revision; the worst first, then by hazard and subject.

    :param evidence: as measured on one major version of PostgreSQL.
    """
    return ranked(
        Finding(
            hazard=hazard.id,
            severity=hazard.severity,
            subject=values["subject"],
            message=fill(hazard.message, values),
            fix=None if hazard.fix is None else fill(hazard.fix, values),
        )
        for hazard in (load_catalogue() if catalogue is None else catalogue).values()
        for values in PREDICATES[hazard.id].judge(evidence)
    )


def ranked(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Findings, each once; the worst first, then by hazard and subject."""
    return tuple(
        sorted(set(findings), key=lambda one: (_ORDER.index(one.severity), one.hazard, one.subject, one.message))
    )


def measured_rules(catalogue: Mapping[str, Hazard] | None = None) -> Mapping[str, tuple[str, ...]]:
    """Rules of squawk whose danger is measured, each with the hazards that tell it."""
    found: dict[str, tuple[str, ...]] = {}
    for hazard in (load_catalogue() if catalogue is None else catalogue).values():
        for rule in hazard.squawk:
            found[rule] = (*found.get(rule, ()), hazard.id)
    return found


def waivers(text: str, path: str, known: Collection[str] | None = None) -> tuple[Waiver, ...]:
    """The waivers of a revision file, in its order; see ``rules.waiving``.

    :param text: Python; only its comments are looked at.
    :param path: what errors call it.
    :param known: hazards that may be accepted; by default those of the catalogue.
    :raises ConfigurationError: one has another form, no reason, an unknown hazard, or stands twice; or it is of a rule
        of squawk whose danger is measured.
    """
    accepted = waiving.waivers(text, path, load_catalogue() if known is None else known)
    for waiver in accepted:
        if waiver.hazard.startswith(TEXT) and waiver.hazard.removeprefix(TEXT) in measured_rules():
            raise ConfigurationError(
                f"{waiver.path}:{waiver.line}: {waiver.hazard} is never found, for backout measures it; "
                f"accept the hazard that it finds instead: backout explain {waiver.hazard} names them"
            )
    return accepted


def apply_waivers(findings: Iterable[Finding], accepted: Iterable[Waiver]) -> tuple[Finding, ...]:
    """Mark the findings that are accepted. A waiver that accepts nothing is a finding of its own, first of all."""
    findings, accepted = tuple(findings), tuple(accepted)
    reasons = {waiver.hazard: waiver.reason for waiver in accepted}
    present = {finding.hazard for finding in findings}
    unused = (
        Finding(
            UNUSED,
            "error",
            f"{waiver.path}:{waiver.line}",
            f"{waiver.path}:{waiver.line}: {waiver.hazard} is accepted, but the revision has none; remove the waiver",
        )
        for waiver in accepted
        if waiver.hazard not in present
    )
    return (*unused, *(replace(finding, waiver=reasons.get(finding.hazard)) for finding in findings))
