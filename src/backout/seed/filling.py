"""Fills tables, level by level: inserts the rows, and mends those that the server refuses.

Not here: what a caller asks for and is told (``seed``).
"""

# ruff: noqa: S608 - statements are made of the catalogue's own names and expressions, on a disposable database

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import psycopg

from backout.seed.batch import Answer, Failure, Order, ask, attempt, change, run
from backout.seed.choices import Choice, Wish, choices_of, only_null, quote
from backout.seed.conditions import Conditions, conditions_of
from backout.seed.expressions import references
from backout.seed.rows import Cell, Default, Row, Rows
from backout.seed.solver import Group, alone, solve
from backout.seed.table_order import Pass, partitions_of
from backout.tables import Column, ForeignKey, Table
from backout.tables import Sequence as Numbers

_ATTEMPTS = 6
_NOT_UNIQUE = "23505"
_EXCLUDED = "23P01"
_KEY_ERRORS = frozenset({_NOT_UNIQUE, _EXCLUDED, "23514", "23502", "23503"})


@dataclass
class _Filling:
    """One table's rows of one pass, until all are in or given up."""

    table: Table
    rows: Rows
    way: str
    done: set[int]
    refused: list[Failure]


class Filler:
    """Fills tables of one database.

    :ivar inserted: table → number of rows.
    :ivar failures: table → the first thing that the server said, of each row that was given up.
    :ivar refused: table and raw name of a column → why there is no value for it.
    :ivar circles: tables that were filled while nothing was checked.
    """

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        tables: Mapping[str, Table],
        names: Collection[str],
        wishes: Mapping[str, Wish],
        *,
        immediate: bool,
    ) -> None:
        """Ask what the columns may be.

        :param immediate: deferred triggers fire after each statement; else at the end, when the whole may be right.
        """
        self._connection = connection
        self._tables = tables
        self._wishes = wishes
        self._immediate = immediate
        self._partitions = partitions_of(tables)
        self._provisional: dict[str, Pass] = {}
        self._last: dict[tuple[str, str], int] = {}
        self._there: dict[str, list[Row]] = {}
        self._complete_ones: set[str] = set()
        self._due: list[Order] = []  # to be run before the next ones; nobody waits for their answers
        self.inserted: dict[str, int] = {}
        self.failures: dict[str, list[Failure]] = {}
        self.refused: dict[tuple[str, str], str] = {}
        self.circles: list[str] = []
        fillable = [tables[name] for name in sorted(names) if tables[name].kind == "r"]
        self._conditions = {table.qualified: conditions_of(table, _keys(table)) for table in fillable}
        self.choices = choices_of(
            connection, {table.qualified: (table, self._conditions[table.qualified], wishes[table.qualified])
                         for table in fillable}
        )  # fmt: skip
        self._read_last(fillable)

    def fill(self, level: Sequence[Pass]) -> None:
        """Make passes that do not depend on each other."""
        mine = [one for one in level if one.table in self.choices and (one.late or not self._is_complete(one.table))]
        groups = self.groups(mine)
        self._complete([one for one in mine if one.table in self._provisional and not one.late], groups)
        fillings = [self._filling(one, groups[one.table]) for one in mine]
        for number in range(_ATTEMPTS):
            waiting = [one for one in fillings if one.rows.rows.keys() - one.done]
            if not waiting:
                break
            self._insert(waiting, singly=number > 0)
        for filling in fillings:
            name = filling.table.qualified
            for number in filling.rows.rows.keys() - filling.done:
                filling.rows.drop(number)
            self.inserted[name] = self.inserted.get(name, 0) + len(filling.done)
            self.failures.setdefault(name, []).extend(filling.refused)
            self._there.setdefault(name, []).extend(filling.rows.rows[number] for number in sorted(filling.done))
        for one in mine:
            if one.way == "null" and _through_key(self._tables[one.table], one.late):
                self._complete_ones.add(one.table)
            if one.way in ("deferred", "unchecked"):
                self._provisional[one.table] = one
        self._advance_sequences([one.table for one in mine])

    def run(self, orders: Sequence[Order]) -> list[Answer]:
        """As ``batch.run``, with what is due before them; none at all are not run."""
        if not orders:
            return []
        due, self._due = self._due, []
        return run(self._connection, [*due, *orders])[len(due) :]

    def groups(self, level: Sequence[Pass]) -> dict[str, list[Group]]:
        """The groups of columns for each pass, with what the tables hold now."""
        asked = []
        apart: dict[str, Conditions] = {}
        choices: dict[str, dict[str, Choice]] = {}
        for one in level:
            table = self._tables[one.table]
            apart[one.table] = (
                conditions_of(table, [key for key in _keys(table) if key not in one.late])
                if one.late
                else self._conditions[one.table]
            )
            choices[one.table] = {
                name: self._numbered(table, choice.column, choice)
                for name, choice in self._without_late(table, one).items()
            }
            asked += [(table, tie, choices[one.table]) for tie in apart[one.table].ties]
        solved = iter(solve(self.run, asked, self._tables, all_parents=not self._immediate))
        found: dict[str, list[Group]] = {}
        for one in level:
            table = self._tables[one.table]
            tied = [next(solved) for _ in apart[one.table].ties]
            places = {column.name: group for group in tied for column in group.columns}
            groups: dict[int, Group] = {}
            for column in table.columns:
                if column.generated or column.name in _same(one, table):
                    continue
                group = places.get(column.name) or alone(choices[one.table][column.name])
                groups.setdefault(id(group), group)
                if group.refused is not None:
                    self.refused[one.table, column.name] = group.refused
                else:
                    self.refused.pop((one.table, column.name), None)
            referenced = {name for key in _keys(table) if key.references == one.table for name in key.referenced}
            for group in groups.values():
                if any(column.name in referenced for column in group.columns):
                    group.defaulted = False
            found[one.table] = list(groups.values())
        return found

    def _advance_sequences(self, names: Sequence[str]) -> None:
        """Set sequences behind the keys that were inserted: a trigger on the next table may draw from them."""
        for name in names:
            for column in self._tables[name].columns:
                numbers = self._numbers(self._tables[name], column)
                if numbers is not None:
                    most, behind = ("max", ">=") if numbers.increment > 0 else ("min", "<=")
                    self._due.append(
                        change(
                            f"SELECT setval({quote(numbers.qualified)}, last) FROM "
                            f"(SELECT {most}({column.quoted}) AS last FROM ONLY {name}) AS t "
                            f"WHERE last {behind} (SELECT last_value FROM {numbers.qualified}) "
                            f"AND last BETWEEN {numbers.least} AND {numbers.greatest}"
                        )
                    )

    # -- groups -----------------------------------------------------------------------------------------

    def _without_late(self, table: Table, one: Pass) -> dict[str, Choice]:
        """The choices in a pass: columns of foreign keys that must wait are NULL where they may be."""
        choices = self.choices[one.table]
        late = {name for key in one.late for name in key.columns if not table.column(name).not_null}
        if one.way != "null" or not late:
            return choices
        kept = {name for key in _keys(table) if key not in one.late for name in key.columns}
        free = late - kept or late
        return {name: only_null(choice) if name in free else choice for name, choice in choices.items()}

    def _numbered(self, table: Table, column: Column, choice: Choice) -> Choice:
        """The choice for a column that draws from a sequence: the numbers that follow."""
        numbers = self._numbers(table, column)
        if numbers is None or choice.expression is not None or column.name in self._conditions[table.qualified].single:
            return choice
        step = 1 if numbers.increment > 0 else -1
        last = self._last[table.qualified, column.name]
        following = [last + step * number for number in range(1, 131)]
        self._last[table.qualified, column.name] = last + step * (130 if table.bound is not None else 60)
        left = numbers.greatest - last if step > 0 else last - numbers.least
        if left < 2 * len(following):  # leave some to the application
            following = following[: (left + 1) // 2]
        inside = tuple(str(one) for one in following if numbers.least <= one <= numbers.greatest)
        literals = [text for text in choice.literals if int(text) not in following and 0 < int(text) < 10_000]
        return replace(
            choice, shown=inside[:40], spares=inside[40:], literals=tuple(literals), asked=(), other=(),
            tame=inside[:6], defaulted=False,
        )  # fmt: skip

    def _numbers(self, table: Table, column: Column) -> Numbers | None:
        """The sequence that a column draws from; before version 17 a partition's does not say so."""
        if column.sequence is not None or table.bound is None:
            return column.sequence
        for parent in table.parents:
            above = self._tables.get(parent)
            same = next((one for one in above.columns if one.name == column.name), None) if above else None
            if above is not None and same is not None:
                return self._numbers(above, same)
        return None

    def _read_last(self, tables: Sequence[Table]) -> None:
        """Where the numbers of columns with a sequence end."""
        drawn = [
            (table, column, numbers)
            for table in tables
            for column in table.columns
            if (numbers := self._numbers(table, column)) is not None
        ]
        orders = [
            ask(
                f"SELECT to_json(coalesce({'max' if numbers.increment > 0 else 'min'}({column.quoted}), 0)) "
                f"FROM {table.qualified}"
            )
            for table, column, numbers in drawn
        ]
        answers = self.run(orders)
        highest: dict[str, int] = {}  # partitions share a sequence
        for (table, column, numbers), answer in zip(drawn, answers, strict=True):
            last = answer if isinstance(answer, int) else 0
            start = highest.get(numbers.qualified, last)
            floor = numbers.least - 1 if numbers.increment > 0 else numbers.greatest + 1
            last = max(last, start, floor) if numbers.increment > 0 else min(last, start, floor)
            self._last[table.qualified, column.name] = last
            highest[numbers.qualified] = last + (130 if table.bound is not None else 0)

    def _is_complete(self, name: str) -> bool:
        """Whether it has all its rows, of which those foreign keys are to be filled that are part of its own key."""
        return name in self._complete_ones

    # -- rows -------------------------------------------------------------------------------------------

    def _filling(self, one: Pass, groups: Sequence[Group]) -> _Filling:
        table, wish = self._tables[one.table], self._wishes[one.table]
        count, start, exactly = (12, 0, False) if wish.wanted else (8, 0, True)
        if table.bound is not None:
            beside = [name for parent in table.parents for name in self._partitions[parent]]
            if len(beside) > 2:
                count, exactly = (6 if len(beside) <= 6 else 3), True
                start = sorted(beside).index(one.table) * count
        if one.late and not _through_key(table, one.late):
            count, exactly = 3, True
        before = self._there.get(one.table, ())
        rows = Rows(table, groups, before=before, same=_same(one, table), start=start)
        rows.assemble(min(count, 4) if wish.tame else count, tame=wish.tame, exactly=exactly)
        return _Filling(table, rows, one.way, set(), [])

    def _insert(self, fillings: Sequence[_Filling], *, singly: bool) -> None:
        """Insert what waits; rows that are refused are mended, to be inserted the next time, or dropped."""
        waiting = [(filling, sorted(filling.rows.rows.keys() - filling.done)) for filling in fillings]
        answers: dict[int, list[Any]] = {}
        if not singly:
            together = [
                [insert_sql(one.table, [one.rows.rows[number] for number in numbers])] for one, numbers in waiting
            ]
            for place, [answer] in enumerate(self._changed([one for one, _ in waiting], together)):
                if not isinstance(answer, Failure):
                    answers[place] = [1] * answer + [0] * (len(waiting[place][1]) - answer)
        failed = [place for place in range(len(waiting)) if place not in answers]
        single = [
            [insert_sql(waiting[place][0].table, [waiting[place][0].rows.rows[number]]) for number in waiting[place][1]]
            for place in failed
        ]
        answers.update(zip(failed, self._changed([waiting[place][0] for place in failed], single), strict=True))
        blamed: list[tuple[_Filling, int, Failure]] = []
        for place, (filling, numbers) in enumerate(waiting):
            blamed += self._judge(filling, numbers, answers[place])
        self._blame(blamed)

    def _changed(self, fillings: Sequence[_Filling], statements: Sequence[Sequence[str]]) -> list[list[Any]]:
        """Run statements for each table, and give their answers; each counts for itself."""
        orders: list[Order] = []
        for filling, those in zip(fillings, statements, strict=True):
            orders += [*self._around(filling, before=True), *map(change, those), *self._around(filling, before=False)]
        answers = iter(self.run(orders))
        found = []
        for filling, those in zip(fillings, statements, strict=True):
            before, after = self._around(filling, before=True), self._around(filling, before=False)
            mine = [next(answers) for _ in (*before, *those, *after)]
            found.append(mine[len(before) : len(before) + len(those)])
        return found

    def _judge(
        self, filling: _Filling, numbers: list[int], answers: list[Any]
    ) -> Iterator[tuple[_Filling, int, Failure]]:
        """What became of the rows; those that must be looked into are handed on."""
        for number, answer in zip(numbers, answers, strict=True):
            if answer == 1:
                filling.done.add(number)
            elif not isinstance(answer, Failure):
                what = "rule" if filling.table.rules else "trigger"
                filling.rows.drop(number)
                filling.refused.append(_failure(f"a {what} of the table took the row away without an error"))
            elif not self._mend(filling, number, answer):
                if number in filling.rows.rows:
                    yield filling, number, answer
                else:
                    filling.refused.append(answer)

    def _mend(self, filling: _Filling, number: int, failure: Failure) -> bool:
        """Mend a row where the error says which columns are concerned; False: it is gone, or it does not say."""
        table = filling.table
        names = [column.name for column in table.columns if not column.generated]
        if failure.state not in _KEY_ERRORS or (failure.table and failure.table != table.name):
            return False
        if failure.state == "23502" and failure.column:
            columns = frozenset({failure.column})
        else:
            expressions = _expressions(table, failure.constraint)
            columns = frozenset(name for text in expressions for name in references(text, names))
            generated = [column for column in table.columns if column.generated]
            for column in generated:
                if any(references(text, [column.name]) for text in expressions):
                    columns |= references(column.expression or "", names)
        if not columns & set(names):
            return False
        return filling.rows.mend(number, columns, fresh=failure.state in (_NOT_UNIQUE, _EXCLUDED))

    def _blame(self, blamed: Sequence[tuple[_Filling, int, Failure]]) -> None:
        """Find the cells that the server refuses, by trying a row with each of them replaced."""
        tried = []
        orders: list[Order] = []
        without: set[str] = set()
        for filling, number, failure in blamed:
            good = next((filling.rows.rows[one] for one in sorted(filling.done)), None)
            if good is None:  # what is found for the first row helps the others, the next time
                if filling.table.qualified in without:
                    continue
                without.add(filling.table.qualified)
            variants = filling.rows.variants(number, good)
            orders += self._around(filling, before=True)
            orders += [attempt(insert_sql(filling.table, [row])) for row in variants]
            orders += self._around(filling, before=False)
            tried.append((filling, number, failure, variants))
        answers = iter(self.run(orders))
        for filling, number, failure, variants in tried:
            around = len(self._around(filling, before=True))
            outcomes = [next(answers) for _ in range(2 * around + len(variants))][around : around + len(variants)]
            taken = next((row for row, answer in zip(variants, outcomes, strict=True) if answer == 1), None)
            if taken is None or not filling.rows.replace(number, taken):
                filling.rows.rows.pop(number, None)
                filling.refused.append(failure)

    def _around(self, filling: _Filling, *, before: bool) -> list[Order]:
        if filling.way == "unchecked":
            return [change(f"SET LOCAL session_replication_role = {'replica' if before else 'origin'}")]
        if not before:
            return []
        deferred = [
            f"{_quoted(filling.table.schema)}.{_quoted(name)}" for name in _deferred(filling, immediate=self._immediate)
        ]
        return [change(f"SET CONSTRAINTS {', '.join(deferred)} DEFERRED")] if deferred else []

    # -- circles ----------------------------------------------------------------------------------------

    def _complete(self, level: Sequence[Pass], groups: Mapping[str, Sequence[Group]]) -> None:
        """Give rows that were inserted with any values in their foreign keys those of rows that are there now."""
        for one in level:
            table, first = self._tables[one.table], self._provisional.pop(one.table)
            late = {name for key in first.late for name in key.columns}
            concerned = [group for group in groups[one.table] if any(column.name in late for column in group.columns)]
            wrong = " OR ".join(_refers_to_nothing(key, self._tables) for key in first.late)
            those = f"FROM ONLY {one.table} AS t WHERE {wrong}"
            misfits = f"SELECT coalesce(json_agg(ctid::text ORDER BY ctid), '[]') {those}"
            [places] = self.run([ask(misfits)])
            orders: list[Order] = []
            for number, place in enumerate(places if isinstance(places, list) else []):
                options = []
                for turn in range(24):
                    cells: Row = {}
                    for group in concerned:
                        shown = [*group.shown, *group.other, *group.spares]
                        if shown:
                            pick = shown[(number + turn) % len(shown)]
                            cells.update({c.name: text for c, text in zip(group.columns, pick, strict=True)})
                    options.append(update_sql(table, cells, place))
                orders += first_of([*dict.fromkeys(options)])
            orders.append(change(f"DELETE {those}"))
            if first.way == "unchecked":
                self.circles.append(one.table)
                orders.insert(-1, change("SET LOCAL session_replication_role = replica"))
                orders.append(change("SET LOCAL session_replication_role = origin"))
            self.run(orders)


# -- statements -----------------------------------------------------------------------------------------


def insert_sql(table: Table, rows: Sequence[Row], columns: Sequence[Column] | None = None) -> str:
    """An INSERT of rows; cells that are not in a row are left to their default.

    :param columns: by default all that can be written.
    """
    columns = [column for column in table.columns if not column.generated] if columns is None else columns
    if not columns:
        return f"INSERT INTO {table.qualified} DEFAULT VALUES"
    names = ", ".join(column.quoted for column in columns)
    values = ", ".join(
        "(" + ", ".join(_cell(row.get(column.name, Default.DEFAULT)) for column in columns) + ")" for row in rows
    )
    override = " OVERRIDING SYSTEM VALUE" if any(column.identity for column in columns) else ""
    return f"INSERT INTO {table.qualified} ({names}){override} VALUES {values}"


def update_sql(table: Table, cells: Mapping[str, Cell], place: str) -> str:
    """An UPDATE of the row at a place, its ctid."""
    sets = ", ".join(f"{_quoted(name)} = {_cell(cell)}" for name, cell in cells.items())
    return f"UPDATE ONLY {table.qualified} SET {sets} WHERE ctid = {quote(place)}"


def first_of(statements: Sequence[str]) -> list[Order]:
    """Orders of which the first that succeeds is the last to be run."""
    return [Order("batch", sql, len(statements) - number) for number, sql in enumerate(statements, 1)]


def _cell(cell: Cell) -> str:
    return "DEFAULT" if isinstance(cell, Default) else quote(cell)


def _keys(table: Table) -> list[ForeignKey]:
    return [key for key in table.foreign_keys if key.enforced]


def _same(one: Pass, table: Table) -> dict[str, str]:
    """In a pass without rows to refer to, the columns of a foreign key that refers to the row itself."""
    if one.way == "null":
        return {}
    own = [key for key in one.late if key.references == table.qualified]
    pairs = [pair for key in own for pair in zip(key.columns, key.referenced, strict=True)]
    return {column: referenced for column, referenced in pairs if column != referenced}


def _through_key(table: Table, keys: Sequence[ForeignKey]) -> bool:
    """Whether one of these foreign keys contains the table's own key: a new row can have nothing that refers to it."""
    return table.key is not None and any(set(table.key) <= set(key.columns) for key in keys)


def _deferred(filling: _Filling, *, immediate: bool) -> list[str]:
    keys = [key.name for key in filling.table.foreign_keys if filling.way == "deferred" and key.deferrable]
    triggers = [one.name for one in filling.table.triggers if " DEFERRABLE " in one.definition and not immediate]
    return [*keys, *triggers]


def _expressions(table: Table, constraint: str) -> list[str]:
    """What a constraint or an index of that name is about."""
    found = [text for unique in table.uniques if unique.name == constraint for text in unique.expressions]
    found += [text for one in table.exclusions if one.name == constraint for text in one.expressions]
    found += [check.expression for check in table.checks if check.name == constraint]
    found += [_quoted(name) for key in table.foreign_keys if key.name == constraint for name in key.columns]
    if not found and not constraint and table.bound_check:
        found.append(table.bound_check)
    return found


def _refers_to_nothing(key: ForeignKey, tables: Mapping[str, Table]) -> str:
    parent = tables.get(key.references)
    name = key.references if parent is not None and parent.kind == "p" else f"ONLY {key.references}"
    equal = " AND ".join(
        f"p.{_quoted(referenced)} = t.{_quoted(column)}"
        for column, referenced in zip(key.columns, key.referenced, strict=True)
    )
    filled = " AND ".join(f"t.{_quoted(column)} IS NOT NULL" for column in key.columns)
    return f"({filled} AND NOT EXISTS (SELECT FROM {name} AS p WHERE {equal}))"


def _failure(message: str) -> Failure:
    return Failure("", message, "", "", "", "", "")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
