"""What a journal says was done in a run that did not come to its end, and whether it may go on.

Below ``operate``, which alone imports it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from backout import journal
from backout.errors import ConfigurationError, Refused
from backout.journal import Record
from backout.pages import Page, Section, Step
from backout.record import text_hash
from backout.sessions import left_running

NEWEST = "newest"
_WIDE = 100  # characters of a command that are told


@dataclass(frozen=True)
class Past:
    """A run that goes on.

    :param done: ids of the blocks that passed.
    :param cut: of those that were running when it was cut off or stopped: nobody knows how far they came.
    :param answered: the checklist items that people said yes to.
    :param begun: anchors of the sections of which a block was begun.
    :param changed: whether a block that changes something was begun.
    """

    record: Record
    done: frozenset[str]
    cut: frozenset[str]
    answered: frozenset[str]
    begun: frozenset[str]
    changed: bool
    from_step: str | None

    def asks_again(self, section: Section, block: Step) -> bool:
        """Whether a done block is run again.

        As long as nothing was changed, everything. Then the checks of steps and of *Verify*, but one that need not hold
        any more. *When* and *Before you start* are about the time before.
        """
        if not self.changed:
            return True
        of_a_step = section.number is not None or section.anchor == "verify"
        return of_a_step and block.is_check and (block.until is None or block.until not in self.begun)


def past_of(page: Page, environment: str, database: Mapping[str, str] | None, folder: Path, which: str) -> Past:
    """The run to go on with.

    :param database: name, host, port and user of the one that this run would work on.
    :param folder: of the journals.
    :param which: path of a journal, or :data:`NEWEST`.
    :raises ConfigurationError: there is none, or it cannot be read.
    :raises Refused: it is of another runbook, text, environment or database, is at its end, or goes on.
    """
    record = _newest(page, environment, folder) if which == NEWEST else journal.read(Path(which))
    begin = record.begin.facts
    path = record.path
    if begin.get("runbook") != page.path:
        raise Refused(f"the journal {path} is of {begin.get('runbook') or begin.get('subject')}, not of {page.path}")
    if begin["environment"] != environment:
        raise Refused(f"the journal {path} is of a run in {begin['environment']}, not in {environment}")
    if _place(begin["database"]) != _place(database):
        raise Refused(
            f"the journal {path} is of a run on {_named(begin['database'])}, and DATABASE_URL names {_named(database)}"
        )
    if begin["sha256"] != text_hash(page.source):
        raise Refused(
            f"{page.path} was edited since {path} was begun, so that what is done there may be something else; bring "
            f"back its text (commit {begin['commit'] or 'unknown'}), or begin anew: --from-step"
        )
    if record.is_ended and record.events[-1].facts["outcome"] == "done":
        raise Refused(f"the run of {path} came to its end; begin a new one, without --resume")
    journal.refuse_if_written(record)
    _refuse_what_goes_on(record)
    return _read(record, page)


def _newest(page: Page, environment: str, folder: Path) -> Record:
    for path in sorted(folder.glob(f"*-run-{Path(page.path).stem.lower()}-*.jsonl"), reverse=True):
        if not path.read_bytes().count(b"\n"):
            continue  # cut off before its first event: nothing was done
        record = journal.read(path)
        begin = record.begin.facts
        done = record.is_ended and record.events[-1].facts["outcome"] == "done"
        if (begin.get("runbook"), begin.get("environment")) == (page.path, environment) and not done:
            return record
    raise ConfigurationError(
        f"{folder} has no unfinished journal of {page.path} in {environment}; begin without --resume"
    )


def _place(database: Mapping[str, str] | None) -> Any:
    return database and tuple(database[key] for key in ("name", "host", "port"))


def _named(database: Mapping[str, str] | None) -> str:
    return f"{database['name']} at {database['host']}:{database['port']}" if database else "no database"


def _refuse_what_goes_on(record: Record) -> None:
    states = [event.facts["state"] for event in record.events if event.name in ("begin", "resume")]
    running = left_running(states[-1])
    if running:
        told = "".join(f"\n    {process.pid}: {_command_of(process)}" for process in running)
        raise Refused(
            f"what the run of {record.path} has started still runs; wait until it has ended, or end it:{told}"
        )


def _command_of(process: psutil.Process) -> str:
    try:
        words = " ".join(" ".join(process.cmdline()).split())
    except psutil.Error:  # it has ended meanwhile
        return "ended"
    return words if len(words) <= _WIDE else f"{words[:_WIDE]}…"


def _read(record: Record, page: Page) -> Past:
    outcomes: dict[str, str] = {}
    begun: set[str] = set()
    answered: set[str] = set()
    changing = {step.id for step in page.steps if step.is_changing}
    for event in record.events:
        if event.name == "begun":
            outcomes[event.facts["id"]] = "begun"
            begun.add(event.facts["section"])
        elif event.name == "ended":
            outcomes[event.facts["id"]] = event.facts["outcome"]
        elif event.name == "answered" and event.facts["answer"] == "yes":
            answered.add(event.facts["id"])
    return Past(
        record=record,
        done=frozenset(name for name, outcome in outcomes.items() if outcome == "passed"),
        cut=frozenset(name for name, outcome in outcomes.items() if outcome in ("begun", "interrupted")),
        answered=frozenset(answered),
        begun=frozenset(begun),
        changed=any(name in changing for name in outcomes),
        from_step=record.begin.facts["from_step"],
    )
