"""What is said at the end of a page: whether what it shows was executed, and when; or measured, and on what.

Two kinds. The stamp of a page with blocks follows from the record of its last run on each version of PostgreSQL
(``record``); that of a page which shows evidence, from whether the evidence is of the files as they stand. Evidence has
no dates, so that stamp has none.

Not here: the coverage page's tables (``coverage``), which take their verdicts from here; what stands at a block
(``blocks``). Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from backout.evidence import Evidence
from backout.pages import Page
from backout.record import PageRecord, StepRecord
from backout.site.model import render

State = Literal["passed", "failed", "changed", "not verified", "nothing to run"]

# The weight of a state, as that of a risk: its colour and its shape.
_WEIGHTS: Mapping[State, str | None] = {
    "passed": "low",
    "failed": "high",
    "changed": "unproven",
    "not verified": None,
    "nothing to run": None,
}
_WORST_FIRST: Sequence[State] = ("failed", "changed", "passed")


@dataclass(frozen=True)
class Subject:
    """A page that may be executed.

    :param source: its text, as it stands.
    :param runnable: whether anything on it is executed or looked up.
    """

    source: str
    runnable: bool = True


@dataclass(frozen=True)
class Stamp:
    """What is known of a page.

    :param state: the worst of all versions.
    :param title: the state as a sentence.
    :param runs: newest version first: the record, and its state.
    :param under_way: whether the page is being run at this moment.
    """

    state: State
    title: str
    runs: tuple[tuple[PageRecord, State], ...]
    under_way: bool = False

    @property
    def weight(self) -> str | None:
        """As of a risk."""
        return _WEIGHTS[self.state]

    @property
    def failures(self) -> tuple[tuple[PageRecord, StepRecord], ...]:
        """What failed on the text as it stands."""
        return tuple(
            (record, step)
            for record, state in self.runs
            if state == "failed"
            for step in record.steps
            if step.outcome == "failed"
        )


def subject_of(page: Page) -> Subject:
    """A page under the contract."""
    return Subject(page.source, bool(page.steps or page.spans))


def state_of(subject: Subject, record: PageRecord | None) -> State:
    """What a record says of a page as it stands."""
    if not subject.runnable:
        return "nothing to run"
    if record is None:
        return "not verified"
    if not record.is_of(subject.source):
        return "changed"
    return "failed" if record.failed else "passed"


def stamp_of(subject: Subject, records: Mapping[int, PageRecord], *, under_way: bool = False) -> Stamp:
    """What is known of a page.

    :param records: by PostgreSQL major, as in ``Runs``.
    """
    runs = tuple((record, state_of(subject, record)) for _, record in sorted(records.items(), reverse=True))
    if not subject.runnable or not runs:
        state: State = "not verified" if subject.runnable else "nothing to run"
        return Stamp(state, _title(state, ()), (), under_way and subject.runnable)
    state = next(one for one in _WORST_FIRST if one in {state for _, state in runs})
    return Stamp(state, _title(state, runs), runs, under_way)


def _title(state: State, runs: Sequence[tuple[PageRecord, State]]) -> str:
    if state == "nothing to run":
        return "Nothing on this page is run"
    if state == "not verified":
        return "Not verified: this page was not run"
    if state == "failed":
        failed = sum(record.count("failed") for record, state in runs if state == "failed")
        return f"{f'{failed} failed' if failed else 'Not all was reached'}: this page does not hold"
    if state == "changed":
        good = [f"PostgreSQL {record.postgres}" for record, state in runs if state == "passed"]
        return f"Not verified: changed since it was run{f', but on {_listed(good)}' if good else ''}"
    excused = max(record.count("not run") for record, _ in runs)
    but = f", but for {excused} block{'s' if excused > 1 else ''} that {'are' if excused > 1 else 'is'} not run"
    return f"Verified: this page held when it was run{but if excused else ''}"


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def stamp_html(stamp: Stamp) -> str:
    """The stamp as HTML, to stand at the end of the page."""
    return render("stamp.html", stamp=stamp, counts=_counts, when=_when)


def notice_html(stamp: Stamp) -> str:
    """The state in one line for the top of a page that somebody is writing; empty where there is nothing to say."""
    if stamp.state in ("passed", "nothing to run") and not stamp.under_way:
        return ""
    return render("notice.html", stamp=stamp)


_PROOFS = ("sabotage", "incident", "way back", "again")


def _counts(record: PageRecord) -> str:
    run, quoted, parsed = (record.count("passed", kind) for kind in ("run", "quoted", "validated"))
    proofs = sum(record.count("passed", kind) for kind in _PROOFS)
    told = [f"{run} block{'s' if run != 1 else ''} run"] if run or not quoted + parsed else []
    for number, word in ((quoted, "quoted"), (parsed, "parsed"), (proofs, "proved")):
        told += [f"{number} {word}"] if number else []
    return ", ".join(told)


def _when(record: PageRecord) -> str:
    return record.when[:16].replace("T", " ")


def evidence_stamp_html(measured: Iterable[Evidence | None]) -> str:
    """The stamp of a page that shows evidence.

    :param measured: of each migration on the page; None where there is none of its files as they stand.
    """
    every = tuple(measured)
    found = [one for one in every if one is not None]
    majors = {one.postgres for one in found}
    majors |= {int(major) for one in found for major in one.also}
    return render(
        "evidence_stamp.html",
        every=every,
        found=found,
        majors=_listed([f"PostgreSQL {major}" for major in sorted({one.postgres for one in found}, reverse=True)]),
        others=_listed([str(major) for major in sorted(majors - {one.postgres for one in found}, reverse=True)]),
        weight="low" if found and len(found) == len(every) else "unproven" if found else None,
    )
