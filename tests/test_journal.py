"""What is written is on disk, numbered and without secrets; a cut journal is known to be one."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from backout import journal
from backout.errors import BackoutError, ConfigurationError, Refused
from backout.masking import Masking

MASKING = Masking({"PGPASSWORD": "hunter2-hunter2"})


def written(folder: Path) -> journal.Record:
    with journal.create(folder, "apply", MASKING, database="crew") as one:
        one.write("locked", by="postgresql://u:hunter2-hunter2@h/d", note=["hunter2-hunter2"])
    return journal.read(one.path)


def test_events_are_numbered_dated_and_masked(tmp_path: Path) -> None:
    record = written(tmp_path / "journals")
    assert [(event.number, event.name) for event in record.events] == [(1, "begin"), (2, "locked"), (3, "end")]
    assert dict(record.begin.facts) == {
        "format": "backout/journal", "version": 1, "subject": "apply", "database": "crew"
    }  # fmt: skip
    assert record.events[1].facts == {"by": "postgresql://u:***@h/d", "note": ["***"]}
    assert record.events[2].facts == {"outcome": "done"}
    assert record.is_ended
    assert all(event.at.endswith("Z") for event in record.events)
    assert "hunter2" not in record.path.read_text()
    assert record.path.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in record.path.parent.iterdir()] == [record.path.name]


def test_journals_sort_as_they_were_begun(tmp_path: Path) -> None:
    """The newest is found by its name, also of those that were begun within one second."""
    begun = [written(tmp_path).path.name for _ in range(20)]
    assert begun == sorted(begun)


@pytest.mark.parametrize(
    ("error", "outcome", "reason"),
    [
        (BackoutError("it broke"), "failed", "it broke"),
        (Refused("not here"), "refused", "not here"),
        (KeyboardInterrupt(), "stopped", "KeyboardInterrupt"),
    ],
)
def test_how_it_ended_is_noted(tmp_path: Path, error: BaseException, outcome: str, reason: str) -> None:
    with pytest.raises(type(error)), journal.create(tmp_path, "apply", MASKING) as one:
        raise error
    assert journal.read(one.path).events[-1].facts == {"outcome": outcome, "reason": reason}


def test_an_event_is_on_disk_before_anything_else_happens(tmp_path: Path) -> None:
    """A process that is killed right behind ``write`` has lost nothing."""
    program = (
        "import os, signal, sys; from pathlib import Path\n"
        "from backout import journal; from backout.masking import Masking\n"
        "one = journal.create(Path(sys.argv[1]), 'apply', Masking()); one.write('step', id='a')\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False)
    assert done.returncode == -signal.SIGKILL
    record = journal.read(next(tmp_path.glob("*.jsonl")))
    assert [event.name for event in record.events] == ["begin", "step"]
    assert not record.is_ended
    with journal.resume(record, MASKING) as again:
        again.write("step", id="b")
    assert [event.number for event in journal.read(record.path).events] == [1, 2, 3, 4]


def test_a_torn_last_line_is_cut_off_and_noted(tmp_path: Path) -> None:
    record = written(tmp_path)
    whole = record.path.read_bytes()
    record.path.write_bytes(whole[:-5])
    torn = journal.read(record.path)
    assert (len(torn.events), torn.is_ended) == (2, False)
    assert torn.torn == len(whole.splitlines()[-1]) - 4
    with journal.resume(torn, MASKING):
        pass
    names = [event.name for event in journal.read(record.path).events]
    assert names == ["begin", "locked", "torn", "end"]


def test_a_missing_line_is_an_error(tmp_path: Path) -> None:
    path = written(tmp_path).path
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[2])
    with pytest.raises(ConfigurationError) as caught:
        journal.read(path)
    assert str(caught.value) == (
        f"{path}:2: the line is number 3: lines before it are missing, so that nobody knows what was done"
    )


@pytest.mark.parametrize("text", ["{}\n", "[1]\n", "no\n"])
def test_a_changed_line_is_an_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        journal.read(path)
    assert str(caught.value) == f"{path}:1: this is no line of a journal; it was changed by hand"


@pytest.mark.parametrize(
    "text", ["", '{"n": 1, "at": "", "event": "begin", "format": "backout/journal", "version": 2}\n']
)
def test_another_file_is_an_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        journal.read(path)
    assert str(caught.value) == f"{path} is no journal of version 1"


def test_two_runs_do_not_write_one_journal(tmp_path: Path) -> None:
    with journal.create(tmp_path, "apply", MASKING) as one:
        record = journal.read(one.path)
        with pytest.raises(Refused) as caught:
            journal.resume(record, MASKING)
    assert str(caught.value) == f"another run writes the journal {one.path}; wait until it has ended"


def test_without_a_journal_nothing_is_run(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Refused) as caught:
        journal.create(tmp_path / "file" / "journals", "apply", MASKING)
    assert str(caught.value) == (
        f"no journal can be written in {tmp_path}/file/journals: Not a directory; nothing is run without one: "
        "name a directory in BACKOUT_JOURNALS"
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_stops_the_run(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.symlink_to("/dev/full")
    with pytest.raises(BackoutError) as caught, journal.Journal(path, MASKING, 0) as one:
        one.write("step")
    assert str(caught.value) == (
        f"the journal {path} could not be written: No space left on device; nothing more is done without it: "
        "make room, or name another directory in BACKOUT_JOURNALS"
    )


def test_where_journals_are(tmp_path: Path) -> None:
    assert journal.directory(tmp_path, {}) == tmp_path / "build" / "journals"
    assert journal.directory(tmp_path, {"BACKOUT_JOURNALS": "logs"}) == tmp_path / "logs"
    assert journal.directory(tmp_path, {"BACKOUT_JOURNALS": "/var/log/x"}) == Path("/var/log/x")


def test_a_line_is_json_in_utf8(tmp_path: Path) -> None:
    with journal.create(tmp_path, "run Ä/b", MASKING, who="Zoë") as one:
        pass
    assert json.loads(one.path.read_text(encoding="utf-8").splitlines()[0])["who"] == "Zoë"
    assert re.fullmatch(r"\d{8}T\d{6}\.\d{6}Z-run-b-[0-9a-f]{4}\.jsonl", one.path.name)
