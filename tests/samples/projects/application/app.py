"""A web application in the way of Flask: its settings exist only within its context."""

from collections.abc import Iterator
from contextlib import contextmanager

_active: list[dict[str, str]] = []


@contextmanager
def context(url: str) -> Iterator[None]:
    _active.append({"DATABASE": url})
    try:
        yield
    finally:
        _active.pop()


def config() -> dict[str, str]:
    if not _active:
        raise RuntimeError("working outside of application context")
    return _active[-1]
