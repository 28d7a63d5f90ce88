"""What a project tells backout: the ``[tool.backout]`` table of its ``pyproject.toml``.

It is not the place for options of one command; those stand on the command line. Pure.
"""

import math
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backout.errors import ConfigurationError


@dataclass(frozen=True)
class Service:
    """A program that a page may ask for in its front matter.

    :param command: shell command; ``{port}`` stands for a free TCP port on 127.0.0.1.
    :param variable: environment variable that gets the service's URL, e.g. ``API_URL``.
    """

    command: str
    variable: str


@dataclass(frozen=True)
class Production:
    """What is true of every database that the project is deployed to.

    :param health: URL to ask before and after a change; None: nobody is asked.
    :param ignore: objects that no revision makes and that are no drift: ``schema monitoring``, ``table public.tmp_*``.
    :param backup_hours: how old a backup may be.
    """

    health: str | None = None
    ignore: tuple[str, ...] = ()
    backup_hours: float = 24.0


@dataclass(frozen=True)
class Project:
    """A directory with an Alembic configuration, and what its ``pyproject.toml`` says to backout.

    :param root: absolute path of the project.
    :param pages: globs, relative to ``root``, of the Markdown files under the page contract.
    :param sample: shell command that loads the sample rows, or None where there are none.
    :param secrets: variables, or patterns of them, whose values are never shown nor written.
    """

    root: Path
    pages: tuple[str, ...] = ()
    sample: str | None = None
    services: Mapping[str, Service] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    production: Production = Production()

    def is_page(self, path: Path) -> bool:
        """Whether the file, absolute, is under the page contract."""
        return any(path in self._pages(glob) for glob in self.pages)

    def page_paths(self) -> Iterator[Path]:
        """Every file under the page contract, in the order of its path."""
        yield from sorted({path for glob in self.pages for path in self._pages(glob)})

    def _pages(self, glob: str) -> set[Path]:
        return {path for path in self.root.glob(glob) if path.is_file()}


def load_project(start: Path) -> Project:
    """The project that ``start`` is in: the nearest directory upward with a ``[tool.backout]`` table.

    Without one, ``start`` itself with the defaults.

    :raises ConfigurationError: the file is not TOML, or the table says something unknown.
    """
    start = start.resolve()
    for root in (start, *start.parents):
        path = root / "pyproject.toml"
        if path.is_file():
            try:
                table = tomllib.loads(path.read_text(encoding="utf-8")).get("tool", {}).get("backout")
            except tomllib.TOMLDecodeError as error:
                raise ConfigurationError(f"{path} is not valid TOML: {error}; mend it") from error
            if table is not None:
                return _project(root, table, path)
    return Project(root=start)


def _project(root: Path, table: dict[str, Any], path: Path) -> Project:
    where = f"{path}, [tool.backout]"
    _known(table, {"pages", "production", "sample", "secrets", "services"}, where)
    pages, sample, secrets = table.get("pages", []), table.get("sample"), table.get("secrets", [])
    if not isinstance(pages, list):
        raise ConfigurationError(f"{where}: pages is a list of globs, not {pages!r}")
    if not isinstance(secrets, list):
        raise ConfigurationError(f"{where}: secrets is a list of variables' names, not {secrets!r}")
    if not isinstance(sample, (str, type(None))):
        raise ConfigurationError(f"{where}: sample is a shell command, not {sample!r}")
    services = {}
    for name, values in table.get("services", {}).items():
        service = f"{path}, [tool.backout.services.{name}]"
        _known(values, {"command", "variable"}, service)
        missing = sorted({"command", "variable"} - values.keys())
        if missing:
            raise ConfigurationError(f"{service}: {missing[0]} is missing; add it")
        services[name] = Service(**values)
    return Project(
        root=root,
        pages=tuple(pages),
        sample=sample,
        services=services,
        secrets=tuple(secrets),
        production=_production(table.get("production", {}), f"{path}, [tool.backout.production]"),
    )


def _production(table: Any, where: str) -> Production:
    if not isinstance(table, dict):
        raise ConfigurationError(f"{where} is a table, not {table!r}")
    _known(table, {"backup_hours", "health", "ignore"}, where)
    ignore, health, hours = table.get("ignore", []), table.get("health"), table.get("backup_hours", 24.0)
    if not isinstance(ignore, list) or not all(isinstance(one, str) for one in ignore):
        raise ConfigurationError(f"{where}: ignore is a list of objects, not {ignore!r}")
    if not isinstance(health, (str, type(None))):
        raise ConfigurationError(f"{where}: health is a URL, not {health!r}")
    if isinstance(hours, bool) or not isinstance(hours, (int, float)) or not 0 < hours < math.inf:
        raise ConfigurationError(f"{where}: backup_hours is a number of hours, not {hours!r}")
    return Production(health=health, ignore=tuple(ignore), backup_hours=hours)


def _known(table: Mapping[str, Any], keys: set[str], where: str) -> None:
    unknown = sorted(table.keys() - keys)
    if unknown:
        raise ConfigurationError(
            f"{where}: unknown key {', '.join(map(repr, unknown))}; known are {', '.join(sorted(keys))}"
        )
