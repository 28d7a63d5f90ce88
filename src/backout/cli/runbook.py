"""``backout run``: a runbook in a terminal, or without one. Thin; ``cli`` adds it to its group."""

from __future__ import annotations

import json
import os
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import click

from backout.errors import ConfigurationError

if TYPE_CHECKING:
    from backout.operate import Operator
    from backout.operate.briefing import Style

_STYLES = {
    "title": "bold", "quiet": "dim", "command": "cyan", "changes": "yellow", "destroys": "bold red",
    "passed": "green", "failed": "bold red",
}  # fmt: skip
_PREFIXES = {"command": "    ", "output": "  | ", "failed": ""}  # of lines that are not wrapped


@click.command(epilog="Example:  backout run roll-back-one-revision --env staging")
@click.argument("runbook", required=False)
@click.option("--env", "environment", metavar="NAME", help="where: staging, production, as the runbook names it")
@click.option("--yes", is_flag=True, help="do not ask, but for what destroys something")
@click.option("--dry-run", is_flag=True, help="show everything, check what it needs, run nothing")
@click.option("--step-by-step", is_flag=True, help="ask before blocks that only read, too")
@click.option("--from-step", metavar="STEP", help="begin with this step, by number or anchor, behind the checks")
@click.option(
    "--resume",
    metavar="[JOURNAL]",
    is_flag=False,
    flag_value="newest",
    help="go on with an unfinished run; without JOURNAL, the newest",
)
@click.option(
    "--report", "journal_path", metavar="JOURNAL", type=click.Path(path_type=Path), help="print a run as Markdown"
)
@click.option("--json", "as_json", is_flag=True, help="with --report: print its events")
def run(
    runbook: str | None,
    environment: str | None,
    yes: bool,
    dry_run: bool,
    step_by_step: bool,
    from_step: str | None,
    resume: str | None,
    journal_path: Path | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Run RUNBOOK on the database that DATABASE_URL names: a path, or a name in runbooks.

    Shows each step, asks before it changes something, checks, and writes a journal. Ends with 1 when something failed,
    and says how to go on.
    """
    from backout.configuration import load_project  # noqa: PLC0415 - imports that --help need not pay
    from backout.operate import Order, find_runbook, operate  # noqa: PLC0415

    if journal_path is not None:
        _report(journal_path, as_json)
        return
    if as_json:
        raise ConfigurationError("--json goes with --report JOURNAL, whose events it prints")
    if runbook is None or environment is None:
        raise ConfigurationError("backout run takes a RUNBOOK and --env NAME; or --report JOURNAL")
    if resume is not None and from_step is not None:
        raise ConfigurationError("--resume goes on where the run stopped; --from-step begins anew: give one of them")
    project = load_project(Path.cwd())
    order = Order(environment, yes, dry_run, step_by_step, from_step, resume)
    status = operate(find_runbook(project, runbook), project, order, _operator())
    _let_go_of_a_terminal_that_is_gone()
    sys.exit(status)


def _let_go_of_a_terminal_that_is_gone() -> None:
    """What was not shown there any more must not become the exit code, which Python makes 120 of."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)


def _report(path: Path, as_json: bool) -> None:
    from backout import journal  # noqa: PLC0415
    from backout.operate import report  # noqa: PLC0415

    record = journal.read(path)
    if not as_json:
        click.echo(report(record), nl=False)
        return
    events = [{"n": one.number, "at": one.at, "event": one.name, **one.facts} for one in record.events]
    click.echo(json.dumps(events, ensure_ascii=False, indent=1))


def _operator() -> Operator:
    from rich.console import Console  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    from backout.operate import Operator  # noqa: PLC0415

    console = Console(highlight=False)

    def tell(text: str, style: Style) -> None:
        if style == "title":
            console.print()
        prefix = _PREFIXES.get(style)
        for line in text.split("\n"):
            shown = _wrapped(line, console.width) if prefix is None else prefix + line
            console.print(Text(shown, _STYLES.get(style, "")), soft_wrap=True)

    def ask(question: str) -> str | None:
        console.print(Text(question, "bold"), end="", soft_wrap=True)
        return sys.stdin.readline() or None

    return Operator(tell, ask, sys.stdin.isatty())


def _wrapped(line: str, width: int) -> str:
    return textwrap.fill(line, width, break_on_hyphens=False, break_long_words=False)
