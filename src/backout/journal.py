"""The journal of an operator's run: one JSON line an event, numbered, on disk before anything else happens.

::

    {"n": 1, "at": "2026-11-28T02:13:07.123456Z", "event": "begin", "format": "backout/journal", "version": 1, …}
    {"n": 2, "at": …, "event": "preflight", …}
    {"n": 9, "at": …, "event": "end", "outcome": "done"}

Without an ``end`` the run was cut off, or goes on. A torn last line was never acted upon; any other damage is an error.
Secrets are hidden in everything that is written.

Not here: which events there are (``production``, ``operate``), and what a report says of them.
"""

import json
import os
import re
import secrets
from collections.abc import Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import filelock

from backout.errors import BackoutError, ConfigurationError, Refused
from backout.masking import Masking

FORMAT, VERSION = "backout/journal", 1
VARIABLE = "BACKOUT_JOURNALS"  # names the directory


@dataclass(frozen=True)
class Event:
    """One line.

    :param number: from 1, without a gap.
    :param at: ISO 8601, UTC.
    :param facts: everything else of the line.
    """

    number: int
    at: str
    name: str
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class Record:
    """What a journal holds.

    :param torn: bytes of a last line that was not written whole.
    """

    path: Path
    events: tuple[Event, ...]
    torn: int

    @property
    def begin(self) -> Event:
        """The first event: what was run, where and by whom."""
        return self.events[0]

    @property
    def is_ended(self) -> bool:
        """Whether the run came to its end, of whatever kind."""
        return self.events[-1].name == "end" and not self.torn


class Journal:
    """A journal that is being written; a context manager, which notes how the run ended.

    :ivar path: of the file; readable by its owner only.
    """

    def __init__(self, path: Path, masking: Masking, number: int) -> None:
        """For :func:`create` and :func:`resume`."""
        self.path = path
        self._masking = masking
        self._number = number
        self._ended = False
        self._lock = _lock(path)
        self._file = path.open("ab", buffering=0)

    def write(self, event: str, **facts: Any) -> None:
        """Add an event; when this returns, it is on disk.

        :raises BackoutError: it could not be written.
        """
        self._number += 1
        at = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        line = json.dumps(
            {"n": self._number, "at": at, "event": event, **self._masking.hide_in(facts)}, ensure_ascii=False
        )
        left = line.encode() + b"\n"
        try:
            while left:
                left = left[self._file.write(left) :]
            os.fsync(self._file.fileno())
        except OSError as error:
            raise BackoutError(
                f"the journal {self.path} could not be written: {error.strerror}; nothing more is done without it: "
                f"make room, or name another directory in {VARIABLE}"
            ) from error
        self._ended = event == "end"

    def end(self, outcome: str, **facts: Any) -> None:
        """Note how the run ended: ``done``, ``failed``, ``refused`` or ``stopped``."""
        self.write("end", outcome=outcome, **facts)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _traceback: object) -> None:
        try:
            if not self._ended:
                with (
                    suppress(BackoutError) if error is not None else nullcontext()
                ):  # the first error is the one to tell
                    self.end("done" if error is None else _outcome(error), **_reason(error))
        finally:
            self._file.close()
            with suppress(OSError):
                Path(self._lock.lock_file).unlink()
            self._lock.release()


def directory(root: Path, environment: Mapping[str, str] = os.environ) -> Path:
    """Where the journals of a project are: ``$BACKOUT_JOURNALS``, else ``build/journals``."""
    named = environment.get(VARIABLE, "").strip()
    return root / named if named else root / "build" / "journals"


def create(folder: Path, subject: str, masking: Masking, **facts: Any) -> Journal:
    """Begin a journal.

    :param folder: made where it is missing.
    :param subject: what runs, for the file's name: ``apply``, ``run-restore-from-a-backup``.
    :param facts: of the event ``begin``.
    :raises Refused: the directory cannot be written; without a journal nothing is run.
    """
    now = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")  # their names sort as they were begun
    path = folder / f"{now}-{re.sub(r'[^a-z0-9]+', '-', subject.lower()).strip('-')}-{secrets.token_hex(2)}.jsonl"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.touch(0o600, exist_ok=False)
        _sync(folder)
    except OSError as error:
        raise Refused(
            f"no journal can be written in {folder}: {error.strerror}; nothing is run without one: "
            f"name a directory in {VARIABLE}"
        ) from error
    journal = Journal(path, masking, 0)
    journal.write("begin", format=FORMAT, version=VERSION, subject=subject, **facts)
    return journal


def resume(record: Record, masking: Masking) -> Journal:
    """Go on writing a journal that was read; a torn last line is cut off, and that is noted."""
    journal = Journal(record.path, masking, len(record.events))
    if record.torn:
        os.truncate(record.path, record.path.stat().st_size - record.torn)
        journal.write("torn", bytes=record.torn)
    return journal


def read(path: Path) -> Record:
    """Read a journal.

    :raises ConfigurationError: it is none, or lines are missing or damaged other than at the end.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"the journal {path} cannot be read: {error.strerror}") from error
    *lines, rest = data.split(b"\n")
    events = []
    for number, line in enumerate(lines, 1):
        try:
            facts = json.loads(line)
            events.append(Event(facts.pop("n"), facts.pop("at"), facts.pop("event"), facts))
        except (ValueError, KeyError, AttributeError, TypeError):
            raise ConfigurationError(f"{path}:{number}: this is no line of a journal; it was changed by hand") from None
        if events[-1].number != number:
            raise ConfigurationError(
                f"{path}:{number}: the line is number {events[-1].number}: lines before it are missing, "
                "so that nobody knows what was done"
            )
    if not events or (events[0].facts.get("format"), events[0].facts.get("version")) != (FORMAT, VERSION):
        raise ConfigurationError(f"{path} is no journal of version {VERSION}")
    return Record(path, tuple(events), len(rest))


def refuse_if_written(record: Record) -> None:
    """See that no run is writing the journal.

    :raises Refused: one is.
    """
    _lock(record.path).release()


def _lock(path: Path) -> filelock.BaseFileLock:
    lock = filelock.FileLock(f"{path}.lock", blocking=False)
    try:
        lock.acquire()
    except filelock.Timeout:
        raise Refused(f"another run writes the journal {path}; wait until it has ended") from None
    return lock


def _outcome(error: BaseException) -> str:
    if isinstance(error, Refused):
        return "refused"
    return "failed" if isinstance(error, Exception) else "stopped"


def _reason(error: BaseException | None) -> dict[str, str]:
    return {} if error is None else {"reason": str(error) or type(error).__name__}


def _sync(folder: Path) -> None:
    """Have the directory itself on disk, where that can be asked for."""
    with suppress(OSError, AttributeError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
