"""The walk over a chain: which revisions to rehearse, on databases at which point, in which order.

Every revision is met with exactly its ancestors applied, also on branches and merges. The walk goes over the
chain once, parents first; at each revision it takes a clone of the parents' database, applies the revision to it
(the dry run, which is the children's starting point) and hands the parents' database to an experiment.
A revision that cannot be applied is marked as applied without having been, so that the walk goes on; those
above it say so.

Not here: the experiment (``rehearsal``), the files (``evidence_files``), asking and telling people (``cli``).
"""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

from backout.bench import Laboratory, Structure
from backout.evidence import Evidence
from backout.postgres import Database
from backout.rehearsal import Subject, dry_run, rehearse
from backout.worker import Chain, Revision

AHEAD = 2  # databases that wait for their experiment, beyond those in one


@dataclass(frozen=True)
class Result:
    """What became of one revision.

    :param seconds: of its dry run and experiment.
    """

    evidence: Evidence
    seconds: float


@dataclass(frozen=True)
class Plan:
    """What to rehearse.

    :param wanted: the revisions; the others are only applied where they are ancestors of these.
    :param fingerprints: of every revision of the chain.
    :param seeds: revision → the project's own rows for it.
    :param root: paths in evidence are relative to it.
    """

    chain: Chain
    wanted: Collection[str]
    fingerprints: Mapping[str, str]
    seeds: Mapping[str, Path]
    root: Path


def walk(plan: Plan, laboratories: Sequence[Laboratory]) -> Iterator[Result]:
    """Rehearse; the results come as they are ready, not always in the chain's order.

    :param laboratories: two at least. The first one goes over the chain, ahead of the others; each of those makes
        experiments in a thread of its own.
    """
    first, *others = laboratories
    with ExitStack() as stack:
        states = _States(plan, first)
        stack.callback(states.close)
        idle: SimpleQueue[Laboratory] = SimpleQueue()
        pool = stack.enter_context(ThreadPoolExecutor(len(others)))
        stack.callback(pool.shutdown, wait=True, cancel_futures=True)
        for laboratory in others:
            pool.submit(_open, laboratory, idle)
        running: set[Future[Result]] = set()
        try:
            for prepared in states.prepare():
                running.add(pool.submit(_with_one_of, idle, prepared))
                if len(running) > len(others) + AHEAD:
                    done, running = wait(running, return_when=FIRST_COMPLETED)
                    yield from (future.result() for future in done)
            while running:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)
        except BaseException:  # a Ctrl-C, for one, is not to wait for a migration that sleeps
            for laboratory in others:
                laboratory.worker.interrupt()
            raise


@dataclass(frozen=True)
class _Prepared:
    subject: Subject
    seconds: float
    release: Callable[[], None]

    def run(self, laboratory: Laboratory) -> Result:
        started = time.monotonic()
        try:
            evidence = rehearse(laboratory, self.subject)
        finally:
            self.release()
        return Result(evidence, self.seconds + time.monotonic() - started)


def _open(laboratory: Laboratory, idle: SimpleQueue[Laboratory]) -> None:
    """Have its worker read the chain, while the first one is on its way; a failure shows again when it is used."""
    try:
        laboratory.worker.load(laboratory.origin)
    finally:
        idle.put(laboratory)


def _with_one_of(idle: SimpleQueue[Laboratory], prepared: _Prepared) -> Result:
    laboratory = idle.get()
    try:
        return prepared.run(laboratory)
    finally:
        idle.put(laboratory)


@dataclass
class _State:
    """A database with exactly these revisions applied, and no rows but those that the chain brings.

    :ivar waiting: of the revisions, those that are still to be applied, in their order, when the database is needed.
    :ivar broken: of the revisions, those that were marked as applied without having been.
    :ivar users: revisions that start from it and were not met, and experiments that clone it; at 0 it is dropped.
    :ivar structure: where it has been read.
    """

    database: Database
    applied: frozenset[str]
    broken: frozenset[str]
    users: int
    structure: Structure | None = None
    waiting: tuple[Revision, ...] = ()


class _States:
    """The databases that the walk goes over: one a revision, kept while a child of it is still to be met."""

    def __init__(self, plan: Plan, laboratory: Laboratory) -> None:
        self._plan = plan
        self._laboratory = laboratory
        self._lock = threading.Lock()
        self._order = {revision.id: place for place, revision in enumerate(plan.chain.revisions)}
        self._revisions = {revision.id: revision for revision in plan.chain.revisions}
        self._needs: dict[str, frozenset[str]] = {}
        for revision in plan.chain.revisions:
            direct = _direct(revision)
            self._needs[revision.id] = direct.union(*(self._needs[name] for name in direct))
        self._met = frozenset(plan.wanted).union(*(self._needs[name] for name in plan.wanted))
        self._tips: dict[str, _State] = {}
        roots = sum(not self._needs[name] for name in self._met)
        # One user more than revisions start from it: it stays, to begin again from.
        self._empty = _State(laboratory.origin, frozenset(), frozenset(), roots + 1)

    def prepare(self) -> Iterator[_Prepared]:
        """Every wanted revision with its starting point, parents first."""
        for revision in self._plan.chain.revisions:
            if revision.id not in self._met:
                continue
            started = time.monotonic()
            state = self._before(revision)
            if revision.id in self._plan.wanted:
                subject = self._dry(revision, state)
                release = functools.partial(self._release, state)
                yield _Prepared(subject, time.monotonic() - started, release)
            else:
                self._pass(revision, state)

    def close(self) -> None:
        """Drop what is left after an error."""
        for state in self._tips.values():
            if state.users:
                self._laboratory.discard(state.database)

    def _before(self, revision: Revision) -> _State:
        """A state with exactly the revision's ancestors, for one user."""
        needs = self._needs[revision.id]
        tips = [self._tips[name] for name in sorted(_direct(revision), key=self._order.__getitem__)]
        best = max(tips, key=lambda state: len(state.applied), default=self._empty)
        if best.applied == needs:
            for state in tips:
                if state is not best:
                    self._release(state)
            return best
        self._settle(best)
        clone = self._laboratory.server.clone(best.database)
        missing = sorted(needs - best.applied, key=self._order.__getitem__)
        merged = _State(clone, needs, best.broken, 1, waiting=tuple(self._revisions[name] for name in missing))
        for state in tips:
            self._release(state)
        return merged

    def _dry(self, revision: Revision, state: _State) -> Subject:
        self._settle(state)
        broken = state.broken & self._needs[revision.id]
        dry, database = dry_run(self._laboratory, revision, state.database, state.structure)
        if dry.after is None:
            self._laboratory.stamp(revision, database)
            broken |= {revision.id}
        applied = state.applied | {revision.id}
        self._tip(revision, _State(database, applied, broken, self._children(revision), dry.after))
        return Subject(
            revision=revision,
            start=state.database,
            clone=self._laboratory.server.clone(state.database),
            dry=dry,
            path=Path(revision.path).relative_to(self._plan.root).as_posix(),
            fingerprint=self._plan.fingerprints[revision.id],
            seeds=self._plan.seeds.get(revision.id),
            missing=tuple(sorted(state.broken, key=self._order.__getitem__)),
        )

    def _pass(self, revision: Revision, state: _State) -> None:
        """Apply a revision that is not wanted; in place, if nobody else starts there."""
        applied, users = state.applied | {revision.id}, self._children(revision)
        if state.users == 1:
            waiting = (*state.waiting, revision)
            passed = _State(state.database, applied, state.broken, users, waiting=waiting)
            state.users = 0
        else:
            self._settle(state)
            clone = self._laboratory.server.clone(state.database)
            passed = _State(clone, applied, state.broken, users, waiting=(revision,))
            self._release(state)
        self._tip(revision, passed)

    def _settle(self, state: _State) -> None:
        """Apply what waits: together, and where that fails one by one."""
        waiting, state.waiting = state.waiting, ()
        done = state.applied - {revision.id for revision in waiting}
        together = len(waiting) > 1
        while together:
            outcome = self._laboratory.apply(waiting, state.database)
            if outcome == "applied":
                return
            self._begin_again(state, done)
            together = outcome == "again"
        for revision in waiting:
            while (outcome := self._laboratory.apply([revision], state.database)) != "applied":
                self._begin_again(state, done)
                if outcome == "failed":
                    state.broken |= {revision.id}
                    self._laboratory.stamp(revision, state.database)
                    break
            done |= {revision.id}

    def _begin_again(self, state: _State, done: Collection[str]) -> None:
        """What a failed step left may be half its work: make the state once more."""
        state.database = self._laboratory.server.replace(state.database, self._empty.database)
        for name in sorted(done, key=self._order.__getitem__):
            revision = self._revisions[name]
            if name in state.broken:
                self._laboratory.stamp(revision, state.database)
            else:
                self._laboratory.apply([revision], state.database)

    def _children(self, revision: Revision) -> int:
        return sum(revision.id in _direct(self._revisions[name]) for name in self._met)

    def _tip(self, revision: Revision, state: _State) -> None:
        self._tips[revision.id] = state
        if state.users == 0:
            self._laboratory.discard(state.database)

    def _release(self, state: _State) -> None:
        with self._lock:
            state.users -= 1
            unused = state.users == 0
        if unused:
            state.structure = None
            self._laboratory.discard(state.database)


def _direct(revision: Revision) -> frozenset[str]:
    return frozenset((*revision.parents, *revision.dependencies))
