"""The entity-relationship picture of a schema: its tables as boxes, its foreign keys as lines between them.

Tables that refer to none stand left, those that refer to them right of them. What is too large to be read is drawn with
the columns of keys only. Partitions stand for their table.

Not here: where the schema comes from (``measured``). Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from backout.evidence import Key
from backout.rules.facts import column, parent_of, parts, referenced
from backout.site.words import short

_WIDTH, _ROW, _HEAD, _ACROSS, _DOWN, _EDGE = 216, 17, 26, 74, 22, 12
_MANY = 40  # tables, above which only the columns of keys are drawn
_KEY = re.compile(r"^(PRIMARY KEY|UNIQUE|FOREIGN KEY)\b[^(]*\((.*?)\)")


@dataclass(frozen=True)
class Column:
    """A column of a table.

    :param keys: of ``PK``, ``FK``, ``UQ`` (alone in its unique constraint).
    """

    name: str
    definition: str
    type: str
    required: bool
    keys: tuple[str, ...]


@dataclass(frozen=True)
class Reference:
    """A foreign key, from some columns of a table to another table."""

    columns: tuple[str, ...]
    table: str
    definition: str


@dataclass(frozen=True)
class Entity:
    """A table, with all that belongs to it.

    :param others: definitions of constraints and indexes.
    """

    name: str
    columns: tuple[Column, ...]
    references: tuple[Reference, ...]
    others: tuple[tuple[str, str], ...]
    comment: str | None
    partitions: int


def entities(schema: Mapping[Key, str]) -> tuple[Entity, ...]:
    """The tables of a schema, by name."""
    tables = {name: definition for (kind, name), definition in schema.items() if kind == "table"}
    partitions = [definition.partition(" PARTITION OF ")[2].split(" ")[0] for definition in tables.values()]
    inside: dict[str, list[tuple[str, str, str]]] = {}
    for (kind, name), definition in sorted(schema.items()):
        if kind in ("column", "constraint"):
            inside.setdefault(parent_of(name), []).append((kind, name, definition))
        elif kind == "index":
            after = definition.partition(" ON ")[2].removeprefix("ONLY ")
            inside.setdefault(after.partition(" USING ")[0], []).append((kind, name, definition))
    return tuple(
        _entity(name, inside.get(name, ()), schema.get(("comment", f"table {name}")), partitions.count(name))
        for name, definition in sorted(tables.items())
        if " PARTITION OF " not in definition
    )


def entities_picture(tables: Sequence[Entity], link: str) -> Markup:
    """The picture.

    :param link: before the name of a table, the address where it is described.
    """
    every = len(tables) <= _MANY
    boxes = _placed(tables, every)
    width = max((box.x for box in boxes.values()), default=0) + _WIDTH + 2 * _EDGE
    height = max((box.y + box.height for box in boxes.values()), default=0) + _EDGE
    lines = [
        _line(boxes[table.name], boxes[reference.table], reference)
        for table in tables
        for reference in table.references
        if reference.table in boxes
    ]
    drawn = [_box(box, f"{link}{anchor(box.table.name)}") for box in boxes.values()]
    return Markup(
        '<svg class="bo-entities" viewBox="0 0 {} {}" style="--bo-width: {}px" role="group" aria-labelledby="bo-er-t" '
        'aria-describedby="bo-er-d"><title id="bo-er-t">Tables and foreign keys</title><desc id="bo-er-d">{}</desc>'
        '<g class="bo-relations">{}</g>{}</svg>'
    ).format(width, height, width, _told(tables), Markup("").join(lines), Markup("").join(drawn))


def anchor(table: str) -> str:
    """The address of a table within its page."""
    return "table-" + re.sub(r"[^\w.-]+", "-", short(table))


@dataclass(frozen=True)
class _Box:
    table: Entity
    columns: tuple[Column, ...]
    x: int
    y: int

    @property
    def height(self) -> int:
        hidden = len(self.columns) < len(self.table.columns)
        return _HEAD + _ROW * (len(self.columns) + hidden) + 6

    def row(self, name: str) -> int:
        """The middle of a column's row."""
        place = next((place for place, one in enumerate(self.columns) if one.name == name), -1)
        return self.y + _HEAD + place * _ROW + _ROW // 2 + 2 if place >= 0 else self.y + _HEAD // 2


def _entity(name: str, inside: Iterable[tuple[str, str, str]], comment: str | None, partitions: int) -> Entity:
    inside = list(inside)
    keys: dict[str, set[str]] = {}
    references = []
    for kind, _, definition in inside:
        found = _KEY.match(definition) if kind == "constraint" else None
        if found is None:
            continue
        names = parts_of_list(found[2])
        target = referenced(definition)
        if target is not None:
            references.append(Reference(names, target if "." in target else f"public.{target}", definition))
        for one in names:
            if found[1] != "UNIQUE" or len(names) == 1:
                keys.setdefault(one, set()).add({"PRIMARY KEY": "PK", "FOREIGN KEY": "FK", "UNIQUE": "UQ"}[found[1]])
    columns = []
    for kind, whole, definition in inside:
        if kind == "column":
            own, read = parts(whole)[-1], column(definition)
            told = tuple(key for key in ("PK", "FK", "UQ") if key in keys.get(own, ()))
            columns.append(Column(own, definition, _abbreviated(read.type), read.not_null, told))
    columns.sort(key=lambda one: ("PK" not in one.keys, "FK" not in one.keys, one.name))
    others = tuple((short(whole), definition) for kind, whole, definition in inside if kind != "column")
    return Entity(name, tuple(columns), tuple(references), others, comment, partitions)


def parts_of_list(text: str) -> tuple[str, ...]:
    """``id, "Name"`` → its names."""
    return tuple(parts(text))


def _abbreviated(name: str) -> str:
    for long, brief in (
        ("character varying", "varchar"), ("timestamp with time zone", "timestamptz"), ("double precision", "float8"),
        ("timestamp without time zone", "timestamp"), ("time without time zone", "time"), ("character(", "char("),
        ("public.", ""),
    ):  # fmt: skip
        name = name.replace(long, brief)
    return name


def _placed(tables: Sequence[Entity], every: bool) -> dict[str, _Box]:
    """Boxes in columns by how many tables one must have before; within a column near what they refer to."""
    known = {table.name: table for table in tables}
    ranks: dict[str, int] = {}

    def rank(name: str, above: tuple[str, ...] = ()) -> int:
        if name in above:
            return 0
        if name not in ranks:
            targets = {one.table for one in known[name].references if one.table in known and one.table != name}
            value = max((rank(target, (*above, name)) + 1 for target in targets), default=0)
            if above and any(target in above for target in targets):
                return value  # within a circle it depends on where one begins
            ranks[name] = value
        return ranks[name]

    columns: dict[int, list[Entity]] = {}
    lonely = []
    pointed = {one.table for table in tables for one in table.references}
    for table in tables:
        if not table.references and table.name not in pointed:
            lonely.append(table)
        else:
            columns.setdefault(rank(table.name), []).append(table)
    boxes: dict[str, _Box] = {}
    for place, number in enumerate(sorted(columns)):
        wanted = columns[number]
        y = _EDGE
        for table in sorted(wanted, key=lambda one: (_middle(one, boxes), one.name)):
            boxes[table.name] = _Box(table, _shown(table, every), _EDGE + place * (_WIDTH + _ACROSS), y)
            y += boxes[table.name].height + _DOWN
    return _with_lonely(boxes, lonely, every)


def _with_lonely(boxes: dict[str, _Box], lonely: Sequence[Entity], every: bool) -> dict[str, _Box]:
    """Tables without foreign keys fill up the shortest columns."""
    bottoms: dict[int, int] = {}
    for box in boxes.values():
        bottoms[box.x] = max(bottoms.get(box.x, 0), box.y + box.height + _DOWN)
    for place in range(max(len(bottoms), min(4, len(lonely)) if not bottoms else 0)):
        bottoms.setdefault(_EDGE + place * (_WIDTH + _ACROSS), _EDGE)
    for table in lonely:
        x = min(bottoms, key=lambda one: (bottoms[one], one))
        boxes[table.name] = _Box(table, _shown(table, every), x, bottoms[x])
        bottoms[x] += boxes[table.name].height + _DOWN
    return boxes


def _middle(table: Entity, boxes: Mapping[str, _Box]) -> float:
    places = [boxes[one.table].y + boxes[one.table].height / 2 for one in table.references if one.table in boxes]
    return sum(places) / len(places) if places else 0.0


def _shown(table: Entity, every: bool) -> tuple[Column, ...]:
    return table.columns if every else tuple(one for one in table.columns if {"PK", "FK"} & {*one.keys})


def _line(child: _Box, parent: _Box, reference: Reference) -> Markup:
    """From a child's column to its parent's head, a crow's foot at the child."""
    y1, y2 = child.row(reference.columns[0]), parent.y + _HEAD // 2
    title = f"{short(child.table.name)} ({', '.join(reference.columns)}) refers to {short(parent.table.name)}"
    if child is parent or child.x <= parent.x:
        x = child.x + _WIDTH
        right = max(x, parent.x + _WIDTH)
        path = f"M{x} {y1}C{right + 40} {y1} {right + 40} {y2} {parent.x + _WIDTH} {y2}"
        foot = f"M{x} {y1 - 4}l9 4l-9 4"
    else:
        x, target = child.x, parent.x + _WIDTH
        bend = max(36, (x - target) // 2)
        path = f"M{x} {y1}C{x - bend} {y1} {target + bend} {y2} {target} {y2}"
        foot = f"M{x} {y1 - 4}l-9 4l9 4"
    return Markup('<g><title>{}</title><path d="{}"/><path d="{}"/></g>').format(title, path, foot)


def _box(box: _Box, link: str) -> Markup:
    rows = [_row(one, box, place) for place, one in enumerate(box.columns)]
    hidden = len(box.table.columns) - len(box.columns)
    if hidden:
        rows.append(
            Markup('<text class="bo-type" x="{}" y="{}">and {} more columns</text>').format(
                box.x + 8, box.y + _HEAD + _ROW * len(box.columns) + 14, hidden
            )
        )
    return Markup(
        '<g class="bo-entity"><rect class="bo-box" x="{}" y="{}" width="{}" height="{}" rx="4"/>'
        '<path class="bo-head" d="M{} {}v-{}q0-4 4-4h{}q4 0 4 4v{}z"/>'
        '<a href="{}"><text class="bo-table" x="{}" y="{}">{}</text></a>{}</g>'
    ).format(
        box.x, box.y, _WIDTH, box.height, box.x, box.y + _HEAD, _HEAD - 4, _WIDTH - 8, _HEAD - 4, link,
        box.x + 8, box.y + 17, _fitting(short(box.table.name), 28), Markup("").join(rows),
    )  # fmt: skip


def _row(one: Column, box: _Box, place: int) -> Markup:
    y = box.y + _HEAD + place * _ROW + 14
    return Markup(
        '<text x="{}" y="{}"><tspan class="bo-key">{}</tspan></text><text class="bo-column{}" x="{}" y="{}">{}</text>'
        '<text class="bo-type" x="{}" y="{}" text-anchor="end">{}</text>'
    ).format(
        box.x + 6, y, (one.keys or ("",))[0], " bo-required" if one.required else "", box.x + 28, y,
        _fitting(one.name, 20), box.x + _WIDTH - 6, y, _fitting(one.type, 30 - min(len(one.name), 18)),
    )  # fmt: skip


def _fitting(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _told(tables: Sequence[Entity]) -> str:
    links = [f"{short(table.name)} refers to {short(one.table)}" for table in tables for one in table.references]
    return f"{len(tables)} tables. " + ("; ".join(links) + "." if links else "No foreign keys.")
