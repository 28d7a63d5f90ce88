"""What is said of a runbook: its front matter, its steps, one block. Texts and styles; how they look is the terminal's.

Below ``operate``, which alone imports it.
"""

import re
from collections.abc import Callable, Sequence
from typing import Literal

from backout.pages import ChecklistItem, Page, Section, Step

Style = Literal["title", "plain", "quiet", "command", "output", "changes", "destroys", "passed", "failed"]
Tell = Callable[[str, Style], object]


def overview(page: Page, environment: str, where: str, tell: Tell) -> None:
    """What is about to be run, and where."""
    runbook = page.runbook
    assert runbook is not None
    tell(page.title, "title")
    tell(f"When: {runbook.when}", "plain")
    tell(f"Who: {runbook.who}", "plain")
    tell(f"Where: {environment}, {where}", "plain")
    tell(f"Takes: about {runbook.minutes:g} min", "plain")
    tell(f"Needs: {', '.join(runbook.needs) or 'nothing'}", "plain")
    tell(f"Destroys: {runbook.destroys}", "plain" if runbook.destroys == "nothing" else "destroys")
    for step in runbook.steps:
        effects = [f"destroys {block.destroys}" for block in step.blocks if block.destroys is not None]
        effects += [f"changes {block.changes}" for block in step.blocks if block.changes is not None]
        tell(f"  {step.number}. {step.title}: {'; '.join(effects) or 'only reads'}", "plain")


def outline(sections: Sequence[Section], tell: Tell) -> None:
    """Everything that would be run, in order; nothing is."""
    for section in sections:
        number = f"{section.number}. " if section.number is not None else ""
        tell(f"{number}{section.title}", "title")
        if not section.entries and section.text:
            tell(plain(section.text), "plain")
        for entry in section.entries:
            if isinstance(entry, ChecklistItem):
                tell(f"{entry.text} (you are asked: {entry.manual})", "plain")
            else:
                show_block(entry, section, tell)
        if section.way_back is not None:
            tell("The way back, which is not run:", "quiet")
            tell(section.way_back.text.rstrip("\n"), "command")
    tell("Nothing was run.", "quiet")


def show_block(block: Step, section: Section, tell: Tell) -> None:
    """What is about to be run: why, the command, and what it does."""
    if block.prose:
        tell(plain(block.prose), "plain")
    for command in block.commands:
        tell(command.text.rstrip("\n"), "command")
    if block.changes is not None:
        tell(f"It changes {block.changes}.", "changes")
    if block.destroys is not None:
        tell(f"It destroys {block.destroys}.", "destroys")
    if block.is_changing and section.no_way_back is not None:
        tell(f"There is no way back: {section.no_way_back}.", "changes")


def does(block: Step) -> str:
    """``destroys``, ``changes``, ``checks`` or ``reads``."""
    if block.destroys is not None:
        return "destroys"
    if block.changes is not None:
        return "changes"
    return "checks" if block.is_check else "reads"


def plain(markdown: str) -> str:
    """Markdown for a terminal: a link shows where it leads, paragraphs are one line each."""
    text = re.sub(r"\[([^\]]*)\]\(([^)]*)\)", r"\1 (\2)", markdown)
    text = re.sub(r"[ \t]*\{#[\w-]+\}", "", text)
    paragraphs = re.split(r"\n[ \t]*\n", text)
    return "\n\n".join(
        re.sub(r"\n(?![ \t]*(?:[-*+|#]|\d+[.)]))[ \t]*", " ", paragraph.strip("\n")) for paragraph in paragraphs
    ).strip()
