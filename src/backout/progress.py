"""The rehearsal on the terminal: a bar while it runs, a table at the end. Layer 6; thin."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar
from rich.table import Table
from rich.text import Text

from backout.formats import COLUMNS, Rehearsed, row

_STYLES = {
    "low": "green", "medium": "yellow", "high": "red", "unproven": "magenta",
    "yes": "green", "yes if unused": "green", "risky": "yellow", "no": "red",
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


def print_table(revisions: Sequence[Rehearsed]) -> None:
    """The table on standard output; a narrow one wraps its cells."""
    console = Console(highlight=False)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in COLUMNS:
        table.add_column(column, overflow="fold", no_wrap=column in ("revision", "risk", "deploy"))
    for one in revisions:
        table.add_row(*(Text(cell, style=_STYLES.get(cell, "")) for cell in row(one.evidence)))
    console.print(table)
