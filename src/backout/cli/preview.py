"""What a rollback would do, and what was kept of one: the commands ``backout preview`` and ``backout salvage``. Thin.

``cli`` adds them to its group; ``cli.production`` shows a preview before it asks.
"""

from __future__ import annotations

import json
import os
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from backout.cli.options import target_of, target_options
from backout.errors import BackoutError, Refused

if TYPE_CHECKING:
    from backout.masking import Masking
    from backout.production import Preview, Salvage

WIDTH = 80
_INDENT = 11


@click.command(epilog="Example:  DATABASE_URL=postgresql://crew@db/crew backout preview --to -1")
@click.option("--to", metavar="REV", default="-1", show_default=True, help="-1, base, or the revision to stay at")
@click.option(
    "--timeout", metavar="SECONDS", default=5.0, show_default=True, type=click.FloatRange(0.1), help="of one count"
)
@click.option("--json", "as_json", is_flag=True, help="print JSON")
@target_options
def preview(to: str, timeout: float, as_json: bool, **target: Any) -> None:
    """Tell what a rollback of the database that DATABASE_URL names would lose now, and whom it blocks.

    Counts in the rows that there are; changes nothing. Ends with 1 where nothing of it was measured.
    """
    from backout.configuration import load_project  # noqa: PLC0415 - imports that --help need not pay
    from backout.masking import Masking  # noqa: PLC0415
    from backout.production import database_url, open_deployment, preview, preview_values  # noqa: PLC0415

    masking = Masking(os.environ, load_project(Path.cwd()).secrets)
    with open_deployment(target_of(**target), database_url(), masking) as deployment:
        found = preview(deployment, to=to, timeout=timeout)
    if as_json:
        click.echo(json.dumps(masking.hide_in(preview_values(found)), indent=2, ensure_ascii=False))
    else:
        print_preview(found, masking)
    if not found.measured:
        raise BackoutError("nothing of this rollback was measured; measure it: backout rehearse")


def print_preview(found: Preview, masking: Masking) -> None:
    """What a rollback would do, on standard output, in 80 columns."""
    from backout.production import conclusion, details  # noqa: PLC0415

    lines = _wrapped(found.database)
    lines += _wrapped(f"at {', '.join(found.current)}; a rollback leaves it at {', '.join(found.to) or 'base'}")
    for one in found.undone:
        lines += ["", *_wrapped(f"{one.revision}: {one.summary}")]
        for label, text in details(one):
            lines += _wrapped(f"  {label:8} {text}", _INDENT)
    text, runbook = conclusion(found)
    lines += ["", *_wrapped(text), f"Runbook: {runbook}"]
    click.echo("\n".join(map(masking.hide, lines)))


@click.group(epilog="Example:  DATABASE_URL=postgresql://crew@db/crew backout salvage list")
def salvage() -> None:
    """Show or drop what rollbacks have kept in the database that DATABASE_URL names."""


@salvage.command("list", epilog="Example:  DATABASE_URL=postgresql://crew@db/crew backout salvage list")
@click.option("--json", "as_json", is_flag=True, help="print JSON")
def list_(as_json: bool) -> None:
    """Show what is kept, and what has become of it.

    Of each rollback and table: how many rows, how many are back, and what is left and why.
    """
    import msgspec  # noqa: PLC0415

    from backout.production import salvage_contents  # noqa: PLC0415

    with _connected(default_transaction_read_only="on") as connection:
        found = salvage_contents(connection)
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(found), indent=2, ensure_ascii=False))
        return
    click.echo("\n".join(line for one in found for line in _kept(one)) or "nothing is kept")


@salvage.command(epilog="Example:  DATABASE_URL=postgresql://crew@db/crew backout salvage drop --all")
@click.argument("revision", required=False)
@click.option("--all", "everything", is_flag=True, help="instead of one revision's")
@click.option("--lose-what-is-left", is_flag=True, help="also what was not put back, and is nowhere else")
@click.option("--yes", is_flag=True, help="do not ask; for scripts")
def drop(revision: str | None, everything: bool, lose_what_is_left: bool, yes: bool) -> None:
    """Drop what the rollbacks of REVISION have kept, or everything.

    Refuses where rows are left that were not put back.
    """
    from backout.production import drop_salvage, salvage_contents  # noqa: PLC0415

    if (revision is None) != everything:
        raise click.UsageError("name a revision, or --all")
    with _connected() as connection:
        if not yes:
            found = [one for one in salvage_contents(connection) if revision in (None, one.revision)]
            click.echo("\n".join(line for one in found for line in _kept(one)) or "nothing is kept")
            if not sys.stdin.isatty():
                raise Refused("nobody can be asked: standard input is no terminal; for scripts: --yes")
            click.confirm("Drop it?", abort=True)
        done = drop_salvage(connection, revision, lose_what_is_left=lose_what_is_left)
    click.echo(
        "\n".join(f"dropped what {one.revision} had kept of {_plain(one.table)}" for one in done) or "nothing to drop"
    )


def _kept(one: Salvage) -> Iterator[str]:
    from backout.production import size_of  # noqa: PLC0415

    what = ", ".join(one.columns) or "whole rows"
    yield from _wrapped(f"{one.revision} {_plain(one.table)}: {what}")
    yield from _wrapped(
        f"  taken    {one.taken:%Y-%m-%d %H:%M} UTC by {one.by}: {one.rows:,} rows, {size_of(one.size)}", _INDENT
    )
    yield f"  in       {one.data}"
    if one.put_back_by is not None:
        yield from _wrapped(f"  back     {one.put_back:,} rows, with {one.put_back_by}", _INDENT)
    for left in one.left:
        why = left.why or "no upgrade has brought back yet what they belong to"
        yield from _wrapped(f"  left     {left.rows:,} rows: {why}", _INDENT)


def _wrapped(text: str, indent: int = 2) -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        subsequent_indent=" " * indent,
        drop_whitespace=True,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _plain(name: str) -> str:
    return name.removeprefix("public.")


@contextmanager
def _connected(**settings: str) -> Iterator[Any]:
    from backout.postgres import real_database  # noqa: PLC0415
    from backout.production import database_url  # noqa: PLC0415

    with real_database(database_url()) as real, real.connect("salvage", timezone="UTC", **settings) as connection:
        yield connection
