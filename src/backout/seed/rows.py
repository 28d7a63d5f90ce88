"""Which value goes into which row of a table, and what takes its place when the server refuses it.

Twelve rows, or more where a column has many values to show::

    0   the first value of every column
    1   the same again, but for what must be unique
    2   NULL wherever it may be
    3…  the next values; every nullable column is NULL in two of these rows, no two columns in the same two
    …   the literals of the revision: of any two columns every pair, where they are few

Not here: which values there are (``seed.choices``, ``seed.solver``). Pure.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from enum import Enum
from itertools import combinations, islice

from backout.seed.expressions import references
from backout.seed.solver import Combination, Group, cells_of
from backout.tables import Table, Unique


class Default(Enum):
    """A cell that is left to the column's default."""

    DEFAULT = "DEFAULT"


Cell = str | None | Default
Row = dict[str, Cell]  # by raw name of the column

_MOST = 40  # rows, but for those of literals
_MOST_OF_LITERALS = 60


class Rows:
    """Rows of one table.

    :ivar rows: those assembled, by their number; mended in place.
    """

    def __init__(
        self,
        table: Table,
        groups: Sequence[Group],
        *,
        before: Sequence[Row] = (),
        same: Mapping[str, str] | None = None,
        start: int = 0,
    ) -> None:
        """Nothing is assembled yet.

        :param before: rows that are there.
        :param same: raw name of a column → that of the column of the same row whose value it has.
        :param start: place of the value to begin with: each of many partitions shows other ones.
        """
        self.table = table
        self.rows: dict[int, Row] = {}
        self._groups = groups
        self._same = same or {}
        self._next = [start] * len(groups)
        self._null = [0] * len(groups)
        self._spare = [0] * len(groups)
        self._uniques = [unique for unique in table.uniques if None not in unique.columns and unique.predicate is None]
        generated = {column.name for column in table.columns if column.generated}
        self._blind = [any(name in generated for name in unique.columns) for unique in self._uniques]
        self._parts = [tuple(filter(None, unique.columns)) for unique in self._uniques]
        self._keys: list[dict[tuple[Cell, ...], int]] = [{} for _ in self._uniques]
        for number, row in enumerate(before, 1):
            self._remember(-number, row)

    def assemble(self, count: int, *, tame: bool = False, exactly: bool = False) -> None:
        """Add rows; fewer where uniqueness leaves no more, and more where there is more to show unless ``exactly``."""
        if not tame and not exactly:
            shown = [len(group.shown) for group in self._groups if group.counted and not self._is_apart(group)]
            count = min(max([count, *(number + 5 for number in shown)]), max(count, _MOST))
        pairs = list(combinations(range(3, count), 2)) or [(0, 0)]
        first: list[Combination | None] = []
        for number in range(count):
            picks: list[Combination | None] = []
            for place, group in enumerate(self._groups):
                if number == 1 and not tame:
                    picks.append(first[place])
                elif tame:
                    picks.append(self._tame(place, number))
                else:
                    picks.append(self._usual(place, number, pairs[place * 7 % len(pairs)]))
                if group.defaulted and number == 3 + place % 3 and not tame:
                    picks[-1] = None
            first = first or picks
            self._add(number, picks)
        if not tame:
            self._add_literals(count)

    def mend(self, number: int, columns: Collection[str], *, fresh: bool) -> bool:
        """Give a row that the server refused other values in some columns.

        :param columns: raw names.
        :param fresh: values that are in no row yet.
        :return: False, and the row is gone, where there are none.
        """
        row = self.rows.pop(number)
        self._forget(number)
        places = [
            place for place, group in enumerate(self._groups) if any(column.name in columns for column in group.columns)
        ]
        # The richest first: a foreign key has few parents, a flag two values.
        for place in sorted(places, key=lambda one: (-len(self._groups[one].spares), -_supply(self._groups[one]), one)):
            for combination in islice(self._others(place, fresh=fresh), 60):
                changed = {**row, **dict(cells_of(self._groups[place].columns, combination))}
                self._copy(changed)
                if changed != row and self._clash(changed) is None:
                    self._keep(number, changed)
                    return True
        return False

    def variants(self, number: int, good: Row | None) -> list[Row]:
        """Rows to try in the place of one that the server refused, for a reason that names no column.

        :param good: a row that it took: each group of columns as there; all but one; all.
        """
        row = self.rows[number]
        bound = {name for unique in self.table.uniques for name in self._columns_of(unique)}
        free = [group for group in self._groups if not any(column.name in bound for column in group.columns)]
        found = list(self._like(row, good, free, number)) if good is not None else []
        for turn in range(6 if good is None else 1):
            found.append(self._tamed(row, self._groups if turn else free, turn))
        if good is None:
            found += self._odd_variants(row, free, number)
        for one in found:
            self._copy(one)
        return [one for place, one in enumerate(found) if one != row and one not in found[:place]]

    def replace(self, number: int, row: Row) -> bool:
        """Put another row in the place of one; False, and it is gone, where that is not unique."""
        self.rows.pop(number)
        self._forget(number)
        if self._clash(row) is not None:
            return False
        self._keep(number, row)
        return True

    def drop(self, number: int) -> None:
        """Give a row up."""
        self.rows.pop(number)
        self._forget(number)

    # -- what goes into a row ---------------------------------------------------------------------------

    def _usual(self, place: int, number: int, nulls: tuple[int, int]) -> Combination | None:
        group = self._groups[place]
        if group.nulls and number == 2:
            return group.nulls[0]
        if group.nulls and number in nulls:
            self._null[place] += 1
            return group.nulls[self._null[place] % len(group.nulls)]
        if not group.shown:
            return group.nulls[0] if group.nulls else None
        turn = self._next[place]
        self._next[place] += 1
        options = len(group.shown)
        if turn >= options and options <= 3:  # flags would be all in step
            turn = zlib.crc32(f"{group.columns[0].name} {number}".encode())
        return group.shown[turn % options]

    def _tame(self, place: int, number: int) -> Combination | None:
        group = self._groups[place]
        options = group.tame or group.shown
        if not options:
            return group.nulls[0] if group.nulls else None
        return options[number % len(options)]

    def _add_literals(self, start: int) -> None:
        with_literals = [place for place, group in enumerate(self._groups) if group.literals]
        most = max((len(self._groups[place].literals) for place in with_literals), default=0)
        layout = _layout(len(with_literals), most)
        for number, steps in enumerate(islice(layout, _MOST_OF_LITERALS), start):
            chosen = dict(zip(with_literals, steps, strict=True))
            picks: list[Combination | None] = []
            for place, group in enumerate(self._groups):
                if place in chosen:
                    picks.append(group.literals[chosen[place] % len(group.literals)])
                elif zlib.crc32(f"{number} {place}".encode()) % 3 == 0:
                    picks.append(self._usual(place, number, (number, number)))
                else:
                    picks.append(self._usual(place, number, (0, 0)))
            self._add(number, picks)

    def _add(self, number: int, picks: Sequence[Combination | None]) -> None:
        row: Row = {}
        for group, pick in zip(self._groups, picks, strict=True):
            if pick is not None:
                row.update(cells_of(group.columns, pick))
            else:
                row.update({column.name: Default.DEFAULT for column in group.columns})
        self._copy(row)
        for _ in self._uniques:
            clash = self._clash(row)
            if clash is None:
                break
            if not self._settle(row, clash):
                return
        if self._clash(row) is None:
            self._keep(number, row)

    def _settle(self, row: Row, clash: int) -> bool:
        """Change a row until it differs from the others in what is unique, which has that place."""
        names, taken = self._parts[clash], self._keys[clash]
        places = [
            place for place, group in enumerate(self._groups) if any(column.name in names for column in group.columns)
        ]
        # What has values to spare, alone; the others may be what the row was made for.
        for place in sorted(places, key=lambda one: (not self._groups[one].spares, *self._weight(one))):
            group = self._groups[place]
            for combination in (*group.shown, *group.spares, *group.other):
                changed = dict(row)
                changed.update(cells_of(group.columns, combination))
                self._copy(changed)
                if self._key(clash, changed) not in taken:
                    row.update(changed)
                    return True
        return False

    def _weight(self, place: int) -> tuple[int, int, int]:
        return len(self._groups[place].columns), -_supply(self._groups[place]), place

    def _others(self, place: int, *, fresh: bool) -> Iterator[Combination]:
        group = self._groups[place]
        while self._spare[place] < len(group.spares) and (fresh or not group.shown):
            self._spare[place] += 1
            yield group.spares[self._spare[place] - 1]
        known = [*group.shown, *group.tame, *group.other, *group.nulls]
        for _ in known:
            self._next[place] += 1
            yield known[self._next[place] % len(known)]

    def _like(self, row: Row, good: Row, free: Sequence[Group], number: int) -> Iterator[Row]:
        alike = [{column.name: good[column.name] for column in group.columns} for group in free]
        whole = {name: cell for cells in alike for name, cell in cells.items()}
        for cells in alike:
            yield {**row, **cells}
        for place in range(len(free)):  # from another one in each row
            own = {column.name: row[column.name] for column in free[(place + number) % len(free)].columns}
            yield {**row, **whole, **own}
        yield {**row, **whole}

    def _odd_variants(self, row: Row, free: Sequence[Group], number: int) -> Iterator[Row]:
        """Without knowing any row that is taken: what a trigger's source names, no NULLs, only NULLs, anything."""
        hinted = [group for group in free if group.hinted]
        for group in hinted:
            for turn in range(len(group.hinted)):
                pick = group.hinted[(turn + number) % len(group.hinted)]
                yield {**self._tamed(row, free, turn), **dict(cells_of(group.columns, pick))}
        for turn in range(max((len(group.hinted) for group in hinted), default=0)):
            changed = self._tamed(row, free, turn)
            for group in hinted:
                changed.update(cells_of(group.columns, group.hinted[turn % len(group.hinted)]))
            yield changed
        for first in ("shown", "nulls"):
            cells = [cells_of(group.columns, getattr(group, first)[0]) for group in free if getattr(group, first)]
            yield {**row, **{name: cell for those in cells for name, cell in those}}
        for turn in range(12):
            changed = dict(row)
            for group in free:
                options = [*group.tame, *group.other, *group.spares, *group.shown]
                if options:
                    changed.update(cells_of(group.columns, options[turn * 5 % len(options)]))
            yield changed

    def _tamed(self, row: Row, groups: Sequence[Group], turn: int) -> Row:
        tame = dict(row)
        for group in groups:
            options = group.tame or group.shown
            if options:
                tame.update(cells_of(group.columns, options[turn % len(options)]))
        return tame

    def _copy(self, row: Row) -> None:
        for name, other in self._same.items():
            row[name] = row[other]

    # -- uniqueness -------------------------------------------------------------------------------------

    def _is_apart(self, group: Group) -> bool:
        """Whether a column alone is unique, so that the number of its values says nothing."""
        return any(
            column.sequence is not None or (column.name,) in [unique.columns for unique in self._uniques]
            for column in group.columns
        )

    def _columns_of(self, unique: Unique) -> frozenset[str]:
        names = [column.name for column in self.table.columns]
        return frozenset(name for expression in unique.expressions for name in references(expression, names))

    def _clash(self, row: Row) -> int | None:
        """The place of what is unique, and is there already."""
        for place, keys in enumerate(self._keys):
            if self._key(place, row) in keys:
                return place
        return None

    def _keep(self, number: int, row: Row) -> None:
        self.rows[number] = row
        self._remember(number, row)

    def _remember(self, number: int, row: Row) -> None:
        for place, keys in enumerate(self._keys):
            key = self._key(place, row)
            if key is not None:
                keys[key] = number

    def _forget(self, number: int) -> None:
        for keys in self._keys:
            for key in [key for key, owner in keys.items() if owner == number]:
                del keys[key]

    def _key(self, place: int, row: Row) -> tuple[Cell, ...] | None:
        """None: this row is like no other, or a generated column, which only the server knows, decides."""
        key = tuple(map(row.get, self._parts[place]))
        return None if self._blind[place] or (self._uniques[place].nulls_distinct and None in key) else key


def _supply(group: Group) -> int:
    return len(group.shown) + len(group.spares) + len(group.other)


def _layout(groups: int, literals: int) -> Iterator[tuple[int, ...]]:
    """Which literal every group has, row by row.

    Up to five literals: every pair of any two groups (an orthogonal array over the next prime). More: each twice,
    beside others the second time. A single group: each twice.
    """
    if not groups or not literals:
        return
    prime = next((number for number in (2, 3, 5) if number >= literals), None)
    if groups == 1 or prime is None:
        for turn in range(2):
            for number in range(literals):
                yield tuple(number + place * turn for place in range(groups))
        return
    for step in range(prime):
        for number in range(prime):
            yield tuple(
                step if place % (prime + 1) == prime else (step * (place % (prime + 1)) + number) % prime
                for place in range(groups)
            )
