"""What was measured, for people and for programs: the table of the terminal, Markdown, JSON, SARIF.

Facts and findings come in; nothing is judged and nothing is counted here. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from backout.blocking import blocking
from backout.evidence import VERSION, Evidence, Loss, Statement, to_builtins
from backout.rules import Finding
from backout.verdict import added_by, is_within

RISKS = {"low": "🟢 low", "medium": "🟡 medium", "high": "🔴 high", "unproven": "⚪ unproven"}
ROLLBACKS = {
    "yes": "✅ yes",
    "yes if unused": "✅ yes if unused",
    "risky": "⚠️ risky",
    "no": "❌ no",
    "unproven": "❔ unproven",
}
SET = "backout/evidence-set"
UNCHECKED = "the SQL text was not checked: squawk is not installed; pip install 'backout[text]'"


@dataclass(frozen=True)
class Rehearsed:
    """A revision, as it is reported.

    :param seconds: None when it was not measured now.
    :param text_checked: squawk has read its SQL.
    """

    evidence: Evidence
    findings: tuple[Finding, ...]
    seconds: float | None = None
    text_checked: bool = False


def details(one: Rehearsed) -> tuple[tuple[str, str], ...]:
    """What there is to say of a revision beyond its verdicts: a label and a text each."""
    evidence = one.evidence
    found = [("lost", text) for text in lost(evidence)]
    found += [("blocked", text) for text in blocked(evidence.upgrade.statements)]
    found += [
        ("unproven", each.reason if each.table is None else f"{each.table}: {each.reason}")
        for each in evidence.unproven
    ]
    found += [("assumed", text) for text in evidence.assumptions]
    found += [
        (
            finding.severity,
            f"{finding.hazard}: {finding.message}" + (f" Accepted: {finding.waiver}" if finding.waiver else ""),
        )
        for finding in one.findings
        if finding.severity != "note"
    ]
    return tuple(found)


def coverage(revisions: Sequence[Rehearsed]) -> tuple[str, ...]:
    """How much of what the revisions concern had rows, and what was left out, with the reason."""
    seeded = [one.evidence.seeded for one in revisions if one.evidence.seeded is not None]
    tables, of = sum(one.tables for one in seeded), sum(one.of for one in seeded)
    columns, of_columns = sum(one.columns for one in seeded), sum(one.of_columns for one in seeded)
    total = f"seeded {tables} of {of} tables concerned, {columns} of {of_columns} columns"
    missing = {f"{_short(each.table)}.{each.column}: {each.reason}" for one in seeded for each in one.unfilled}
    return (total, *sorted(missing), *unchecked(revisions))


def unchecked(revisions: Iterable[Rehearsed]) -> tuple[str, ...]:
    """That nobody has read the SQL, and how to have it read."""
    return () if all(one.text_checked for one in revisions) else (UNCHECKED,)


def lost(evidence: Evidence) -> tuple[str, ...]:
    """What a rollback destroys: ``users.bio 5 of 6``, and what only a rollback after use does."""
    added = added_by(evidence)
    untouched = evidence.loss.untouched or ()
    known = {(loss.table, loss.column) for loss in untouched}
    told = [_loss(loss) for loss in untouched]
    later = [loss for loss in evidence.loss.lived_in or () if (loss.table, loss.column) not in known]
    told += [f"{_loss(loss)}, once used" for loss in later if not is_within(loss, added)]
    if any(is_within(loss, added) for loss in later):
        told.append("what is written into what it adds")
    return tuple(told)


def blocked(statements: Iterable[Statement] | None) -> tuple[str, ...]:
    """Who is blocked, and for how long: ``users: reads and writes during a rewrite``."""
    found = blocking(statements)
    if found is None:
        return () if statements is None else ("by what could not be observed, nobody knows whom",)
    return tuple(f"{_short(relation)}: {one}" for relation, those in found.items() for one in those)


def markdown(revisions: Sequence[Rehearsed]) -> str:
    """A table, and the findings under it."""
    lines = [
        "| Revision | Risk | Rollback | What is lost | What is blocked | Deploy |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for one in revisions:
        evidence = one.evidence
        cells = (
            f"`{evidence.revision}` {evidence.summary}",
            RISKS[evidence.risk],
            ROLLBACKS[evidence.rollback],
            "; ".join(lost(evidence)),
            "; ".join(blocked(evidence.upgrade.statements)),
            evidence.compatibility.order or "",
        )
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    findings = [(one, finding) for one in revisions for finding in one.findings if finding.severity != "note"]
    if findings:
        lines += ["", "**Findings**", ""]
        lines += [
            f"- `{one.evidence.revision}` {finding.severity}, {finding.hazard}: {finding.message}"
            + (f" (accepted: {finding.waiver})" if finding.waiver else "")
            for one, finding in findings
        ]
        lines += ["", "What a finding means, and the safer migration: `backout explain HAZARD`."]
    for text in unchecked(revisions):
        lines += ["", text]
    return "\n".join(lines) + "\n"


def evidence_set(revisions: Sequence[Rehearsed]) -> dict[str, Any]:
    """All of it, as JSON values."""
    return {
        "format": SET,
        "version": VERSION,
        "text_checked": not unchecked(revisions),
        "revisions": [
            {
                **to_builtins(one.evidence),
                "seconds": None if one.seconds is None else round(one.seconds, 3),
                "findings": [_finding(finding) for finding in one.findings],
            }
            for one in revisions
        ],
    }


def sarif(revisions: Sequence[Rehearsed], names: Mapping[str, str], version: str) -> dict[str, Any]:
    """A log of static-analysis results (SARIF 2.1.0, OASIS), which forges show beside the changed files.

    :param names: of the hazards: id → short noun phrase.
    :param version: of backout.
    """
    results = [
        {
            "ruleId": finding.hazard,
            "level": finding.severity,
            "message": {"text": finding.message},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": one.evidence.path},
                        "region": {"startLine": 1},
                    }
                }
            ],
            "partialFingerprints": {"hazardSubject": f"{one.evidence.revision}/{finding.hazard}/{finding.subject}"},
            **({"suppressions": [{"kind": "inSource", "justification": finding.waiver}]} if finding.waiver else {}),
        }
        for one in revisions
        for finding in one.findings
    ]
    links = {finding.hazard: finding.link for one in revisions for finding in one.findings}
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "backout",
                        "version": version,
                        "rules": [
                            {
                                "id": name,
                                "shortDescription": {"text": names.get(name, name)},
                                **({"helpUri": link} if link else {}),
                            }
                            for name, link in sorted(links.items())
                        ],
                    }
                },
                "results": results,
            }
        ],
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "hazard": finding.hazard,
        "severity": finding.severity,
        "subject": finding.subject,
        "message": finding.message,
        "waiver": finding.waiver,
    }


def _loss(loss: Loss) -> str:
    table = _short(loss.table)
    if loss.column is None:
        return f"{table} {loss.lost} of {loss.of} rows"
    return f"{table}.{loss.column} {loss.lost} of {loss.of}"


def _short(name: str) -> str:
    return name.removeprefix("public.")
