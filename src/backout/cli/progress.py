"""The rehearsal on the terminal: a bar while it runs, a report at the end. Thin."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar
from rich.text import Text

from backout.formats import Rehearsed, coverage, details

_STYLES = {
    "low": "green", "medium": "yellow", "high": "red", "unproven": "magenta",
    "error": "red", "warning": "yellow", "yes": "green", "yes if unused": "green", "risky": "yellow", "no": "red",
}  # fmt: skip


class Progress:
    """A bar on standard error; without a terminal, a line a revision.

    :param total: number of revisions.
    """

    def __init__(self, total: int) -> None:
        self._console = Console(stderr=True)
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task("rehearsing", total=total)
        self._total = total
        self._told = 0

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        self._bar.stop()

    def tell(self, revision: str) -> None:
        """One more is done."""
        self._told += 1
        self._bar.update(self._task, advance=1, description=f"rehearsed {revision}")
        if not self._console.is_terminal:
            self._console.print(f"{self._told}/{self._total} {revision}", highlight=False, soft_wrap=True)


def print_report(revisions: Sequence[Rehearsed]) -> None:
    """A line a revision, what there is to say of it below, and how much was covered; on standard output."""
    console = Console(highlight=False)
    width = max((len(one.evidence.revision) for one in revisions), default=0)
    for one in revisions:
        evidence = one.evidence
        line = Text(f"{evidence.revision:{width}}  ")
        line.append(f"{evidence.risk:8}  ", _STYLES[evidence.risk])
        line.append(f"{evidence.rollback:13}  ", _STYLES[evidence.rollback])
        line.append(f"{evidence.compatibility.order or '':6}  {evidence.summary}")
        console.print(line, no_wrap=True, overflow="ellipsis", crop=True)
        for label, text in details(one):
            console.print(_item(label, text, console.width), soft_wrap=True)
    for text in coverage(revisions):
        console.print(Text(text), soft_wrap=True)


def _item(label: str, text: str, width: int) -> Text:
    """A label and a text that wraps beside it."""
    lines = textwrap.fill(text, width, initial_indent=" " * 11, subsequent_indent=" " * 11)
    return Text(f"  {label:8} ", _STYLES.get(label, "dim")).append(lines[11:], "none")
