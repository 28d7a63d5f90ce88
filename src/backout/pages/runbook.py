"""The shape of a runbook: the front matter's table, six headings in order, numbered steps with checks and ways back.

Only text is read. What a page has that is no runbook, and may not have, is told here, too.

Pure; below ``pages``, which alone imports it.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import yaml

from backout.pages.markup import FRONT_MATTER, Comment, Heading, line_of
from backout.pages.model import ChecklistItem, CodeSpan, Runbook, Section, Step

# Title → anchor, in the order in which they stand.
SHAPE = {
    "When": "when",
    "Before you start": "before",
    "Steps": "steps",
    "Verify": "verify",
    "If it fails": "if-it-fails",
    "Afterwards": "afterwards",
}
NOTHING = "nothing"  # what a runbook destroys that destroys nothing
VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*")

_TEXTS = ("when", "who", "destroys")
_KEYS = ("when", "who", "environments", "minutes", "needs", "destroys")
_OPTIONAL = ("incident", "examples")
_NAME = re.compile(r"[a-z][a-z0-9-]*")
_PROGRAM = re.compile(r"[\w.+-]+")
_NUMBERED = re.compile(r"(?P<number>\d+)\.[ \t]+(?P<title>\S.*)")

Problem = Callable[[int, str], None]


@dataclass(frozen=True)
class Found:
    """What the parse has found so far.

    :param front: the front matter.
    :param no_way_back: comments that say why nothing undoes a step, and the reasons.
    :param problem: told ``line, message``.
    """

    front: Mapping[str, Any]
    text: str
    headings: tuple[Heading, ...]
    steps: tuple[Step, ...]
    items: tuple[ChecklistItem, ...]
    no_way_back: tuple[tuple[Comment, str], ...]
    comments: tuple[Comment, ...]
    spans: tuple[CodeSpan, ...]
    problem: Problem


def read_runbook(found: Found) -> Runbook | None:
    """The runbook that a page is, or None; ``found.problem`` is told where it breaks the contract."""
    if "runbook" not in found.front:
        _no_runbook(found)
        return None
    table = _table(found)
    sections = tuple(_sections(found))
    for section in sections:
        _judge(section, found)
    if table is None:
        return None
    runbook = Runbook(**table, sections=sections)
    _judge_together(runbook, found)
    return runbook


def _no_runbook(found: Found) -> None:
    lines = [step.line for step in found.steps if step.is_changing or step.until is not None or step.way_back]
    for line in sorted([*lines, *(comment.line for comment, _ in found.no_way_back)]):
        found.problem(
            line, "changes, destroys, until and ways back belong in a runbook; this page's front matter has no runbook:"
        )


# -- the front matter's table -------------------------------------------------------------------------


def _table(found: Found) -> dict[str, Any] | None:
    lines = _key_lines(found.text)
    at = lines.get("", 1)
    table = found.front["runbook"]
    if not isinstance(table, dict):
        found.problem(at, f"front matter runbook: takes a table of {', '.join(_KEYS)}")
        return None
    wrong = [(lines.get(str(key), at), f"unknown key {key!r}; known are {', '.join((*_KEYS, *_OPTIONAL))}")
             for key in table if key not in (*_KEYS, *_OPTIONAL)]  # fmt: skip
    wrong += [(at, f"{key} is missing; add it") for key in _KEYS if key not in table]
    wrong += [(lines.get(key, at), message) for key, message in _misfits(table)]
    for line, message in wrong:
        found.problem(line, f"front matter runbook: {message}")
    if wrong:
        return None
    return {
        **{key: " ".join(table[key].split()) for key in _TEXTS},
        "environments": tuple(table["environments"]),
        "minutes": float(table["minutes"]),
        "needs": tuple(table["needs"]),
        "incident": table.get("incident"),
        "examples": {name: str(value) for name, value in table.get("examples", {}).items()},
    }


def _misfits(table: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Keys with values that they do not take, and what they take."""
    for key in _TEXTS:
        if key in table and not (isinstance(table[key], str) and table[key].strip()):
            yield key, f"{key} takes a text, not {table[key]!r}"
    if "environments" in table and not (_names(table["environments"], _NAME) and table["environments"]):
        taken = table["environments"]
        yield "environments", f"environments takes a list of names, [staging, production], not {taken!r}"
    minutes = table.get("minutes", 1)
    if isinstance(minutes, bool) or not isinstance(minutes, (int, float)) or not 0 < minutes < float("inf"):
        yield "minutes", f"minutes takes a number of minutes, not {minutes!r}"
    needs = table.get("needs", [])
    if not _names(needs, _PROGRAM):
        yield "needs", f"needs takes a list of variables and programs, [DATABASE_URL, pg_dump], not {needs!r}"
        needs = []
    incident = table.get("incident", "x.sh")
    if not isinstance(incident, str) or not incident.endswith(".sh") or _leaves(incident):
        yield "incident", f"incident takes the path of a bash script of the project, x/y.sh, not {incident!r}"
    examples = table.get("examples", {})
    if not isinstance(examples, dict):
        yield "examples", "examples takes NAME: value lines"
        return
    for name, value in examples.items():
        if name not in needs or not VARIABLE.fullmatch(str(name)):
            yield "examples", f"examples gives {name}, which is no variable of needs"
        elif not isinstance(value, str):
            yield "examples", f"the example {name}: {value!r} is not text for YAML; put it in quotes"


def _names(value: object, pattern: re.Pattern[str]) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) and pattern.fullmatch(one) for one in value)


def _leaves(path: str) -> bool:
    parts = PurePosixPath(path)
    return parts.is_absolute() or ".." in parts.parts


def _key_lines(text: str) -> dict[str, int]:
    """Lines of the page on which the table's keys stand; under the empty name that of the table."""
    match = FRONT_MATTER.match(text)
    root = yaml.compose(match["yaml"], Loader=yaml.SafeLoader) if match else None
    lines: dict[str, int] = {}
    for key, value in root.value if isinstance(root, yaml.MappingNode) else ():
        if key.value == "runbook":
            lines[""] = key.start_mark.line + 2
            keys = value.value if isinstance(value, yaml.MappingNode) else ()
            lines |= {str(inner.value): inner.start_mark.line + 2 for inner, _ in keys}
    return lines


# -- headings and what stands below them --------------------------------------------------------------


def _sections(found: Found) -> Iterator[Section]:
    """The sections in page order, each numbered step behind *Steps*; headings that are wrong are told."""
    seconds = [heading for heading in found.headings if heading.level == 2]
    shape = "".join(f"\n    ## {title} {{#{anchor}}}" for title, anchor in SHAPE.items())
    wanted = list(SHAPE.items())
    for heading, (title, anchor) in zip(seconds, wanted, strict=False):
        if (heading.title, heading.anchor, heading.named) != (title, anchor, True):
            found.problem(
                heading.line,
                f"a runbook has here the heading ## {title} {{#{anchor}}}, not {heading.title!r}; "
                f"it has, in this order,{shape}",
            )
            return
    if len(seconds) != len(wanted):
        heading_line = seconds[len(wanted)].line if len(seconds) > len(wanted) else line_of(found.text, len(found.text))
        what = "has no further heading" if len(seconds) > len(wanted) else f"lacks ## {wanted[len(seconds)][0]}"
        found.problem(heading_line, f"a runbook {what}; it has, in this order,{shape}")
        return
    first = seconds[0].start
    for block in found.steps:
        if block.line < line_of(found.text, first) and block.kind == "run":
            found.problem(block.line, "this block stands above ## When; move it into a section")
    ends = [*(heading.start for heading in seconds[1:]), len(found.text)]
    for heading, end in zip(seconds, ends, strict=True):
        inner = _numbered(heading, end, found) if heading.anchor == "steps" else []
        yield _section(heading, None, heading.title, inner[0][0].start if inner else end, found)
        stops = [*(step.start for step, _, _ in inner[1:]), end]
        for (step, number, title), stop in zip(inner, stops, strict=bool(inner)):
            yield _section(step, number, title, stop, found)


def _numbered(steps: Heading, end: int, found: Found) -> list[tuple[Heading, int, str]]:
    numbered: list[tuple[Heading, int, str]] = []
    for heading in found.headings:
        if not (steps.end <= heading.start < end and heading.level == 3):
            continue
        match = _NUMBERED.fullmatch(heading.title)
        number = len(numbered) + 1
        if match is None or int(match["number"]) != number or not heading.named:
            found.problem(heading.line, f"a step of a runbook is here ### {number}. Title {{#anchor}}")
        elif heading.anchor in SHAPE.values() or heading.anchor.endswith("_1"):
            found.problem(heading.line, f"the anchor {heading.anchor} is taken; give the step another")
        numbered.append((heading, number, match["title"] if match else heading.title))
    if not numbered:
        found.problem(steps.line, "a runbook has at least one step, ### 1. Title {#anchor}")
    return numbered


def _section(heading: Heading, number: int | None, title: str, end: int, found: Found) -> Section:
    first, last = heading.line, line_of(found.text, end - 1) if end else heading.line
    blocks = [step for step in found.steps if first <= step.line <= last and step.kind == "run"]
    items = [item for item in found.items if first <= item.line <= last and item.manual is not None]
    entries: list[Step | ChecklistItem] = [*(block for block in blocks if not block.way_back), *items]
    backs = [block for block in blocks if block.way_back]
    reasons = [(comment, reason) for comment, reason in found.no_way_back if heading.end <= comment.start < end]
    for block in backs[1:]:
        found.problem(block.line, "the step has a way back already; keep one")
    for comment, _ in reasons[1:] if not backs else reasons:
        found.problem(comment.line, "the step has a way back already, or a reason why not; keep one")
    return Section(
        anchor=heading.anchor,
        title=title,
        line=heading.line,
        number=number,
        text=_without_comments(found, heading.end, end),
        entries=tuple(sorted(entries, key=lambda entry: entry.line)),
        way_back=backs[0] if backs else None,
        no_way_back=reasons[0][1] if reasons and not backs else None,
    )


def _without_comments(found: Found, start: int, end: int) -> str:
    text, position = "", start
    for comment in found.comments:
        if start <= comment.start < end:
            text += found.text[position : comment.start]
            position = comment.end
    return re.sub(r"\n{3,}", "\n\n", text + found.text[position:end]).strip()


# -- what each section may hold -----------------------------------------------------------------------


def _judge(section: Section, found: Found) -> None:
    if section.anchor == "steps":
        _holds_none(section, found, "a block of a runbook's Steps stands in a step, ### 1. Title {#anchor}")
    elif section.anchor == "if-it-fails":
        _holds_none(section, found, "If it fails has prose and links, and no block that is run")
    elif section.anchor in ("when", "before", "verify"):
        _only_reads(section, found)
        if section.anchor != "when":
            _only_checks(section, found)
    elif section.number is not None and not section.blocks:
        found.problem(section.line, "this step has no block that is run; a step that people do is a checklist item")
    if section.number is not None or section.anchor == "afterwards":
        _changes_are_safe(section, found)
    for block in section.blocks:
        if block.is_changing and block.sabotage is not None:
            found.problem(block.line, f"the block {block.id} changes something and has a sabotage; a check only reads")


def _holds_none(section: Section, found: Found, message: str) -> None:
    for block in (*section.blocks, *([section.way_back] if section.way_back else [])):
        found.problem(block.line, message)


def _only_reads(section: Section, found: Found) -> None:
    for block in section.blocks:
        if block.is_changing:
            found.problem(block.line, f"{section.title} only looks; move what changes something into a step")
    if section.way_back is not None or section.no_way_back is not None:
        found.problem(section.line, f"{section.title} only looks, and has nothing to undo; remove the way back")


def _only_checks(section: Section, found: Found) -> None:
    in_items = {name for item in found.items for name in item.steps}
    for block in section.blocks:
        if block.id not in in_items:
            found.problem(block.line, f"{section.title} holds checks: put this block below a checklist item, - [ ] …")
    if not section.blocks:
        found.problem(section.line, f"{section.title} has no check; add a checklist item with one")


def _changes_are_safe(section: Section, found: Found) -> None:
    changing = [block for block in section.blocks if block.is_changing]
    if not changing:
        if section.way_back is not None or section.no_way_back is not None:
            found.problem(section.line, "this step changes nothing, so that nothing leads back; say what it changes, "
                          "<!-- changes: what, and where -->, or remove the way back")  # fmt: skip
        return
    if not any(block.decides for block in section.blocks):
        found.problem(
            changing[0].line,
            "a step that changes something has a check: a block with a sabotage, or with output that it must print",
        )
    if section.way_back is None and section.no_way_back is None:
        found.problem(
            changing[0].line,
            "a step that changes something has a way back: a block behind <!-- way back -->, "
            "or <!-- no way back: reason -->",
        )


def _judge_together(runbook: Runbook, found: Found) -> None:
    lines = _key_lines(found.text)
    for step in found.steps:
        if step.kind == "not run":
            found.problem(step.line, "a runbook has no block that is not run: the operator's run would pass it by")
    if runbook.incident is not None and runbook.sections and not runbook.section("when").blocks:
        found.problem(
            runbook.section("when").line,
            "a runbook with an incident shows its symptom under When, in a block that is run",
        )
    told = {"DATABASE_URL", *(span.text.removeprefix("$") for span in found.spans)}
    for name in runbook.needs:
        if VARIABLE.fullmatch(name) and name not in told:
            found.problem(
                lines.get("needs", 1),
                f"front matter runbook: needs {name}, and the page does not say what it is: name it there, `{name}`",
            )
    destroying = [block for section in runbook.sections for block in section.blocks if block.destroys is not None]
    if destroying and runbook.destroys == NOTHING:
        found.problem(
            lines.get("destroys", 1),
            f"front matter runbook: destroys nothing, and the block {destroying[0].id} destroys "
            f"{destroying[0].destroys!r}; say so",
        )
    if runbook.sections and not destroying and runbook.destroys != NOTHING:
        found.problem(
            lines.get("destroys", 1),
            f"front matter runbook: destroys {runbook.destroys!r}, and no block does; say nothing, "
            "or <!-- destroys: … --> above the block",
        )
    order = [section.anchor for section in runbook.sections]
    for section in runbook.sections:
        _untils(section, order, found)


def _untils(section: Section, order: Sequence[str], found: Found) -> None:
    for block in section.blocks:
        if block.until is None:
            continue
        if section.number is None or not block.is_check:
            found.problem(block.line, "until: belongs above a check of a step, which need not hold any more later on")
        elif block.until not in order[order.index(section.anchor) + 1 :]:
            found.problem(block.line, f"until: takes the anchor of a later step, not {block.until!r}")
