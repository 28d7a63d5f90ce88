"""The ``backout`` command: reads options, calls the engine, prints, and turns errors into exit codes.

Exit codes: 0 clean; 1 something failed; 2 usage or configuration; 3 refused; 130 interrupted. ``backout postgres --
COMMAND`` returns the command's. Thin.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import click

from backout import __version__
from backout.cli import backup, preview, production, rehearsal, runbook
from backout.cli.options import POSTGRES, target_of, target_options
from backout.configuration import load_project
from backout.errors import BackoutError, ConfigurationError
from backout.sessions import READ_ONLY


class _Group(click.Group):
    """Errors of backout end the program with their own exit code and without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BackoutError as error:
            click.echo(f"error: {error}", err=True)
            ctx.exit(error.exit_code)
        except KeyboardInterrupt:
            click.echo("interrupted", err=True)
            ctx.exit(128 + signal.SIGINT)


@click.group(
    cls=_Group,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Example:  backout postgres --sample -- psql -c 'SELECT count(*) FROM users'",
)
@click.version_option(__version__, prog_name="backout")
def main() -> None:
    """Rehearse migrations, run the pages that document them, guard the way back."""
    # The guard of a runbook's block that only reads, for libpq's clients: our commands know what they may, and make
    # databases of their own.
    if READ_ONLY in os.environ.get("PGOPTIONS", ""):
        os.environ["PGOPTIONS"] = os.environ["PGOPTIONS"].replace(READ_ONLY, "").strip()


@main.command(
    context_settings={"allow_interspersed_args": False},
    epilog="Example:  backout postgres --revision head --sample -- make migrate-test",
)
@POSTGRES
@click.option("--revision", metavar="REV", default="base", help="bring the database to this revision of the chain")
@click.option("--sample", is_flag=True, help="load the project's sample rows, too; implies --revision head")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def postgres(choice: str | None, revision: str, sample: bool, command: Sequence[str]) -> None:
    """Give COMMAND a disposable database, or print its URL and wait.

    COMMAND gets DATABASE_URL and PG*; its exit code is returned. The database is gone at the end.
    """
    from backout.chain import database_at, project_environment  # noqa: PLC0415 - imports that --help need not pay
    from backout.postgres import open_server  # noqa: PLC0415

    project = load_project(Path.cwd())
    if sample and revision == "base":
        revision = "head"
    with open_server(choice) as server:
        click.echo(f"backout: {server.description}", err=True)
        database = database_at(server, project, revision, "sample" if sample else "none")
        try:
            if not command:
                _wait(database.url)
                return
            environment = {**os.environ, **project_environment(project), **server.environment(database)}
            status = _run(command, environment)
        finally:
            server.drop(database)
    sys.exit(status)


@main.command(epilog="Example:  backout postgres --revision head --sample -- backout roundtrip")
@target_options
def roundtrip(**target: Any) -> None:
    """Test the rollback of the last revision on the disposable database that DATABASE_URL names.

    Applies everything, rolls one revision back, applies it again; schema, rows and sequences must be
    as before.
    """
    from backout.masking import Masking  # noqa: PLC0415
    from backout.production import database_url  # noqa: PLC0415
    from backout.roundtrip import round_trip  # noqa: PLC0415

    masking = Masking(os.environ, load_project(Path.cwd()).secrets)
    round_trip(target_of(**target), database_url(), masking, click.echo)


@main.command(epilog="Example:  backout serve --address 127.0.0.1:8001")
@POSTGRES
@click.option("--address", metavar="HOST:PORT", default="127.0.0.1:8000", show_default=True, help="where to serve")
def serve(choice: str | None, address: str) -> None:
    """Build and serve the site, and run every page that has changed meanwhile."""
    from backout.serve import serve as serve_site  # noqa: PLC0415

    with _handled(signal.default_int_handler):  # however it is ended, it takes the site and the run along
        serve_site(load_project(Path.cwd()), address, choice, click.echo)


for command in (
    backup.backup,
    preview.preview,
    preview.salvage,
    production.apply,
    production.rollback,
    rehearsal.rehearse,
    rehearsal.check,
    rehearsal.explain,
    runbook.run,
):
    main.add_command(command)


def _wait(url: str) -> None:
    try:
        click.echo(url)
        click.echo("It is dropped when this ends: Ctrl-C", err=True)
        while True:
            time.sleep(1)  # not signal.pause(), which sleeps on after a signal that came just before it
    except KeyboardInterrupt:
        click.echo("", err=True)


def _run(command: Sequence[str], environment: dict[str, str]) -> int:
    program = shutil.which(command[0], path=environment["PATH"])
    if program is None:
        raise ConfigurationError(f"cannot run {command[0]!r}: it is not on PATH; name a program, or its path")
    process: subprocess.Popen[bytes] | None = None
    early: list[int] = []

    def pass_on(number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGINT:
            return  # the terminal has told the command, too
        if process is None:
            early.append(number)
        else:
            process.send_signal(number)

    with _handled(pass_on):
        try:
            process = subprocess.Popen([program, *command[1:]], env=environment)
        except OSError as error:
            raise ConfigurationError(f"cannot run {program}: {error.strerror}; name a program") from error
        for number in early:
            process.send_signal(number)
        status = process.wait()
    return 128 - status if status < 0 else status


@contextmanager
def _handled(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Let the handler have the signals that would end this program."""
    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)
