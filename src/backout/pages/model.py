"""What the parse of a page finds: pages, steps, commands, checklist items. The names are those of the contract.

Everybody finds them in ``pages``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from sybil import Document

from backout.errors import PageError

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
class Page:
    """A Markdown file under the page contract.

    :param path: relative to the project, with slashes.
    :param problems: everywhere the page breaks the contract; a page that has any is not run.
    :param document: Sybil's; one example for each step, in order, whose ``parsed`` is the step.
    """

    path: str
    source: str
    front: FrontMatter
    steps: tuple[Step, ...]
    items: tuple[ChecklistItem, ...]
    spans: tuple[CodeSpan, ...]
    problems: tuple[PageError, ...]
    document: Document = field(compare=False, repr=False)

    @property
    def runnable(self) -> tuple[Step, ...]:
        """The steps of class *run*."""
        return tuple(step for step in self.steps if step.kind == "run")

    def proof_point(self, check: Step) -> Step:
        """The step after which a check is sabotaged: the last of its checklist, or the check itself."""
        section = check.id.rpartition(".")[0]
        in_lists = {name for item in self.items for name in item.steps}
        listed = [step for step in self.runnable if step.id in in_lists and step.id.rpartition(".")[0] == section]
        return listed[-1] if check in listed else check
