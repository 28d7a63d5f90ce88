"""Runs the steps of one page, in order, in a world of its own, and compares what they print.

A block is run in one way, by :class:`Runner`, whether the tests or an operator want it. The blocks of a runbook start
afresh: only files and the database go from one to the next, so that an operator can leave, and come back, between any
two of them. The engine knows neither pytest nor the terminal: it answers with outcomes.
"""

import codecs
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from backout import transcript
from backout.configuration import Project
from backout.contents import Contents, Locked, compare, contents
from backout.errors import BackoutError
from backout.pages import Command, Expected, Page, Section, Step
from backout.postgres import Database, Server
from backout.record import Outcome
from backout.repository import hash_of, repository_files
from backout.sessions import READ_ONLY, Interpreter, Kernel, Ran, Shell, Watch
from backout.worlds import DisposableWorld, World

# Ends that no block may ask for.
_NEVER_WANTED = {
    "timeout": "was stopped after {seconds:g} s, its time-out",
    "gone": "ended the page's own shell or Python, in which the blocks behind it would run",
}


@dataclass(frozen=True)
class Result:
    """What became of a step.

    :param message: of a failure: ``page.md:line``, what was expected and what was seen; else empty.
    :param updates: expected outputs that differ from what was printed, and what was.
    :param status: of the last command that was run, as :class:`Ran` has it; empty where none was.
    :param output: what the commands printed.
    """

    outcome: Outcome
    message: str = ""
    updates: tuple[tuple[Expected, str], ...] = ()
    status: str = field(default="", compare=False)
    output: str = field(default="", compare=False)
    seconds: float = field(default=0.0, compare=False)


class Runner:
    """Runs blocks of a page in a world, one after another; the one way to run one."""

    def __init__(self, page: Page, world: World) -> None:
        self._page = page
        self._world = world
        self._afresh = page.runbook is not None
        self._opened: list[Shell | Interpreter | Kernel] = []
        self._shell: Shell | None = None
        self._python: Interpreter | None = None
        self._kernel: Kernel | None = None

    def run(self, step: Step, *, keep: bool = False, update: bool = False, watch: Watch | None = None) -> Result:
        """Run a block and judge it.

        :param keep: whether what it does to the page's shell stays; never in a runbook.
        :param update: take printed output that differs for the new expectation instead of failing.
        :param watch: called with each line that is printed, while it runs.
        """
        updates: list[tuple[Expected, str]] = []
        output, seconds, status = "", 0.0, ""
        for command in step.commands:
            wanted = step.fails if step.fails is not None and command is step.commands[-1] else "0"
            ran = self._command(step, command, keep=keep and wanted == "0", watch=watch)
            output, seconds, status = output + ran.output, seconds + ran.seconds, ran.status
            problem = self._judge(command, ran, wanted, step)
            if problem is None:
                continue
            if update and command.expected is not None and ran.status == wanted:
                updates.append((command.expected, transcript.updated(command.expected.text, ran.output)))
                continue
            return Result("failed", problem, status=status, output=output, seconds=seconds)
        return Result("passed", updates=tuple(updates), status=status, output=output, seconds=seconds)

    def shell(self, text: str, timeout: float | None) -> Ran:
        """Run shell commands that are no block, and leave the shell as it is."""
        return self._open_shell().run(text, timeout=timeout or self._world.timeout, keep=False)

    def interrupt(self) -> None:
        """Have what is running end by itself, as with Ctrl-C, then close."""
        for opened in self._opened:
            opened.interrupt()

    def close(self) -> None:
        """End what the blocks have left running."""
        for opened in reversed(self._opened):
            opened.close()

    def _command(self, step: Step, command: Command, *, keep: bool, watch: Watch | None) -> Ran:
        timeout = step.timeout or self._world.timeout
        # In a runbook, what does not say that it changes anything cannot, by mistake.
        options = " ".join(filter(None, (self._world.environment.get("PGOPTIONS"), READ_ONLY)))
        if self._page.is_notebook:
            return self._open_kernel().run(timeout=timeout, watch=watch)
        variables = {"PGOPTIONS": options} if self._afresh and not (step.is_changing or step.way_back) else {}
        if step.language == "python":
            interpreter = self._interpreter(variables)
            return interpreter.run(command.text, name=self._page.path, line=command.line, timeout=timeout, watch=watch)
        shell = self._open_shell()
        if step.language == "sql":
            return shell.sql(command.text, timeout=timeout, variables=variables, watch=watch)
        keep = keep and not self._afresh
        return shell.run(command.text, timeout=timeout, keep=keep, variables=variables, watch=watch)

    def _judge(self, command: Command, ran: Ran, wanted: str, step: Step) -> str | None:
        where = f"{self._page.path}:{command.line + (ran.line or 1) - 1}"
        if ran.status != wanted or ran.status in _NEVER_WANTED:
            lines = command.text.splitlines()
            text = lines[(ran.line or 1) - 1].strip() if ran.line and ran.line <= len(lines) else lines[0].strip()
            seen = _NEVER_WANTED.get(ran.status, "ended with {status}, not with {wanted}").format(
                status=ran.status, wanted=wanted, seconds=step.timeout or self._world.timeout
            )
            return f"{where}: {text!r} {seen}; it printed{_quoted(ran.output)}"
        if command.expected is None or transcript.matches(command.expected.text, ran.output):
            return None
        return (
            f"{where}: {command.text.splitlines()[0].strip()!r} printed something else than the page says\n"
            + transcript.difference(command.expected.text, ran.output, path=self._page.path, line=command.expected.line)
        )

    def _open_shell(self) -> Shell:
        if self._shell is None or (self._afresh and not self._shell.is_alive):
            world = self._world
            self._shell = Shell(
                state=world.state, cwd=world.cwd, environment=world.environment, patience=world.patience
            )
            self._opened.append(self._shell)
        return self._shell

    @property
    def executed(self) -> Path:
        """A notebook with what its cells have shown so far."""
        return self._world.state / "executed.ipynb"

    def _open_kernel(self) -> Kernel:
        if self._kernel is None:
            world = self._world
            notebook = world.cwd / self._page.path
            shutil.copyfile(notebook, self.executed)
            # Where Jupyter runs it: beside the notebook.
            self._kernel = Kernel(
                self.executed,
                state=world.state,
                cwd=notebook.parent,
                environment=world.environment,
                patience=world.patience,
            )
            self._opened.append(self._kernel)
        return self._kernel

    def _interpreter(self, variables: Mapping[str, str]) -> Interpreter:
        if self._python is None or self._afresh:
            world = self._world
            self._python = Interpreter(
                state=world.state,
                cwd=world.cwd,
                environment={**world.environment, **variables},
                patience=world.patience,
            )
            self._opened.append(self._python)
        return self._python


class PageRun:
    """One run of one page in a disposable world; a context manager that leaves nothing behind.

    :param update: take printed output that differs for the new expectation instead of failing.
    :param scratch: an empty directory that this run may fill; removed at the end.
    :param incident: whether a runbook's incident is made real.
    :param told: what an incident has written elsewhere, for a run without.
    """

    def __init__(
        self,
        page: Page,
        project: Project,
        server: Server,
        *,
        scratch: Path,
        update: bool = False,
        incident: bool = True,
        told: Mapping[str, str] | None = None,
    ) -> None:
        self.page = page
        self.update = update
        self.scratch = scratch
        self.results: dict[str, Result] = {}
        self.world = DisposableWorld(page, project, server, scratch=scratch, incident=incident, told=told)
        self.work = self.world.work
        self._runner: Runner | None = None
        self._unsabotaged: tuple[int, dict[str, bool]] | None = None
        self._elsewhere = 0

    def __enter__(self) -> "PageRun":
        return self

    def __exit__(self, *_: object) -> None:
        if self._runner is not None:
            self._runner.close()
        self.world.close()

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables that every process of the page gets."""
        return self.world.open().environment

    @property
    def database(self) -> Database:
        """The page's database, as its steps have left it."""
        return self.world.database

    def executed(self) -> str:
        """A notebook, as JSON, with what its cells have shown so far."""
        return self._open().executed.read_text(encoding="utf-8")

    # -- steps --------------------------------------------------------------------------------------

    def reach(self, step: Step) -> Result:
        """Run every step up to and with this one that was not run yet; the result of this one.

        A page stops at its first failure; what comes after it is *not reached*.
        """
        for earlier in self.page.runnable:
            if earlier.id not in self.results:
                self.results[earlier.id] = self._next(earlier)
            if earlier.id == step.id:
                break
        return self.results[step.id]

    def reach_end(self) -> Result | None:
        """Run what is left; the failure that stopped the page, or None."""
        if self.page.runnable:
            self.reach(self.page.runnable[-1])
        return self._failure()

    def _failure(self) -> Result | None:
        return next((result for result in self.results.values() if result.outcome == "failed"), None)

    def _next(self, step: Step) -> Result:
        failed = next((name for name, result in self.results.items() if result.outcome == "failed"), None)
        if failed is not None:
            return Result("not reached", f"not reached: {self.page.path} stopped at {failed}")
        try:
            runner = self._open()
        except BackoutError as error:
            return Result("failed", f"{self.page.path}:{step.line}: the page's world could not be made: {error}")
        return runner.run(step, keep=True, update=self.update)

    def trial(self, step: Step) -> Result:
        """Run a step, not necessarily of the page, as the next one, and put database and files back."""
        runner = self._open()
        with self.world.kept():
            return runner.run(step)

    # -- proofs that a check can fail ---------------------------------------------------------------

    def prove(self, check: Step) -> Result:
        """Show that the check's sabotage makes this check fail, and no other check of the page.

        The page is brought to the end of the check's list first; database and files are put back.
        """
        assert check.sabotage is not None
        point = self.page.proof_point(check)
        if self.reach(point).outcome != "passed":
            return Result("not reached", f"not reached: {self.page.path} stopped before {check.id} could be sabotaged")
        if any(result.updates for result in self.results.values()):
            return Result("not reached", f"not reached: {self.page.path} is being updated; run it again")
        with self._ground(point) as ground:
            return ground if isinstance(ground, Result) else ground._prove(check)

    def _prove(self, check: Step) -> Result:
        where = f"{self.page.path}:{check.line}"
        before = self._checks_before()
        if not before[check.id]:
            return Result("failed", f"{where}: the check {check.id} fails at the end of its list, unsabotaged")
        assert check.sabotage is not None
        ran = self._open().shell(check.sabotage, check.timeout)
        if ran.status != "0":
            told = f"the sabotage {check.sabotage!r} ended with {ran.status}; it printed{_quoted(ran.output)}"
            return Result("failed", f"{where}: {told}")
        after = self._checks()
        others = [name for name, passes in before.items() if name != check.id and passes != after[name]]
        problem = None
        if after[check.id]:
            problem = f"the check {check.id} still passes after {check.sabotage!r}; it cannot fail"
        elif others:
            problem = (
                f"the sabotage {check.sabotage!r} also changes {', '.join(others)}; "
                "it must change only the fact that its own check is about"
            )
        return Result("failed", f"{where}: {problem}") if problem else Result("passed")

    def _checks_before(self) -> dict[str, bool]:
        """The checks as they are, unsabotaged; once for all checks that are sabotaged at this point."""
        if self._unsabotaged is None or self._unsabotaged[0] != len(self.results):
            self._unsabotaged = (len(self.results), self._checks())
        return self._unsabotaged[1]

    def _checks(self) -> dict[str, bool]:
        return self._passing([step for step in self.page.runnable if step.sabotage is not None])

    def _passing(self, checks: Sequence[Step]) -> dict[str, bool]:
        runner = self._open()
        return {step.id: runner.run(step).outcome == "passed" for step in checks}

    # -- proofs about a runbook ---------------------------------------------------------------------

    def prove_incident(self) -> Result:
        """Show that the symptom under *When* shows with the incident, and not without."""
        assert self.page.runbook is not None
        symptom = self.page.runbook.section("when").blocks
        if self.reach(symptom[-1]).outcome != "passed":
            return Result("not reached", f"not reached: {self.page.path} does not show the symptom of its incident")
        where = f"{self.page.path}:{symptom[0].line}"
        with self._other(incident=False) as bare:
            try:
                bare.world.open()
            except BackoutError as error:
                return Result("failed", f"{where}: a world without the incident could not be made: {error}")
            last = bare.reach(symptom[-1])
            shown = [bare.results[block.id] for block in symptom]
        if last.outcome == "passed":
            return Result("failed", f"{where}: the symptom also shows without the incident, so that it tells nothing")
        stopped = next(result for result in shown if result.outcome == "failed")
        if stopped.status in _NEVER_WANTED:
            return Result("failed", f"{where}: without the incident the symptom did not come out: {stopped.message}")
        return Result("passed")

    def prove_way_back(self, section: Section) -> Result:
        """Show that the way back of a step undoes it: database, files that were there, and what the checks say."""
        assert section.way_back is not None
        assert section.blocks[0].id not in self.results, "the page is beyond the step that is to be undone"
        before = self.page.runnable[: self.page.runnable.index(section.blocks[0])]
        if before and self.reach(before[-1]).outcome != "passed":
            where = f"{self.page.path} stopped before {section.anchor}"
            return Result("not reached", f"not reached: {where} could be undone")
        if any(result.updates for result in self.results.values()):
            return Result("not reached", f"not reached: {self.page.path} is being updated; run it again")
        try:
            with self._ground(before[-1] if before else None) as ground:
                return ground if isinstance(ground, Result) else ground._prove_way_back(section)
        except BackoutError as error:
            return Result("failed", f"{self.page.path}:{section.way_back.line}: the way back was not proved: {error}")

    def _prove_way_back(self, section: Section) -> Result:
        assert section.way_back is not None
        where = f"{self.page.path}:{section.way_back.line}"
        runner = self._open()
        try:
            before = self._state(section)
        except Locked:  # by the incident; what it does to rows and schema stays
            self.world.end_incident()
            before = self._state(section)
        for block in section.blocks:
            result = runner.run(block)
            if result.outcome != "passed":
                return Result("failed", f"{where}: the step could not be run, to be undone: {result.message}")
        between = self._state(section)
        result = runner.run(section.way_back)
        if result.outcome != "passed":
            return result
        if not _differences(before, between):
            return Result(
                "failed",
                f"{where}: the step changes nothing that this proof sees (schema, rows, sequences, files that were "
                "there, what its checks say), so that nothing shows that the way back leads back; add a check to the "
                "step that fails before it, or say <!-- no way back: reason -->",
            )
        differences = _differences(before, self._state(section))
        if differences:
            told = "".join(f"\n    {line}" for line in differences)
            return Result("failed", f"{where}: the way back does not lead back:{told}")
        return Result("passed")

    def prove_again(self, section: Section) -> Result:
        """Show that the checks of the steps before hold after this step: a resumed run asks them again."""
        assert self.page.runbook is not None
        if section.blocks and self.reach(section.blocks[-1]).outcome != "passed":
            return Result("not reached", f"not reached: {self.page.path} stopped before the end of {section.anchor}")
        if any(result.updates for result in self.results.values()):
            return Result("not reached", f"not reached: {self.page.path} is being updated; run it again")
        runner = self._open()
        for check in lasting_checks(self.page, section):
            result = runner.run(check)
            if result.outcome != "passed":
                return Result(
                    "failed",
                    f"{self.page.path}:{check.line}: the check {check.id} does not hold any more after the step "
                    f"{section.anchor}, and a run that is resumed there would stop at it; say <!-- until: "
                    f"{section.anchor} --> above it, if that is right: {result.message}",
                )
        return Result("passed")

    def _state(self, section: Section) -> "_State":
        return _State(
            contents=contents(self.database.url, self.environment),
            files={path.as_posix(): hash_of(self.work, [path]) for path in repository_files(self.work)},
            checks=self._passing([block for block in section.blocks if block.is_check]),
        )

    @contextmanager
    def _ground(self, point: Step | None) -> Iterator["PageRun | Result"]:
        """Where something can be tried at a point of the page, which this run has reached, and is then taken back.

        This run's own world, put back; where an incident goes on in that, which would end with its sessions, another
        world that is brought to the same point. A result: that did not get there.
        """
        self._open()
        if not self.world.is_lively:
            with self.world.kept():
                yield self
            return
        with self._other() as other:
            reached = other.reach(point) if point is not None else None
            if reached is not None and reached.outcome != "passed":
                told = f"{self.page.path} passed and, run once more, did not: {other._failure() or reached}"
                yield Result("failed", told)
                return
            yield other

    @contextmanager
    def _other(self, *, incident: bool = True) -> Iterator["PageRun"]:
        self._elsewhere += 1
        scratch = self.scratch / f"other{self._elsewhere}"
        scratch.mkdir()
        world = self.world
        told = {} if incident else world.told
        with PageRun(self.page, world.project, world.server, scratch=scratch, incident=incident, told=told) as other:
            yield other

    def _open(self) -> Runner:
        if self._runner is None:
            self._runner = Runner(self.page, self.world.open())
        return self._runner


def lasting_checks(page: Page, section: Section) -> list[Step]:
    """The checks of the steps before this one that hold once it has begun: a resumed run asks them again."""
    assert page.runbook is not None
    anchors = [one.anchor for one in page.runbook.sections]
    now = anchors.index(section.anchor)
    return [
        block
        for step in page.runbook.steps
        if anchors.index(step.anchor) < now
        for block in step.blocks
        if block.is_check and (block.until is None or anchors.index(block.until) > now)
    ]


@dataclass(frozen=True)
class _State:
    """What a way back must restore.

    :param files: hash of each file of the working copy.
    :param checks: of the step; whether each passes.
    """

    contents: Contents
    files: Mapping[str, str]
    checks: Mapping[str, bool]


def _differences(before: _State, after: _State) -> list[str]:
    """What differs, for people. A new file is none: a dump may stay."""
    files = [
        f"the file {name} is gone or changed" for name in before.files if after.files.get(name) != before.files[name]
    ]
    checks = [
        f"the check {name} {'passed' if passed else 'failed'} before the step"
        for name, passed in before.checks.items()
        if after.checks[name] != passed
    ]
    return [*compare(before.contents, after.contents), *files, *checks]


def _quoted(output: str) -> str:
    return "".join(f"\n    {line}" for line in output.rstrip().splitlines()[-40:]) or " nothing"


def write_updates(page: Page, results: Mapping[str, Result], path: Path) -> int:
    """Rewrite the expected outputs of a page that differ from what was printed; how many there were."""
    updates = sorted(
        (update for result in results.values() for update in result.updates), key=lambda update: -update[0].start
    )
    text = page.source
    for expected, printed in updates:
        lines = printed.splitlines()
        block = "".join((expected.indent + line if line.strip() else "") + "\n" for line in lines)
        text = text[: expected.start] + block + text[expected.end :]
    if updates:
        before = path.read_bytes()
        newline = b"\r\n" if b"\r\n" in before else b"\n"
        mark = codecs.BOM_UTF8 if before.startswith(codecs.BOM_UTF8) else b""
        path.write_bytes(mark + text.encode().replace(b"\n", newline))
    return len(updates)
