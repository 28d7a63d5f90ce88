"""Whether a database has the schema that its revisions make, by their evidence: object by object.

Not here: which revisions those are (``production.deployment``), what is done about it (``production.preflight``).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import psycopg

from backout import schema
from backout.evidence import SchemaChange
from backout.production.deployment import Deployment
from backout.schema import Key
from backout.worker import Revision

SHOWN = 20  # differences that are written out

# Who owns and who may use what, and how sessions begin, is an operator's business where no revision says it.
_OPERATORS = frozenset({"owner", "privilege", "default privilege", "extension", "security label", "setting"})
_QUALIFIED = re.compile(r'("(?:[^"]|"")+"|[^\s".(]+)\.("(?:[^"]|"")+"|[^\s".(]+)')
_OURS = re.compile(r"(?:^|[ .])backout_salvage(?:\.|$)")


@dataclass(frozen=True)
class Drift:
    """What differs.

    :param differences: ``before`` is what the evidence says, ``after`` what the database has.
    :param notes: what differs and is nobody's fault, in words.
    """

    differences: tuple[SchemaChange, ...]
    notes: tuple[str, ...]

    def told(self) -> tuple[str, ...]:
        """A line for each difference."""
        more = len(self.differences) - SHOWN
        return (*map(_told, self.differences[:SHOWN]), *([f"and {more} more"] if more > 0 else []))

    def without(self, other: Drift) -> Drift:
        """What has come since another look."""
        known = {(one.kind, one.name) for one in other.differences}
        return Drift(tuple(one for one in self.differences if (one.kind, one.name) not in known), self.notes)


def find_drift(
    deployment: Deployment,
    revisions: Collection[Revision],
    connection: psycopg.Connection[Any],
    *,
    ignored: Iterable[str] = (),
) -> Drift | None:
    """Compare the database with what these revisions make; None where evidence of one is missing.

    :param ignored: patterns of objects, ``table public.tmp_*``, ``schema monitoring``, with what belongs to them.
    """
    expected = deployment.expected(revisions)
    if expected is None:
        return None
    found = schema.snapshot(connection, ignored=deployment.version_tables).objects
    return compare(expected, found, ignored=ignored)


def compare(expected: Mapping[Key, str], found: Mapping[Key, str], *, ignored: Iterable[str] = ()) -> Drift:
    """Likewise, of two schemas."""
    patterns = tuple(ignored)
    differences, notes = [], []
    for key in sorted(expected.keys() | found.keys()):
        change = SchemaChange(*key, expected.get(key), found.get(key))
        if change.before == change.after or _OURS.search(change.name) or _is_ignored(change, patterns):
            continue
        if _is_the_operators(change, expected):
            notes.append(_told(change))
        else:
            differences.append(change)
    return Drift(tuple(differences), tuple(notes))


def _is_the_operators(change: SchemaChange, expected: Mapping[Key, str]) -> bool:
    if _is_pristine(change):
        return True
    if change.kind == "comment" and change.name.startswith("extension "):
        return ("extension", change.name.removeprefix("extension ")) not in expected
    if change.kind == "extension" and change.before is not None and change.after is not None:
        return True  # another version of it
    return change.kind in _OPERATORS and change.before is None


def _is_pristine(change: SchemaChange) -> bool:
    """Whether every new database has it and no revision has touched it: it is gone where schemas were made by hand."""
    return change.before is not None and schema.PRISTINE.get((change.kind, change.name)) == change.before


def _is_ignored(change: SchemaChange, patterns: Collection[str]) -> bool:
    """Also what lies in a schema, or belongs to a table, that is ignored; its comment, its owner and its privileges."""
    text = change.name
    if change.kind in ("index", "sequence"):  # named beside their table
        text += f" {change.after or change.before}"
    places = [place for found in _QUALIFIED.finditer(text) for place in (f"schema {found[1]}", f"table {found[0]}")]
    names = (f"{change.kind} {change.name}", change.name, *places)
    return any(fnmatchcase(name, pattern) for name in names for pattern in patterns)


def _told(change: SchemaChange) -> str:
    subject = f"{change.kind} {change.name}"
    if change.after is None and _is_pristine(change):
        return f"{subject} is missing, which every new database has: {change.before}"
    if change.after is None:
        return f"{subject} is missing; the revisions make it: {change.before}"
    if change.before is None:
        return f"{subject} is there, and no revision makes it: {change.after}"
    return f"{subject} is {change.after}; the revisions make it {change.before}"
