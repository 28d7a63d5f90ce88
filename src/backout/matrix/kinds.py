"""The kinds of migrations: what the rows of the risk matrix are measured on.

::

    kinds/
    └── <kind>/
        ├── kind.md               front matter: title, place, typical, row, note; then a sentence or two, what it is
        ├── <variant>.py          a revision on the catalogue's shop; its title is the docstring's first line
        ├── <variant>.json        its evidence
        ├── <variant>_before.py   what the shop must have first, where a variant needs it; not rehearsed
        └── <variant>_1.py …      a variant in several revisions, deploys apart: ``<title>: <what this one does>``

Not here: what the matrix says of them (``matrix``), measuring them (``specimens``). Pure, reads
files only; ``specimens`` and ``site`` import it, too.
"""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from backout.errors import ConfigurationError
from backout.evidence import Evidence, from_json

DIRECTORY = Path(__file__).parents[1] / "kinds"
SHOP = Path(__file__).parents[1] / "catalogue" / "base.py"

_TYPES = {"title": str, "place": int, "typical": str, "row": bool, "note": str}
_STEP = re.compile(r"(?P<variant>.+)_(?P<number>\d)")


@dataclass(frozen=True)
class Variant:
    """One way to write a migration of a kind.

    :param title: "nullable, without a default".
    :param before: from the shop on, what is there before it.
    :param files: its revisions, each on the one before; more than one where deploys lie between them.
    """

    name: str
    title: str
    before: tuple[Path, ...]
    files: tuple[Path, ...]


@dataclass(frozen=True)
class Kind:
    """A row of the matrix.

    :param place: among the rows.
    :param row: it is one of the six in the short table, too.
    :param typical: the variant that the row's cells are measured on.
    :param text: what it is, a sentence or two.
    :param note: what a reader must know who goes by the measurement; the matrix's note begins so, when it is written.
    :param variants: by name.
    """

    id: str
    title: str
    place: int
    row: bool
    typical: str
    text: str
    note: str
    variants: Mapping[str, Variant]


@cache
def load_kinds(directory: Path = DIRECTORY) -> Mapping[str, Kind]:
    """All kinds by id, in the order of their rows.

    :raises ConfigurationError: an entry is not as the module says.
    """
    kinds = sorted(
        (_kind(path) for path in directory.iterdir() if path.is_dir() and not path.name.startswith(("_", "."))),
        key=lambda kind: (kind.place, kind.id),
    )
    for one, other in itertools.pairwise(kinds):
        if one.place == other.place:
            raise ConfigurationError(
                f"{directory / other.id / 'kind.md'}: place {other.place} is taken by {one.id}; give it another"
            )
    return MappingProxyType({kind.id: kind for kind in kinds})


def read_evidence(kinds: Mapping[str, Kind]) -> dict[str, dict[str, tuple[Evidence, ...]]]:
    """What was measured: kind → variant → evidence of each of its revisions.

    :raises ConfigurationError: a variant was never measured, or its file is no evidence.
    """
    return {
        kind.id: {name: tuple(evidence_of(file) for file in one.files) for name, one in kind.variants.items()}
        for kind in kinds.values()
    }


def evidence_of(file: Path) -> Evidence:
    """What was measured of a revision of the package.

    :raises ConfigurationError: it was never measured, or its file is no evidence.
    """
    path = file.with_suffix(".json")
    try:
        text = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be read: {error.strerror}; measure it: python -m backout.specimens"
        ) from error
    return from_json(text, str(path))


def _kind(directory: Path) -> Kind:
    where = directory / "kind.md"
    values, text = _read(where)
    variants = {variant.name: variant for variant in _variants(directory)}
    if values["typical"] not in variants:
        known = ", ".join(variants) or "none"
        raise ConfigurationError(f"{where}: the typical variant {values['typical']} has no file; there are {known}")
    return Kind(
        id=directory.name,
        title=values["title"],
        place=values["place"],
        row=values.get("row", False),
        typical=values["typical"],
        text=text,
        note=values.get("note", ""),
        variants=MappingProxyType(variants),
    )


def _read(where: Path) -> tuple[dict[str, Any], str]:
    """Front matter and text of ``kind.md``."""
    try:
        document = re.fullmatch(r"---\n(.*?)^---\n(.*)", where.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    except OSError as error:
        raise ConfigurationError(f"{where} cannot be read: {error.strerror}; every kind has one") from error
    if document is None:
        raise ConfigurationError(f"{where} does not begin with front matter; put it between two lines of ---")
    try:
        values = yaml.safe_load(document[1])
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{where}: the front matter is not valid YAML: {error}; mend it") from error
    if not isinstance(values, dict):
        raise ConfigurationError(f"{where}: the front matter is no mapping; mend it")
    problems = [f"unknown key {key!r}" for key in sorted(values.keys() - _TYPES.keys())]
    problems += [f"{key} is missing" for key in ("title", "place", "typical") if key not in values]
    problems += [f"{key} is {value!r}, not of type {_TYPES[key].__name__}" for key, value in values.items()
                 if key in _TYPES and type(value) is not _TYPES[key]]  # fmt: skip
    text = " ".join(document[2].split())
    if not text:
        problems.append("no sentence says what it is")
    if problems:
        raise ConfigurationError(f"{where}: {problems[0]}; mend it")
    return values, text


def _variants(directory: Path) -> Iterator[Variant]:
    groups: dict[str, list[Path]] = {}
    for file in sorted(directory.glob("*.py")):
        if not file.stem.endswith("_before"):
            step = _STEP.fullmatch(file.stem)
            groups.setdefault(step["variant"] if step else file.stem, []).append(file)
    for name, files in groups.items():
        before = directory / f"{name}_before.py"
        titles = [_title(file) for file in files]
        if len(files) > 1:
            titles = [title.rpartition(": ")[0] for title in titles]
            if len(set(titles)) != 1 or not titles[0]:
                raise ConfigurationError(
                    f"{files[0]}: the revisions of a variant share their title up to a colon: "
                    f"{' | '.join(map(_title, files))}; mend the docstrings"
                )
        yield Variant(
            name=name,
            title=titles[0],
            before=(SHOP, *((before,) if before.exists() else ())),
            files=tuple(files),
        )


def _title(file: Path) -> str:
    docstring = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))
    if not docstring:
        raise ConfigurationError(f"{file} has no docstring; its first line is the variant's title")
    return docstring.splitlines()[0]
