"""The commands that change a real database: ``backout apply`` and ``backout rollback``. Thin.

``cli`` adds them to its group.
"""

from __future__ import annotations

import getpass
import os
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from backout.cli.options import pairs, target_of, target_options
from backout.cli.preview import print_preview
from backout.errors import BackoutError, ConfigurationError, Refused

if TYPE_CHECKING:
    from backout.journal import Journal
    from backout.production import Deployment, Order
    from backout.worker import Revision


def change_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """How a change is guarded."""
    for option in reversed(
        (
            click.option("--dry-run", is_flag=True, help="look at every reason against it, and change nothing"),
            click.option(
                "--accept", metavar="CHECK=REASON", multiple=True,
                help="go on although this check of the preflight refuses; the reason is journalled",
            ),
            click.option(
                "--wait", metavar="SECONDS", default=60.0, show_default=True, type=click.FloatRange(0),
                help="for another runner to end",
            ),
            click.option(
                "--lock-timeout", metavar="SECONDS", default=2.0, show_default=True, type=click.FloatRange(0.001),
                help="that a step waits for a lock, and others behind it",
            ),
            click.option(
                "--attempts", metavar="N", default=6, show_default=True, type=click.IntRange(1, 50),
                help="to get the locks, with growing pauses",
            ),
            click.option(
                "--statement-timeout", metavar="SECONDS", default=900.0, show_default=True, type=click.FloatRange(0),
                help="of each statement; 0: none",
            ),
            click.option(
                "--backup-age", metavar="HOURS", type=click.FloatRange(0, min_open=True),
                help="how old the backup may be; default: 24, or what pyproject.toml says",
            ),
            click.option(
                "--backups", metavar="DIR", type=click.Path(path_type=Path, file_okay=False),
                help="where receipts are; default: $BACKOUT_BACKUPS, else backups/",
            ),
            click.option(
                "--health", metavar="URL", envvar="BACKOUT_HEALTH",
                help="ask this before and afterwards; default: $BACKOUT_HEALTH, or what pyproject.toml says",
            ),
        )
    ):  # fmt: skip
        command = option(command)
    return command


@click.command(epilog="Example:  DATABASE_URL=postgresql://crew@db/crew backout apply --dry-run")
@click.option("--to", metavar="REVISION", help="apply up to this one; default: head")
@change_options
@target_options
def apply(to: str | None, **options: Any) -> None:
    """Upgrade the database that DATABASE_URL names, guarded; one runner at a time.

    Looks first, and tells every reason against it at once (exit code 3). Then applies one revision after the other,
    verifies the schema after each, and writes a journal.
    """
    from backout import production  # noqa: PLC0415 - imports that --help need not pay

    with _begun("apply", **options) as (deployment, order, journal):
        done = production.apply(deployment, order, journal, _say(deployment), to=to)
        _tell_end(deployment, order, done)


@click.command(epilog="Example:  DATABASE_URL=postgresql://crew@db/crew backout rollback --salvage")
@click.option("--to", metavar="REVISION", default="-1", help="stay at this one, or base; default: undo the last one")
@click.option("--confirm", metavar="REVISION", help="do not ask; for scripts: the revision that is to be undone first")
@click.option("--salvage", is_flag=True, help="keep what would be lost; the next apply puts it back")
@change_options
@target_options
def rollback(to: str, confirm: str | None, salvage: bool, **options: Any) -> None:
    """Roll back revisions of the database that DATABASE_URL names: says what that loses, asks, and does it guarded.

    The same guards as for apply. The answer names the revision, so that nobody undoes another one than was looked at.
    """
    from backout import production  # noqa: PLC0415

    with _begun("rollback", **options) as (deployment, order, journal):
        revisions = deployment.undone(deployment.current(), to)
        found = production.preview(deployment, to=to)
        journal.write("preview", **production.preview_values(found))
        print_preview(found, deployment.masking)
        _tell_plans(revisions)
        if not order.dry_run:
            _require_confirmation(revisions[0], confirm)
        done = production.roll_back(deployment, order, journal, _say(deployment), revisions=revisions, keep=salvage)
        _tell_end(deployment, order, done)


def _tell_plans(revisions: Sequence[Revision]) -> None:
    """What the docstrings say of the way back."""
    from backout.docstrings import section  # noqa: PLC0415

    for one in revisions:
        lines = section(one.docstring, "Rollback plan") or ["none"]
        click.echo("\n".join(["", f"Rollback plan of {one.id}, by its docstring:", *(f"  {line}" for line in lines)]))


def _require_confirmation(first: Revision, confirm: str | None) -> None:
    if confirm is None:
        if not sys.stdin.isatty():
            raise Refused(
                "nobody can be asked: standard input is no terminal; for scripts: "
                f"--confirm {first.id}, or CONFIRM={first.id} with make"
            )
        try:
            confirm = click.prompt(f"Type the revision to roll it back ({first.id})", default="", show_default=False)
        except click.Abort:
            raise Refused("nobody has answered; nothing was changed") from None
    if confirm != first.id:
        raise Refused(f"{confirm!r} is not {first.id}, which would be rolled back; nothing was changed")


def _tell_end(deployment: Deployment, order: Order, done: Sequence[str]) -> None:
    current = deployment.current()
    if order.dry_run:
        click.echo(f"dry run: nothing was changed; the database is at {', '.join(current) or 'base'}")
        return
    at_head = " (head)" if current == deployment.chain.heads else ""
    click.echo(f"{'now' if done else 'already'} at {', '.join(current) or 'base'}{at_head}")


@contextmanager
def _begun(subject: str, **options: Any) -> Iterator[tuple[Deployment, Order, Journal]]:
    """Everything that a change of a real database takes, and the journal of it."""
    from backout import backups, journal, production  # noqa: PLC0415
    from backout.configuration import load_project  # noqa: PLC0415
    from backout.masking import Masking  # noqa: PLC0415
    from backout.postgres import ending_gently  # noqa: PLC0415

    project = load_project(Path.cwd())
    masking = Masking(os.environ, project.secrets)
    names = (
        "dry_run",
        "accept",
        "wait",
        "lock_timeout",
        "attempts",
        "statement_timeout",
        "backup_age",
        "backups",
        "health",
    )
    given = {name: options.pop(name) for name in names}
    hours = given["backup_age"] or project.production.backup_hours
    order = production.Order(
        limits=production.Limits(
            backups=given["backups"] or backups.directory(project.root),
            backup_age=timedelta(hours=hours),
            ignored=project.production.ignore,
        ),
        accepted=_accepted(given["accept"]),
        wait=given["wait"],
        lock_timeout=given["lock_timeout"],
        attempts=given["attempts"],
        statement_timeout=given["statement_timeout"],
        health=given["health"] or project.production.health,
        dry_run=given["dry_run"],
    )
    with (
        ending_gently(),
        production.open_deployment(
            target_of(**options), production.database_url(), masking, read_only=order.dry_run
        ) as deployment,
    ):
        folder = journal.directory(project.root)
        facts = {"where": deployment.real.description, "who": f"{_user()}@{socket.gethostname()}"}
        with journal.create(folder, subject, masking, arguments=sys.argv[1:], dry_run=order.dry_run, **facts) as log:
            try:
                yield deployment, order, log
            except BackoutError as error:  # a migration may have put anything into its message
                error.args = (masking.hide(str(error)),)
                raise
            finally:
                click.echo(f"journal: {log.path}", err=True)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # in a container, a number without a name
        return str(os.getuid())


def _accepted(given: Sequence[str]) -> dict[str, str]:
    from backout.production import CHECKS, FIRM  # noqa: PLC0415

    found = pairs("--accept", given)
    for name, reason in found.items():
        if name not in CHECKS or name in FIRM:
            known = ", ".join(check for check in CHECKS if check not in FIRM)
            raise ConfigurationError(f"--accept {name}: there is no such check, or it cannot be accepted; {known} can")
        if not reason.strip():
            raise ConfigurationError(f"--accept {name}= has no reason; write why, it goes into the journal")
    return found


def _say(deployment: Deployment) -> Callable[[str], None]:
    return lambda line: click.echo(deployment.masking.hide(line), err=True)
