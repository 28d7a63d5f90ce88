"""Who waits while a migration runs, and for how long: told by lock mode, rewrite and scan, by no clock.

Not here: reading the locks (``observe``), what a table or a page says around it (``formats``, ``matrix``).
Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from backout.evidence import Statement

_WHO = ("", "writes", "reads", "reads and writes")
_HOW_LONG = ("for a moment", "while rows are changed", "during a full scan", "during a rewrite")


@dataclass(frozen=True, order=True)
class Blocking:
    """What others cannot do, and how long.

    :param who: an index of ``_WHO``.
    :param how_long: an index of ``_HOW_LONG``.
    """

    who: int
    how_long: int

    def __str__(self) -> str:
        return f"{_WHO[self.who]} {_HOW_LONG[self.how_long]}"

    def covers(self, other: Blocking) -> bool:
        """Whether whoever expects this is prepared for the other one."""
        return self.who & other.who == other.who and self.how_long >= other.how_long


def blocking(statements: Iterable[Statement] | None) -> dict[str, tuple[Blocking, ...]] | None:
    """The worst that happens to each relation, by name; several where none covers the others.

    :return: without the relations that nobody has to wait for; None: not all could be observed.
    """
    if statements is None:
        return None
    found: dict[str, set[Blocking]] = {}
    for statement in statements:
        if statement.locks is None:
            return None
        # Whatever is locked waits for the whole statement, also when that works on another table.
        how_long = _how_long(statement)
        for lock in statement.locks:
            who = sum({"writes": 1, "reads": 2}[what] for what in set(lock.blocks))
            if who:
                found.setdefault(lock.relation, set()).add(Blocking(who, how_long))
    return {relation: worst(found[relation]) for relation in sorted(found)}


def worst(all_of_them: Iterable[Blocking]) -> tuple[Blocking, ...]:
    """Those that no other one covers, the worst first."""
    known = set(all_of_them)
    kept = (one for one in known if not any(other.covers(one) for other in known - {one}))
    return tuple(sorted(kept, key=lambda one: (one.how_long, one.who), reverse=True))


def _how_long(statement: Statement) -> int:
    if statement.rewrites:
        return 3
    if statement.scans or statement.indexes:
        return 2
    return 1 if statement.rows_changed else 0
