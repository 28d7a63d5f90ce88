"""Starting a process so that whoever is interrupted meanwhile still ends it.

Imports nothing of backout; everything may import it.
"""

from collections.abc import Callable
from concurrent.futures import Future, wait
from threading import Thread
from typing import Protocol, TypeVar


class Process(Protocol):
    """What ``subprocess.Popen`` and ``psutil.Popen`` have."""

    def kill(self) -> None:
        """Without a chance to refuse."""

    def wait(self) -> int | None:
        """For its end."""


Started = TypeVar("Started", bound=Process)


def started(start: Callable[[], Started]) -> Started:
    """Start a process; an interruption meanwhile kills it.

    Python lets a signal interrupt the main thread while ``Popen`` works, when the process runs and its caller has
    nothing to end it by. So another thread calls it.

    :param start: calls ``Popen``; what it raises is raised here.
    """
    outcome: Future[Started] = Future()

    def work() -> None:
        if outcome.set_running_or_notify_cancel():
            try:
                outcome.set_result(start())
            except BaseException as error:
                outcome.set_exception(error)

    try:
        Thread(target=work).start()
        return outcome.result()
    except BaseException:
        if not outcome.cancel():  # it has begun
            wait([outcome])
            if outcome.exception() is None:
                process = outcome.result()
                process.kill()
                process.wait()
        raise
