"""The commands about backups: ``backout backup`` and its ``verify``, ``record``, ``list`` and ``restore``. Thin.

``cli`` adds them to its group.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, Self

import click
from rich.console import Console

from backout.cli.options import POSTGRES
from backout.configuration import load_project
from backout.errors import ConfigurationError

if TYPE_CHECKING:
    from backout.backups import Receipt
    from backout.postgres import RealDatabase

TELL_SECONDS = 5

FOLDER = click.option(
    "--in", "folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False),
    help="the directory of backups; default: $BACKOUT_BACKUPS, else backups/ in the project",
)  # fmt: skip
JSON = click.option("--json", "as_json", is_flag=True, help="print JSON")
VERSION_TABLE = click.option(
    "--version-table", metavar="NAME", default="alembic_version", show_default=True,
    help="Alembic's table, as SCHEMA.NAME where it is not on the search path",
)  # fmt: skip


@click.group(
    invoke_without_command=True,
    epilog="Example:  DATABASE_URL=postgresql://crew@db/crew backout backup --to /var/backups/crew",
)
@click.option(
    "--to", metavar="DIR", type=click.Path(path_type=Path, file_okay=False),
    help="where to; default: $BACKOUT_BACKUPS, else backups/ in the project",
)  # fmt: skip
@VERSION_TABLE
@JSON
@click.pass_context
def backup(context: click.Context, to: Path | None, version_table: str, as_json: bool) -> None:
    """Dump the database that DATABASE_URL names, and count what must be in the dump.

    A dump is no backup before it was verified: backout backup verify --latest.
    """
    if context.invoked_subcommand is not None:
        if to is not None or as_json:
            raise click.UsageError(f"--to and --json before {context.invoked_subcommand} mean nothing; give its own")
        return
    from backout import backups  # noqa: PLC0415 - imports that --help need not pay

    with _database() as database, _unwinding(), _Watch() as watch:
        done = backups.take(database, _folder(to), version_table=version_table, watch=watch)
    for other in done.others:
        click.echo(f"note: {other} is being written by another run", err=True)
    if done.note:
        click.echo(f"warning: {done.note}", err=True)
    manifest = done.manifest
    if as_json:
        facts = {"dump": str(done.dump), "sha256": manifest.sha256, "size": manifest.size, "note": done.note}
        facts |= {"revisions": manifest.revisions, "taken": manifest.began.isoformat()}
        _print_json(facts | {"tables": len(manifest.contents.tables), "rows": manifest.contents.rows})
        return
    click.echo(
        f"{done.dump}\n{backups.bytes_in_words(manifest.size)}, {len(manifest.contents.tables)} tables, "
        f"{manifest.contents.rows} rows, at {', '.join(manifest.revisions) or 'base'}\n"
        "not verified yet: backout backup verify --latest"
    )


@backup.command(
    short_help="Restore DUMP elsewhere, compare it, write a receipt.", epilog="Example:  backout backup verify --latest"
)
@click.argument("dump", required=False, metavar="[DUMP]", type=click.Path(path_type=Path))
@click.option("--latest", is_flag=True, help="the newest in the directory, of the database that DATABASE_URL names")
@FOLDER
@POSTGRES
@JSON
def verify(dump: Path | None, latest: bool, folder: Path | None, choice: str | None, as_json: bool) -> None:
    """Restore DUMP into a disposable database, compare every table with what was dumped, write a receipt.

    Where DATABASE_URL is set, the dump must be of that database. Ends with 1 when it is no backup.
    """
    if (dump is None) != latest:
        raise click.UsageError("name a dump, or say --latest")
    from backout import backups  # noqa: PLC0415

    with ExitStack() as stack:
        database = stack.enter_context(_database()) if _is_named() else None
        if dump is None:
            dump = backups.latest_dump(_folder(folder), database=database)
        watch = stack.enter_context(_Watch())
        receipt = backups.verify(dump, choice, database=database, watch=watch)
    _show(receipt, as_json)


@backup.command(
    short_help="Record what somebody says of a snapshot.",
    epilog="Example:  backout backup record --provider rds --snapshot rds:crew-2026-11-28 "
    "--taken 2026-11-28T02:00Z --by ann",
)
@click.option("--provider", metavar="NAME", required=True, help="who keeps the snapshot")
@click.option("--snapshot", metavar="ID", required=True, help="how the provider calls it")
@click.option("--taken", metavar="TIME", required=True, help="when, with its zone: 2026-11-28T02:00Z")
@click.option("--by", metavar="WHO", required=True, help="who says so")
@VERSION_TABLE
@FOLDER
@JSON
def record(folder: Path | None, taken: str, as_json: bool, **facts: str) -> None:
    """Record that somebody says that a provider took a snapshot of the database that DATABASE_URL names.

    It is a statement: nothing is verified. Refused when the time is to come, or before the database came to its
    revision.
    """
    from backout import backups  # noqa: PLC0415

    try:
        moment = datetime.fromisoformat(taken)
    except ValueError:
        raise ConfigurationError(f"--taken {taken!r} is no time; write 2026-11-28T02:00Z") from None
    with _database() as database:
        receipt = backups.record(database, _folder(folder), taken=moment, **facts)
    _show(receipt, as_json)


@backup.command("list", epilog="Example:  backout backup list --in /var/backups/crew")
@FOLDER
@JSON
def list_(folder: Path | None, as_json: bool) -> None:
    """List dumps and statements, newest first. Does not read the dumps: verify does."""
    from backout import backups  # noqa: PLC0415

    found = backups.kept(_folder(folder))
    if as_json:
        _print_json(
            [
                {
                    "name": one.name,
                    "path": str(one.path),
                    "taken": one.taken.isoformat() if one.taken else None,
                    "revisions": one.revisions,
                    "size": one.size,
                    "state": one.state,
                }
                for one in found
            ]
        )
        return
    if not found:
        click.echo(f"no backups in {_folder(folder)}")
        return
    for one in found:
        facts = [backups.utc(one.taken) if one.taken else "?", ", ".join(one.revisions) or "base"]
        facts += [] if one.size is None else [backups.bytes_in_words(one.size)]
        click.echo(f"{'  '.join(facts)}  {one.state}\n  {one.name}")


@backup.command(
    short_help="Restore DUMP into a new database beside.",
    epilog="Example:  backout backup restore backups/crew-….dump --into crew_restored",
)
@click.argument("dump", type=click.Path(path_type=Path))
@click.option(
    "--into", "name", metavar="NEWDB", required=True, help="the database to create; one that exists must be empty"
)
@JSON
def restore(dump: Path, name: str, as_json: bool) -> None:
    """Restore DUMP into a new database beside the one that DATABASE_URL names, and compare every table.

    Writes to no database that holds something; nothing is left when it fails.
    """
    from backout import backups  # noqa: PLC0415

    with _database() as database, _unwinding(), _Watch() as watch:
        done = backups.restore(dump, database, name, watch=watch)
    if as_json:
        _print_json({"database": done.name, "tables": done.tables, "rows": done.rows, "left": done.left})
        return
    click.echo(f"restored into {done.name}: {done.tables} tables, {done.rows} rows, each as it was dumped")
    for line in done.left:
        click.echo(f"not part of a dump, set it again: {line}")


class _Watch:
    """What is being done, on standard error: one line that changes; without a terminal, a line each few seconds."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False, markup=False)
        self._status = self._console.status("") if self._console.is_terminal else None
        self._began = self._told = time.monotonic()

    def __enter__(self) -> Self:
        if self._status is not None:
            self._status.start()
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        if self._status is not None:
            self._status.stop()

    def __call__(self, doing: str) -> None:
        now = time.monotonic()
        text = f"{doing}, {now - self._began:.0f} s"
        if self._status is not None:
            self._status.update(text)
        elif now - self._told >= TELL_SECONDS:
            self._told = now
            self._console.print(text, soft_wrap=True)


@contextmanager
def _unwinding() -> Iterator[None]:
    """Let a deadly signal unwind the program, so that nothing half-done stays behind."""

    def unwind(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.signal(number, unwind) for number in numbers}
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)


@contextmanager
def _database() -> Iterator[RealDatabase]:
    from backout.postgres import real_database  # noqa: PLC0415
    from backout.production import database_url  # noqa: PLC0415

    with real_database(database_url()) as database:
        yield database


def _is_named() -> bool:
    return bool(os.environ.get("DATABASE_URL", "").strip())


def _folder(named: Path | None) -> Path:
    from backout.backups import directory  # noqa: PLC0415

    return named if named is not None else directory(load_project(Path.cwd()).root)


def _show(receipt: Receipt, as_json: bool) -> None:
    if as_json:
        _print_json({"path": str(receipt.path), **json.loads(receipt.path.read_text(encoding="utf-8"))})
    else:
        click.echo(f"{receipt.path}\n{receipt}")


def _print_json(values: dict[str, Any] | Sequence[Any]) -> None:
    click.echo(json.dumps(values, indent=2, ensure_ascii=False))
