"""The matrix of the pages, held against what was measured.

Two tables are bound by an HTML comment above them, wherever they stand:

* ``<!-- measured: kinds -->``: risk, rollback and a claim for each of the six kinds of the short table. A claim is a
  sentence that a predicate over the evidence decides; one that is not known here is a fault.
* ``<!-- measured: all kinds -->``: risk, rollback, what is blocked and where the deploy goes, for every kind. A note
  begins with words of its own, if any; the rest of it is measured: why, and every variant for which whoever goes by
  the row would be wrong, with what it is instead.

A row is measured on the typical variant of its kind, from committed evidence: no database is asked.

Not here: what a row must say (``matrix.rows``), measuring it (``specimens``), reading pages. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from backout.errors import PageError
from backout.matrix.rows import CLAIMS, Row, parted

HEADERS = {
    "kinds": ("Migration Type", "Risk Level", "Rollback Safe?", "Notes"),
    "all kinds": ("Migration type", "Risk", "Rollback", "Blocks", "Deploy", "Notes"),
}


def check(pages: Mapping[str, str], rows: Sequence[Row]) -> tuple[PageError, ...]:
    """Every cell that says something else than what was measured.

    :param pages: text by path.
    """
    tables = [table for path, text in pages.items() for table in _tables(path, text)]
    faults = [fault for table in tables for fault in _faults(table, rows)]
    shorts = [table for table in tables if table.name == "kinds"]
    if shorts and not any(table.name == "all kinds" for table in tables):
        faults.append(
            PageError(
                shorts[0].path,
                shorts[0].line,
                "no page has the table of all kinds, which names the variants that are worse than a row of this one; "
                "write <!-- measured: all kinds --> on a page, and run backout check --update",
            )
        )
    return tuple(sorted(faults, key=lambda fault: (fault.path, fault.line)))


def has_tables(text: str) -> bool:
    """Whether a page binds a table."""
    return _ANNOTATION.search(text) is not None


def rewrite(text: str, rows: Sequence[Row]) -> str:
    """The page with the measured cells as they must be; all else stays, and so do notes of the short table."""
    lines = text.splitlines(keepends=True)
    for table in reversed(list(_tables("", text))):
        if table.name in HEADERS and table.header in ((), HEADERS[table.name]):
            start, end = table.first - 1, table.first - 1 + table.height
            written = _rewritten(table, rows, lines[start:end])
            # A table that is not there yet stands between empty lines.
            lines[start:end] = written if table.height else ["\n", *written]
    return "".join(lines)


# -- the tables of a page ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Line:
    """A row of a table, with the line that it stands on."""

    line: int
    cells: tuple[str, ...]


@dataclass(frozen=True)
class _Table:
    """A table under an annotation.

    :param name: what the annotation says.
    :param line: of the annotation, from 1.
    :param first: line of the table's header, or the one where it would be.
    :param height: lines of the table, 0 where there is none.
    """

    path: str
    name: str
    line: int
    first: int
    height: int
    header: tuple[str, ...]
    body: tuple[_Line, ...]


_FENCED = re.compile(r"^[ \t]*(?P<fence>`{3,}|~{3,}).*?(?:^[ \t]*(?P=fence)[`~]*[ \t]*$|\Z)", re.MULTILINE | re.DOTALL)
_ANNOTATION = re.compile(r"^<!--\s*measured:\s*(.*?)\s*-->[ \t]*$", re.MULTILINE)
_PIPE = re.compile(r"(?<!\\)\|")


def _tables(path: str, text: str) -> Iterator[_Table]:
    visible = _FENCED.sub(lambda fenced: re.sub(r"[^\n]", " ", fenced[0]), text)
    lines = visible.splitlines()
    for annotation in _ANNOTATION.finditer(visible):
        line = visible.count("\n", 0, annotation.start()) + 1
        first = line + 1
        while first <= len(lines) and not lines[first - 1].strip():
            first += 1
        end = first
        while end <= len(lines) and lines[end - 1].startswith("|"):
            end += 1
        read = [_Line(number, _cells(lines[number - 1])) for number in range(first, end)]
        yield _Table(
            path=path,
            name=annotation[1],
            line=line,
            first=first if read else line + 1,
            height=len(read),
            header=read[0].cells if read else (),
            body=tuple(read[2:]),
        )


def _cells(line: str) -> tuple[str, ...]:
    return tuple(cell.strip().replace("\\|", "|") for cell in _PIPE.split(line.strip().removeprefix("|"))[:-1])


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def _faults(table: _Table, rows: Sequence[Row]) -> Iterator[PageError]:
    def fault(line: int, message: str) -> PageError:
        return PageError(table.path, line, message)

    header = HEADERS.get(table.name)
    if header is None:
        known = " and ".join(f"measured: {name}" for name in HEADERS)
        yield fault(table.line, f"nothing is called {table.name!r} that could be measured; known are {known}")
        return
    if table.header != header:
        told = f"is headed {' | '.join(table.header)}" if table.header else "is missing"
        yield fault(
            table.line, f"the table below 'measured: {table.name}' {told}; its columns are {' | '.join(header)}"
        )
        return
    expected = {row.title: row for row in rows if row.short or table.name == "all kinds"}
    seen: set[str] = set()
    for line in table.body:
        title = line.cells[0] if line.cells else ""
        row = expected.get(title)
        if row is None:
            yield fault(line.line, f"there is no kind {title!r} to measure; the kinds are {', '.join(expected)}")
        elif title in seen:
            yield fault(line.line, f"the kind {title!r} stands here twice; keep one row")
        elif len(line.cells) != len(header):
            yield fault(line.line, f"row {title!r} has {len(line.cells)} cells, not {len(header)}; mend the row")
        else:
            for column, problem in _problems(table.name, line.cells, row):
                yield fault(line.line, f"row {title!r}, column {header[column]!r} {problem}")
        seen.add(title)
    for title in expected:
        if title not in seen:
            yield fault(table.line, f"the row of {title!r} is missing; write it, or run backout check --update")


def _problems(table: str, cells: tuple[str, ...], row: Row) -> Iterator[tuple[int, str]]:
    """Column and fault of each cell that is wrong."""
    last = len(cells) - 1
    words, said = parted(cells[last]) if table == "all kinds" else (cells[last], "")
    for column, (cell, right) in enumerate(zip((*cells[:-1], said), _measured(table, row), strict=True)):
        if cell != right:
            yield column, f"says {cell!r}; measured was {right!r}: mend it, or run backout check --update"
    holds = row.holds(words)
    if holds is None and table == "kinds":
        yield last, f"claims {words!r}, which nothing can decide; known are {', '.join(map(repr, CLAIMS))}"
    if holds is False:
        otherwise = " and ".join(map(repr, row.claims())) or f"{row.risk}, {row.rollback}"
        yield last, f"claims {words!r}; what was measured is otherwise: {otherwise}; mend it"


def _measured(table: str, row: Row) -> tuple[str, ...]:
    """The cells of a row; of a note the measured part."""
    if table == "kinds":
        return row.title, row.risk, row.rollback.removesuffix(", if unused"), ""
    return row.title, row.risk, row.rollback, row.blocks, row.deploy, row.note


def _rewritten(table: _Table, rows: Sequence[Row], lines: list[str]) -> list[str]:
    """The lines of a table, those that are right as they stand."""
    header = HEADERS[table.name]
    expected = [row for row in rows if row.short or table.name == "all kinds"]
    by_title = {row.title: row for row in expected}
    head = lines[:2] if lines else [_line(header), "|" + "---|" * len(header) + "\n"]
    body = []
    for line, text in zip(table.body, lines[2:], strict=True):
        row = by_title.get(line.cells[0]) if len(line.cells) == len(header) else None
        body.append(
            (line.cells[0] if line.cells else "", text if row is None else _mended(table.name, line, row, text))
        )
    places = {row.title: place for place, row in enumerate(expected)}
    for row in expected:
        if row.title not in (title for title, _ in body):
            later = (at for at, (title, _) in enumerate(body) if places.get(title, -1) > places[row.title])
            body.insert(next(later, len(body)), (row.title, _line(_new(table.name, row))))
    return [*head, *(text for _, text in body)]


def _mended(table: str, line: _Line, row: Row, text: str) -> str:
    *right, measured = _measured(table, row)
    note = line.cells[-1]
    if table == "all kinds":
        note = " ".join(filter(None, (parted(note)[0], measured)))
    cells = (*right, note)
    return text if cells == line.cells else _line(cells)


def _new(table: str, row: Row) -> tuple[str, ...]:
    *right, measured = _measured(table, row)
    if table == "all kinds":
        return (*right, " ".join(filter(None, (row.words, measured))))
    return (*right, next(iter(row.claims()), ""))
