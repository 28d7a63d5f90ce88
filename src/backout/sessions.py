"""The long-lived processes of a page: one bash, and one Python or a notebook's kernel, which keep their state.

They run text and tell status, output and the failing line; they know nothing of pages, of expected
output or of databases. ``worlds``, ``execute`` and ``operate`` may import it.

Both write to one file, the *terminal*; a step's output is what was added to it meanwhile. A file, not
a pipe: a process left in the background can neither block the page nor keep it from ending. Who wants to see the
output as it comes is told of each line.
"""

import json
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from queue import Empty, Queue
from threading import Thread

import psutil

import backout.interpreter
import backout.kernel
from backout.errors import BackoutError
from backout.processes import started

_MARK = "BACKOUT_STATE"  # every process of a page inherits it
_ENDED = "ended"
_LEAVE = 10.0  # seconds that a notebook's kernel has to end by itself
_GLANCE = 0.1  # seconds between two looks at what was printed, where somebody wants to see it
# For PGOPTIONS: a guard against mistakes. libpq's clients read only; backout's own commands take it off again.
READ_ONLY = "-c default_transaction_read_only=on"
Watch = Callable[[str], object]

# `run` sources a step in the shell itself, so that its variables, functions and directory stay. `try`
# sources it in a subshell, which may fail without ending the shell. Either way a failing command ends
# the step, and the lines and files of its calls are left in $BACKOUT_STATE/failed. Sourced at top level:
# within a function, `declare` would be local.
_DRIVER = r"""
BACKOUT_TRAP='printf "%s\n" "$LINENO" "${BASH_LINENO[@]}" "${BASH_SOURCE[@]}" >|"$BACKOUT_STATE/failed"'
while IFS= read -r BACKOUT_ORDER; do
  if [ "${BACKOUT_ORDER%% *}" = run ]; then
    trap "$BACKOUT_TRAP" ERR
    set -Eeuo pipefail
    source "${BACKOUT_ORDER#* }" </dev/null >>"$BACKOUT_STATE/terminal" 2>&1
    BACKOUT_STATUS=$?  # `! true` as the last command ends nothing, and is no success
    set +Eeuo pipefail
    trap - ERR
  else
    (
      source "$BACKOUT_STATE/variables"
      trap "$BACKOUT_TRAP" ERR
      set -Eeuo pipefail
      source "${BACKOUT_ORDER#* }"
    ) </dev/null >>"$BACKOUT_STATE/terminal" 2>&1
    BACKOUT_STATUS=$?
  fi
  printf '%s\n' "$BACKOUT_STATUS"
done
"""


@dataclass(frozen=True)
class Ran:
    """What became of a text that was run.

    :param status: exit status, SQLSTATE or exception name; ``"0"`` when it ended well; ``"timeout"``;
        ``"gone"`` where the text ended the process itself, so that nothing can be run behind it.
    :param output: what it printed, standard output and standard error as they came.
    :param line: line of the failing command within the text, from 1, or None.
    :param seconds: how long it took.
    """

    status: str
    output: str
    line: int | None
    seconds: float


# What psql tells only for being asked for the SQLSTATE; a reader's does not.
_STATE_TOLD = re.compile(r"^([A-Z]+:  )[0-9A-Z]{5}: ", re.MULTILINE)
_ASKED = re.compile(r"^(?:LOCATION|(?:SCHEMA|TABLE|COLUMN|DATATYPE|CONSTRAINT) NAME):  .*\n", re.MULTILINE)


class Shell:
    """A bash that keeps its state: variables, functions, working directory, background jobs.

    :param state: a folder for what is run and printed; every process is marked with it.
    :param patience: seconds that processes have to end by themselves when they are interrupted or out of time.
    """

    def __init__(self, *, state: Path, cwd: Path, environment: Mapping[str, str], patience: float = 0) -> None:
        (state / "variables").touch()
        self._process = _Process(
            ["bash", "--noprofile", "--norc", "-c", _DRIVER],
            state=state,
            cwd=cwd,
            environment=environment,
            patience=patience,
        )
        self._state = state
        self._steps = 0

    @property
    def is_alive(self) -> bool:
        """Whether it takes texts."""
        return self._process.is_alive

    def run(
        self,
        text: str,
        *,
        timeout: float,
        keep: bool = True,
        variables: Mapping[str, str] | None = None,
        watch: Watch | None = None,
    ) -> Ran:
        """Run commands; the first that fails ends the text.

        :param keep: whether what the text does to the shell itself stays; a failure then ends the shell.
        :param timeout: seconds; afterwards the shell and everything that it started is killed.
        :param variables: exported for this text, which does not ``keep``.
        :param watch: called with each line that is printed, while the text runs.
        """
        self._steps += 1
        step = self._state / f"step{self._steps}.sh"
        step.write_text(text, encoding="utf-8")
        exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in (variables or {}).items())
        (self._state / "variables").write_text(exports, encoding="utf-8")
        failed = self._state / "failed"
        failed.unlink(missing_ok=True)
        # A reader's own shell says "bash: "; ours would name the file that the step was put into.
        told = re.compile(rf"^(bash|{re.escape(str(self._state))}/step\d+\.sh): line (\d+): ", re.MULTILINE)
        order = f"{'run' if keep else 'try'} {step}\n"
        status, output, seconds = self._process.order(order, timeout, watch and _edited(watch, told, "bash: "))
        complaints = [int(line) for source, line in told.findall(output) if source in ("bash", str(step))]
        line = None
        if status != "0":
            line = _line_of(step, failed) or (complaints[-1] if complaints else None)
        return Ran(status, told.sub("bash: ", output), line, seconds)

    def sql(
        self,
        text: str,
        *,
        timeout: float,
        variables: Mapping[str, str] | None = None,
        watch: Watch | None = None,
    ) -> Ran:
        """Run SQL with ``psql`` in the shell's environment; the status is the SQLSTATE of an error.

        Prints as ``psql -X -P footer=off -P null=NULL`` does; a meta command works, too.
        """
        step = self._state / "step.sql"
        step.write_text(text, encoding="utf-8")
        command = (
            "psql -X -v ON_ERROR_STOP=1 -v VERBOSITY=verbose -P pager=off -P footer=off -P null=NULL "
            f"-f {shlex.quote(str(step))}"
        )
        prefix = re.compile(rf"^psql:{re.escape(str(step))}:(\d+): ", re.MULTILINE)
        edited = watch and _edited(_edited(_edited(watch, _ASKED, ""), _STATE_TOLD, r"\1"), prefix, "")
        ran = self.run(command, timeout=timeout, keep=False, variables=variables, watch=edited)
        lines = [int(number) for number in prefix.findall(ran.output)]
        output = prefix.sub("", ran.output)
        states = re.findall(r"^(?:ERROR|FATAL):  ([0-9A-Z]{5}): ", output, re.MULTILINE)
        output = _ASKED.sub("", _STATE_TOLD.sub(r"\1", output))
        status = states[-1] if ran.status != "0" and states else ran.status
        return Ran(status, output, _start_of(text, lines[-1]) if ran.status != "0" and lines else None, ran.seconds)

    def interrupt(self) -> None:
        """As Ctrl-C does in a terminal, then :meth:`close`: ``psql`` and others end their query with it."""
        self._process.interrupt()

    def close(self) -> None:
        """End the shell and every process that it left behind."""
        self._process.close()


class Interpreter:
    """A Python that keeps one namespace."""

    def __init__(
        self,
        *,
        state: Path,
        cwd: Path,
        environment: Mapping[str, str],
        python: str = sys.executable,
        patience: float = 0,
    ) -> None:
        script = str(Path(backout.interpreter.__file__))
        self._process = _Process(
            [python, "-u", script, str(state / "terminal")],
            state=state,
            cwd=cwd,
            environment=environment,
            patience=patience,
        )
        self._state = state

    def run(self, text: str, *, name: str, line: int, timeout: float, watch: Watch | None = None) -> Ran:
        """Run a block.

        :param name: what tracebacks call the file, the page.
        :param line: the line of ``name`` on which the text starts.
        :return: the status is the name of the exception that ended the block, or ``"0"``.
        """
        step = self._state / "step.py"
        step.write_text(text, encoding="utf-8")
        answer, output, seconds = self._process.order(
            json.dumps({"path": str(step), "name": name, "line": line}) + "\n", timeout, watch
        )
        if not answer.startswith("{"):
            return Ran(answer, output, None, seconds)
        values = json.loads(answer)
        # A frame of an earlier block has a line above this one's first.
        within = [number - line + 1 for number in values["lines"] if line <= number < line + text.count("\n") + 1]
        return Ran(values["status"], output, within[-1] if within else None, seconds)

    def interrupt(self) -> None:
        """As Ctrl-C does in a terminal, then :meth:`close`."""
        self._process.interrupt()

    def close(self) -> None:
        """End the interpreter and every process that it left behind."""
        self._process.close()


class Kernel:
    """A Jupyter kernel that runs the code cells of one notebook, in their order.

    :param notebook: the file; it gets the outputs.
    """

    def __init__(
        self, notebook: Path, *, state: Path, cwd: Path, environment: Mapping[str, str], patience: float = 0
    ) -> None:
        self._process = _Process(
            [sys.executable, "-u", str(Path(backout.kernel.__file__)), str(state / "terminal"), str(notebook)],
            state=state,
            cwd=cwd,
            environment=environment,
            patience=patience,
        )

    def run(self, *, timeout: float, watch: Watch | None = None) -> Ran:
        """Run the next code cell.

        :return: the status is the name of the exception that ended the cell, or ``"0"``.
        """
        answer, output, seconds = self._process.order("next\n", timeout, watch)
        if not answer.startswith("{"):
            return Ran(answer, output, None, seconds)
        values = json.loads(answer)
        return Ran(values["status"], output, values["line"], seconds)

    def interrupt(self) -> None:
        """As Ctrl-C does in a terminal, then :meth:`close`."""
        self._process.interrupt()

    def close(self) -> None:
        """Let the kernel end, and what it cleans up then; end every process that it left behind."""
        self._process.finish(_LEAVE)
        self._process.close()


def left_running(state: str) -> list[psutil.Process]:
    """What a shell or interpreter with this ``state`` has started and still runs, also where its opener was killed."""
    return [process for process in psutil.process_iter() if _is_marked(process, state) and _runs(process)]


class _Process:
    """A child that takes orders on its standard input and answers each with a line."""

    def __init__(
        self, command: Sequence[str], *, state: Path, cwd: Path, environment: Mapping[str, str], patience: float
    ) -> None:
        self._mark = str(state)
        self._patience = patience
        self._terminal = state / "terminal"
        self._terminal.touch()
        try:
            with self._terminal.open("ab") as errors:
                self._process = started(
                    lambda: subprocess.Popen(
                        command,
                        cwd=cwd,
                        env={**environment, _MARK: self._mark},
                        stdin=subprocess.PIPE,
                        stdout=subprocess.PIPE,
                        stderr=errors,
                        start_new_session=True,
                    )
                )
        except FileNotFoundError as error:
            raise BackoutError(f"cannot start {command[0]}: it is not on PATH; install it") from error
        self._answers: Queue[str] = Queue()
        self._reader = Thread(target=self._read_answers, daemon=True)
        self._reader.start()

    @property
    def is_alive(self) -> bool:
        """Whether it takes orders."""
        return self._process.poll() is None

    def _read_answers(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._answers.put(line.decode().rstrip("\n"))
        self._answers.put(_ENDED)

    def order(self, text: str, timeout: float, watch: Watch | None) -> tuple[str, str, float]:
        """Send an order; its answer (or exit status of the process, ``gone`` or ``timeout``), output, seconds."""
        assert self._process.stdin is not None
        before = self._terminal.stat().st_size
        started = time.monotonic()
        lines = _Lines(watch) if watch is not None else None
        try:
            if self._process.stdin.closed:
                raise BrokenPipeError
            self._process.stdin.write(text.encode())
            self._process.stdin.flush()
            answer = self._answer(started + timeout, before, lines)
        except BrokenPipeError:
            answer = _ENDED
        except Empty:
            answer = "timeout"
            self.interrupt()
        if answer == _ENDED:
            # For the next order as well: a child of its own may keep the pipe open, which then takes one.
            self._answers.put(_ENDED)
            # That it ended with 0 says nothing about what was to be run.
            answer = str(self._process.wait() or "gone")
        seconds = time.monotonic() - started
        printed = self._printed(before)
        if lines is not None:
            lines.feed(printed[lines.length :])
            lines.end()
        return answer, printed.decode("utf-8", errors="replace").replace("\r\n", "\n"), seconds

    def _answer(self, deadline: float, before: int, lines: "_Lines | None") -> str:
        """Wait for it, and pass on meanwhile what is printed.

        :raises Empty: there is none in time.
        """
        while lines is not None and time.monotonic() + _GLANCE < deadline:
            with suppress(Empty):
                return self._answers.get(timeout=_GLANCE)
            lines.feed(self._printed(before + lines.length))
        return self._answers.get(timeout=max(deadline - time.monotonic(), 0))

    def _printed(self, start: int) -> bytes:
        with self._terminal.open("rb") as terminal:
            terminal.seek(start)
            return terminal.read()

    def finish(self, seconds: float) -> None:
        """Tell it that no order will come, and let it end by itself."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=seconds)

    def interrupt(self) -> None:
        """Ask everything that it started to end, wait as long as there is patience, then :meth:`close`."""
        deadline = time.monotonic() + self._patience
        asked = [process for process in self._strays() if process.pid != self._process.pid] if self._patience else []
        for process in asked:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGINT)
        while time.monotonic() < deadline and any(_runs(process) for process in asked):
            time.sleep(0.02)
        self.close()

    def close(self) -> None:
        """Kill the process and all that it started, also what has left its process group."""
        deadline = time.monotonic() + 5
        # Again until none is left: what is being killed may just have started another.
        while (strays := self._strays()) and time.monotonic() < deadline:
            for process in strays:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            time.sleep(0.002)
        self._process.wait()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._reader.join()
        self._process.stdout.close()

    def _strays(self) -> list[psutil.Process]:
        strays = [process for process in psutil.process_iter() if _is_marked(process, self._mark)]
        with suppress(psutil.NoSuchProcess):  # without the mark, in a clean environment of its own
            strays += psutil.Process(self._process.pid).children(recursive=True)
        return [process for process in strays if _runs(process)]


class _Lines:
    """Bytes that come in pieces, handed on as lines.

    :ivar length: how many bytes were fed.
    """

    def __init__(self, write: Watch) -> None:
        self._write = write
        self._rest = b""
        self.length = 0

    def feed(self, piece: bytes) -> None:
        self.length += len(piece)
        # A carriage return ends a line, too: that of a progress bar.
        *lines, self._rest = re.split(rb"(?<=[\n\r])(?!(?<=\r)\n)", self._rest + piece)
        for line in lines:
            self._tell(line)

    def end(self) -> None:
        if self._rest:
            self._tell(self._rest)

    def _tell(self, line: bytes) -> None:
        self._write(line.decode("utf-8", errors="replace").replace("\r\n", "\n").replace("\r", "\n"))


def _edited(write: Watch, pattern: re.Pattern[str], replacement: str) -> Watch:
    """Lines as they are told afterwards; one of which nothing is left is not told."""

    def edit(line: str) -> None:
        edited = pattern.sub(replacement, line)
        if edited or not line:
            write(edited)

    return edit


def _line_of(step: Path, failed: Path) -> int | None:
    """The innermost line of a step among the calls that its failure went through."""
    if not failed.exists():
        return None
    told = failed.read_text(encoding="utf-8").splitlines()
    lines = list(takewhile(str.isdigit, told))
    sources = told[len(lines) :]
    return next((int(line) for line, source in zip(lines, sources, strict=False) if source == str(step)), None)


def _start_of(text: str, end: int) -> int:
    """The first line of the SQL statement that ends in a line; psql tells the latter."""
    lines = text.splitlines()
    start = end
    while start > 1 and not re.search(r";\s*(--.*)?$|^\s*\\", lines[start - 2]):
        start -= 1
    while start < end and not re.sub(r"--.*", "", lines[start - 1]).strip():
        start += 1
    return start


def _is_marked(process: psutil.Process, mark: str) -> bool:
    try:
        return bool(process.environ().get(_MARK) == mark)
    except psutil.Error:  # ended meanwhile, or somebody else's
        return False


def _runs(process: psutil.Process) -> bool:
    # A killed orphan may stay a zombie where nobody reaps; it holds nothing any more.
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
