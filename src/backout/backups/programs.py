"""Runs ``pg_dump`` and ``pg_restore``, tells what they are doing, and what they said when they failed.

Only the package imports it.
"""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

from backout.masking import masked
from backout.postgres import RealDatabase
from backout.processes import started

Watch = Callable[[str], object]

LOOK_SECONDS = 0.05
LONGEST = 600  # characters of what a program said
FULL = "No space left on device"
LOST = ("server closed the connection", "terminating connection", "connection to server", "shutting down")

# What --verbose tells of the long part of their work.
_DOING = re.compile(r"^pg_\w+: (dumping contents of table|processing data for table|creating \w+) (.*)$")
_COMPLAINT = re.compile(r"^pg_\w+: (error|detail|hint|warning): ")


@dataclass(frozen=True)
class Ended:
    """How a program ended.

    :param said: its errors, in one line, without passwords; empty when it ended well.
    """

    status: int
    said: str


def run(
    command: Sequence[str | Path],
    environment: Mapping[str, str],
    *,
    hold: Sequence[int] = (),
    look: Callable[[str], object],
) -> Ended:
    """Run one of them with ``--verbose`` to its end.

    :param environment: all variables; the password is in a file that they name.
    :param hold: file descriptors that it keeps open, with their locks, as long as it lives.
    :param look: called every 50 ms with what it is doing; when it raises, the program is killed.
    """
    doing = [""]
    complaints: list[str] = []

    def read() -> None:
        assert process.stderr is not None
        for line in process.stderr:
            if found := _DOING.match(line):
                doing[0] = found[2].strip().strip('"')
            elif _COMPLAINT.match(line) or (complaints and not line.startswith("pg_")):
                complaints.append(line.rstrip())

    reader = Thread(target=read, daemon=True)
    process = started(
        lambda: subprocess.Popen(
            command,
            env={**environment, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            pass_fds=() if sys.platform == "win32" else hold,
            encoding="utf-8",
            errors="replace",
        )
    )
    try:
        reader.start()
        while process.poll() is None:
            look(doing[0])
            with suppress(subprocess.TimeoutExpired):
                process.wait(LOOK_SECONDS)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        reader.join()
        assert process.stderr is not None
        process.stderr.close()
    return Ended(process.returncode, _said(process.returncode, complaints) if process.returncode else "")


def environment_of(database: RealDatabase) -> dict[str, str]:
    """All variables for a program that uses this database: of libpq's only those that are known to lead there."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return others | database.environment()


def _said(status: int, complaints: Sequence[str]) -> str:
    text = " ".join(part for line in complaints if (part := re.sub(r"^pg_\w+: (error: )?", "", line).strip()))
    if not text:
        text = f"it was ended by {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"
    text = text.rstrip(";")
    return masked(text if len(text) <= LONGEST else f"{text[:LONGEST]}…")
