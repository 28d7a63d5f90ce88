"""The chain as a picture: the newest revision on top, a lane a branch, risk as colour and shape, each a link.

Letters and lanes are in pixels, the picture is as wide as its place: a phone shows it as a desk does. Pure.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

from markupsafe import Markup

from backout.site.measured import Measured
from backout.site.words import RISKS, ROLLBACKS, shape

_LANE, _LEFT, _SMALL, _WIDE = 22, 14, 46, 62


def chain_picture(revisions: Sequence[Measured], links: Mapping[str, str]) -> Markup:
    """The picture of a whole chain.

    :param revisions: parents before children.
    :param links: revision → address of its page.
    """
    shown = list(reversed(revisions))
    lanes, edges, count = _lanes(shown)
    titles = {
        one.id: textwrap.wrap(" ".join(one.revision.summary.split()) or one.id, 38)[:2] or [one.id] for one in shown
    }
    heights = [_WIDE if len(titles[one.id]) > 1 else _SMALL for one in shown]
    tops = [sum(heights[:place]) for place in range(len(shown) + 1)]
    y = {one.id: tops[place] + 20 for place, one in enumerate(shown)}
    base = tops[-1] + 16
    text = _LEFT + count * _LANE
    lines = [
        _edge(_x(lanes[child]), y[child], _x(lane), _x(lanes[parent]), y[parent], dashed)
        for child, parent, lane, dashed in edges
    ]
    lines += [
        _edge(_x(lanes[one.id]), y[one.id], _x(lanes[one.id]), _x(0), base, False)
        for one in shown
        if not one.revision.parents
    ]
    nodes = [_node(one, _x(lanes[one.id]), y[one.id], text, titles[one.id], links[one.id]) for one in shown]
    return Markup(
        '<svg class="bo-chain" width="100%" height="{}" role="group" aria-labelledby="bo-chain-t" '
        'aria-describedby="bo-chain-d">'
        '<title id="bo-chain-t">The chain, newest first</title><desc id="bo-chain-d">{}</desc>'
        '<g class="bo-edges">{}</g>{}'
        '<circle class="bo-base" cx="{}" cy="{}" r="5"/>'
        '<text class="bo-meta" x="{}" y="{}">base: the empty database</text></svg>'
    ).format(base + 14, _told(revisions), Markup("").join(lines), Markup("").join(nodes), _x(0), base, text, base + 4)


def _lanes(shown: Sequence[Measured]) -> tuple[dict[str, int], list[tuple[str, str, int, bool]], int]:
    """The lane of each revision; each edge with the lane that it runs in; how many lanes there are."""
    waiting: list[str | None] = []  # lane → the revision that its line goes to
    lanes: dict[str, int] = {}
    edges: list[tuple[str, str, int, bool]] = []
    most = 1
    for one in shown:
        own = [lane for lane, name in enumerate(waiting) if name == one.id]
        lane = own[0] if own else _free(waiting)
        lanes[one.id] = lane
        for closing in own:
            waiting[closing] = None
        parents = [
            *((name, False) for name in one.revision.parents),
            *((name, True) for name in one.revision.dependencies),
        ]
        if not one.revision.parents:
            waiting[lane] = ""  # its line goes down to the empty database
        for place, (parent, dashed) in enumerate(parents):
            taken = lane if place == 0 and waiting[lane] is None else _free(waiting)
            waiting[taken] = parent
            edges.append((one.id, parent, taken, dashed))
        most = max(most, sum(name is not None for name in waiting), lane + 1, len(waiting))
        while waiting and waiting[-1] is None:
            waiting.pop()
    return lanes, edges, most


def _free(waiting: list[str | None]) -> int:
    for lane, name in enumerate(waiting):
        if name is None:
            return lane
    waiting.append(None)
    return len(waiting) - 1


def _x(lane: int) -> int:
    return _LEFT + lane * _LANE


def _edge(x1: int, y1: int, lane: int, x2: int, y2: int, dashed: bool) -> Markup:
    """From a child down its lane to its parent."""
    bend = 18
    path = f"M{x1} {y1}"
    path += f"C{x1} {y1 + bend} {lane} {y1 + 4} {lane} {y1 + bend + 6}" if lane != x1 else ""
    path += f"V{max(y2 - bend - 6, y1 + (bend + 6 if lane != x1 else 0))}"
    path += f"C{lane} {y2 - 4} {x2} {y2 - bend} {x2} {y2}" if lane != x2 else f"V{y2}"
    return Markup('<path d="{}"{}/>').format(path, Markup(' stroke-dasharray="4 3"') if dashed else "")


def _node(one: Measured, x: int, y: int, text: int, title: Sequence[str], link: str) -> Markup:
    risk = one.evidence.risk if one.evidence else None
    rollback = ROLLBACKS[one.evidence.rollback if one.evidence else None]
    told = f"{one.id} · {RISKS[risk].lower()}" + ("" if risk is None else f" · rollback: {rollback.lower()}")
    if not one.children:
        told += " · head"
    lines = [
        Markup('<text class="bo-name" x="{}" y="{}">{}</text>').format(text, y - 3 + 15 * place, line)
        for place, line in enumerate(title)
    ]
    return Markup(
        '<a href="{}"><title>{}: {}</title><rect class="bo-hit" x="0" y="{}" width="100%" height="{}"/>'
        '<svg x="{}" y="{}" width="16" height="16" viewBox="0 0 16 16">{}</svg>'
        '{}<text class="bo-meta" x="{}" y="{}">{}</text></a>'
    ).format(
        link, one.id, " ".join(title), y - 18, 42 + 15 * (len(title) - 1), x - 8, y - 8, shape(risk),
        Markup("").join(lines), text, y - 3 + 15 * len(title), told,
    )  # fmt: skip


def _told(revisions: Sequence[Measured]) -> str:
    heads = [one.id for one in revisions if not one.children]
    merges = [one.id for one in revisions if len(one.revision.parents) > 1]
    branching = [one.id for one in revisions if len(one.children) > 1]
    told = [f"{len(revisions)} revisions; head{'s' if len(heads) > 1 else ''}: {', '.join(heads)}."]
    told += [f"Branches begin after {', '.join(branching)}."] if branching else []
    told += [f"Merged by {', '.join(merges)}."] if merges else []
    return " ".join(told)
