"""Known hazards that the catalogue leaves to others: ``catalogue/elsewhere.yaml``, checked when it is loaded.

Together with the ``sources`` of the catalogue they are the whole list of known hazards, none twice.

Not here: hazards (``rules.catalogue``). Pure, reads one file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import yaml

from backout.errors import ConfigurationError
from backout.rules.catalogue import DIRECTORY, Hazard

Way = Literal["squawk", "told", "unseen"]

FILE = DIRECTORY / "elsewhere.yaml"


@dataclass(frozen=True)
class Elsewhere:
    """A known hazard that the catalogue does not have.

    :param id: in the list of known hazards: ``A43``.
    :param way: ``squawk`` tells it; it is ``told`` by something else; it is ``unseen``.
    :param text: squawk's rule; what tells it; what it would take to see it.
    """

    id: str
    name: str
    way: Way
    text: str


@dataclass(frozen=True)
class Group:
    """A group of the list of known hazards.

    :param id: the letter.
    :param sources: ids that the catalogue has.
    :param left: those that it has not.
    """

    id: str
    title: str
    sources: frozenset[str]
    left: tuple[Elsewhere, ...]


def load_known(catalogue: Mapping[str, Hazard], file: Path = FILE) -> tuple[Group, ...]:
    """The list of known hazards, by group: what the catalogue has of it, and what not.

    :raises ConfigurationError: an entry is malformed; or a hazard of the list is in neither place, or in both.
    """
    try:
        values = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise ConfigurationError(f"{file} cannot be read: {error}; mend it") from error
    left = tuple(_elsewhere(name, entry, file) for name, entry in sorted(values["hazards"].items()))
    found = Counter({source for hazard in catalogue.values() for source in hazard.sources})
    found.update(one.id for one in left)
    expected = {
        f"{letter}{number:02}" for letter, one in values["groups"].items() for number in range(1, one["known"] + 1)
    }
    for name in sorted(expected | found.keys()):
        if name not in expected:
            raise ConfigurationError(f"{file}: no group has {name}; mend the id, here or in a hazard.md")
        if found[name] != 1:
            where = (
                "in a hazard.md and here; keep one"
                if found[name]
                else "in no hazard.md, and not here; say who tells it"
            )
            raise ConfigurationError(f"{file}: {name} is {where}")
    return tuple(
        Group(
            id=letter,
            title=one["title"],
            sources=frozenset(name for hazard in catalogue.values() for name in hazard.sources if name[0] == letter),
            left=tuple(each for each in left if each.id[0] == letter),
        )
        for letter, one in values["groups"].items()
    )


def _elsewhere(name: str, entry: dict[str, Any], file: Path) -> Elsewhere:
    ways = [way for way in get_args(Way) if way in entry]
    if len(ways) != 1 or entry.keys() != {"name", *ways} or not all(isinstance(text, str) for text in entry.values()):
        raise ConfigurationError(
            f"{file}: {name} has {', '.join(entry)}; give it a name and one of {', '.join(get_args(Way))}"
        )
    return Elsewhere(name, entry["name"], ways[0], entry[ways[0]])
