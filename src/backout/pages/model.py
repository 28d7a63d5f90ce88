"""What the parse of a page finds: pages, steps, commands, checklist items. The names are those of the contract.

Everybody finds them in ``pages``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from sybil import Document

from backout.errors import PageError
from backout.pages.notebook import SUFFIX

Class = Literal["run", "quoted", "validated", "not run"]


@dataclass(frozen=True)
class Expected:
    """The output that a command must print.

    :param text: without the fence, dedented; may hold the wildcard ``...``.
    :param start: offset of the first character of the text in the page's source.
    :param end: offset behind its last character.
    :param indent: what stands before each line in the source.
    """

    text: str
    start: int
    end: int
    indent: str
    line: int


@dataclass(frozen=True)
class Command:
    """One thing to run: a whole block, or one prompt line of a console transcript.

    :param line: line of the page, from 1, on which ``text`` starts.
    """

    text: str
    line: int
    expected: Expected | None


@dataclass(frozen=True)
class Step:
    """One fenced block.

    :param id: stable: the slug of the heading above and the block's number below it, ``before.2``.
    :param line: line of the page, from 1, of the opening fence.
    :param commands: of a block that is run, in order; empty for the other classes.
    :param fails: expected exit status (shell), SQLSTATE (sql) or exception name (python) of the last command.
    :param timeout: seconds, or None for the default.
    :param reason: why a block is not run.
    :param title: the file that a quoted block is quoted from, relative to the project.
    :param sabotage: shell command that must make this step, a check, fail.
    :param prose: what stands above it, below the heading or block before; without Markdown's marks of lists.
    :param changes: in a runbook: what it changes, and where. A block with neither this nor ``destroys`` only reads.
    :param destroys: in a runbook: what is gone afterwards.
    :param until: in a runbook: anchor of the step from which on this check need not hold any more.
    :param way_back: whether it undoes its step; not run in page order.
    """

    id: str
    line: int
    language: str
    text: str
    kind: Class
    commands: tuple[Command, ...] = ()
    fails: str | None = None
    timeout: float | None = None
    reason: str | None = None
    title: str | None = None
    sabotage: str | None = None
    prose: str = ""
    changes: str | None = None
    destroys: str | None = None
    until: str | None = None
    way_back: bool = False

    @property
    def is_changing(self) -> bool:
        """Whether it does more than read."""
        return self.changes is not None or self.destroys is not None

    @property
    def decides(self) -> bool:
        """Whether it can come out wrong: it has a sabotage, or must print something in particular."""
        expected = (command.expected.text for command in self.commands if command.expected is not None)
        return self.sabotage is not None or any(line.strip(" .") for text in expected for line in text.splitlines())

    @property
    def is_check(self) -> bool:
        """Whether it only reads, and decides."""
        return self.decides and not self.is_changing


@dataclass(frozen=True)
class ChecklistItem:
    """A line of a checklist, ``- [ ] …``.

    :param manual: why only people can tell, or None.
    :param steps: ids of the blocks that belong to it; the last is its check.
    """

    line: int
    text: str
    manual: str | None
    steps: tuple[str, ...]


@dataclass(frozen=True)
class CodeSpan:
    """Inline code: something that must exist."""

    line: int
    text: str


@dataclass(frozen=True)
class FrontMatter:
    """What a page asks for before its first block.

    :param revision: the revision that its database starts at; ``base`` is an empty database.
    :param rows: ``sample`` or ``none``.
    :param services: names of ``[tool.backout.services]``.
    :param names: inline code that names something outside the repository, with the reason.
    """

    revision: str = "base"
    rows: Literal["sample", "none"] = "none"
    services: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Section:
    """A level-2 heading of a runbook, or one of its numbered steps, with what stands below.

    :param anchor: ``when``, ``before`` …; a step's own.
    :param line: of the heading.
    :param number: of a step, from 1; None: the section is none.
    :param text: its Markdown, without annotations; of *Steps* what stands above the first step.
    :param entries: blocks that are run and checklist items that people answer, in page order.
    :param way_back: the block that undoes the step.
    :param no_way_back: why nothing does.
    """

    anchor: str
    title: str
    line: int
    number: int | None
    text: str
    entries: tuple[Step | ChecklistItem, ...]
    way_back: Step | None = None
    no_way_back: str | None = None

    @property
    def blocks(self) -> tuple[Step, ...]:
        """What is run in page order."""
        return tuple(entry for entry in self.entries if isinstance(entry, Step))


@dataclass(frozen=True)
class Runbook:
    """What the front matter's table ``runbook`` says, and the sections.

    :param minutes: how long it takes, as expected.
    :param needs: variables of the environment (in capitals) and programs on PATH.
    :param destroys: text, or ``nothing``.
    :param incident: path, relative to the project, of the bash script that makes the incident real in the tests.
    :param examples: values that the tests give to variables of ``needs``.
    """

    when: str
    who: str
    environments: tuple[str, ...]
    minutes: float
    needs: tuple[str, ...]
    destroys: str
    incident: str | None
    examples: Mapping[str, str]
    sections: tuple[Section, ...]

    @property
    def steps(self) -> tuple[Section, ...]:
        """The numbered ones."""
        return tuple(section for section in self.sections if section.number is not None)

    def section(self, anchor: str) -> Section:
        """The section or step of that anchor."""
        return next(section for section in self.sections if section.anchor == anchor)

    def section_of(self, block: Step) -> Section:
        """Where a block stands."""
        return next(one for one in self.sections if block in (*one.blocks, one.way_back))


@dataclass(frozen=True)
class Page:
    """A Markdown file or a notebook under the page contract.

    :param path: relative to the project, with slashes.
    :param problems: everywhere the page breaks the contract; a page that has any is not run.
    :param title: the front matter's, else the path.
    :param runbook: None: the page is none.
    :param document: Sybil's; one example for each step, in order, whose ``parsed`` is the step.
    """

    path: str
    source: str
    front: FrontMatter
    steps: tuple[Step, ...]
    items: tuple[ChecklistItem, ...]
    spans: tuple[CodeSpan, ...]
    problems: tuple[PageError, ...]
    title: str
    runbook: Runbook | None
    document: Document = field(compare=False, repr=False)

    @property
    def is_notebook(self) -> bool:
        """Whether its blocks are the code cells of a notebook."""
        return self.path.endswith(SUFFIX)

    @property
    def runnable(self) -> tuple[Step, ...]:
        """The steps of class *run*, but for ways back."""
        return tuple(step for step in self.steps if step.kind == "run" and not step.way_back)

    def proof_point(self, check: Step) -> Step:
        """The step after which a check is sabotaged: the last of its checklist, or the check itself."""
        section = check.id.rpartition(".")[0]
        in_lists = {name for item in self.items for name in item.steps}
        listed = [step for step in self.runnable if step.id in in_lists and step.id.rpartition(".")[0] == section]
        return listed[-1] if check in listed else check
