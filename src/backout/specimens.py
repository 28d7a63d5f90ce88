"""The package's own migrations, rehearsed: those of the catalogue of hazards, and those of the kinds of the matrix.

Each is a branch on the catalogue's shop. They are put together as one Alembic project, so that one server and one
set of workers rehearse them all. In their files the revisions have short names that repeat (``unsafe``, ``safer``);
in the project each has a name of its own, made from its place, and the evidence has the file's names again. It is
committed beside the file, and the tests measure it again.

For developers: ``python -m backout.specimens`` measures all, or those whose names begin so, and writes the files.

Not here: what a revision's evidence must say (the tests of ``rules`` and ``matrix``).
"""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import click

from backout.campaign import Campaign
from backout.errors import BackoutError, ConfigurationError
from backout.evidence import Evidence, from_json, on_major, to_builtins, to_json, with_major
from backout.evidence_files import fingerprint_of
from backout.matrix.kinds import load_kinds
from backout.postgres.cluster import run_folder
from backout.rules.catalogue import load_catalogue, load_harmless
from backout.worker import Target

PACKAGE = Path(__file__).parent
REWRITE = "python -m backout.specimens"


@dataclass(frozen=True)
class Specimen:
    """One revision of the package's data.

    :param name: its place: ``catalogue/half-applied/unsafe``, ``kinds/add-column/nullable``.
    :param files: from the shop to the revision itself.
    """

    name: str
    files: tuple[Path, ...]

    @property
    def path(self) -> Path:
        """Where its evidence is, or would be."""
        return self.files[-1].with_suffix(".json")


def specimens() -> tuple[Specimen, ...]:
    """All of them, sorted by name.

    :raises ConfigurationError: a file stands in two chains, or does not revise the one before it.
    """
    found: dict[Path, tuple[Path, ...]] = {}
    for chain in _chains():
        for place, file in enumerate(chain):
            if found.setdefault(file, chain[: place + 1]) != chain[: place + 1]:
                raise ConfigurationError(f"{file} stands on {found[file][-2]} and on {chain[place - 1]}; give it one")
            parent = _revision(chain[place - 1])[0] if place else None
            if _revision(file)[1] != parent:
                raise ConfigurationError(
                    f"{file} revises {_revision(file)[1]!r}; before it comes {parent!r}: mend its down_revision"
                )
    kept = (chain for file, chain in found.items() if len(chain) > 1 and not re.fullmatch(r"(.+_)?before", file.stem))
    return tuple(sorted((Specimen(_name(chain[-1]), chain) for chain in kept), key=lambda one: one.name))


def fingerprint(specimen: Specimen) -> str:
    """What it is measured of, as a hash: its files, whatever their line ends, and the version of the format."""
    return fingerprint_of(specimen.files)


def kept(specimen: Specimen) -> Evidence | None:
    """Its evidence, as it was committed."""
    return from_json(specimen.path.read_bytes(), str(specimen.path)) if specimen.path.exists() else None


def measure(
    wanted: Iterable[Specimen], choice: str | None = None, *, jobs: int = 2
) -> Iterator[tuple[Specimen, Evidence]]:
    """Rehearse specimens; the evidence comes as it is ready.

    :param choice: the server; see :func:`backout.postgres.open_server`.
    """
    by_id = {_id(one.files[-1]): one for one in wanted}
    if not by_id:
        return
    with ExitStack() as stack:
        configuration = _write_project(run_folder(stack), by_id.values())
        with Campaign(Target(configuration), choice, jobs=jobs) as campaign:
            for result in campaign.measure(campaign.choose(list(by_id))):
                specimen = by_id[result.evidence.revision]
                yield specimen, _with_its_own_names(specimen, result.evidence)


def difference(committed: Evidence | None, measured: Evidence) -> str | None:
    """How a measurement differs from what was committed, or None.

    On another major version than the committed one, only the verdicts must agree.
    """
    if committed is None:
        return "has no evidence"
    if committed.fingerprint != measured.fingerprint:
        return "has evidence of other files"
    if committed.postgres != measured.postgres:
        expected = on_major(committed, measured.postgres)
        before, now = (expected.risk, expected.rollback), (measured.risk, measured.rollback)
        if before == now:
            return None
        return f"is {' and '.join(now)} on PostgreSQL {measured.postgres}, not {' and '.join(before)}"
    places = list(_places(to_builtins(replace(committed, also={})), to_builtins(measured)))
    return "; ".join(places[:3]) + (f"; and {len(places) - 3} more" if len(places) > 3 else "") if places else None


def updated(committed: Evidence | None, measured: Evidence) -> Evidence:
    """What the file is to say after a measurement: an older major adds an entry only where its verdict differs."""
    if committed is None or committed.fingerprint != measured.fingerprint:
        return measured
    if measured.postgres < committed.postgres:
        return committed if difference(committed, measured) is None else with_major(committed, measured)
    if measured.postgres == committed.postgres:
        return replace(measured, also=committed.also)
    return measured


@click.command(epilog=f"Example:  {REWRITE} kinds/add-column")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--new", is_flag=True, help="only those whose evidence is missing or stale")
@click.option("-j", "--jobs", default=2, show_default=True, type=click.IntRange(1, 16))
@click.option("--postgres", "choice", metavar="CHOICE", help="as for backout rehearse")
def main(names: Sequence[str], new: bool, jobs: int, choice: str | None) -> None:
    """Measure the package's own migrations, all or those whose NAMEs begin so, and write their evidence."""
    wanted = [one for one in specimens() if not names or one.name.startswith(tuple(names))]
    if not wanted:
        raise ConfigurationError(f"no specimen's name begins with {' or '.join(names)}; they are directories and files "
                                 f"of {PACKAGE}, like kinds/add-column/nullable")  # fmt: skip
    if new:
        wanted = [one for one in wanted if (found := _readable(one)) is None or found.fingerprint != fingerprint(one)]
    for specimen, measured in measure(wanted, choice, jobs=jobs):
        committed = _readable(specimen)
        evidence = updated(committed, measured)
        if evidence == committed:
            continue
        specimen.path.write_text(to_json(evidence), encoding="utf-8", newline="\n")
        click.echo(f"{specimen.name}: {evidence.risk}, {evidence.rollback}")


def _readable(specimen: Specimen) -> Evidence | None:
    """Its evidence, unless that is of another form."""
    try:
        return kept(specimen)
    except ConfigurationError:
        return None


def _chains() -> Iterator[tuple[Path, ...]]:
    for hazard in load_catalogue().values():
        yield hazard.unsafe
        yield hazard.safer
    yield from load_harmless().values()
    for kind in load_kinds().values():
        for variant in kind.variants.values():
            yield (*variant.before, *variant.files)


def _name(file: Path) -> str:
    return file.relative_to(PACKAGE).with_suffix("").as_posix()


# -- the project ----------------------------------------------------------------------------------------------------

_ASSIGNMENT = r"^{}(?:: [^=\n]+)? = (.+)$"
_INI = """\
[alembic]
script_location = %(here)s/alembic
path_separator = os
sqlalchemy.url = postgresql+psycopg://
"""
_ENV = '''\
"""Like the one that ``alembic init`` writes."""

from alembic import context
from sqlalchemy import engine_from_config, pool

settings = context.config.get_section(context.config.config_ini_section, {})
with engine_from_config(settings, prefix="sqlalchemy.", poolclass=pool.NullPool).connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
'''


def _write_project(folder: Path, wanted: Iterable[Specimen]) -> Path:
    """An Alembic project with these specimens and what they stand on; returns its configuration."""
    versions = folder / "alembic" / "versions"
    versions.mkdir(parents=True)
    (folder / "alembic" / "env.py").write_text(_ENV, encoding="utf-8")
    (folder / "alembic.ini").write_text(_INI, encoding="utf-8")
    for specimen in wanted:
        for file, parent in zip(specimen.files, (None, *specimen.files), strict=False):
            renamed = _renamed(file.read_text(encoding="utf-8"), _id(file), _id(parent) if parent else None)
            (versions / f"{_id(file)}.py").write_text(renamed, encoding="utf-8")
    return folder / "alembic.ini"


def _id(file: Path) -> str:
    """A revision's name in the project: the same each time, and short enough for ``alembic_version``."""
    return sha256(_name(file).encode()).hexdigest()[:12]


def _renamed(text: str, revision: str, parent: str | None) -> str:
    for name, value in (("revision", revision), ("down_revision", parent)):
        text = re.sub(_ASSIGNMENT.format(name), f"{name} = {value!r}", text, count=1, flags=re.MULTILINE)
    return text


def _revision(file: Path) -> tuple[str, str | None]:
    """Revision and down_revision, as the file says."""
    text = file.read_text(encoding="utf-8")
    values = []
    for name in ("revision", "down_revision"):
        found = re.findall(_ASSIGNMENT.format(name), text, re.MULTILINE)
        if len(found) != 1:
            raise ConfigurationError(f"{file} sets {name} {len(found)} times; set it once, in a line of its own")
        values.append(ast.literal_eval(found[0]))
    return values[0], values[1]


def _with_its_own_names(specimen: Specimen, evidence: Evidence) -> Evidence:
    revision, parent = _revision(specimen.files[-1])
    return replace(
        evidence,
        revision=revision,
        parents=(parent,) if parent else (),
        path=f"{specimen.name}.py",
        fingerprint=fingerprint(specimen),
    )


# -- comparing ------------------------------------------------------------------------------------------------------


def _places(committed: Any, measured: Any, where: str = "") -> Iterator[str]:
    """Where two JSON values differ, and how."""
    if isinstance(committed, dict) and isinstance(measured, dict):
        for key in {**committed, **measured}:
            yield from _places(committed.get(key), measured.get(key), f"{where}.{key}" if where else key)
    elif isinstance(committed, list | tuple) and isinstance(measured, list | tuple) and len(committed) == len(measured):
        for place, (one, other) in enumerate(zip(committed, measured, strict=True)):
            yield from _places(one, other, f"{where}[{place}]")
    elif committed != measured:
        yield f"{where} is {_shown(measured)}, the file says {_shown(committed)}"


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 200 else f"{text[:200]}…"


if __name__ == "__main__":
    try:
        main(standalone_mode=False)
    except (BackoutError, click.ClickException) as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)
