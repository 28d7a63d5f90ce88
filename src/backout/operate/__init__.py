"""An operator's run of a runbook: the page that was tested, run in the real world, asked and journalled.

Knows the order of things: what is shown, asked, run, written, and when it stops. A block is run and judged by
``execute``, as in the tests. How it looks is the terminal's, which is a few callables of who calls.

In the package: ``operate.briefing`` (what is said of a runbook), ``operate.past`` (what a journal says was done),
``operate.report`` (the same for people).
"""

from __future__ import annotations

import getpass
import os
import re
import shlex
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from backout import __version__, journal
from backout.configuration import Project
from backout.errors import ConfigurationError, PostgresError, Refused
from backout.execute import Result, Runner
from backout.journal import Journal
from backout.masking import Masking
from backout.operate.briefing import Tell, does, outline, overview, plain, show_block
from backout.operate.past import NEWEST, Past, past_of
from backout.operate.report import report
from backout.pages import ChecklistItem, Page, Runbook, Section, Step, read_page
from backout.postgres import RealDatabase, real_database
from backout.postgres.cluster import run_folder
from backout.production import database_url
from backout.record import text_hash
from backout.repository import commit_of
from backout.worlds import missing_needs, real_world

__all__ = ["NEWEST", "Operator", "Order", "find_runbook", "operate", "report"]

KEPT_LINES = 40  # of a block's output, in the journal


@dataclass(frozen=True)
class Order:
    """What is asked for.

    :param environment: its name, one of the runbook's.
    :param yes: answers for everything that destroys nothing.
    :param from_step: number or anchor of the step to begin with.
    :param resume: a journal, or :data:`NEWEST`; None: a new run.
    """

    environment: str
    yes: bool = False
    dry_run: bool = False
    step_by_step: bool = False
    from_step: str | None = None
    resume: str | None = None


@dataclass(frozen=True)
class Operator:
    """Who is told and asked.

    :param tell: shows a text; its style is one of ``briefing.Style``.
    :param ask: asks a question and returns what was typed; None: nobody is there, or has hung up.
    :param is_there: whether somebody can be asked.
    """

    tell: Tell
    ask: Callable[[str], str | None]
    is_there: bool


def find_runbook(project: Project, name: str) -> Page:
    """The runbook of a path, or of a file's name in ``runbooks`` without ``.md``.

    :raises ConfigurationError: there is none, it is no runbook, or it breaks the page contract; tells every problem.
    """
    folder = project.root / "runbooks"
    path = next((one for one in (Path(name), folder / f"{name}.md") if one.is_file()), None)
    if path is None:
        known = ", ".join(sorted(one.stem for one in folder.glob("*.md") if _is_runbook(one, project))) or "none"
        raise ConfigurationError(f"there is no runbook {name!r}; runbooks has {known}")
    path = path.resolve()
    if not path.is_relative_to(project.root):
        raise ConfigurationError(f"{path} does not lie in the project {project.root}; run backout in its project")
    page = read_page(path, project.root)
    if page.problems:
        told = "".join(f"\n    {problem}" for problem in page.problems)
        raise ConfigurationError(f"{page.path} breaks the page contract, and nothing of it is run:{told}")
    if page.runbook is None:
        raise ConfigurationError(f"{page.path} is a page and no runbook: its front matter has no runbook: table")
    return page


def operate(page: Page, project: Project, order: Order, operator: Operator) -> int:
    """Run a runbook, from asking to the end.

    :return: 0: it came to its end; 1: a block failed, or the operator stopped; 128 + the signal that ended it.
    :raises Refused: before anything is run, or where nobody can be asked.
    :raises BackoutError: the journal cannot be written any more.
    """
    runbook = page.runbook
    assert runbook is not None
    if order.environment not in runbook.environments:
        raise Refused(
            f"{page.path} is not for {order.environment}: it names {', '.join(runbook.environments)}; nothing was run"
        )
    sections = _from(runbook, order.from_step)
    with ExitStack() as stack:
        database, trouble = _database(runbook, stack)
        state = run_folder(stack) / "state"
        state.mkdir()
        world = real_world(project, database, state)
        missing = [*missing_needs(page, world.environment), *trouble]
        if missing:
            told = "".join(f"\n    {one}" for one in missing)
            raise Refused(f"{page.path} needs what is not there, and nothing was run:{told}")
        masking = _masking(project, database)
        operator = Operator(_masked(operator.tell, masking), operator.ask, operator.is_there)
        overview(page, order.environment, database.description if database else "no database", operator.tell)
        if order.dry_run:
            outline(sections, operator.tell)
            return 0
        where = _identity(database)
        past = None
        if order.resume is not None:
            past = past_of(page, order.environment, where, journal.directory(project.root), order.resume)
            sections = _from(runbook, past.from_step)
            log = journal.resume(past.record, masking)
            log.write("resume", who=_who(), backout=__version__, state=str(state))
        else:
            log = journal.create(
                journal.directory(project.root),
                f"run-{Path(page.path).stem}",
                masking,
                runbook=page.path,
                title=page.title,
                sha256=text_hash(page.source),
                commit=commit_of(project.root),
                environment=order.environment,
                database=where,
                backout=__version__,
                who=_who(),
                from_step=order.from_step,
                state=str(state),
            )
        operator.tell(f"Journal: {_shown(log.path)}", "quiet")
        runner = Runner(page, world)
        stack.callback(runner.close)
        with log:
            return _Run(page, order, operator, log, runner, past).walk(sections)


class _Stopped(BaseException):
    """A signal came; not to be taken for an error."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


class _Ended(Exception):  # noqa: N818 - the end of the walk
    """The walk ends here: a block failed, or the operator wants to stop."""

    def __init__(self, outcome: str, reason: str) -> None:
        super().__init__(reason)
        self.outcome = outcome


class _Gate:
    """Signals that would end the program end the walk instead, but never within an event of the journal."""

    def __init__(self) -> None:
        self._shut = False
        self._waiting: int | None = None

    @contextmanager
    def installed(self) -> Iterator[None]:
        before = {}
        if threading.current_thread() is threading.main_thread():  # elsewhere Python cannot
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                before[number] = signal.signal(number, self._handle)
        try:
            yield
        finally:
            for number, previous in before.items():
                signal.signal(number, previous)

    @contextmanager
    def shut(self) -> Iterator[None]:
        self._shut = True
        yield
        self._shut = False
        if self._waiting is not None:
            raise _Stopped(self._waiting)

    def close(self) -> None:
        """From now on nothing comes through: the end takes moments, and must not be left half written."""
        self._shut = True

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        if self._shut:
            self._waiting = number
        else:
            raise _Stopped(number)


class _Run:
    """One walk through the sections."""

    def __init__(
        self, page: Page, order: Order, operator: Operator, log: Journal, runner: Runner, past: Past | None
    ) -> None:
        self.page, self.order, self.operator = page, order, operator
        self.log, self.runner, self.past = log, runner, past
        self.gate = _Gate()
        self.done: list[str] = []
        self.skipped: list[str] = []
        self.running: Step | None = None

    def walk(self, sections: Sequence[Section]) -> int:
        with self.gate.installed():
            try:
                for section in sections:
                    self._section(section)
                self.gate.close()
            except _Ended as end:
                self.gate.close()
                self.log.end(end.outcome, reason=str(end))
                self._farewell(str(end), failed=end.outcome == "failed")
                return 1
            except _Stopped as stop:
                self.gate.close()
                self._interrupted(stop)
                return 128 + stop.number
            except Refused as refusal:
                self.gate.close()
                self.log.end("refused", reason=str(refusal))
                raise Refused(f"{refusal}; go on with: {self._command()}") from None
            self.log.end("done", skipped=self.skipped)
        if self.skipped:
            self.operator.tell(f"Done, but for what was skipped: {', '.join(self.skipped)}", "failed")
        else:
            self.operator.tell("Done.", "passed")
        return 0

    def _write(self, event: str, **facts: Any) -> None:
        with self.gate.shut():
            self.log.write(event, **facts)

    # -- sections and what they hold ----------------------------------------------------------------

    def _section(self, section: Section) -> None:
        if section.anchor == "if-it-fails":
            return
        number = f"{section.number}. " if section.number is not None else ""
        self.operator.tell(f"{number}{section.title}", "title")
        if section.number is None and section.anchor != "before" and section.text and not section.entries:
            self.operator.tell(plain(section.text), "plain")
        for entry in section.entries:
            if entry is not section.entries[0]:
                self.operator.tell("", "plain")
            if isinstance(entry, ChecklistItem):
                self._manual(section, entry)
            else:
                self._block(section, entry)

    def _manual(self, section: Section, item: ChecklistItem) -> None:
        name = f"{section.anchor}: {item.text}"
        if self.past is not None and name in self.past.answered:
            self.operator.tell(f"answered before: {item.text}", "quiet")
            return
        self.operator.tell(f"{item.text} ({item.manual})", "plain")
        answer = "yes" if self.order.yes else self._ask(name, "[y]es, [n]o: ", {"y": "yes", "n": "no"})
        self._write("answered", id=name, answer=answer, by="--yes" if self.order.yes else "operator")
        if answer == "no":
            raise _Ended("failed", f"{self.page.path}:{item.line}: you said no to {item.text!r}")

    def _block(self, section: Section, block: Step) -> None:
        past = self.past
        again = past is not None and block.id in past.done
        if past is not None and again and not past.asks_again(section, block):
            self.operator.tell(f"{block.id}: done before", "quiet")
            self.done.append(block.id)
            return
        cut = past is not None and block.id in past.cut
        show_block(block, section, self.operator.tell)
        if not self._may_run(block, cut=cut):
            self.skipped.append(block.id)
            self._write("skipped", id=block.id, section=section.anchor)
            self.operator.tell("skipped", "quiet")
            return
        self._write("begun", id=block.id, section=section.anchor, does=does(block), again=again)
        self.running = block
        result = self.runner.run(block, watch=lambda line: self.operator.tell(line.rstrip("\n"), "output"))
        self.running = None
        self._note(block, result)
        if result.outcome != "passed":
            hint = "\nthe symptom does not show: look for another runbook, or begin with --from-step 1"
            raise _Ended("failed", result.message + (hint if section.anchor == "when" else ""))
        self.done.append(block.id)
        self.operator.tell(f"passed in {result.seconds:.1f} s", "passed")

    def _note(self, block: Step, result: Result) -> None:
        self._write(
            "ended",
            id=block.id,
            outcome=result.outcome,
            seconds=round(result.seconds, 3),
            output="\n".join(result.output.splitlines()[-KEPT_LINES:]),
            message=result.message,
        )

    # -- questions ----------------------------------------------------------------------------------

    def _may_run(self, block: Step, *, cut: bool) -> bool:
        """Whether a block shall be run; asks where that is for people to say."""
        if not block.is_changing and (not self.order.step_by_step or self.order.yes):
            return True
        if cut and block.is_changing:
            self.operator.tell(
                "It was running when the run was cut off: nobody knows how far it came. Look before you answer.",
                "destroys",
            )
        elif self.order.yes and block.destroys is None:
            self._write("answered", id=block.id, answer="run", by="--yes")
            return True
        word = "destroy" if block.destroys is not None else "r"
        question = "type destroy to run it, [s]kip, [q]uit: " if block.destroys else "[r]un, [s]kip, [q]uit: "
        answer = self._ask(block.id, question, {word: "run", "s": "skip", "q": "quit"}, block)
        self._write("answered", id=block.id, answer=answer, by="operator")
        if answer == "quit":
            raise _Ended("stopped", f"you quit before {block.id}")
        return answer == "run"

    def _ask(self, name: str, question: str, answers: Mapping[str, str], block: Step | None = None) -> str:
        if not self.operator.is_there:
            raise Refused(_nobody(name, block, cut=self.past is not None and name in self.past.cut))
        while True:
            typed = self.operator.ask(question)
            if typed is None:
                raise _Ended("stopped", f"nobody answered for {name}")
            word = typed.strip().lower()
            for key, answer in answers.items():
                if word in (key, answer) and (answer != "run" or key != "destroy" or word == key):
                    return answer

    # -- ends ---------------------------------------------------------------------------------------

    def _interrupted(self, stop: _Stopped) -> None:
        """End the running block, write that down, and only then say so: the terminal may be gone."""
        block = self.running
        if block is not None:
            self.runner.interrupt()
            self.log.write("ended", id=block.id, outcome="interrupted", seconds=0.0, output="", message=str(stop))
        self.log.end("stopped", reason=str(stop))
        with suppress(OSError, ValueError):
            what = f"stopped in {block.id}, whose processes were ended" if block else "stopped between two blocks"
            self._farewell(f"{what} ({stop})", failed=block is not None)

    def _farewell(self, reason: str, *, failed: bool) -> None:
        tell = self.operator.tell
        tell(reason, "failed")
        tell(f"Done so far: {', '.join(self.done) or 'nothing'}", "plain")
        if self.skipped:
            tell(f"Skipped: {', '.join(self.skipped)}", "plain")
        if failed:
            assert self.page.runbook is not None
            tell("If it fails", "title")
            tell(plain(self.page.runbook.section("if-it-fails").text), "plain")
        tell("To go on:", "plain")
        tell(self._command(), "command")

    def _command(self) -> str:
        path = Path(self.page.path)
        name = path.stem if path.parent == Path("runbooks") else self.page.path
        return shlex.join(["backout", "run", name, "--env", self.order.environment, "--resume", _shown(self.log.path)])


def _nobody(name: str, block: Step | None, *, cut: bool) -> str:
    if block is not None and block.destroys is not None:
        return (
            f"the block {name} destroys {block.destroys}, and nobody can be asked: standard input is no terminal, and "
            "no option answers for it; run it in a terminal"
        )
    if cut:
        return (
            f"the block {name} was running when the run was cut off, and nobody can be asked whether to run it again: "
            "standard input is no terminal"
        )
    what = f"the block {name} changes {block.changes}" if block is not None and block.changes else f"{name!r} is asked"
    return f"{what}, and nobody can be asked: standard input is no terminal; --yes answers for what destroys nothing"


def _is_runbook(path: Path, project: Project) -> bool:
    return read_page(path, project.root).runbook is not None


def _from(runbook: Runbook, step: str | None) -> tuple[Section, ...]:
    """The sections to walk: all, or the checks before the start and then from a step on.

    :raises ConfigurationError: there is no such step.
    """
    if step is None:
        return runbook.sections
    found = next((one for one in runbook.steps if step in (one.anchor, str(one.number))), None)
    if found is None:
        known = ", ".join(f"{one.number} ({one.anchor})" for one in runbook.steps)
        raise ConfigurationError(f"there is no step {step!r}; there are {known}")
    steps = runbook.section("steps")
    return (runbook.section("before"), steps, *runbook.sections[runbook.sections.index(found) :])


def _database(runbook: Runbook, stack: ExitStack) -> tuple[RealDatabase | None, list[str]]:
    """The database that ``DATABASE_URL`` names, or why one that is needed cannot be reached."""
    if not os.environ.get("DATABASE_URL", "").strip():
        return None, []
    try:
        return stack.enter_context(real_database(database_url())), []
    except PostgresError as error:
        # A runbook for a database that is down does not need it.
        return None, [str(error)] if "DATABASE_URL" in runbook.needs else []


def _identity(database: RealDatabase | None) -> dict[str, str] | None:
    if database is None:
        return None
    parameters = database.parameters
    host, port = parameters.get("host", "localhost"), parameters.get("port", "5432")
    return {"name": database.name, "host": host, "port": port, "user": parameters["user"]}


def _masking(project: Project, database: RealDatabase | None) -> Masking:
    masking = Masking(os.environ, project.secrets)
    if database is not None and "passfile" in database.parameters:
        for line in Path(database.parameters["passfile"]).read_text(encoding="utf-8").splitlines():
            *_, password = re.split(r"(?<!\\):", line)
            masking.add(re.sub(r"\\(.)", r"\1", password))
    return masking


def _masked(tell: Tell, masking: Masking) -> Tell:
    return lambda text, style: tell(masking.hide(text), style)


def _who() -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"


def _shown(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
