"""What a revision changes of the schema, table by table, as lines that were taken away, put in, or stayed.

Not here: folding the evidence (``evidence.fold``), how the lines look (templates). Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from backout.evidence import Key, SchemaChange
from backout.rules.facts import parent_of, parts
from backout.site.words import short

_ORDER = ("table", "column", "constraint", "index", "trigger", "policy", "rule", "comment")
_INSIDE = frozenset({"column", "constraint", "trigger", "policy", "rule"})


@dataclass(frozen=True)
class Line:
    """``-``, ``+`` or a space, and what the line says."""

    sign: Literal["-", "+", " "]
    text: str


@dataclass(frozen=True)
class Group:
    """A table, or what belongs to none.

    :param name: empty for what belongs to none.
    :param state: of the table as a whole.
    :param unchanged: lines of it that are not shown.
    """

    name: str
    state: Literal["created", "dropped", "changed"]
    lines: tuple[Line, ...]
    unchanged: int


def difference(changes: Iterable[SchemaChange], before: Mapping[Key, str]) -> tuple[Group, ...]:
    """The changes, by table; a table's columns that stay are shown, too.

    :param before: the schema before, as far as it is known.
    """
    groups: dict[str, list[SchemaChange]] = {}
    for change in changes:
        groups.setdefault(table_of(change.kind, change.name, change.after or change.before or ""), []).append(change)
    staying: dict[str, list[Key]] = {}
    for (kind, name), definition in before.items():
        staying.setdefault(table_of(kind, name, definition), []).append((kind, name))
    return tuple(
        _group(name, of_it, {key: before[key] for key in staying.get(name, ()) if name})
        for name, of_it in sorted(groups.items(), key=lambda item: (not item[0], item[0]))
    )


def table_of(kind: str, name: str, definition: str) -> str:
    """The table that an object belongs to; empty for one of its own."""
    if kind in ("table", "foreign table"):
        return name
    if kind in _INSIDE:
        return parent_of(name)
    if kind == "index":
        after = definition.partition(" ON ")[2].removeprefix("ONLY ")
        found = parts(after.partition(" USING ")[0].partition("(")[0])
        return ".".join(found[:2])
    if kind == "comment":
        what, _, rest = name.partition(" ")
        return table_of(what, rest, definition) if what in {*_INSIDE, "table"} else ""
    return ""


def _group(name: str, changes: list[SchemaChange], before: Mapping[Key, str]) -> Group:
    changed = {(change.kind, change.name): change for change in changes}
    table = changed.get(("table", name))
    kept = [key for key in before if key not in changed]
    shown = [key for key in kept if key[0] == "column"]
    lines: list[Line] = []
    for key in sorted([*changed, *shown], key=_place):
        change = changed.get(key)
        if change is None:
            lines.append(Line(" ", _line(key, before[key])))
            continue
        if change.before is not None:
            lines += [Line("-", text) for text in _line(key, change.before).splitlines()]
        if change.after is not None:
            lines += [Line("+", text) for text in _line(key, change.after).splitlines()]
    state: Literal["created", "dropped", "changed"] = "changed"
    if table is not None and (table.before is None) != (table.after is None):
        state = "created" if table.before is None else "dropped"
    return Group(name, state, tuple(lines), sum(key[0] not in ("column", "table") for key in kept))


def _place(key: Key) -> tuple[int, str, str]:
    kind, name = key
    return (_ORDER.index(kind) if kind in _ORDER else len(_ORDER), kind, name)


def _line(key: Key, definition: str) -> str:
    kind, name = key
    if kind == "column":
        return f"{parts(name)[-1]}  {definition}"
    if kind == "constraint":
        return f"CONSTRAINT {parts(name)[-1]} {definition}"
    if kind == "table":
        return f"{definition} {short(name)}"
    if kind == "index" or definition.startswith("CREATE "):
        return definition
    if kind == "comment":
        return f"COMMENT {short_comment(name)}: {definition}"
    return f"{kind.upper()} {short(name)} {definition}"


def short_comment(name: str) -> str:
    """``column public.users.bio`` → ``users.bio``."""
    what, _, rest = name.partition(" ")
    return f"{what} {short(rest)}"
