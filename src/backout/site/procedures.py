"""What the site adds to a page that people follow: boxes that they tick, and on a runbook the briefing at its top and a
line of tools below each step's heading.

Without a script the boxes are boxes, to be ticked on paper. With one (``assets/backout.js``) they remember, as long as
the page's text stays the same.

Pure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Literal

from backout.pages import Page, Runbook, Section
from backout.record import text_hash
from backout.site.model import render

# Of pymdownx.tasklist, with and without custom boxes; the text goes to the end of the paragraph or of what holds it.
_BOX = re.compile(
    r'(?:<label class="task-list-control">)?<input type="checkbox" disabled(?:="[^"]*")?(?P<checked>[^>]*?)/?>'
    r'(?:<span class="task-list-indicator"></span></label>)?\s*(?P<text>.*?)(?=</?(?:p|li|ul|ol|div|pre)\b)',
    re.DOTALL,
)
_TITLE = re.compile(r"<h1\b.*?</h1>", re.DOTALL)
_EFFECTS = {"destroys": "high", "changes": "medium", "reads": "low"}


def with_procedure(text: str, page: Page) -> str:
    """The page's HTML, with its boxes; on a runbook with its briefing and its steps' tools."""
    count = 0

    def box(found: re.Match[str]) -> str:
        nonlocal count
        count += 1
        return (
            f'<span class="bo-item"><input type="checkbox" class="bo-box" id="item-{count}" disabled{found["checked"]}>'
            f'<label for="item-{count}">{found["text"].strip()}</label></span>'
        )

    text = _BOX.sub(box, text)
    steps = page.runbook.steps if page.runbook else ()
    if not count and not steps:
        return text
    for section in steps:
        tools = render("step.html", section=section, effect=effect(section), weight=_EFFECTS[effect(section)])
        heading = re.compile(rf'<h3 id="{re.escape(section.anchor)}".*?</h3>', re.DOTALL)
        text = heading.sub(lambda found, tools=tools: found[0] + tools, text, count=1)  # type: ignore[misc]
    progress = render("progress.html", boxes=count + len(steps), stays=bool(steps), source=text_hash(page.source))
    briefing = _briefing(page, page.runbook) if page.runbook else ""
    title = _TITLE.search(text)
    end = title.end() if title else 0
    return text[:end] + briefing + progress + text[end:]


def effect(section: Section) -> Literal["destroys", "changes", "reads"]:
    """The worst that a step's blocks do."""
    if any(block.destroys is not None for block in section.blocks):
        return "destroys"
    return "changes" if any(block.is_changing for block in section.blocks) else "reads"


def _briefing(page: Page, runbook: Runbook) -> str:
    return render(
        "briefing.html",
        runbook=runbook,
        commands=_commands(page.path, runbook.environments),
        steps=[(section, effect(section), _EFFECTS[effect(section)]) for section in runbook.steps],
        harmless=runbook.destroys == "nothing",
    )


def _commands(path: str, environments: Sequence[str]) -> list[tuple[str, str]]:
    """Environment and the command that runs the page there."""
    place = PurePosixPath(path)
    name = place.stem if place.parent == PurePosixPath("runbooks") else path
    return [(one, f"backout run {name} --env {one}") for one in environments]
