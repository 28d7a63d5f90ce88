"""Expected against printed output: explicit wildcards, a readable difference, a careful update.

``...`` alone on a line stands for any number of lines, none included. ``...`` within a line stands
for any text of that line. Nothing else is special: there is no similarity, and case, order and
inner spacing count. White space at the end of a line and empty lines at the end do not.

Pure.
"""

import difflib
import re
from collections.abc import Iterator, Sequence
from functools import cache

WILDCARD = "..."
_LARGE = 1_000_000  # lines expected times lines printed, above which a difference is not made small


def matches(expected: str, actual: str) -> bool:
    """Whether the printed text is the expected one, wildcards considered."""
    return _align(_lines(expected), _lines(actual)) is not None


def difference(expected: str, actual: str, *, path: str, line: int) -> str:
    """A unified diff from expected to printed; lines that a wildcard matches count as equal.

    :param path: the page, for the header.
    :param line: the page's line on which ``expected`` starts, for the header.
    """
    want, got = _lines(expected), _lines(actual)
    return "\n".join(
        difflib.unified_diff(want, _in_terms_of(want, got), f"{path}:{line} (expected)", "(printed)", lineterm="", n=3)
    )


def updated(expected: str, actual: str) -> str:
    """The printed text, with the expected text's wildcards kept where they still match."""
    lines = _in_terms_of(_lines(expected), _lines(actual))
    return "".join(line + "\n" for line in lines)


def _lines(text: str) -> list[str]:
    lines = [line.rstrip() for line in text.splitlines()]
    while lines and not lines[-1]:
        lines.pop()
    return lines


@cache
def _pattern(line: str) -> re.Pattern[str]:
    return re.compile(".*?".join(re.escape(part) for part in line.split(WILDCARD)), re.DOTALL)


def _line_matches(want: str, got: str) -> bool:
    return _pattern(want).fullmatch(got) is not None if WILDCARD in want else want == got


def _align(want: Sequence[str], got: Sequence[str]) -> list[int] | None:
    """For each printed line the expected line that stands for it, or None where they do not match.

    A greedy match with one point to come back to is enough, as for shell globs: the last wildcard.
    """
    owner: list[int] = []
    index = position = 0
    star: tuple[int, int] | None = None
    while position < len(got):
        if index < len(want) and want[index].strip() == WILDCARD:
            star = (index, position)
            index += 1
        elif index < len(want) and _line_matches(want[index], got[position]):
            del owner[position:]
            owner.append(index)
            index += 1
            position += 1
        elif star is not None:
            index, position = star[0] + 1, star[1] + 1
            star = (star[0], position)
            del owner[position - 1 :]
            owner.append(star[0])
        else:
            return None
    while index < len(want) and want[index].strip() == WILDCARD:
        index += 1
    return owner if index == len(want) else None


def _in_terms_of(want: Sequence[str], got: Sequence[str]) -> list[str]:
    """The printed lines, each replaced by the expected line that matches it, runs below ``...`` folded."""
    owner = _align(want, got)
    if owner is not None:
        return list(want)
    if len(want) * len(got) > _LARGE:
        return list(got)
    return list(_fewest_changes(want, got))


def _fewest_changes(want: Sequence[str], got: Sequence[str]) -> Iterator[str]:
    """What is printed with as few lines of the expected text changed as possible; ``...`` takes lines for nothing."""
    costs = [[0] * (len(got) + 1) for _ in range(len(want) + 1)]

    def ways(index: int, position: int) -> Iterator[tuple[int, int, int, str | None]]:
        """Cost, where it leads, and the line that results; the better of two equal ones first."""
        wildcard = index < len(want) and want[index].strip() == WILDCARD
        if index < len(want) and position < len(got) and not wildcard:
            if _line_matches(want[index], got[position]):
                yield costs[index + 1][position + 1], index + 1, position + 1, want[index]
            yield costs[index + 1][position + 1] + 1, index + 1, position + 1, got[position]
        if wildcard:
            yield costs[index + 1][position], index + 1, position, want[index]
        if position < len(got):
            yield costs[index][position + 1] + (not wildcard), index, position + 1, None if wildcard else got[position]
        if index < len(want) and not wildcard:
            yield costs[index + 1][position] + 1, index + 1, position, None

    for index in range(len(want), -1, -1):
        for position in range(len(got), -1, -1):
            costs[index][position] = min((way[0] for way in ways(index, position)), default=0)
    index = position = 0
    while index < len(want) or position < len(got):
        _, index, position, line = min(ways(index, position), key=lambda way: way[0])
        if line is not None:
            yield line
