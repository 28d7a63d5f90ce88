"""A chain as its files say it: revisions read with ``ast``, never imported, so that nothing of the project runs.

::

    chain = read_chain(Path("alembic.ini"))
    for revision in chain.revisions:               # parents before children
        print(revision.id, revision.summary)

What Alembic itself makes of the files is told by ``worker``, which runs them; the two agree, and the tests hold them
against each other. Here a revision must give its ids as literals, and the configuration a directory.

Not here: evidence (``evidence_files``), running anything. Pure, reads files only; anybody may import it.
"""

from __future__ import annotations

import ast
import configparser
import os
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from backout.errors import ConfigurationError


@dataclass(frozen=True)
class Revision:
    """One revision file.

    :param parents: what it revises, in the file's order.
    :param dependencies: ``depends_on``, resolved to revisions.
    :param labels: its own branch labels.
    :param summary: the docstring's first line.
    """

    id: str
    parents: tuple[str, ...]
    dependencies: tuple[str, ...]
    labels: tuple[str, ...]
    path: Path
    summary: str
    docstring: str


@dataclass(frozen=True)
class ChainFiles:
    """Every revision, behind those that it needs; a branch in one piece; the same order each time.

    :param root: the directory of the configuration.
    :param script_location: the directory with ``env.py``.
    """

    root: Path
    script_location: Path
    revisions: tuple[Revision, ...]

    @property
    def heads(self) -> tuple[str, ...]:
        """Revisions that no other one revises, sorted."""
        revised = {parent for one in self.revisions for parent in one.parents}
        return tuple(sorted(one.id for one in self.revisions if one.id not in revised))

    @property
    def bases(self) -> tuple[str, ...]:
        """Revisions that revise none, sorted."""
        return tuple(sorted(one.id for one in self.revisions if not one.parents))

    def ancestors(self, revision: str) -> tuple[str, ...]:
        """Everything that is applied before a revision, in the chain's order."""
        by_id = {one.id: one for one in self.revisions}
        needed: set[str] = set()
        waiting = [revision]
        while waiting:
            one = by_id[waiting.pop()]
            new = {*one.parents, *one.dependencies} - needed
            needed |= new
            waiting += new
        return tuple(one.id for one in self.revisions if one.id in needed)


def read_chain(configuration: Path, section: str = "alembic") -> ChainFiles:
    """The chain that a configuration names.

    :param configuration: ``alembic.ini``, or ``pyproject.toml``; of an absent ``alembic.ini`` the neighbour is taken.
    :param section: of the ini file (``alembic -n``).
    :raises ConfigurationError: there is no chain, or its files do not say what it is.
    """
    root = configuration.resolve().parent
    options = _options(configuration, section)
    script_location = _directory(options["script_location"], root)
    if not (script_location / "env.py").is_file():
        raise ConfigurationError(f"{script_location} has no env.py; mend the script_location of {configuration}")
    files = sorted(set(_files(options, script_location, root)))
    scripts = [script for path in files if (script := _read(path)) is not None]
    return ChainFiles(root=root, script_location=script_location, revisions=_linked(scripts))


def created(revision: Revision) -> date | None:
    """The day of a revision: of ``Create Date:`` in its docstring, else of its file's name; None where neither is."""
    for pattern, text in ((_CREATE_DATE, revision.docstring), (_NAME_DATE, revision.path.name)):
        found = pattern.search(text)
        if found:
            try:
                return date(*map(int, found.groups()))
            except ValueError:
                continue
    return None


_CREATE_DATE = re.compile(r"^[ \t]*Create Date:[ \t]*(\d{4})-(\d\d)-(\d\d)", re.MULTILINE)
_NAME_DATE = re.compile(r"^(\d{4})[-_]?(\d\d)[-_]?(\d\d)(?!\d{5})")


# -- the configuration ------------------------------------------------------------------------------------------------


def _options(configuration: Path, section: str) -> Mapping[str, Any]:
    """``script_location``, ``version_locations`` and what separates them."""
    here = str(configuration.resolve().parent)
    if configuration.suffix == ".toml" or not configuration.is_file():
        path = configuration if configuration.suffix == ".toml" else configuration.with_name("pyproject.toml")
        values = _toml(path)
        if values is None:
            raise ConfigurationError(
                f"{configuration} is no Alembic configuration; name the project's alembic.ini, "
                "or a pyproject.toml with a [tool.alembic] table"
            )
        found = {
            name: [one.replace("%(here)s", here) for one in value]
            if isinstance(value, list)
            else str(value).replace("%(here)s", here)
            for name, value in values.items()
        }
    else:
        parser = configparser.ConfigParser({"here": here.replace("%", "%%")})
        try:
            parser.read(configuration, encoding="utf-8")
            found = {
                name: parser.get(section, name)
                for name in ("script_location", "version_locations", "path_separator", "version_path_separator",
                             "recursive_version_locations")
                if parser.has_option(section, name)
            }  # fmt: skip
        except configparser.Error as error:
            raise ConfigurationError(f"{configuration} cannot be read: {error}; mend it") from error
    if "script_location" not in found:
        raise ConfigurationError(f"{configuration} has no script_location in [{section}]; add it")
    return found


def _toml(path: Path) -> Mapping[str, Any] | None:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8")).get("tool", {}).get("alembic")
    except FileNotFoundError:
        return None
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path} is not valid TOML: {error}; mend it") from error
    return table if isinstance(table, dict) else None


def _directory(location: str, root: Path) -> Path:
    path = root / location
    package, colon, inside = location.partition(":")
    if colon and not path.exists():  # of an installed package, which is looked for where projects keep theirs
        parts = (*package.split("."), inside)
        path = next((one for one in (root.joinpath(*parts), root.joinpath("src", *parts)) if one.is_dir()), path)
    if not path.is_dir():
        raise ConfigurationError(f"the script_location {location} is no directory below {root}; mend it")
    return path.resolve()


def _files(options: Mapping[str, Any], script_location: Path, root: Path) -> Iterator[Path]:
    locations = options.get("version_locations") or [str(script_location / "versions")]
    if isinstance(locations, str):
        separator = options.get("path_separator", options.get("version_path_separator"))
        pattern = {"os": re.escape(os.pathsep), ":": ":", ";": ";", "newline": r"\n", "space": r"\s+"}
        locations = re.split(pattern.get(separator or "", r",\s*|\s+"), locations)
    recursive = str(options.get("recursive_version_locations", "")).lower() in ("true", "1", "yes", "on")
    for location in filter(None, map(str.strip, locations)):
        directory = _directory(location, root)
        for path in directory.rglob("*.py") if recursive else directory.glob("*.py"):
            if path.name != "__init__.py" and not path.name.startswith(".#"):
                yield path


# -- the files --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Script:
    """What a file says, unresolved."""

    id: str
    parents: tuple[str, ...]
    depends_on: tuple[str, ...]
    labels: tuple[str, ...]
    path: Path
    docstring: str


def _read(path: Path) -> _Script | None:
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    except (SyntaxError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} is not Python: {error}; mend it") from error
    values: dict[str, Any] = {}
    for node in tree.body:
        if not isinstance(node, ast.Assign | ast.AnnAssign):
            continue
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            for part in ast.walk(target):
                if isinstance(part, ast.Name) and part.id in _NAMES:
                    values[part.id] = _literal(node, part.id, path)
    if values.get("revision") is None:
        raise ConfigurationError(f"{path} sets no revision; every file in a version location is one")
    docstring = ast.get_docstring(tree, clean=False) or ""
    return _Script(
        id=values["revision"],
        parents=_several(values.get("down_revision")),
        depends_on=_several(values.get("depends_on")),
        labels=_several(values.get("branch_labels")),
        path=path,
        docstring=docstring,
    )


_NAMES = ("revision", "down_revision", "branch_labels", "depends_on")


def _literal(node: ast.Assign | ast.AnnAssign, name: str, path: Path) -> Any:
    """The value that an assignment gives to a name; of ``a, b = 1, 2`` its share."""
    target: ast.expr = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
    value = node.value
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
        place = next(number for number, one in enumerate(target.elts) if isinstance(one, ast.Name) and one.id == name)
        value = value.elts[place]
    try:
        return None if value is None else ast.literal_eval(value)
    except ValueError as error:
        raise ConfigurationError(
            f"{path}:{node.lineno}: {name} is no literal, and the site runs no revision to learn it; write it out"
        ) from error


def _several(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(value)  # type: ignore[arg-type]


def _linked(scripts: Sequence[_Script]) -> tuple[Revision, ...]:
    by_id: dict[str, _Script] = {}
    for script in scripts:
        if script.id in by_id:
            raise ConfigurationError(
                f"{script.path} and {by_id[script.id].path} are both revision {script.id}; give one another id"
            )
        by_id[script.id] = script
    labels = {label: script.id for script in scripts for label in script.labels}

    def resolved(name: str, script: _Script) -> str:
        if name in by_id or name in labels:
            return name if name in by_id else labels[name]
        beginning = [one for one in by_id if one.startswith(name)]
        if len(beginning) != 1:
            raise ConfigurationError(f"{script.path} builds on {name}, which no file is; mend the id")
        return beginning[0]

    needs = {
        script.id: (
            tuple(resolved(name, script) for name in script.parents),
            tuple(resolved(name, script) for name in script.depends_on),
        )
        for script in scripts
    }
    return tuple(
        Revision(
            id=name,
            parents=needs[name][0],
            dependencies=needs[name][1],
            labels=by_id[name].labels,
            path=by_id[name].path,
            summary=by_id[name].docstring.strip().split("\n\n")[0],
            docstring=by_id[name].docstring,
        )
        for name in _ordered({name: (*parents, *others) for name, (parents, others) in needs.items()})
    )


def _ordered(needs: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Every revision behind those that it needs, a branch in one piece; the same each time."""
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        circle = ", ".join(sorted(set(error.args[1])))
        raise ConfigurationError(f"the revisions {circle} build on themselves; mend the ids") from error
    order: dict[str, None] = {}
    waiting = sorted(needs.keys() - {name for names in needs.values() for name in names}, reverse=True)
    while waiting:
        missing = [name for name in needs[waiting[-1]] if name not in order]
        if missing:
            waiting += missing[::-1]
        else:
            order[waiting.pop()] = None
    return list(order)
