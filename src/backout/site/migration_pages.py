"""The pages of a project's chain: the chain itself, its schema at head, and one page a revision.

Not here: what is drawn (``chain_picture``, ``timeline``, ``entities``), how it is written (templates). Pure.
"""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator

from backout.evidence import Evidence, on_major, to_builtins
from backout.matrix.rows import reasons
from backout.rules import Finding, load_catalogue
from backout.site.chain_picture import chain_picture
from backout.site.difference import difference, table_of
from backout.site.entities import anchor, entities, entities_picture
from backout.site.measured import Measured, MeasuredChain, judged
from backout.site.model import SitePage, render
from backout.site.words import RISKS, ROLLBACKS

INDEX = "migrations/index.md"
SCHEMA = "migrations/schema.md"


def address(revision: str) -> str:
    """The page of a revision."""
    name = re.sub(r"[^A-Za-z0-9_.-]", "-", revision)
    return f"migrations/{f'revision-{name}' if name in ('index', 'schema') else name}.md"


def migration_pages(chain: MeasuredChain) -> Iterator[SitePage]:
    """The pages, the chain's first."""
    yield _index(chain)
    yield _schema(chain)
    by_id = {one.id: one for one in chain.revisions}
    newest_first = [one.id for one in reversed(chain.revisions)]
    for place, name in enumerate(newest_first):
        yield SitePage(
            uri=address(name),
            title=f"{' '.join(by_id[name].revision.summary.split()) or name}",
            description=_description(by_id[name]),
            html=_revision(by_id[name], by_id),
            parent=INDEX,
            previous=address(newest_first[place - 1]) if place else SCHEMA,
            next=address(newest_first[place + 1]) if place + 1 < len(newest_first) else None,
            measured=(by_id[name].evidence,),
        )


def _index(chain: MeasuredChain) -> SitePage:
    risks = Counter(one.evidence.risk if one.evidence else None for one in chain.revisions)
    html = render(
        "migrations.html",
        chain=chain,
        newest_first=tuple(reversed(chain.revisions)),
        picture=chain_picture(chain.revisions, {one.id: f"site:{address(one.id)}" for one in chain.revisions}),
        risks=[(risk, risks[risk]) for risk in ("high", "medium", "unproven", None, "low") if risks[risk]],
        unmeasured=[one.id for one in chain.revisions if one.evidence is None],
        worst=sorted(
            (one for one in reversed(chain.revisions) if one.evidence and one.evidence.risk in ("high", "medium")),
            key=lambda one: one.evidence is not None and one.evidence.risk != "high",
        ),
        majors=sorted({one.evidence.postgres for one in chain.revisions if one.evidence}, reverse=True),
        address=address,
        schema=SCHEMA,
    )
    return SitePage(
        uri=INDEX,
        title="Migrations",
        description="Every migration of the chain, with what was measured: risk, rollback, what is lost, who waits.",
        html=html,
        wide=True,
        measured=tuple(one.evidence for one in chain.revisions),
    )


def _schema(chain: MeasuredChain) -> SitePage:
    tables = entities(chain.schema)
    others = [
        (kind, name, definition)
        for (kind, name), definition in sorted(chain.schema.items())
        if kind not in ("table", "comment") and not table_of(kind, name, definition)
    ]
    html = render(
        "schema.html",
        chain=chain,
        tables=tables,
        picture=entities_picture(tables, "#"),
        anchor=anchor,
        others=others,
        comments={name: text for (kind, name), text in chain.schema.items() if kind == "comment"},
        address=address,
    )
    return SitePage(
        uri=SCHEMA,
        title="Schema at head",
        description="The tables that the chain makes, as a picture and column by column, from its evidence.",
        html=html,
        wide=True,
        measured=tuple(one.evidence for one in chain.revisions),
    )


def _revision(one: Measured, by_id: dict[str, Measured]) -> str:
    evidence = one.evidence
    return render(
        "revision.html",
        one=one,
        evidence=evidence,
        document=list(document(one.revision.docstring)),
        groups=difference(evidence.schema.changes or (), one.before) if evidence else (),
        unrestored=difference(evidence.schema.differences or (), {}) if evidence else (),
        differing=difference(evidence.schema.reupgrade_differences or (), {}) if evidence else (),
        others=list(_other_majors(evidence)) if evidence else [],
        reasons=tuple(reasons((evidence,))) if evidence else (),
        findings_shown=_alike(one.findings or ()),
        relatives={
            name: " ".join(by_id[name].revision.summary.split())
            for name in (*one.revision.parents, *one.revision.dependencies, *one.children)
        },
        catalogue=load_catalogue(),
        address=address,
    )


def _alike(findings: Iterable[Finding]) -> list[list[Finding]]:
    """Findings with those of the same hazard together; an accepted one only with what the same waiver accepts."""
    groups: dict[tuple[str, str | None], list[Finding]] = {}
    for one in findings:
        groups.setdefault((one.hazard, one.waiver), []).append(one)
    return list(groups.values())


def _description(one: Measured) -> str:
    if one.evidence is None:
        return f"Migration {one.id}: not measured as it stands."
    risk, rollback = RISKS[one.evidence.risk].lower(), ROLLBACKS[one.evidence.rollback].lower()
    return f"Migration {one.id}: risk {risk}, rollback {rollback}. What it locks, what it loses, and when to deploy."


def document(docstring: str) -> Iterator[tuple[str | None, list[str]]]:
    """A revision's docstring as sections with paragraphs, without its first and without what Alembic reads."""
    body = "\n\n".join(docstring.strip().split("\n\n")[1:])
    body = re.sub(
        r"^(Revision ID|Revises|Create Date|Branch Labels|Depends On):.*\n?", "", body + "\n", flags=re.MULTILINE
    )
    pieces = re.split(r"^(\S[^\n]*):[ \t]*\n(?=[ \t]+\S)", body, flags=re.MULTILINE)
    for title, text in ((None, pieces[0]), *zip(pieces[1::2], pieces[2::2], strict=True)):
        paragraphs = [part.strip() for part in re.split(r"\n\s*\n", textwrap.dedent(text.strip("\n"))) if part.strip()]
        if title or paragraphs:
            yield title, paragraphs if title == "Data loss" else [" ".join(part.split()) for part in paragraphs]


def _other_majors(evidence: Evidence) -> Iterator[tuple[str, Evidence, list[str]]]:
    """Major version, the evidence there, and the fields that differ."""
    for major in evidence.also:
        there = judged(on_major(evidence, int(major)))
        here, other = to_builtins(evidence), to_builtins(there)
        yield major, there, [name for name in evidence.also[major] if here[name] != other[name]]
