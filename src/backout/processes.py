"""Starting a process so that whoever is interrupted meanwhile still ends it.

Imports nothing of backout; everything may import it.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
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
    pool = ThreadPoolExecutor(1)
    starting = pool.submit(start)
    pool.shutdown(wait=False)
    try:
        return starting.result()
    except BaseException:
        wait([starting])
        if starting.exception() is None:
            process = starting.result()
            process.kill()
            process.wait()
        raise
