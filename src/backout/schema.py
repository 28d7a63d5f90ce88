"""The schema of a database: a snapshot of everything that ``pg_dump`` would print, and what differs between two.

::

    before = snapshot(connection)               # or roles(connection), for what the whole cluster shares
    …                                           # an upgrade
    after = snapshot(connection)
    changes(before, after)                      # what it changed
    differences(before, restored)               # what a round trip did not restore, and what is only a note
    fold([changes of every revision])           # the schema at a revision

Not here: how a schema is read, and how names and definitions are written (``schema_reading``); the rows of tables
(``rows``). Layer 3: everything above may import it, and finds all names here.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from backout.evidence import SchemaChange
from backout.schema_reading import Key, Position, Snapshot, roles, snapshot

__all__ = ["PRISTINE", "Position", "Snapshot", "changes", "differences", "fold", "roles", "snapshot"]

# What every new database holds.
PRISTINE: Mapping[Key, str] = {
    ("schema", "public"): "SCHEMA",
    ("comment", "schema public"): "standard public schema",
    ("extension", "plpgsql"): "SCHEMA pg_catalog VERSION '1.0'",
    ("comment", "extension plpgsql"): "PL/pgSQL procedural language",
}


def changes(before: Snapshot, after: Snapshot) -> tuple[SchemaChange, ...]:
    """Every entry that was created, dropped or altered, by kind and name."""
    return tuple(
        SchemaChange(kind, name, before.objects.get((kind, name)), after.objects.get((kind, name)))
        for kind, name in sorted(before.objects.keys() | after.objects.keys())
        if before.objects.get((kind, name)) != after.objects.get((kind, name))
    )


def fold(steps: Iterable[Iterable[SchemaChange]], start: Mapping[Key, str] = PRISTINE) -> dict[Key, str]:
    """The objects after all these changes.

    :param steps: the changes of each step, in the order in which the steps ran.
    """
    objects = dict(start)
    for step in steps:
        for change in step:
            if change.after is None:
                objects.pop((change.kind, change.name), None)
            else:
                objects[change.kind, change.name] = change.after
    return objects


def differences(
    before: Snapshot, after: Snapshot, *, between: Snapshot | None = None
) -> tuple[tuple[SchemaChange, ...], tuple[str, ...]]:
    """What a round trip did not restore, and what differs and harms nobody, in words.

    :param between: the schema from which the way back started. Without it an index that is left on a former
        partition is a difference.
    """
    found: list[SchemaChange] = []
    notes: list[str] = []
    left = {change.name for change in changes(before, after) if change.kind == "extension" and change.before is None}
    for change in changes(before, after):
        if change.kind == "comment" and change.before is None and change.name.removeprefix("extension ") in left:
            continue
        note = next(filter(None, (tell(change, between) for tell in _NOTES)), None)
        if note is None:
            found.append(change)
        else:
            notes.append(note)
    backwards, forwards = _moved(before, after)
    notes += [*forwards, *_reordered(before, after), *_spelled(before, after)]
    return tuple(sorted([*found, *backwards], key=lambda change: (change.kind, change.name))), tuple(notes)


# What is only a note


def _extension_left(change: SchemaChange, between: Snapshot | None) -> str | None:
    if change.kind == "extension" and change.before is None:
        return f"the extension {change.name} is left behind"
    return None


def _validated(change: SchemaChange, between: Snapshot | None) -> str | None:
    if change.before is None or change.after is None or change.kind not in ("constraint", "column"):
        return None
    if change.before.replace(" NOT VALID", "", 1) != change.after:
        return None
    what = "the constraint" if change.kind == "constraint" else "the NOT NULL constraint of"
    return f"{what} {change.name} is left validated"


def _index_left(change: SchemaChange, between: Snapshot | None) -> str | None:
    if change.kind != "index" or change.before is not None or change.after is None or between is None:
        return None
    attached = " ATTACHED TO " in (between.objects.get(("index", change.name)) or "")
    if not attached or " ATTACHED TO " in change.after or change.after.startswith("CREATE UNIQUE "):
        return None
    return f"the index {change.name} is left on a table that was a partition meanwhile"


_GENERATED = re.compile(r'CONSTRAINT (\w+_not_null\d*|"(?:[^"]|"")+_not_null\d*") NOT NULL')


def _renamed_not_null(change: SchemaChange, between: Snapshot | None) -> str | None:
    if change.kind != "column" or change.before is None or change.after is None:
        return None
    if _GENERATED.sub("NOT NULL", change.before) != _GENERATED.sub("NOT NULL", change.after):
        return None
    was, now = (found[1] if (found := _GENERATED.search(text)) else None for text in (change.before, change.after))
    names = f"is called {now}" if now else "has its usual name"
    before = f"it was called {was}" if was else "it had its usual one"
    return f"the NOT NULL constraint of {change.name} {names}; {before}"


_NOTES: tuple[Callable[[SchemaChange, Snapshot | None], str | None], ...] = (
    _extension_left,
    _validated,
    _index_left,
    _renamed_not_null,
)


def _moved(before: Snapshot, after: Snapshot) -> tuple[list[SchemaChange], list[str]]:
    """Sequences that moved back, and a note for each that moved forward or cannot be read."""
    back, notes = [], []
    for name in sorted(before.positions.keys() & after.positions.keys()):
        was, now = before.positions[name], after.positions[name]
        if was.last is None or now.last is None:
            notes.append(f"where the sequence {name} stands could not be read: the role lacks the privilege SELECT")
            continue
        texts = [f"{one.last}, {'given out' if one.called else 'not given out yet'}" for one in (was, now)]
        steps = [one.last + was.increment if one.called else one.last for one in (was, now) if one.last is not None]
        distance = (steps[1] - steps[0]) * (1 if was.increment > 0 else -1)
        if distance < 0:
            back.append(SchemaChange("sequence position", name, *texts))
        elif distance > 0:
            notes.append(f"the sequence {name} moved forward, from {steps[0]} to {steps[1]}")
    return back, notes


def _reordered(before: Snapshot, after: Snapshot) -> Iterator[str]:
    for table in sorted(before.columns.keys() & after.columns.keys()):
        common = set(before.columns[table]) & set(after.columns[table])
        was, now = ([name for name in one.columns[table] if name in common] for one in (before, after))
        if was != now:
            yield f"the columns of {table} come in another order: {', '.join(now)}; before: {', '.join(was)}"


def _spelled(before: Snapshot, after: Snapshot) -> Iterator[str]:
    for name in sorted(before.written_out ^ after.written_out):
        kind, _, rest = name.partition(" ")
        if (kind, rest) in before.objects and (kind, rest) in after.objects:
            yield f"the privileges on {name} are the same as before, but written differently"
