"""A chain with what was measured of it: each revision, its evidence if that is of the files as they stand, and what
follows from it.

Evidence that is missing, or of other files, is no evidence: ``evidence`` is None then, and ``state`` says why.

Not here: how it is shown (the other modules of ``site``). Reads files only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Literal

from backout.evidence import Evidence, Key, fold
from backout.evidence_files import EvidenceFiles, is_stale
from backout.revisions import ChainFiles, Revision, created, read_chain
from backout.rules import TEXT, Finding, Waiver, apply_waivers, judge, load_catalogue, waivers
from backout.verdict import verdict


@dataclass(frozen=True)
class Measured:
    """A revision, as the site tells of it.

    :param path: of its file, relative to the directory of the configuration.
    :param evidence: None unless it was measured as it stands.
    :param findings: None where there is no evidence to judge.
    :param text_waivers: accepted rules of squawk, which nobody asks while the site is built.
    :param children: revisions that revise it.
    :param missing: ancestors of which the schema is not known, for they were not measured.
    :param before: the schema before it, as far as it is known.
    """

    revision: Revision
    path: str
    state: Literal["measured", "stale", "missing"]
    evidence: Evidence | None
    findings: tuple[Finding, ...] | None
    waivers: tuple[Waiver, ...]
    text_waivers: tuple[Waiver, ...]
    children: tuple[str, ...]
    missing: tuple[str, ...]
    before: Mapping[Key, str]
    source: str

    @property
    def id(self) -> str:
        """The revision's."""
        return self.revision.id

    @property
    def created(self) -> date | None:
        """The day it was written."""
        return created(self.revision)


@dataclass(frozen=True)
class MeasuredChain:
    """Every revision, parents before children.

    :param schema: that of all heads together, as far as it is known.
    :param missing: revisions whose changes are not in it, for they were not measured.
    """

    files: ChainFiles
    revisions: tuple[Measured, ...]
    schema: Mapping[Key, str]
    missing: tuple[str, ...]


def read_measured_chain(configuration: Path, section: str) -> MeasuredChain:
    """A project's chain with its evidence.

    :raises ConfigurationError: the chain cannot be read; evidence is none; or a waiver is malformed.
    """
    chain = read_chain(configuration, section)
    files = EvidenceFiles(chain.script_location)
    kept, fingerprints = files.read(), files.fingerprints(chain.revisions)
    current = {
        name: judged(kept[name])
        for name, fingerprint in fingerprints.items()
        if name in kept and not is_stale(kept[name], fingerprint)
    }
    changes = {name: one.schema.changes for name, one in current.items()}

    def known(revisions: tuple[str, ...]) -> tuple[Mapping[Key, str], tuple[str, ...]]:
        missing = tuple(name for name in revisions if changes.get(name) is None)
        return fold(changes.get(name) or () for name in revisions), missing

    catalogue = load_catalogue()
    found = []
    for revision in chain.revisions:
        evidence = current.get(revision.id)
        source = revision.path.read_text(encoding="utf-8")
        inside = revision.path.is_relative_to(chain.root)
        path = revision.path.relative_to(chain.root).as_posix() if inside else revision.path.name
        accepted = waivers(source, path, catalogue)
        ours = tuple(waiver for waiver in accepted if not waiver.hazard.startswith(TEXT))
        before, missing = known(chain.ancestors(revision.id))
        found.append(
            Measured(
                revision=revision,
                path=path,
                state="measured" if evidence else "stale" if revision.id in kept else "missing",
                evidence=evidence,
                findings=None if evidence is None else apply_waivers(judge(evidence, catalogue), ours),
                waivers=ours,
                text_waivers=tuple(waiver for waiver in accepted if waiver not in ours),
                children=tuple(one.id for one in chain.revisions if revision.id in one.parents),
                missing=missing,
                before=before,
                source=source,
            )
        )
    schema, missing = known(tuple(one.id for one in chain.revisions))
    return MeasuredChain(files=chain, revisions=tuple(found), schema=schema, missing=missing)


def judged(evidence: Evidence) -> Evidence:
    """The evidence with the verdicts that follow from its facts, whatever somebody wrote into the file."""
    risk, rollback = verdict(evidence)
    return replace(evidence, risk=risk, rollback=rollback)
