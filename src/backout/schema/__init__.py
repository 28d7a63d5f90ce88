"""The schema of a database: a snapshot of everything that ``pg_dump`` would print, and what differs between two.

::

    before = snapshot(connection)               # or roles(connection), for what the whole cluster shares
    …                                           # an upgrade
    after = snapshot(connection)
    changes(before, after)                      # what it changed
    differences(before, restored)               # what a round trip did not restore, and what is only a note
    same_relations(before, after)               # what it left alone
    fold([changes of every revision])           # the schema at a revision

Not here: how a schema is read, and how names and definitions are written (``schema.reading``); the rows of tables
(``rows``). Everything above may import it, and finds all names here.
"""

import re
from collections.abc import Iterator

from backout.evidence import PRISTINE, Key, SchemaChange, fold
from backout.schema.reading import Position, Snapshot, moved, roles, snapshot

__all__ = [
    "PRISTINE",
    "Key",
    "Position",
    "Snapshot",
    "changes",
    "differences",
    "fold",
    "moved",
    "roles",
    "same_relations",
    "snapshot",
]


def changes(before: Snapshot, after: Snapshot) -> tuple[SchemaChange, ...]:
    """Every entry that was created, dropped or altered, by kind and name."""
    was, now = before.objects, after.objects
    changed = [key for key, definition in was.items() if now.get(key) != definition]
    changed += [key for key in now if key not in was]
    return tuple(SchemaChange(*key, was.get(key), now.get(key)) for key in sorted(changed))


_ALONE = frozenset(("table", "column", "constraint", "index", "comment", "privilege", "owner"))


def same_relations(before: Snapshot, after: Snapshot) -> frozenset[int]:
    """OIDs of relations that are as they were, with all that belongs to them; none when something else differs, which
    may concern them.
    """
    for change in changes(before, after):
        if change.kind not in _ALONE or (change.kind == "table" and "PARTITION" in f"{change.before} {change.after}"):
            return frozenset()
    was, now = (one.reading.parts if one.reading is not None else {} for one in (before, after))
    return frozenset(oid for oid, part in now.items() if was.get(oid) is part)


def differences(
    before: Snapshot, after: Snapshot, *, between: Snapshot | None = None, forwards: bool = True
) -> tuple[tuple[SchemaChange, ...], tuple[str, ...]]:
    """What a round trip did not restore, and what differs and harms nobody, in words.

    A unique index or a constraint that is left on a former partition refuses rows that it took before, so it is a
    difference, as is another name that PostgreSQL gave, except to a NOT NULL constraint: those are dropped without it.

    :param between: the schema from which the way back started. Without it an index that is left on a former
        partition is a difference.
    """
    found, notes = [], []
    changed = changes(before, after)
    extensions = {change.name for change in changed if _is_extension_left(change)}
    for change in changed:
        if change.kind == "comment" and change.before is None and change.name.removeprefix("extension ") in extensions:
            continue  # CREATE EXTENSION made it
        note = _note(change, between)
        if note is None:
            found.append(change)
        else:
            notes.append(note)
    backwards, ahead = _moved(before, after)
    notes += [*(ahead if forwards else ()), *_reordered(before, after), *_spelled(before, after)]
    return tuple(sorted([*found, *backwards], key=lambda change: (change.kind, change.name))), tuple(notes)


def _is_extension_left(change: SchemaChange) -> bool:
    return change.kind == "extension" and change.before is None


def _note(change: SchemaChange, between: Snapshot | None) -> str | None:
    """What is to be said about a difference that is only a note."""
    if _is_extension_left(change):
        return f"the extension {change.name} is left behind"
    if change.kind == "index" and change.before is None and change.after is not None and between is not None:
        meanwhile = between.objects.get(("index", change.name), "")
        if " ATTACHED TO " in meanwhile and meanwhile.startswith(f"{change.after} ATTACHED TO "):
            unique = change.after.startswith("CREATE UNIQUE ")
            return None if unique else f"the index {change.name} is left on a table that was a partition meanwhile"
    if change.before is None or change.after is None:
        return None
    if change.kind == "constraint" and change.before == f"{change.after} NOT VALID":
        return f"the constraint {change.name} is left validated"
    if change.kind == "column":
        return _note_on_not_null(change.name, change.before, change.after)
    return None


_GENERATED = re.compile(r' CONSTRAINT (\w+_not_null\d*|"(?:[^"]|"")+_not_null\d*") NOT NULL')


def _note_on_not_null(column: str, before: str, after: str) -> str | None:
    """A column that differs only in its NOT NULL constraint: validated since, or under another generated name."""
    if before.replace(" NOT NULL NOT VALID", " NOT NULL", 1) == after:
        return f"the NOT NULL constraint of {column} is left validated"
    if _GENERATED.sub(" NOT NULL", before) != _GENERATED.sub(" NOT NULL", after):
        return None
    was, now = (found[1] if (found := _GENERATED.search(text)) else None for text in (before, after))
    return (
        f"the NOT NULL constraint of {column} {f'is called {now}' if now else 'has its usual name'}; "
        f"{f'it was called {was}' if was else 'it had its usual one'}"
    )


def _moved(before: Snapshot, after: Snapshot) -> tuple[list[SchemaChange], list[str]]:
    """Sequences that moved back, and a note for each that moved forward or cannot be read."""
    back, notes = [], []
    for name in sorted(before.positions.keys() & after.positions.keys()):
        was, now = before.positions[name], after.positions[name]
        if was.last is None or now.last is None:
            notes.append(
                f"where the sequence {name} stands could not be read: the role lacks the privilege SELECT on it"
            )
            continue
        first = was.last + was.increment if was.called else was.last
        then = now.last + now.increment if now.called else now.last
        if (then - first) * was.increment < 0:
            back.append(SchemaChange("sequence position", name, f"next value {first}", f"next value {then}"))
        elif then != first:
            notes.append(f"the sequence {name} moved forward: its next value was {first} and is {then}")
    return back, notes


def _reordered(before: Snapshot, after: Snapshot) -> Iterator[str]:
    for table in sorted(before.columns.keys() & after.columns.keys()):
        if before.columns[table] == after.columns[table]:
            continue
        common = set(before.columns[table]) & set(after.columns[table])
        was, now = ([name for name in one.columns[table] if name in common] for one in (before, after))
        if was != now:
            yield f"the columns of {table} come in another order: {', '.join(now)}; before: {', '.join(was)}"


def _spelled(before: Snapshot, after: Snapshot) -> Iterator[str]:
    for kind, name in sorted(before.written_out ^ after.written_out):
        there = all((kind, name) in one.objects for one in (before, after))
        if there and not any(("privilege", f"{kind} {name}") in one.objects for one in (before, after)):
            yield f"the privileges on {kind} {name} are the same as before, but written differently"
