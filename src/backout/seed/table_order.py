"""The order in which tables are filled: parents first, and what to do where foreign keys go in a circle.

A table that refers to itself, or whose foreign keys go in a circle, is filled twice: some rows without those foreign
keys, and the rest when there are rows to refer to.

Not here: filling them. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from backout.tables import ForeignKey, Table

Way = Literal["", "null", "self", "deferred", "unchecked"]


@dataclass(frozen=True)
class Pass:
    """One filling of a table.

    :param way: what is done about the foreign keys in ``late``: their columns are NULL; or those of the row's own key;
        or any values, while the constraint is deferred, or while nothing is checked.
    :param late: foreign keys of which the parents have no rows yet.
    """

    table: str
    way: Way = ""
    late: tuple[ForeignKey, ...] = ()


def needed(tables: Mapping[str, Table], wanted: Collection[str]) -> set[str]:
    """The wanted tables, those that they refer to, and the partitions of both."""
    partitions = partitions_of(tables)
    found: set[str] = set()
    waiting = [name for name in wanted if name in tables]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        waiting += partitions.get(name, ())
        waiting += [key.references for key in tables[name].foreign_keys if key.enforced and key.references in tables]
        if tables[name].bound is not None:  # its constraints may stand with the whole
            waiting += tables[name].parents
    return found


def partitions_of(tables: Mapping[str, Table]) -> dict[str, list[str]]:
    """The partitions of a partitioned table, by its name."""
    found: dict[str, list[str]] = {}
    for name, table in tables.items():
        if table.bound is not None:
            for parent in table.parents:
                found.setdefault(parent, []).append(name)
    return found


def passes(tables: Mapping[str, Table], names: Collection[str]) -> Iterator[list[Pass]]:
    """Passes that can be made at once, and after them the next ones; sorted, so that the order is always the same."""
    partitions = partitions_of(tables)
    waiting = sorted(names)
    done: set[str] = set()
    half: dict[str, tuple[ForeignKey, ...]] = {}
    while waiting or half:
        level: list[Pass] = []
        for name, late in list(half.items()):
            if all(key.references in done or key.references in half for key in late):
                level.append(Pass(name))
                del half[name]
        ready = [name for name in waiting if not _missing(tables[name], name, done, half, partitions, names)]
        if not ready and not level:
            if not waiting:
                break
            name, way = _breach(tables, waiting, done, half, partitions, names)
            late = tuple(
                key for key in _keys(tables[name], names) if key.references not in done and key.references not in half
            )
            level.append(Pass(name, way, late))
            half[name] = late
            waiting.remove(name)
        for name in ready:
            waiting.remove(name)
            own = tuple(key for key in _keys(tables[name], names) if key.references == name)
            if own:
                nullable = all(_is_nullable(tables[name], key) for key in own)
                level.append(Pass(name, "null" if nullable else "self", own))
                half[name] = own
            elif tables[name].kind != "p":
                level.append(Pass(name))
        if level:
            yield level
        done |= {one.table for one in level if not one.late} | set(ready) - half.keys()


def _keys(table: Table, names: Collection[str]) -> list[ForeignKey]:
    return [key for key in table.foreign_keys if key.enforced and key.references in names]


def _missing(
    table: Table,
    name: str,
    done: Collection[str],
    half: Collection[str],
    partitions: Mapping[str, list[str]],
    names: Collection[str],
) -> set[str]:
    """What must be filled before: parents, and for a partitioned table its partitions."""
    before = {key.references for key in _keys(table, names)} - {name}
    before |= {partition for partition in partitions.get(name, ()) if partition in names}
    return {one for one in before if one not in done and one not in half}


def _breach(
    tables: Mapping[str, Table],
    waiting: list[str],
    done: Collection[str],
    half: Collection[str],
    partitions: Mapping[str, list[str]],
    names: Collection[str],
) -> tuple[str, Way]:
    """Of the tables in a circle, the one whose foreign keys are the easiest to leave for later, and how."""
    missing = {name: _missing(tables[name], name, done, half, partitions, names) for name in waiting}
    candidates = []
    for name in waiting:
        if tables[name].kind == "p" or not _is_in_circle(name, missing):
            continue
        late = [key for key in _keys(tables[name], names) if key.references in missing[name]]
        own = [key for key in _keys(tables[name], names) if key.references == name]
        if all(_is_nullable(tables[name], key) for key in [*late, *own]):
            rank: tuple[int, Way] = (0, "null")
        elif all(key.deferrable for key in late):
            rank = (1, "deferred")
        else:
            rank = (2, "unchecked")
        candidates.append((rank[0], len(late), name, rank[1]))
    _, _, name, way = min(candidates)
    return name, way


def _is_in_circle(name: str, missing: Mapping[str, set[str]]) -> bool:
    reached: set[str] = set()
    waiting = list(missing[name])
    while waiting:
        one = waiting.pop()
        if one == name:
            return True
        if one not in reached:
            reached.add(one)
            waiting += missing.get(one, ())
    return False


def _is_nullable(table: Table, key: ForeignKey) -> bool:
    nullable = [not table.column(name).not_null for name in key.columns]
    return all(nullable) if key.full else any(nullable)
