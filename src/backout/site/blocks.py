"""What the site adds at the blocks of a page: an address, what its copy button takes, what it changes or destroys, and
how it failed when it was last run.

The blocks of the rendered page are found by their text, in the order of the page's own: which renderer made the HTML,
and what it left out, does not matter. A block that is not found stays as it is.

Material's copy button takes the attribute ``data-copy`` where there is one, and shows no button where the class
``no-copy`` is.

Pure.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from backout.pages import Page, Section, Step
from backout.record import PageRecord, StepRecord
from backout.site.model import render
from backout.site.words import block_anchor

_BLOCK = re.compile(
    r'<div class="(?P<classes>[^"]*\bhighlight\b[^"]*)">(?P<inner>(?:<span class="filename">[^<]*</span>)?'
    r"<pre[^>]*>(?:<span></span>)?<code[^>]*>(?P<code>.*?)</code></pre>)</div>",
    re.DOTALL,
)


@dataclass(frozen=True)
class _Fence:
    """A fence of the page: a block, or the output that is expected of one."""

    step: Step
    text: str
    is_output: bool
    is_last: bool


@dataclass(frozen=True)
class Failure:
    """How a block, or a proof about it, failed on one version of PostgreSQL.

    :param current: whether the page's text is still that which was run.
    :param lines: the message, line by line, and what each is: of a difference ``minus`` is what was expected, ``plus``
        what was printed.
    """

    record: PageRecord
    step: StepRecord
    current: bool
    lines: tuple[tuple[Literal["plus", "minus", "same", "text"], str], ...]


def with_blocks(text: str, page: Page, records: Mapping[int, PageRecord]) -> str:
    """The page's HTML, with what is added at its blocks.

    :param records: of its last runs, by PostgreSQL major.
    """
    fences = list(_fences(page))
    failures = _failures(page, records)
    position = 0

    def add(found: re.Match[str]) -> str:
        nonlocal position
        shown = _letters(html.unescape(re.sub(r"<[^>]+>", "", found["code"])))
        place = next((number for number, fence in enumerate(fences[position:], position) if fence.text == shown), None)
        if place is None:
            return found[0]
        position = place + 1
        return _decorated(found, fences[place], page, failures)

    return _BLOCK.sub(add, text)


def _fences(page: Page) -> Iterator[_Fence]:
    for step in page.steps:
        output = step.commands[0].expected if step.commands and step.language != "console" else None
        yield _Fence(step, _letters(step.text), is_output=False, is_last=output is None)
        if output is not None:
            yield _Fence(step, _letters(output.text), is_output=True, is_last=True)


def _letters(text: str) -> str:
    """Text without white space: renderers change that."""
    return "".join(text.split())


def _failures(page: Page, records: Mapping[int, PageRecord]) -> dict[str, list[Failure]]:
    """By id of the block."""
    found: dict[str, list[Failure]] = {}
    for _, record in sorted(records.items(), reverse=True):
        current = record.is_of(page.source)
        for step in record.steps:
            block = record.block_of(step)
            if step.outcome == "failed" and block is not None:
                found.setdefault(block, []).append(Failure(record, step, current, tuple(_told(step.detail))))
    return found


def _told(message: str) -> Iterator[tuple[Literal["plus", "minus", "same", "text"], str]]:
    """The lines of a message, those of a unified difference told from the rest."""
    inside = False
    for line in message.splitlines():
        inside = inside or line.startswith("--- ")
        if inside and line.startswith("@@"):
            continue
        if inside and not line.startswith(("--- ", "+++ ")):
            kinds: Mapping[str, Literal["plus", "minus", "same"]] = {"+": "plus", "-": "minus"}
            yield kinds.get(line[:1], "same"), line[1:]
        elif not inside:
            yield "text", line


def _decorated(found: re.Match[str], fence: _Fence, page: Page, failures: Mapping[str, list[Failure]]) -> str:
    step, classes, attributes, before, after = fence.step, found["classes"], "", "", ""
    if fence.is_output:
        classes += " no-copy bo-output"
    else:
        attributes += f' id="{block_anchor(step.id)}"'
        before = _effects(step, page)
        if step.language == "console" and step.commands:
            copied = "\n".join(command.text.rstrip("\n") for command in step.commands)
            attributes += f' data-copy="{html.escape(copied)}"'
    if fence.is_last and (of_step := failures.get(step.id)):
        after = render("failure.html", failures=of_step)
    return f'{before}<div class="{classes}"{attributes}>{found["inner"]}</div>{after}'


def _effects(step: Step, page: Page) -> str:
    """What the block does to the database or to files, in words above it; and that nobody runs it."""
    if not step.is_changing and not step.way_back and step.kind != "not run":
        return ""
    section = page.runbook.section_of(step) if page.runbook else None
    return render("effect.html", step=step, no_way_back=_no_way_back(step, section))


def _no_way_back(step: Step, section: Section | None) -> str | None:
    """Why nothing undoes the step; said once, at its last block that changes something."""
    if section is None or section.no_way_back is None:
        return None
    changing = [block for block in section.blocks if block.is_changing]
    return section.no_way_back if step in changing[-1:] else None
