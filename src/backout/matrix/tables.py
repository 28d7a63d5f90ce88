"""Tables on pages whose cells are measured: found by the comment above them, compared, rewritten.

::

    <!-- measured: kinds -->
    | Migration Type | Risk Level | …

The last cell of a row may begin with words of its own, which stay as they are; a line says how to tell them from what
was measured, and whether they are true. Every other cell stands as it was measured, to the letter.

Not here: what the tables must say (``matrix.rows``, ``matrix.hazards``), reading pages. Pure.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from backout.errors import PageError

Cells = tuple[str, ...]

MEASURED = "measured"


@dataclass(frozen=True)
class Line:
    """A row, as it must be.

    :param title: what tells it from the others.
    :param cells: what was measured; of the last one what follows its own words.
    :param words: how the last cell begins when it is written for the first time.
    :param part: parts the last cell into its own words and the rest.
    :param objection: why own words are not true, or None.
    """

    title: str
    cells: Cells
    words: str = ""
    part: Callable[[str], tuple[str, str]] = lambda cell: ("", cell)
    objection: Callable[[str], str | None] = lambda words: None  # noqa: ARG005

    def written(self, words: str) -> Cells:
        """All cells, the last one with these words of its own."""
        *right, measured = self.cells
        return (*right, " ".join(filter(None, (words, measured))))


@dataclass(frozen=True)
class Table:
    """A table, as it must be.

    :param name: what the comment calls it.
    :param noun: what a row is about.
    :param title: reads the title of a row off its first cell.
    :param needs: tables without which it says half of it, each with what that one does.
    """

    name: str
    header: Cells
    noun: str
    lines: tuple[Line, ...]
    title: Callable[[str], str] = str
    needs: Mapping[str, str] = field(default_factory=dict)


def has_tables(text: str) -> bool:
    """Whether a page binds a table."""
    return _annotation(MEASURED).search(text) is not None


def check(pages: Mapping[str, str], tables: Sequence[Table]) -> tuple[PageError, ...]:
    """Every cell that says something else than what was measured.

    :param pages: text by path.
    """
    known = {table.name: table for table in tables}
    found = [one for path, text in pages.items() for one in _found(path, text)]
    faults = [fault for one in found for fault in _faults(one, known)]
    present = {one.name for one in found}
    needed: dict[str, tuple[_Found, str]] = {}
    for one in found:
        for name, what in known[one.name].needs.items() if one.name in known else ():
            if name not in present:
                needed.setdefault(name, (one, what))
    faults += [
        PageError(
            one.path,
            one.line,
            f"no page has the table of {name}, which {what}; "
            f"write <!-- measured: {name} --> on a page, and run backout check --update",
        )
        for name, (one, what) in needed.items()
    ]
    return tuple(sorted(faults, key=lambda fault: (fault.path, fault.line)))


def rewrite(text: str, tables: Sequence[Table], *, word: str = MEASURED) -> str:
    """The page with the measured cells as they must be; all else stays, and so do words of a cell's own.

    :param word: that begins the comments of these tables.
    """
    known = {table.name: table for table in tables}
    lines = text.splitlines(keepends=True)
    for one in reversed(list(_found("", text, word))):
        table = known.get(one.name)
        if table is not None and one.header in ((), table.header):
            start, end = one.first - 1, one.first - 1 + one.height
            written = _rewritten(one, table, lines[start:end])
            # A table that is not there yet stands between empty lines.
            lines[start:end] = written if one.height else ["\n", *written]
    return "".join(lines)


# -- the tables of a page ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Row:
    """A row as it stands, with its line."""

    line: int
    cells: Cells


@dataclass(frozen=True)
class _Found:
    """A table as it stands, under its comment.

    :param name: what the comment says.
    :param line: of the comment, from 1.
    :param first: line of the table's header, or the one where it would be.
    :param height: lines of the table, 0 where there is none.
    """

    path: str
    name: str
    line: int
    first: int
    height: int
    header: Cells
    body: tuple[_Row, ...]


_FENCED = re.compile(r"^[ \t]*(?P<fence>`{3,}|~{3,}).*?(?:^[ \t]*(?P=fence)[`~]*[ \t]*$|\Z)", re.MULTILINE | re.DOTALL)
_PIPE = re.compile(r"(?<!\\)\|")


def _annotation(word: str) -> re.Pattern[str]:
    return re.compile(rf"^<!--\s*{word}:\s*(.*?)\s*-->[ \t]*$", re.MULTILINE)


def _found(path: str, text: str, word: str = MEASURED) -> Iterator[_Found]:
    visible = _FENCED.sub(lambda fenced: re.sub(r"[^\n]", " ", fenced[0]), text)
    lines = visible.splitlines()
    for annotation in _annotation(word).finditer(visible):
        line = visible.count("\n", 0, annotation.start()) + 1
        first = line + 1
        while first <= len(lines) and not lines[first - 1].strip():
            first += 1
        end = first
        while end <= len(lines) and lines[end - 1].startswith("|"):
            end += 1
        read = [_Row(number, _cells(lines[number - 1])) for number in range(first, end)]
        yield _Found(
            path=path,
            name=annotation[1],
            line=line,
            first=first if read else line + 1,
            height=len(read),
            header=read[0].cells if read else (),
            body=tuple(read[2:]),
        )


def _cells(line: str) -> Cells:
    return tuple(cell.strip().replace("\\|", "|") for cell in _PIPE.split(line.strip().removeprefix("|"))[:-1])


def _text(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def _title(row: _Row, table: Table) -> str:
    return table.title(row.cells[0]) if row.cells else ""


# -- comparing --------------------------------------------------------------------------------------------------------


def _faults(found: _Found, known: Mapping[str, Table]) -> Iterator[PageError]:
    def fault(line: int, message: str) -> PageError:
        return PageError(found.path, line, message)

    table = known.get(found.name)
    if table is None:
        names = ", ".join(known)
        yield fault(found.line, f"nothing is called {found.name!r} that could be measured; known are {names}")
        return
    if found.header != table.header:
        told = f"is headed {' | '.join(found.header)}" if found.header else "is missing"
        yield fault(
            found.line, f"the table below 'measured: {found.name}' {told}; its columns are {' | '.join(table.header)}"
        )
        return
    expected = {line.title: line for line in table.lines}
    seen: set[str] = set()
    for row in found.body:
        title = _title(row, table)
        line = expected.get(title)
        if line is None:
            close = ", ".join(difflib.get_close_matches(title, expected, n=3, cutoff=0))
            yield fault(
                row.line,
                f"the table of {table.name} has no {table.noun} {title!r}; "
                f"delete the row, or mend its name: the closest are {close}",
            )
        elif title in seen:
            yield fault(row.line, f"the {table.noun} {title!r} stands here twice; keep one row")
        elif len(row.cells) != len(table.header):
            yield fault(row.line, f"row {title!r} has {len(row.cells)} cells, not {len(table.header)}; mend the row")
        else:
            for column, problem in _problems(row.cells, line):
                yield fault(row.line, f"row {title!r}, column {table.header[column]!r} {problem}")
        seen.add(title)
    for title in expected:
        if title not in seen:
            yield fault(found.line, f"the row of {title!r} is missing; write it, or run backout check --update")


def _problems(cells: Cells, line: Line) -> Iterator[tuple[int, str]]:
    """Column and fault of each cell that is wrong."""
    words, said = line.part(cells[-1])
    for column, (cell, right) in enumerate(zip((*cells[:-1], said), line.cells, strict=True)):
        if cell != right:
            yield column, f"says {cell!r}; measured was {right!r}: mend it, or run backout check --update"
    objection = line.objection(words)
    if objection is not None:
        yield len(cells) - 1, objection


# -- rewriting --------------------------------------------------------------------------------------------------------


def _rewritten(found: _Found, table: Table, lines: list[str]) -> list[str]:
    """The lines of a table, those that are right as they stand."""
    expected = {line.title: line for line in table.lines}
    head = lines[:2] if lines else [_text(table.header), "|" + "---|" * len(table.header) + "\n"]
    body = []
    for row, text in zip(found.body, lines[2:], strict=True):
        line = expected.get(_title(row, table)) if len(row.cells) == len(table.header) else None
        body.append((_title(row, table), text if line is None else _mended(row, line, text)))
    places = {title: place for place, title in enumerate(expected)}
    for title, line in expected.items():
        if title not in (one for one, _ in body):
            later = (at for at, (one, _) in enumerate(body) if places.get(one, -1) > places[title])
            body.insert(next(later, len(body)), (title, _text(line.written(line.words))))
    return [*head, *(text for _, text in body)]


def _mended(row: _Row, line: Line, text: str) -> str:
    cells = line.written(line.part(row.cells[-1])[0])
    return text if cells == row.cells else _text(cells)
