"""The long-lived processes of a page: one bash and one Python, which keep their state from step to step.

They run text and tell status, output and the failing line; they know nothing of pages, of expected
output or of databases. ``execute`` may import it.

Both write to one file, the *terminal*; a step's output is what was added to it meanwhile. A file, not
a pipe: a process left in the background can neither block the page nor keep it from ending.
"""

import json
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from queue import Empty, Queue
from threading import Thread

import psutil

import backout.interpreter
from backout.errors import BackoutError

_MARK = "BACKOUT_STATE"  # every process of a page inherits it
_ENDED = "ended"

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


class Shell:
    """A bash that keeps its state: variables, functions, working directory, background jobs."""

    def __init__(self, *, state: Path, cwd: Path, environment: Mapping[str, str]) -> None:
        self._process = _Process(
            ["bash", "--noprofile", "--norc", "-c", _DRIVER],
            state=state,
            cwd=cwd,
            environment=environment,
        )
        self._state = state
        self._steps = 0

    def run(self, text: str, *, timeout: float, keep: bool = True) -> Ran:
        """Run commands; the first that fails ends the text.

        :param keep: whether what the text does to the shell itself stays; a failure then ends the shell.
        :param timeout: seconds; afterwards the shell and everything that it started is killed.
        """
        self._steps += 1
        step = self._state / f"step{self._steps}.sh"
        step.write_text(text, encoding="utf-8")
        failed = self._state / "failed"
        failed.unlink(missing_ok=True)
        status, output, seconds = self._process.order(f"{'run' if keep else 'try'} {step}\n", timeout)
        # A reader's own shell says "bash: "; ours would name the file that the step was put into.
        told = re.compile(rf"^(bash|{re.escape(str(self._state))}/step\d+\.sh): line (\d+): ", re.MULTILINE)
        complaints = [int(line) for source, line in told.findall(output) if source in ("bash", str(step))]
        line = None
        if status != "0":
            line = _line_of(step, failed) or (complaints[-1] if complaints else None)
        return Ran(status, told.sub("bash: ", output), line, seconds)

    def sql(self, text: str, *, timeout: float) -> Ran:
        """Run SQL with ``psql`` in the shell's environment; the status is the SQLSTATE of an error.

        Prints as ``psql -X -P footer=off -P null=NULL`` does; a meta command works, too.
        """
        step = self._state / "step.sql"
        step.write_text(text, encoding="utf-8")
        command = (
            "psql -X -v ON_ERROR_STOP=1 -v VERBOSITY=verbose -P pager=off -P footer=off -P null=NULL "
            f"-f {shlex.quote(str(step))}"
        )
        ran = self.run(command, timeout=timeout, keep=False)
        prefix = re.compile(rf"^psql:{re.escape(str(step))}:(\d+): ", re.MULTILINE)
        lines = [int(number) for number in prefix.findall(ran.output)]
        output = prefix.sub("", ran.output)
        states = re.findall(r"^(?:ERROR|FATAL):  ([0-9A-Z]{5}): ", output, re.MULTILINE)
        output = re.sub(r"^([A-Z]+:  )[0-9A-Z]{5}: ", r"\1", output, flags=re.MULTILINE)
        # What psql tells only for being asked for the SQLSTATE; a reader's does not.
        asked = r"^(?:LOCATION|(?:SCHEMA|TABLE|COLUMN|DATATYPE|CONSTRAINT) NAME):  .*\n"
        output = re.sub(asked, "", output, flags=re.MULTILINE)
        status = states[-1] if ran.status != "0" and states else ran.status
        return Ran(status, output, _start_of(text, lines[-1]) if ran.status != "0" and lines else None, ran.seconds)

    def close(self) -> None:
        """End the shell and every process that it left behind."""
        self._process.close()


class Interpreter:
    """A Python that keeps one namespace."""

    def __init__(self, *, state: Path, cwd: Path, environment: Mapping[str, str], python: str = sys.executable) -> None:
        script = str(Path(backout.interpreter.__file__))
        self._process = _Process(
            [python, "-u", script, str(state / "terminal")],
            state=state,
            cwd=cwd,
            environment=environment,
        )
        self._state = state

    def run(self, text: str, *, name: str, line: int, timeout: float) -> Ran:
        """Run a block.

        :param name: what tracebacks call the file, the page.
        :param line: the line of ``name`` on which the text starts.
        :return: the status is the name of the exception that ended the block, or ``"0"``.
        """
        step = self._state / "step.py"
        step.write_text(text, encoding="utf-8")
        answer, output, seconds = self._process.order(
            json.dumps({"path": str(step), "name": name, "line": line}) + "\n", timeout
        )
        if not answer.startswith("{"):
            return Ran(answer, output, None, seconds)
        values = json.loads(answer)
        # A frame of an earlier block has a line above this one's first.
        within = [number - line + 1 for number in values["lines"] if line <= number < line + text.count("\n") + 1]
        return Ran(values["status"], output, within[-1] if within else None, seconds)

    def close(self) -> None:
        """End the interpreter and every process that it left behind."""
        self._process.close()


class _Process:
    """A child that takes orders on its standard input and answers each with a line."""

    def __init__(self, command: Sequence[str], *, state: Path, cwd: Path, environment: Mapping[str, str]) -> None:
        self._mark = str(state)
        self._terminal = state / "terminal"
        self._terminal.touch()
        try:
            with self._terminal.open("ab") as errors:
                self._process = subprocess.Popen(
                    command,
                    cwd=cwd,
                    env={**environment, _MARK: self._mark},
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    start_new_session=True,
                )
        except FileNotFoundError as error:
            raise BackoutError(f"cannot start {command[0]}: it is not on PATH; install it") from error
        self._answers: Queue[str] = Queue()
        self._reader = Thread(target=self._read_answers, daemon=True)
        self._reader.start()

    def _read_answers(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._answers.put(line.decode().rstrip("\n"))
        self._answers.put(_ENDED)

    def order(self, text: str, timeout: float) -> tuple[str, str, float]:
        """Send an order; its answer (or exit status of the process, ``gone`` or ``timeout``), output, seconds."""
        assert self._process.stdin is not None
        before = self._terminal.stat().st_size
        started = time.monotonic()
        try:
            if self._process.stdin.closed:
                raise BrokenPipeError
            self._process.stdin.write(text.encode())
            self._process.stdin.flush()
            answer = self._answers.get(timeout=timeout)
        except BrokenPipeError:
            answer = _ENDED
        except Empty:
            answer = "timeout"
            self.close()
        if answer == _ENDED:
            # For the next order as well: a child of its own may keep the pipe open, which then takes one.
            self._answers.put(_ENDED)
            # That it ended with 0 says nothing about what was to be run.
            answer = str(self._process.wait() or "gone")
        seconds = time.monotonic() - started
        with self._terminal.open("rb") as terminal:
            terminal.seek(before)
            output = terminal.read().decode("utf-8", errors="replace")
        return answer, output.replace("\r\n", "\n"), seconds

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
        strays = [process for process in psutil.process_iter() if self._started(process)]
        with suppress(psutil.NoSuchProcess):  # without the mark, in a clean environment of its own
            strays += psutil.Process(self._process.pid).children(recursive=True)
        return [process for process in strays if _runs(process)]

    def _started(self, process: psutil.Process) -> bool:
        try:
            return bool(process.environ().get(_MARK) == self._mark)
        except psutil.Error:  # ended meanwhile, or somebody else's
            return False


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


def _runs(process: psutil.Process) -> bool:
    # A killed orphan may stay a zombie where nobody reaps; it holds nothing any more.
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
