"""What a row of a table must fulfil, sorted by the columns that a condition ties together.

A column that no condition ties to another takes its value alone. The others must be chosen together, and
``seed.solver`` lets the server choose.

Not here: uniqueness and exclusion, which are between rows (``seed.rows``). Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from backout.seed.expressions import conjuncts, ordered_bounds, references
from backout.tables import Column, ForeignKey, Table


@dataclass(frozen=True)
class Tie:
    """Columns that are tied together, by conditions or by a foreign key.

    :param columns: in the table's order.
    :param conditions: expressions over these columns, and generated ones.
    """

    columns: tuple[Column, ...]
    conditions: tuple[str, ...]
    foreign_keys: tuple[ForeignKey, ...]


@dataclass(frozen=True)
class Conditions:
    """The conditions of a table's rows.

    :param single: raw name of a column → conditions that read only this column.
    :param ties: every column is in at most one.
    :param mentioned: raw name → expressions of the table that mention the column: their constants may be wanted.
    """

    single: Mapping[str, tuple[str, ...]]
    ties: tuple[Tie, ...]
    mentioned: Mapping[str, tuple[str, ...]]


def conditions_of(table: Table, foreign_keys: Collection[ForeignKey]) -> Conditions:
    """Sort the conditions of a table.

    :param foreign_keys: those to honour; of the table, and to other rows than its own.
    """
    generated = {column.name: column for column in table.columns if column.generated}
    written = [column for column in table.columns if not column.generated]
    names = {column.name for column in table.columns}
    single: dict[str, list[str]] = {}
    tied: list[tuple[frozenset[str], str | ForeignKey]] = []
    for condition in _all(table):
        read = references(condition, names)
        sources = _sources(read, generated, names)
        if not sources:
            continue
        if len(sources) == 1 and not read & generated.keys():
            single.setdefault(next(iter(sources)), []).append(condition)
        else:
            tied.append((sources, condition))
    tied += [(frozenset(key.columns), key) for key in foreign_keys]
    return Conditions(
        {name: tuple(texts) for name, texts in single.items()},
        tuple(
            Tie(
                tuple(column for column in written if column.name in group),
                tuple(what for those, what in tied if those <= group and isinstance(what, str)),
                tuple(what for those, what in tied if those <= group and isinstance(what, ForeignKey)),
            )
            for group in _groups([those for those, _ in tied])
        ),
        _mentioned(table, names, generated),
    )


def _all(table: Table) -> list[str]:
    expressions = [check.expression for check in table.checks if check.enforced]
    if table.bound_check is not None:
        expressions.append(table.bound_check)
    found = [condition for expression in expressions for condition in conjuncts(expression)]
    for text in (
        *(column.expression or "" for column in table.columns),
        *(expression for exclusion in table.exclusions for expression in exclusion.expressions),
        *(expression for unique in table.uniques for expression in unique.expressions),
        *expressions,
    ):
        found += ordered_bounds(text)
    return list(dict.fromkeys(found))


def _sources(read: Collection[str], generated: Mapping[str, Column], names: Collection[str]) -> frozenset[str]:
    """The columns to be written on which these depend."""
    found = set(read)
    while computed := found & generated.keys():
        for name in computed:
            found.remove(name)
            found |= references(generated[name].expression or "", names) - {name}
    return frozenset(found)


def _groups(sets: list[frozenset[str]]) -> list[frozenset[str]]:
    """Unite sets that overlap; in the order of their first appearance."""
    groups: list[frozenset[str]] = []
    for one in sets:
        apart = [group for group in groups if not group & one]
        united = one.union(*(group for group in groups if group & one))
        place = next((place for place, group in enumerate(groups) if group & one), len(apart))
        groups = [*apart[:place], united, *apart[place:]]
    return groups


def _mentioned(table: Table, names: Collection[str], generated: Mapping[str, Column]) -> dict[str, tuple[str, ...]]:
    expressions = [
        *_all(table),
        *(unique.predicate for unique in table.uniques if unique.predicate),
        *(exclusion.predicate for exclusion in table.exclusions if exclusion.predicate),
    ]
    mentioned: dict[str, list[str]] = {}
    for expression in expressions:
        for name in _sources(references(expression, names), generated, names):
            mentioned.setdefault(name, []).append(expression)
    return {name: tuple(texts) for name, texts in mentioned.items()}
