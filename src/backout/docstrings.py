"""What a revision's docstring says of its dangers, and whether that is what was measured.

::

    Data loss:
        users.legacy_password_hash: the old hashes.
    Rollback plan:
        Restore the column from the backup; see the runbook.

A revision that loses values, or cannot be rolled back, needs both sections; ``Data loss`` names exactly the
tables and columns of which values were measured to be lost, one a line. Pure.
"""

import re
from collections.abc import Iterable

from backout.evidence import Evidence, Loss

SECTIONS = ("Data loss", "Rollback plan")


def section(document: str, name: str) -> tuple[str, ...]:
    """The lines of a section of a revision's docstring, without their indentation; empty when it is not there."""
    heading = rf"^([ \t]*){re.escape(name)}:[ \t]*\n"
    match = re.search(heading + r"((?:\1[ \t]+\S.*\n?|[ \t]*\n)+)", document, re.MULTILINE)
    return tuple(line.strip() for line in match[2].splitlines() if line.strip()) if match else ()


def faults(document: str, evidence: Evidence) -> tuple[str, ...]:
    """What a docstring lacks, or says wrongly, of what was measured; each says what to write."""
    lost = lost_subjects(evidence)
    told = section(document, "Data loss")
    named = [line.partition(":")[0].strip() for line in told]
    found = [
        f"the docstring says of data loss {line!r}; write table.column: what is lost, or table: what is lost"
        for line, subject in zip(told, named, strict=True)
        if not re.fullmatch(_SUBJECT, subject) or not line.partition(":")[2].strip()
    ]
    if lost and not told:
        found.append(f"the docstring has no Data loss: section; the rehearsal lost {_listed(lost)}")
    elif not found:
        found += [
            f"the docstring names {subject} under Data loss:, of which the rehearsal lost nothing; remove the line"
            for subject in named
            if subject not in lost
        ]
        found += [
            f"the docstring does not name {subject} under Data loss:, of which the rehearsal lost values; add a line"
            for subject in lost
            if subject not in named
        ]
    if (lost or evidence.rollback == "no") and not section(document, "Rollback plan"):
        why = f"loses {_listed(lost)}" if lost else "fails"
        found.append(f"the docstring has no Rollback plan: section, and the rollback {why}; say how to get back")
    return tuple(found)


def lost_subjects(evidence: Evidence) -> tuple[str, ...]:
    """Tables and columns of which values from before the upgrade do not come back: ``users.bio``, ``archive.logs``.

    ``public.`` is left out. Where the downgrade does not run, what the upgrade removes is lost.
    """
    losses = evidence.loss.untouched
    if losses is None:
        losses = evidence.loss.upgrade or ()
    return tuple(sorted({_subject(loss) for loss in losses}))


def _subject(loss: Loss) -> str:
    table = loss.table.removeprefix("public.")
    return table if loss.column is None else f"{table}.{loss.column}"


def _listed(subjects: Iterable[str]) -> str:
    return ", ".join(subjects)


_NAME = r'(?:[\w$]+|"(?:[^"]|"")+")'
_SUBJECT = rf"{_NAME}(?:\.{_NAME}){{0,2}}"
