"""The catalogue of hazards: what a directory of ``catalogue/`` says, checked when it is loaded.

::

    catalogue/
    ├── base.py                   revision ``shop``: the schema that every migration of the catalogue starts from
    ├── <hazard>/
    │   ├── hazard.md             front matter, Condition, Effect, Safer way, Message, and Fix where there is one
    │   ├── before.py             revision ``before``, where the hazard needs more than the shop
    │   ├── unsafe.py             revision ``unsafe``, which has the hazard
    │   └── safer.py              revision ``safer``, where no family's serves
    ├── _safer/<name>/            the same for many hazards: ``safer: <name>`` in their front matter
    └── _harmless/<name>.py       revision ``harmless``: looks dangerous, and is not

A safer way that takes several revisions is ``safer_1.py``, ``safer_2.py`` …, each on the one before: expand and
contract, NOT VALID and VALIDATE are deploys apart, and only separate revisions show that. All files are revisions of
Alembic's, each in a chain of its own, so that their names may repeat.

Message and Fix are templates: ``{table}`` stands for what the hazard's predicate says of the finding. Other braces
stay.

Not here: predicates (``rules``). ``rules`` builds on it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, get_args

import yaml

from backout.errors import ConfigurationError

Severity = Literal["error", "warning", "note"]

DIRECTORY = Path(__file__).parents[1] / "catalogue"

_ID = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_SOURCE = re.compile(r"[A-F]\d\d")
_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
_SECTIONS = ("Condition", "Effect", "Safer way", "Message")
_KEYS = {"name", "sources", "severity", "family", "safer", "entails", "squawk", "expects"}
_STEPS = {"upgrade", "downgrade", "reupgrade"}


@dataclass(frozen=True)
class Hazard:
    """A danger, as the catalogue describes it.

    :param name: a short noun phrase.
    :param sources: where it is known from, ids of the list of known hazards: ``A01``.
    :param entails: other hazards that its ``unsafe`` has as well.
    :param squawk: rules of squawk that say the same from the text alone.
    :param expects: steps of ``unsafe`` that do not just run: step → ``failed``.
    :param message: template of a finding's message.
    :param fix: template of the corrected migration, Python, or None.
    :param unsafe: revision files, from the shop to the one that has the hazard.
    :param safer: revision files, from the shop to the last one of the safer way.
    """

    id: str
    name: str
    sources: tuple[str, ...]
    severity: Severity
    family: str
    condition: str
    effect: str
    safer_way: str
    message: str
    fix: str | None
    unsafe: tuple[Path, ...]
    safer: tuple[Path, ...]
    entails: tuple[str, ...] = ()
    squawk: tuple[str, ...] = ()
    expects: Mapping[str, str] = field(default_factory=dict)

    @property
    def placeholders(self) -> frozenset[str]:
        """What its templates ask the predicate for."""
        return frozenset(_PLACEHOLDER.findall(self.message + (self.fix or "")))


@cache
def load_catalogue(directory: Path = DIRECTORY) -> Mapping[str, Hazard]:
    """All hazards by id, sorted.

    :raises ConfigurationError: an entry is not as the module says.
    """
    hazards = {
        path.name: _hazard(path, directory)
        for path in sorted(directory.iterdir())
        if path.is_dir() and not path.name.startswith(("_", "."))
    }
    for hazard in hazards.values():
        unknown = sorted(set(hazard.entails) - hazards.keys())
        if unknown:
            where = directory / hazard.id / "hazard.md"
            raise ConfigurationError(
                f"{where}: entails {unknown[0]}, which is no hazard of the catalogue; mend the name"
            )
    return MappingProxyType(hazards)


def load_harmless(directory: Path = DIRECTORY) -> Mapping[str, tuple[Path, ...]]:
    """Migrations that look dangerous and are not, by name: the revision files, from the shop on."""
    shop = directory / "base.py"
    return MappingProxyType({path.stem: (shop, path) for path in sorted((directory / "_harmless").glob("*.py"))})


def fill(template: str, values: Mapping[str, str]) -> str:
    """A template with its placeholders replaced; every one must have a value."""
    return _PLACEHOLDER.sub(lambda match: values[match[1]], template)


def _hazard(path: Path, directory: Path) -> Hazard:
    where = path / "hazard.md"
    if not _ID.fullmatch(path.name):
        raise ConfigurationError(f"{path} is no name of a hazard; use words in lower case, joined by hyphens")
    try:
        text = where.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{where} cannot be read: {error.strerror}; every hazard has one") from error
    document = re.fullmatch(r"---\n(.*?)^---\n(.*)", text, re.DOTALL | re.MULTILINE)
    if document is None:
        raise ConfigurationError(f"{where} does not begin with front matter; put it between two lines of ---")
    values = _front_matter(document[1], where)
    sections = _sections(document[2], where)
    return Hazard(
        id=path.name,
        name=values["name"],
        sources=tuple(values["sources"]),
        severity=values["severity"],
        family=values["family"],
        condition=_joined(sections["Condition"]),
        effect=_joined(sections["Effect"]),
        safer_way=_joined(sections["Safer way"]),
        message=" ".join(sections["Message"].split()),
        fix=_code(sections["Fix"], where) if "Fix" in sections else None,
        unsafe=_chain(path, directory, ("unsafe.py",)),
        safer=_safer(values.get("safer"), path, directory),
        entails=tuple(values.get("entails", ())),
        squawk=tuple(values.get("squawk", ())),
        expects=MappingProxyType(values.get("expects", {})),
    )


def _front_matter(text: str, where: Path) -> dict[str, Any]:
    try:
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{where}: the front matter is not valid YAML: {error}; mend it") from error
    if not isinstance(values, dict):
        raise ConfigurationError(f"{where}: the front matter is no mapping; mend it")
    problems = [f"unknown key {key!r}" for key in sorted(values.keys() - _KEYS)]
    problems += [f"{key} is missing" for key in ("name", "sources", "severity", "family") if key not in values]
    if not problems:
        if values["severity"] not in get_args(Severity):
            problems.append(f"severity is {values['severity']!r}, not {', '.join(get_args(Severity))}")
        problems += [f"the source {one!r} is no id like A01" for one in values["sources"] if not _SOURCE.fullmatch(one)]
        expects = values.get("expects", {})
        problems += [f"expects {step}: {outcome}, which is not one of {', '.join(sorted(_STEPS))}: failed"
                     for step, outcome in expects.items() if step not in _STEPS or outcome != "failed"]  # fmt: skip
    if problems:
        raise ConfigurationError(f"{where}: {problems[0]}; mend the front matter")
    return values


def _sections(body: str, where: Path) -> dict[str, str]:
    pieces = re.split(r"^## (.+)\n", body, flags=re.MULTILINE)
    sections = {name.strip(): text.strip() for name, text in zip(pieces[1::2], pieces[2::2], strict=True)}
    missing = [name for name in _SECTIONS if not sections.get(name)]
    if missing:
        raise ConfigurationError(f"{where}: the section {missing[0]} is missing or empty; write it")
    unknown = sorted(sections.keys() - {*_SECTIONS, "Fix"})
    if unknown:
        raise ConfigurationError(f"{where}: unknown section {unknown[0]}; known are {', '.join(_SECTIONS)}, Fix")
    return sections


def _joined(text: str) -> str:
    """Paragraphs, each in one line."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))


def _code(text: str, where: Path) -> str:
    fence = re.fullmatch(r"```python\n(.*)\n```", text, re.DOTALL)
    if fence is None:
        raise ConfigurationError(f"{where}: the section Fix is not one block of python; make it one")
    return fence[1]


def _chain(path: Path, directory: Path, names: tuple[str, ...]) -> tuple[Path, ...]:
    """The shop, what goes before, and these files of a directory.

    :raises ConfigurationError: one does not exist.
    """
    before = path / "before.py"
    files = (directory / "base.py", *((before,) if before.exists() else ()), *(path / name for name in names))
    missing = [file for file in files if not file.is_file()]
    if missing:
        raise ConfigurationError(f"{missing[0]} does not exist; every hazard has a migration that has it")
    return files


def _safer(shared: str | None, path: Path, directory: Path) -> tuple[Path, ...]:
    own = sorted(path.glob("safer*.py"))
    if (shared is None) == (not own):
        raise ConfigurationError(
            f"{path / 'hazard.md'}: a hazard has either a safer.py of its own or safer: NAME, a directory of _safer; "
            f"this one has {'neither' if shared is None else 'both'}"
        )
    if shared is None:
        return _chain(path, directory, tuple(file.name for file in own))
    place = directory / "_safer" / shared
    names = tuple(file.name for file in sorted(place.glob("safer*.py")))
    if not names:
        raise ConfigurationError(f"{path / 'hazard.md'}: safer: {shared}, and there is no safer.py in {place}")
    return _chain(place, directory, names)
