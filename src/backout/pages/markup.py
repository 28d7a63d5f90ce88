"""The marks of a Markdown page that the contract speaks of: fences, HTML comments, lines, anchors.

What they mean is ``pages``'; ``site.source`` looks at them, too. Pure.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Fence:
    start: int
    end: int
    line: int
    indent: str
    info: str
    body_start: int
    body_end: int
    text: str


@dataclass(frozen=True)
class Comment:
    start: int
    end: int
    line: int
    text: str


@dataclass(frozen=True)
class Heading:
    """A heading.

    :param anchor: its own or the one that it is given; distinct on the page.
    :param named: whether it is its own.
    """

    start: int
    end: int
    line: int
    level: int
    title: str
    anchor: str
    named: bool


FRONT_MATTER = re.compile(r"\A---[ \t]*\n(?P<yaml>.*?)^---[ \t]*\n", re.DOTALL | re.MULTILINE)
_FENCE = re.compile(r"^(?P<indent>[ \t]*)(?P<fence>`{3,}(?=[^`\n]*$)|~{3,})(?P<info>[^\n]*)$", re.MULTILINE)
_COMMENT = re.compile(r"^[ \t]*<!--(?P<text>.*?)-->", re.DOTALL | re.MULTILINE)  # in the line it may be inline code


def slug(heading: str) -> str:
    """The anchor that Python-Markdown's ``toc`` extension gives a heading."""
    plain = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    ascii_only = unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode()
    return re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", ascii_only).strip().lower())


def blocks(text: str) -> Iterator[Fence | Comment]:
    """Fences and HTML comments, each outside the other, in order."""
    front = FRONT_MATTER.match(text)
    position = front.end() if front else 0
    while True:
        fence, comment = _FENCE.search(text, position), _COMMENT.search(text, position)
        if fence is None and comment is None:
            return
        if fence is None or (comment is not None and comment.start() < fence.start()):
            assert comment is not None
            yield Comment(comment.start(), comment.end(), line_of(text, comment.start()), comment["text"])
            position = comment.end()
        else:
            block = _fence(text, fence)
            yield block
            position = block.end


def _fence(text: str, opening: re.Match[str]) -> Fence:
    body_start = min(opening.end() + 1, len(text))
    fence = opening["fence"]
    end_of_fence = re.compile(rf"^[ \t]*{re.escape(fence[0])}{{{len(fence)},}}[ \t]*$", re.MULTILINE)
    closing = end_of_fence.search(text, body_start)
    body_end, end = (closing.start(), closing.end()) if closing else (len(text), len(text))
    width = len(opening["indent"])
    lines = [
        line[width:] if not line[:width].strip() else line.lstrip() for line in lines_of(text[body_start:body_end])
    ]
    return Fence(
        start=opening.start(),
        end=end,
        line=line_of(text, opening.start()),
        indent=opening["indent"],
        info=opening["info"].strip() if closing else "\0",
        body_start=body_start,
        body_end=body_end,
        text="".join(line + "\n" for line in lines),
    )


def lines_of(text: str) -> list[str]:
    """Lines as the page counts them; ``str.splitlines`` also ends one at a form feed and the like."""
    return text.removesuffix("\n").split("\n") if text else []


def line_of(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1
