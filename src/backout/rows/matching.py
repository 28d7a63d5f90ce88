"""Which row afterwards is the one that was there before.

By the key, where both sides have it; else by what else is equal. Two rows without a key that nothing tells apart are
interchangeable, so that it does not matter which is taken.

Not here: what the difference means (``rows``). Pure.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal

Row = tuple[str | None, ...]
Place = tuple[int, int]  # of a column, before and afterwards

MOST_PAIRS = 40_000  # that are compared one by one; more are paired in their order


def order_of(key: Sequence[int] | None) -> Callable[[Row], tuple[object, ...]]:
    """Sorts rows by these positions, then by all: NULL first, numbers by their value, other values by their text."""

    def order(row: Row) -> tuple[object, ...]:
        return (*(_order_of_value(row[place]) for place in key or ()), *map(_order_of_value, row))

    return order


def match(
    before: Sequence[Row], after: Sequence[Row], columns: Sequence[Place], key: Sequence[Place] | None
) -> tuple[tuple[tuple[Row, Row], ...], tuple[Row, ...]]:
    """The pairs of rows that are the same row, and the rows that are gone; both in the order of ``before``.

    :param columns: that may be compared.
    :param key: those of them that tell rows apart, if they still do; a row whose key is gone, while a row with a new
        key has all its other values, has got a new key.
    """
    matching = _Matching(before, after)
    if key and matching.is_unique(key):
        matching.equal(key)
        others = [place for place in columns if place not in key]
        matching.equal(others, unless_empty=True)
    else:
        matching.equal(columns)
        matching.alike([place for place in columns if matching.is_stable(place)], columns)
        for place in columns:
            matching.equal([other for other in columns if other != place], unless_empty=True)
        matching.alike([], columns)
    pairs = tuple((before[here], after[there]) for here, there in sorted(matching.paired.items()))
    return pairs, tuple(before[here] for here in matching.before)


class _Matching:
    """Rows by their numbers; those in ``before`` and ``after`` are without a counterpart yet."""

    def __init__(self, before: Sequence[Row], after: Sequence[Row]) -> None:
        self._rows = (before, after)
        self.before = list(range(len(before)))
        self.after = list(range(len(after)))
        self.paired: dict[int, int] = {}

    def is_unique(self, key: Sequence[Place]) -> bool:
        """No two rows of a side have the same values there."""
        return all(
            len({self._of(side, number, key) for number in range(len(rows))}) == len(rows)
            for side, rows in enumerate(self._rows)
        )

    def is_stable(self, place: Place) -> bool:
        """The rows that are left have the same values in that column, each as often."""
        before, after = self._rows
        here, there = place
        return Counter(before[number][here] for number in self.before) == Counter(
            after[number][there] for number in self.after
        )

    def equal(self, places: Sequence[Place], *, unless_empty: bool = False) -> None:
        """Pair rows that are equal there, in their order.

        :param unless_empty: not those that are NULL in all of these columns.
        """
        waiting: dict[Row, deque[int]] = defaultdict(deque)
        for there in self.after:
            waiting[self._of(1, there, places)].append(there)
        found = {}
        for here in self.before:
            values = self._of(0, here, places)
            if waiting.get(values) and not (unless_empty and not any(value is not None for value in values)):
                found[here] = waiting[values].popleft()
        self._pair(found)

    def alike(self, places: Sequence[Place], columns: Sequence[Place]) -> None:
        """Among rows that are equal in these columns, pair those that are most alike first, until one side is used up.

        Nothing happens with rows that are equal nowhere, unless no column is given.
        """
        groups: dict[Row, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
        for here in self.before:
            groups[self._of(0, here, places)][0].append(here)
        for there in self.after:
            groups[self._of(1, there, places)][1].append(there)
        found: dict[int, int] = {}
        for values, (left, right) in groups.items():
            if places and not any(value is not None for value in values):
                continue
            found.update(self._most_alike(left, right, columns))
        self._pair(found)

    def _most_alike(self, left: Sequence[int], right: Sequence[int], columns: Sequence[Place]) -> Iterable[Place]:
        if len(left) * len(right) > MOST_PAIRS:
            return list(zip(left, right, strict=False))
        before, after = self._rows
        ranked = sorted(
            (-sum(before[here][old] == after[there][new] for old, new in columns), here, there)
            for here in left
            for there in right
        )
        found: dict[int, int] = {}
        used: set[int] = set()
        for _, here, there in ranked:
            if here not in found and there not in used:
                found[here] = there
                used.add(there)
        return found.items()

    def _of(self, side: int, number: int, places: Sequence[Place]) -> Row:
        row = self._rows[side][number]
        return tuple(row[place[side]] for place in places)

    def _pair(self, found: dict[int, int]) -> None:
        used = set(found.values())
        self.paired |= found
        self.before = [here for here in self.before if here not in found]
        self.after = [there for there in self.after if there not in used]


_NUMBER = re.compile(r"-?\d{1,40}(\.\d{1,40})?")
_NULL, _ZERO = (0, Decimal(0), ""), Decimal(0)


def _order_of_value(value: str | None) -> tuple[int, Decimal, str]:
    if value is None:
        return _NULL
    if _NUMBER.fullmatch(value):
        return (1, Decimal(value), value)
    return (2, _ZERO, value)
