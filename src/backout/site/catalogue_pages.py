"""The pages of what backout knows: the risk matrix with one page a kind of migration, the hazards with one page each.

What stands there was measured on the package's own migrations (``specimens``), which are shown beside it.

Not here: the words of hazards (``rules``) and kinds (``matrix.kinds``), how it is written (templates). Pure, but for
reading the package's data.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import markdown
from markupsafe import Markup

from backout.evidence import Evidence
from backout.evidence_files import fingerprint_of
from backout.matrix.facts import Facts, facts
from backout.matrix.kinds import Kind, Variant, evidence_of, load_kinds
from backout.matrix.rows import reasons
from backout.rules import GROUPS, Hazard, judge, load_catalogue, load_known
from backout.site.measured import MeasuredChain
from backout.site.migration_pages import INDEX as MIGRATIONS
from backout.site.model import SitePage, render

RISK = "risk/index.md"
HAZARDS = "hazards/index.md"

_GROUPS = {
    "lock": "Locks",
    "compatibility": "Two releases",
    "loss": "Losses",
    "round-trip": "The way back",
}
_DETECTORS = {"squawk": "squawk", "told": "told otherwise", "unseen": "nobody"}


@dataclass(frozen=True)
class Specimen:
    """A revision of the package's own, with what was measured of it; None where that is of another file."""

    title: str
    file: Path
    evidence: Evidence | None

    @property
    def source(self) -> str:
        """Its text."""
        return self.file.read_text(encoding="utf-8")


@dataclass(frozen=True)
class Way:
    """A migration of one or several revisions, deploys apart.

    :param facts: all together; None where not all was measured.
    """

    name: str
    title: str
    specimens: tuple[Specimen, ...]
    facts: Facts | None
    why: tuple[str, ...]

    @property
    def lost(self) -> list[Evidence]:
        """Evidence of its revisions, where there is all of it."""
        return [one.evidence for one in self.specimens if one.evidence]


def kind_address(kind: str) -> str:
    """The page of a kind of migration."""
    return f"risk/{kind}.md"


def hazard_address(hazard: str) -> str:
    """The page of a hazard."""
    return f"hazards/{hazard}.md"


def catalogue_pages(chain: MeasuredChain | None) -> Iterator[SitePage]:
    """The pages of the matrix and of the catalogue."""
    kinds, catalogue = load_kinds(), load_catalogue()
    ways = {kind.id: tuple(_variant(one) for one in _typical_first(kind)) for kind in kinds.values()}
    yield _matrix(kinds, ways, chain)
    names = list(kinds)
    for place, (name, kind) in enumerate(kinds.items()):
        yield SitePage(
            uri=kind_address(name),
            title=kind.title,
            description=f"{kind.title}: what each way to write it locks and loses, measured, with its migration.",
            html=render("kind.html", kind=kind, ways=ways[name], risk=RISK),
            parent=RISK,
            previous=kind_address(names[place - 1]) if place else RISK,
            next=kind_address(names[place + 1]) if place + 1 < len(names) else None,
            measured=_measured(ways[name]),
        )
    hazards = {name: (_unsafe(hazard), _safer(hazard)) for name, hazard in catalogue.items()}
    yield _hazards(catalogue, hazards)
    names = list(catalogue)
    groups = {name: _GROUPS[group] for group, rules in GROUPS.items() for name in rules}
    for place, (name, hazard) in enumerate(catalogue.items()):
        unsafe, safer = hazards[name]
        yield SitePage(
            uri=hazard_address(name),
            title=f"{hazard.name[:1].upper()}{hazard.name[1:]}",
            description=f"{name}: {hazard.name}. When it strikes, what it does, and the safer way, both measured.",
            html=render(
                "hazard.html",
                hazard=hazard,
                group=groups[name],
                unsafe=unsafe,
                safer=safer,
                finding=_finding(hazard, unsafe),
                entailing=[one for one in catalogue.values() if name in one.entails],
                catalogue=catalogue,
                hazards=HAZARDS,
                address=hazard_address,
                text=_text,
            ),
            parent=HAZARDS,
            previous=hazard_address(names[place - 1]) if place else HAZARDS,
            next=hazard_address(names[place + 1]) if place + 1 < len(names) else None,
            wide=True,
            measured=_measured((unsafe, safer)),
        )


def _matrix(kinds: Mapping[str, Kind], ways: Mapping[str, Sequence[Way]], chain: MeasuredChain | None) -> SitePage:
    revisions = chain.revisions if chain else ()
    risks = Counter(one.evidence.risk if one.evidence else None for one in revisions)
    return SitePage(
        uri=RISK,
        title="The risk matrix",
        description="What each kind of schema change costs: risk, rollback, locks and deploy, each cell measured.",
        html=render(
            "risk.html",
            kinds=kinds,
            ways=ways,
            risks=[(risk, risks[risk]) for risk in ("high", "medium", "unproven", None, "low") if risks[risk]],
            migrations=MIGRATIONS,
            hazards=HAZARDS,
            address=kind_address,
        ),
        wide=True,
        measured=_measured(way for those in ways.values() for way in those),
    )


def _hazards(catalogue: Mapping[str, Hazard], hazards: Mapping[str, tuple[Way, Way]]) -> SitePage:
    return SitePage(
        uri=HAZARDS,
        title="Hazards",
        description="Every danger of a schema change that backout knows, with its safer way, by group and severity.",
        html=render(
            "hazards.html",
            groups=[(_GROUPS[group], [catalogue[name] for name in sorted(rules)]) for group, rules in GROUPS.items()],
            hazards=hazards,
            known=load_known(catalogue),
            detectors=_DETECTORS,
            address=hazard_address,
        ),
        wide=True,
        measured=_measured(way for both in hazards.values() for way in both),
    )


def _measured(ways: Iterable[Way]) -> tuple[Evidence | None, ...]:
    """The evidence of every migration that these ways are made of."""
    return tuple(one.evidence for way in ways for one in way.specimens)


def _typical_first(kind: Kind) -> list[Variant]:
    return sorted(kind.variants.values(), key=lambda one: (one.name != kind.typical, one.title.lower()))


def _variant(one: Variant) -> Way:
    chain = (*one.before, *one.files)
    return _way(one.name, one.title, chain, one.files)


def _unsafe(hazard: Hazard) -> Way:
    return _way("unsafe", "Unsafe", hazard.unsafe, hazard.unsafe[-1:])


def _safer(hazard: Hazard) -> Way:
    files = tuple(file for file in hazard.safer if file.stem.startswith("safer"))
    return _way("safer", "Safer", hazard.safer, files)


def _way(name: str, title: str, chain: Sequence[Path], files: Sequence[Path]) -> Way:
    specimens = tuple(_specimen(file, chain[: chain.index(file) + 1]) for file in files)
    found = [one.evidence for one in specimens if one.evidence is not None]
    whole = bool(found) and len(found) == len(specimens)
    return Way(name, title, specimens, facts(found) if whole else None, tuple(reasons(tuple(found))) if whole else ())


def _specimen(file: Path, chain: Sequence[Path]) -> Specimen:
    evidence = evidence_of(file)
    title = file.read_text(encoding="utf-8").partition('"""')[2].partition("\n")[0].strip('"')
    return Specimen(title, file, evidence if evidence.fingerprint == fingerprint_of(chain) else None)


def _finding(hazard: Hazard, unsafe: Way) -> object | None:
    """What backout says of the unsafe migration."""
    evidence = unsafe.specimens[0].evidence
    found = [] if evidence is None else [one for one in judge(evidence) if one.hazard == hazard.id]
    return found[0] if found else None


def _text(source: str) -> Markup:
    """Prose of the catalogue, which is Markdown of the package's own."""
    return Markup(markdown.markdown(source))  # noqa: S704 - not the project's
