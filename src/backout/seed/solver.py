"""Values for columns that conditions tie together: the server picks combinations that fulfil them.

For ``CHECK (starts < ends)`` and a foreign key over ``starts`` it is asked for

::

    SELECT … FROM parent CROSS JOIN (VALUES …) AS ends WHERE (starts < ends) IS NOT FALSE

which also honours what nobody could read out of a condition's text.

Not here: which combination goes into which row (``seed.rows``).
"""

# ruff: noqa: S608 - statements are made of the catalogue's own names and expressions, on a disposable database

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

from backout.seed.batch import Answer, Failure, Order, ask
from backout.seed.choices import Choice, base_of, quote
from backout.seed.conditions import Tie
from backout.seed.expressions import definition
from backout.tables import Column, ForeignKey, Table

Combination = tuple[str | None, ...]

_TRIED = 3000  # combinations that the server tries, about
_TAKEN = 400
_PARENTS = 24  # rows of a referenced table that are offered
_NULL = -1
_DERIVED = -2  # the place of a value that follows from the others


@dataclass
class Group:
    """Columns that take their values together, and combinations of values for them.

    :param shown: to be in rows, each once if there are rows enough; those with the fewest NULLs first.
    :param nulls: with NULLs, the most first.
    :param literals: with literals of the revision.
    :param spares: further ones, each different from all others in every column that must be unique.
    :param other: further ones.
    :param tame: in the place of one that something refuses.
    :param hinted: that a trigger may ask for.
    :param counted: there are to be rows enough to show each; not of parents.
    :param refused: why there is no combination.
    """

    columns: tuple[Column, ...]
    shown: list[Combination] = field(default_factory=list)
    nulls: list[Combination] = field(default_factory=list)
    literals: list[Combination] = field(default_factory=list)
    spares: list[Combination] = field(default_factory=list)
    other: list[Combination] = field(default_factory=list)
    tame: list[Combination] = field(default_factory=list)
    hinted: list[Combination] = field(default_factory=list)
    counted: bool = True
    defaulted: bool = False
    refused: str | None = None


def alone(choice: Choice) -> Group:
    """A column that nothing ties to others."""
    return Group(
        columns=(choice.column,),
        shown=[(text,) for text in choice.shown],
        nulls=[(None,)] if choice.null else [],
        literals=[(text,) for text in choice.literals],
        spares=[(text,) for text in choice.spares],
        other=[(text,) for text in choice.other],
        tame=[(text,) for text in choice.tame],
        hinted=[(text,) for text in choice.hinted],
        defaulted=choice.defaulted,
        refused=choice.refused,
    )


def solve(
    run: Callable[[Sequence[Order]], list[Answer]],
    ties: Sequence[tuple[Table, Tie, Mapping[str, Choice]]],
    tables: Mapping[str, Table],
    *,
    all_parents: bool = False,
) -> list[Group]:
    """A group for each tie; one round trip, and more for those whose conditions fail on some values.

    :param run: as ``batch.run``, on a connection.
    :param all_parents: every row that a foreign key may refer to is to be referred to; else two thirds of them.
    """
    queries = [_Query(table, tie, choices, tables, all_parents) for table, tie, choices in ties]
    answers = run([order for query in queries for order in query.orders()])
    for care in range(1, 4):
        failed = [place for place in range(len(queries)) if isinstance(answers[2 * place], Failure)]
        for place in failed:
            table, tie, choices = ties[place]
            queries[place] = _Query(table, tie, choices, tables, all_parents, care=care)
        again = iter(run([order for place in failed for order in queries[place].orders()]))
        for place in failed:
            answers[2 * place], answers[2 * place + 1] = next(again), next(again)
    return [query.group(*answers[2 * place : 2 * place + 2]) for place, query in enumerate(queries)]


class _Query:
    """Asks for combinations of one tie.

    Where a condition fails on some values (it divides by zero, or overflows), more and more of them are left out:
    large ones, all that hurt, and at last also those that follow from others.
    """

    def __init__(
        self,
        table: Table,
        tie: Tie,
        choices: Mapping[str, Choice],
        tables: Mapping[str, Table],
        all_parents: bool,
        *,
        care: int = 0,
    ) -> None:
        self.table, self.tie, self.choices = table, tie, choices
        # A column with its default only refers to nothing, or to what somebody else saw to.
        keys = [key for key in tie.foreign_keys if all(choices[name].expression is None for name in key.columns)]
        # A key that may be absent takes what it shares with others from them.
        self._keys = sorted(keys, key=lambda one: (self._may_be_absent(one), len(one.columns), one.name))
        self._tables = tables
        self._all_parents = all_parents
        self._names = [column.name for column in tie.columns]
        self._columns = {column.name: column for column in tie.columns}
        self._place = {name: place for place, name in enumerate(self._names)}
        self._typed = {column.name: base_of(column.of, column.type)[1] for column in tie.columns}
        self._care = care
        keyed = {name for key in self._keys for name in key.columns}
        self._definitions = {} if care == 3 else self._find_definitions(keyed)
        self._offered = {name: self._offer(name, keyed) for name in self._names if name not in keyed}

    def orders(self) -> tuple[Order, Order]:
        """One for combinations, one for spares that are made of each column's own."""
        return ask(self._combinations()), ask(self._spares())

    def group(self, combinations: Answer, spares: Answer) -> Group:
        """The group that the answers make."""
        found: list[Combination] = []
        refused = None
        if isinstance(combinations, Failure):
            refused = f"its conditions cannot be evaluated: {combinations.state} {combinations.message}"
        else:
            found = [self._read(values) for values in combinations]
        rows = self._apart() if spares else []
        apart = [] if isinstance(spares, Failure) else [rows[place] for place in spares]
        if not found and not apart and refused is None:
            refused = self._why_none()
        return self._arranged(found, apart, refused)

    # -- the question -----------------------------------------------------------------------------------

    def _find_definitions(self, keyed: Collection[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        for condition in self.tie.conditions:
            equation = definition(condition, self._names)
            if equation is not None and equation[0] not in keyed and equation[0] not in found:
                found[equation[0]] = equation[1]
        return found

    def _offer(self, name: str, keyed: Collection[str]) -> list[str | None]:
        """The values of a column that are tried, the most useful first."""
        choice = self.choices[name]
        if choice.expression is not None:
            return [None]
        free = len(self._names) - len(keyed)
        rows = _PARENTS ** len(self._keys)
        number = max(2, int((_TRIED / min(rows, _TRIED / 4)) ** (1 / max(free, 1))))
        nulls: list[str | None] = [None] if choice.null else []
        if self._care > 1:
            return list(dict.fromkeys([*choice.tame[:2], *nulls, *choice.asked[:2], *choice.other[:3]]))[
                : min(number, 6)
            ]
        mixed = zip_longest(choice.asked, choice.shown, choice.literals, choice.other)
        offered = [*choice.shown[:1], *nulls, *(text for texts in mixed for text in texts if text is not None)]
        if self._care:
            offered = [text for text in offered if text is None or not _is_large(text)]
        return list(dict.fromkeys([*offered, *choice.spares[:3]]))[:number]

    def _combinations(self) -> str:
        """Every level adds columns to the one within it, so that conditions find them under their own names."""
        sources, owned, where = [], dict[str, str](), []
        for number, key in enumerate(self._keys):
            sources.append(self._parents(key, number, owned))
            where += self._agreement(key, number, owned)
            owned.update({name: f"f{number}.c{place}" for place, name in enumerate(key.columns) if name not in owned})
        places = {}
        for name, values in self._offered.items():
            if name not in self._definitions:
                place = self._place[name]
                sources.append(f"(VALUES {self._values(name, values)}) AS s{place}(n, v)")
                owned[name], places[name] = f"s{place}.v", f"s{place}.n"
        columns = [f"{owned[name]} AS {self._columns[name].quoted}" for name in owned]
        columns += [f'{places.get(name, "0")} AS "backout {self._place[name]}"' for name in owned]
        columns += [f'f{number}.n AS "backout f{number}"' for number in range(len(self._keys))]
        within = f"SELECT {', '.join(columns) or '1'} FROM {' CROSS JOIN '.join(sources) or '(SELECT) s'}"
        if where:
            within += f" WHERE {' AND '.join(where)}"
        for name, expression in self._definitions.items():
            within = self._with_derived(name, expression, within)
        return self._asked(self._with_generated(within))

    def _parents(self, key: ForeignKey, number: int, owned: Mapping[str, str]) -> str:
        """The rows that a foreign key may refer to, and one that refers to none."""
        parent = self._tables.get(key.references)
        name = key.references if parent is not None and parent.kind == "p" else f"ONLY {key.references}"
        typed = [self._typed[column] for column in key.columns]
        read = [f"{_quoted(column)}::{of}" for column, of in zip(key.referenced, typed, strict=True)]
        cells = ", ".join(f"{what} AS c{place}" for place, what in enumerate(read))
        filled = " AND ".join(f"{_quoted(column)} IS NOT NULL" for column in key.referenced)
        order = ", ".join(_quoted(column) for column in key.referenced)
        newest = " DESC" if self._all_parents else ""
        rows = f"(SELECT 0 AS absent, {cells} FROM {name} WHERE {filled} ORDER BY {order}{newest} LIMIT {_PARENTS})"
        if self._may_be_absent(key):
            nothing = ", ".join(self._nothing(column, owned) for column in key.columns)
            rows = f"({rows} UNION ALL SELECT 1, {nothing})"
        columns = ", ".join(f"c{place}" for place in range(len(typed)))
        numbered = f"SELECT row_number() OVER () - 1 AS n, absent, {columns} FROM {rows} AS p(absent, {columns})"
        return f"({numbered}) AS f{number}"

    def _may_be_absent(self, key: ForeignKey) -> bool:
        nullable = [self.choices[name].null for name in key.columns]
        return all(nullable) if key.full else any(nullable)

    def _nothing(self, name: str, owned: Mapping[str, str]) -> str:
        choice = self.choices[name]
        first = next(iter(choice.shown), None)
        return f"{quote(None if choice.null and name not in owned else first)}::{self._typed[name]}"

    def _agreement(self, key: ForeignKey, number: int, owned: Mapping[str, str]) -> list[str]:
        """That a foreign key's columns are those of a row, also where another key chose them already."""
        shared = [(owned[name], f"f{number}.c{place}") for place, name in enumerate(key.columns) if name in owned]
        if not shared:
            return []
        equal = " AND ".join(f"{one} = {other}" for one, other in shared)
        cells = [owned.get(name, f"f{number}.c{place}") for place, name in enumerate(key.columns)]
        joint = " AND " if key.full else " OR "
        empty = joint.join(f"{cell} IS NULL" for cell in cells)
        return [f"((f{number}.absent = 0 AND {equal}) OR (f{number}.absent = 1 AND ({empty})))"]

    def _values(self, name: str, values: Sequence[str | None]) -> str:
        typed = self._typed[name]
        if (expression := self.choices[name].expression) is not None:
            return f"({_NULL},({expression})::{typed})"
        rows = [f"({_NULL if text is None else place},{quote(text)}::{typed})" for place, text in enumerate(values)]
        return ",".join(rows or [f"({_NULL},NULL::{typed})"])

    def _with_derived(self, name: str, expression: str, within: str) -> str:
        values = f"VALUES {self._values(name, self._offered[name][:3])}"
        either = f"{values} UNION ALL SELECT {_DERIVED}, ({expression})::{self._typed[name]}"
        return (
            f'SELECT below.*, d.v AS {self._columns[name].quoted}, d.n AS "backout {self._place[name]}" '
            f"FROM ({within}) AS below CROSS JOIN LATERAL ({either}) AS d(n, v)"
        )

    def _with_generated(self, within: str) -> str:
        generated = [
            f"({column.expression})::{column.type} AS {column.quoted}"
            for column in self.table.columns
            if column.expression is not None and any(column.quoted in text for text in self.tie.conditions)
        ]
        return f"SELECT below.*, {', '.join(generated)} FROM ({within}) AS below" if generated else within

    def _asked(self, within: str) -> str:
        cells, mixed = [], []
        for name in self._names:
            place, value = f'"backout {self._place[name]}"', self._columns[name].quoted
            if name in self._offered:
                cells.append(f"CASE WHEN {place} = {_DERIVED} THEN to_jsonb({value}::text) ELSE to_jsonb({place}) END")
                mixed.append(place)
            else:
                cells.append(f"to_jsonb({value}::text)")
        mixed += [f'"backout f{number}"' for number in range(len(self._keys))]
        # Spread out, so that the first few hundred are of every kind.
        spread = " + ".join(f"{place}::bigint * {7919 + 104_729 * number}" for number, place in enumerate(mixed))
        first = [f"({spread}) % 1009"] if len(mixed) > 1 else []
        where = " AND ".join(f"({condition}) IS NOT FALSE" for condition in self.tie.conditions) or "true"
        order = ", ".join([*first, *mixed])
        found = f"SELECT * FROM ({within}) AS {_quoted(self.table.name)} WHERE {where} ORDER BY {order} LIMIT {_TAKEN}"
        return (
            f"SELECT coalesce(json_agg(jsonb_build_array(VARIADIC ARRAY[{', '.join(cells)}])), '[]') "
            f"FROM ({found}) AS found"
        )

    def _spares(self) -> str:
        """Of the columns' own spares, set side by side, the places of those that fulfil the conditions."""
        typed = [self._typed[name] for name in self._names]
        rows = [
            f"({place}," + ",".join(f"{quote(text)}::{of}" for of, text in zip(typed, row, strict=True)) + ")"
            for place, row in enumerate(self._apart())
        ]
        if not rows:
            return "SELECT '[]'::json"
        columns = ", ".join(f"v.c{place} AS {self._columns[name].quoted}" for name, place in self._place.items())
        cells = ", ".join(f"c{place}" for place in range(len(self._names)))
        within = f'SELECT v.n AS "backout", {columns} FROM (VALUES {",".join(rows)}) AS v(n, {cells})'
        where = " AND ".join(f"({condition}) IS NOT FALSE" for condition in self.tie.conditions) or "true"
        return (
            f'SELECT coalesce(json_agg("backout" ORDER BY "backout"), \'[]\') '
            f"FROM ({self._with_generated(within)}) AS {_quoted(self.table.name)} WHERE {where}"
        )

    def _apart(self) -> list[Combination]:
        """Combinations that differ in every column that has spares; ascending from left to right."""
        if self._keys:
            return []
        supplied = [name for name in self._names if self.choices[name].spares]
        if not supplied:
            return []
        number = min(len(self.choices[name].spares) for name in supplied) // len(supplied)
        rows = []
        for turn in range(number):
            ascending = (turn * len(supplied) + step for step in range(len(supplied)))
            chosen = {name: self.choices[name].spares[next(ascending)] for name in supplied}
            rows.append(tuple(chosen.get(name) or _turned(self.choices[name], turn) for name in self._names))
        return rows

    # -- the answer -------------------------------------------------------------------------------------

    def _read(self, values: Sequence[Any]) -> Combination:
        return tuple(self._value(name, value) for name, value in zip(self._names, values, strict=True))

    def _value(self, name: str, value: Any) -> str | None:
        if not isinstance(value, int):
            return value if value is None else str(value)
        return None if value == _NULL else self._offered[name][value]

    def _arranged(self, found: list[Combination], apart: list[Combination], refused: str | None) -> Group:
        literals = {(place, text) for name, place in self._place.items() for text in self.choices[name].literals}
        group = Group(columns=self.tie.columns, refused=refused)
        seen: set[tuple[int, str | None]] = set()
        if not self.tie.conditions and self._keys:  # parents in their order; the last third has no children
            full = [one for one in found if None not in one]
            group.shown = full if self._all_parents else full[: -(-len(full) * 2 // 3)]
            group.other = full[len(group.shown) :]
            group.nulls = _different_nulls(found)
            group.shown = group.shown or group.nulls[:1]
            group.tame = group.shown[:1]
            group.counted = self._all_parents
            return group
        rest = []
        wanted = {(self._place[name], text) for name in self._names for text in (*self.choices[name].shown, None)}
        wanted |= literals
        for one in sorted(found, key=lambda one: one.count(None)):
            new = [cell for cell in enumerate(one) if cell in wanted and cell not in seen]
            if literals.intersection(new):
                group.literals.append(one)
            elif new:
                group.shown.append(one)
            else:
                rest.append(one)
                continue
            seen.update(new)
        group.nulls = _different_nulls(found)
        group.shown = group.shown or group.literals[:1] or apart[:1] or found[:1]
        group.spares, group.other = apart, rest
        tame = [set(self.choices[name].tame) for name in self._names]
        fit = [one for one in found if all(text in those for text, those in zip(one, tame, strict=True))]
        group.tame = fit[:6] or group.shown[:1]
        return group

    def _why_none(self) -> str:
        for key in self._keys:
            if not self._may_be_absent(key):
                return f"no row of {key.references} fits the foreign key {key.name}"
        return f"no values were found for which {' AND '.join(self.tie.conditions)}"


def _different_nulls(found: Sequence[Combination]) -> list[Combination]:
    """One combination for each set of columns that can be NULL together; the largest set first."""
    kinds: dict[tuple[bool, ...], Combination] = {}
    for one in found:
        if None in one:
            kinds.setdefault(tuple(text is None for text in one), one)
    return sorted(kinds.values(), key=lambda one: -one.count(None))[:8]


def _is_large(text: str) -> bool:
    """A number with five digits before the point or more, or one next to nothing; a very long text."""
    return re.match(r"-?\d{5}|-?0\.000|.*e[-+]?\d{2}", text) is not None or len(text) > 200


def _turned(choice: Choice, turn: int) -> str | None:
    return choice.shown[turn % len(choice.shown)] if choice.shown else None


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def cells_of(columns: Sequence[Column], combination: Combination) -> Iterator[tuple[str, str | None]]:
    """Raw names of columns and their values."""
    return zip((column.name for column in columns), combination, strict=True)
