"""A process whose start is interrupted does not live on unknown."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import psutil
import pytest

from backout.processes import started

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="NOT CHECKED: signals are POSIX's")

SLEEPING = [sys.executable, "-c", "import time; time.sleep(600)"]


class Interruption(BaseException):
    """What a handler raises."""


@pytest.fixture
def interrupting() -> Iterator[signal.Signals]:
    """A signal that interrupts the main thread, which tests run in."""

    def interrupt(*_: object) -> None:
        raise Interruption

    before = signal.signal(signal.SIGUSR1, interrupt)
    yield signal.SIGUSR1
    signal.signal(signal.SIGUSR1, before)


def test_what_was_started_is_handed_over_alive() -> None:
    process = started(lambda: subprocess.Popen(SLEEPING))
    try:
        assert process.poll() is None
    finally:
        process.kill()
        process.wait()


def test_an_interruption_before_the_start_is_known_ends_the_process(interrupting: signal.Signals) -> None:
    known = []

    def start() -> subprocess.Popen[bytes]:
        process = subprocess.Popen(SLEEPING)
        known.append(process)
        os.kill(os.getpid(), interrupting)
        time.sleep(0.3)  # as long as Popen may take to return
        return process

    with pytest.raises(Interruption):
        started(start)
    (process,) = known
    assert process.returncode == -signal.SIGKILL
    assert not psutil.pid_exists(process.pid)


def test_what_the_start_raises_is_raised() -> None:
    with pytest.raises(FileNotFoundError):
        started(lambda: subprocess.Popen([f"{sys.executable}-nowhere"]))


def test_a_start_that_is_interrupted_and_fails_is_an_interruption(interrupting: signal.Signals) -> None:
    def start() -> subprocess.Popen[bytes]:
        os.kill(os.getpid(), interrupting)
        time.sleep(0.3)
        return subprocess.Popen([f"{sys.executable}-nowhere"])

    with pytest.raises(Interruption):
        started(start)
