"""A page's text as Python-Markdown must get it, which differs from what GitHub shows in two things.

* Annotations are left out. They say how a block is tested, not what is read.
* What belongs to a checklist item is indented by four: GitHub is content with two, Python-Markdown would end the list.
  A fence stands between empty lines, or it would become a part of the paragraph above it.

Text only: nothing is rendered. Pure.
"""

import re
from collections.abc import Iterator
from io import StringIO

from backout.pages import is_annotation
from backout.pages.markup import Comment, Fence, blocks

_ITEM = re.compile(r"^ *(?:[-*+]|\d+[.)])[ \t]+\[[ xX]\][ \t]")
_WIDTH = 4


def for_python_markdown(text: str) -> str:
    """The text without annotations, its checklists indented as Python-Markdown wants it."""
    return "".join(_indented(_without_annotations(text)))


def _without_annotations(text: str) -> str:
    kept, position = "", 0
    for block in blocks(text):
        if isinstance(block, Comment) and is_annotation(block.text):
            kept += text[position : block.start]
            rest = text[block.end :].lstrip(" \t").removeprefix("\n")
            position = len(text) - len(rest)
    return kept + text[position:]


def _indented(text: str) -> Iterator[str]:
    opening, inside = _lines_of_fences(text)
    items: list[int] = []  # how far each item is indented that the line is in, the outermost first
    more = 0
    fenced = blank = False
    for number, line in enumerate(StringIO(text)):  # at line feeds alone, as the page counts its lines
        width = len(line) - len(line.lstrip(" "))
        if number not in inside and line.strip():
            while items and width <= items[-1]:
                items.pop()
            if fenced and not blank:
                yield "\n"
            fenced = False
        # Without an item around it, what is indented by four is code.
        is_item = number not in inside and (width < _WIDTH or items != []) and _ITEM.match(line) is not None
        if line.strip() and (is_item or items):
            if is_item:
                items.append(width)
                more = (len(items) - 1) * _WIDTH - width
            elif number not in inside or number in opening:
                more = max(0, len(items) * _WIDTH - width)
            line = " " * more + line if more >= 0 else line[-more:]  # noqa: PLW2901
        if number in opening and (items or width == 0):
            if number and not blank:
                yield "\n"
            fenced = True
        yield line
        blank = not line.strip()


def _lines_of_fences(text: str) -> tuple[set[int], set[int]]:
    """Lines, from 0, on which a fence opens; and all lines of fences."""
    opening: set[int] = set()
    inside: set[int] = set()
    for block in blocks(text):
        if isinstance(block, Fence):
            first = text.count("\n", 0, block.start)
            opening.add(first)
            inside.update(range(first, text.count("\n", 0, block.end) + 1))
    return opening, inside
