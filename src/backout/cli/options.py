"""Options that several commands share. Only ``cli`` and the modules of its commands import it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from backout.errors import ConfigurationError

if TYPE_CHECKING:
    from backout.worker import Target

POSTGRES = click.option(
    "--postgres",
    "choice",
    metavar="CHOICE",
    help="embedded, system, system:15 or a server's URL; default: $BACKOUT_POSTGRES, else embedded",
)


def target_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """How a project's chain is found and run."""
    for option in reversed(
        (
            click.option(
                "-c", "--config", "configuration", metavar="FILE", default="alembic.ini", show_default=True,
                type=click.Path(path_type=Path, dir_okay=False), help="the Alembic configuration",
            ),
            click.option("-n", "--name", "section", metavar="NAME", default="alembic", help="its section"),
            click.option("-x", "arguments", metavar="KEY=VALUE", multiple=True, help="as for alembic -x"),
            click.option(
                "--python", metavar="PATH", default=sys.executable,
                help="the interpreter that the project's packages are installed in; default: backout's own",
            ),
            click.option(
                "--env", "environment", metavar="NAME=TEMPLATE", multiple=True,
                help="set a variable for the chain; {url}, {host}, {port}, {user}, {database} are the database's",
            ),
            click.option(
                "--set", "options", metavar="KEY=TEMPLATE", multiple=True,
                help="set an option of the configuration, likewise",
            ),
            click.option(
                "--hooks", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False, exists=True),
                help="Python file with before_loading, before_first, around_step or run_step",
            ),
        )
    ):  # fmt: skip
        command = option(command)
    return command


def target_of(
    configuration: Path,
    section: str,
    arguments: tuple[str, ...],
    python: str,
    environment: tuple[str, ...],
    options: tuple[str, ...],
    hooks: Path | None,
) -> Target:
    """The chain that these options name.

    :raises ConfigurationError: a pair without a name or a value.
    """
    from backout.worker import Target  # noqa: PLC0415

    return Target(
        configuration=configuration,
        section=section,
        python=python,
        environment=pairs("--env", environment),
        options=pairs("--set", options),
        arguments=arguments,
        hooks=hooks,
    )


def pairs(option: str, given: Sequence[str]) -> dict[str, str]:
    """``NAME=VALUE`` options as a table."""
    pairs = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not equals or not name:
            raise ConfigurationError(f"{option} {one!r} has no name and value; write {option} NAME=VALUE")
        pairs[name] = value
    return pairs
