"""Hooks: a step that has committed, and of which the parent has not heard yet."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def around_step(revision: str, direction: str) -> Iterator[None]:
    yield
    time.sleep(60)
