"""Everything that measuring and judging a project's chain takes, put together: server, workers, files, catalogue.

Not here: what is typed and what is printed (``cli.rehearsal``).
"""

from __future__ import annotations

import difflib
import gc
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Self, get_args

from backout import docstrings, matrix, squawk
from backout.bench import Aside, Laboratory, make_origin
from backout.configuration import Project
from backout.errors import ConfigurationError
from backout.evidence import Evidence, on_major, to_json
from backout.evidence_files import EvidenceFiles, is_stale, orphans
from backout.formats import Rehearsed
from backout.postgres import Database, Server, open_server
from backout.rules import TEXT, apply_waivers, judge, ranked, waivers
from backout.walk import Plan, Result, walk
from backout.worker import Chain, Direction, Target, Worker

LINES = 40  # of a difference that are shown


class Campaign:
    """The chain of a project on a server of its own; a context manager, which ends both.

    :ivar server: where the disposable databases are.
    :ivar files: the evidence beside the chain.
    """

    server: Server
    chain: Chain
    files: EvidenceFiles

    def __init__(self, target: Target, choice: str | None, *, step_seconds: float = 60.0, jobs: int = 1) -> None:
        self._target = target
        self._choice = choice
        self._step_seconds = step_seconds
        self._jobs = jobs
        self._stack = ExitStack()
        self._laboratories: list[Laboratory] = []

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self.server = stack.enter_context(open_server(self._choice, alone=True))
            origin = make_origin(self.server)
            stack.callback(self.server.drop, origin)
            aside = stack.enter_context(Aside())
            # One more than makes experiments: it goes ahead over the chain.
            for _ in range(1 + self._jobs):
                worker = stack.enter_context(Worker(self._target, self.server))
                self._laboratories.append(Laboratory(self.server, worker, origin, aside, self._step_seconds))
            self.chain = self._laboratories[0].worker.load(origin)
            self._let_env_settle(origin)
            self.files = EvidenceFiles(self.chain.env.parent)
            self.files.sweep()
            self.fingerprints = self.files.fingerprints(self.chain.revisions)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stack.__exit__(*exception)  # type: ignore[arg-type]

    def _let_env_settle(self, origin: Database) -> None:
        """Run the project's own preparations, and ``env.py`` without a revision: what they make is no revision's work.

        :raises ConfigurationError: they fail, as they would for every revision.
        """
        first = self._laboratories[0]
        if self._target.hooks is not None:
            prepared = first.worker.prepare(origin)
            if prepared.failure is not None:
                raise ConfigurationError(
                    f"{prepared.failure.where or self._target.hooks}: before_first failed: "
                    f"{prepared.failure.kind}: {prepared.failure.message}; mend it"
                )
        for revision in self.chain.revisions[:1]:
            for direction in get_args(Direction):
                report = first.worker.stamp(origin, revision.id, direction)
                if report.failure is not None:
                    raise ConfigurationError(
                        f"{report.failure.where or self.chain.env}: no revision can be run: {report.failure.kind}: "
                        f"{report.failure.message}; mend it, or give it what it needs: "
                        "--python, --env, --set, -x or --hooks"
                    )
                for laboratory in self._laboratories:
                    laboratory.learn(report)

    def choose(self, names: Sequence[str], *, only_new: bool = False) -> tuple[str, ...]:
        """The revisions meant, in the chain's order.

        :param names: revisions, or unambiguous beginnings; none: all.
        :param only_new: of them, those whose evidence is missing or stale.
        :raises ConfigurationError: there is no such revision.
        """
        known = [revision.id for revision in self.chain.revisions]
        chosen = {self._one(name, known) for name in names} if names else set(known)
        if only_new:
            kept = self.files.read_what_can_be_read()
            chosen = {name for name in chosen if is_stale(kept.get(name), self.fingerprints[name])}
        return tuple(name for name in known if name in chosen)

    def measure(self, wanted: Collection[str]) -> Iterator[Result]:
        """Rehearse these revisions; results come as they are ready."""
        if not wanted:
            return
        seeds = {name: path for name in wanted if (path := self.files.seed_file(name)) is not None}
        plan = Plan(self.chain, frozenset(wanted), self.fingerprints, seeds, self.chain.root)
        gc.set_threshold(50_000, 20, 100)  # readings of a schema are large, and hold no circles
        yield from walk(plan, self._laboratories)

    def report(self, results: Sequence[Result]) -> tuple[Rehearsed, ...]:
        """What was measured, judged, in the chain's order."""
        by_revision = {result.evidence.revision: result for result in results}
        texts = squawk.lint([result.evidence for result in results], self.chain.root)
        reported = []
        for revision in self.chain.revisions:
            result = by_revision.get(revision.id)
            if result is None:
                continue
            accepted = waivers(revision.path.read_text(encoding="utf-8"), result.evidence.path)
            findings = judge(result.evidence)
            if texts is None:  # whether squawk would find what is accepted, nobody knows
                accepted = tuple(waiver for waiver in accepted if not waiver.hazard.startswith(TEXT))
            else:
                findings = ranked((*findings, *texts.get(revision.id, ())))
            reported.append(
                Rehearsed(result.evidence, apply_waivers(findings, accepted), result.seconds, texts is not None)
            )
        return tuple(reported)

    def _one(self, name: str, known: Sequence[str]) -> str:
        found = [revision for revision in known if revision.startswith(name)]
        if name in found:
            return name
        if len(found) != 1:
            seen = f"{len(found)} revisions start so: {', '.join(found)}" if found else "none starts so"
            raise ConfigurationError(f"{name!r} is no revision: {seen}; alembic history lists them")
        return found[0]


def evidence_faults(campaign: Campaign, results: Iterable[Result]) -> Iterator[str]:
    """Where the committed evidence is not what was measured now."""
    kept = campaign.files.read()
    for name in orphans(kept, campaign.chain.revisions):
        yield f"{_shown(campaign.files.path(name))} is the evidence of no revision of the chain; delete it"
    measured = {result.evidence.revision: result.evidence for result in results}
    for revision in campaign.chain.revisions:
        evidence, name = measured.get(revision.id), _shown(campaign.files.path(revision.id))
        if revision.id not in kept:
            yield f"{name} is missing; write it: backout rehearse {revision.id}"
        elif evidence is not None and (difference := _difference(kept[revision.id], evidence, name)):
            yield f"{name} does not say what was measured on PostgreSQL {evidence.postgres}:\n{difference}"


def documentation_faults(campaign: Campaign, reported: Iterable[Rehearsed]) -> Iterator[str]:
    """Where a revision's docstring does not say what was measured."""
    documents = {revision.id: revision.docstring for revision in campaign.chain.revisions}
    for one in reported:
        for fault in docstrings.faults(documents[one.evidence.revision], one.evidence):
            yield f"{one.evidence.path}: {fault}"


def matrix_faults(project: Project, *, update: bool = False) -> tuple[str, ...]:
    """Cells of the project's pages that say something else than what was measured.

    :param update: rewrite the measured cells first.
    """
    paths = {path.relative_to(project.root).as_posix(): path for path in project.page_paths()}
    pages = {name: path.read_text(encoding="utf-8") for name, path in paths.items()}
    if not any(map(matrix.has_tables, pages.values())):
        return ()
    tables = matrix.measured_tables()
    for name, text in pages.items() if update else ():
        if (written := matrix.rewrite(text, tables)) != text:
            paths[name].write_text(written, encoding="utf-8")
            pages[name] = written
    return tuple(map(str, matrix.check(pages, tables)))


def _difference(kept: Evidence, measured: Evidence, name: str) -> str:
    committed = replace(on_major(kept, measured.postgres), also={}, postgres=measured.postgres)
    before, after = (to_json(one).splitlines() for one in (committed, measured))
    lines = list(difflib.unified_diff(before, after, f"{name} (committed)", "(measured)", lineterm="", n=2))
    shown = lines[:LINES] + ([f"… and {len(lines) - LINES} lines more"] if len(lines) > LINES else [])
    return "\n".join(f"    {line}" for line in shown)


def _shown(path: Path) -> str:
    return path.relative_to(Path.cwd()).as_posix() if path.is_relative_to(Path.cwd()) else str(path)
