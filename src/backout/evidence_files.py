"""The evidence of a chain, as files: one a revision, committed beside the revisions, like a lock file.

A fingerprint tells what an evidence was measured of. It covers the files of the revision and of its
ancestors, ``env.py``, the seed file and the version of the format; not what those files import.

Not here: measuring, judging. Pure, reads and writes files only: ``site`` and all that measures may import it.
"""

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import psutil

from backout.errors import ConfigurationError
from backout.evidence import VERSION, Evidence, from_json, on_major, to_json, with_major
from backout.revisions import Revision


class EvidenceFiles:
    """The directory ``evidence`` beside ``versions``, and ``seeds``.

    :param script_location: absolute path of the directory with ``env.py``.
    """

    def __init__(self, script_location: Path) -> None:
        self.directory = script_location / "evidence"
        self._seeds = script_location / "seeds"
        self._env = script_location / "env.py"

    def path(self, revision: str) -> Path:
        """Where the evidence of a revision is, or would be."""
        return self.directory / f"{revision}.json"

    def seed_file(self, revision: str) -> Path | None:
        """The project's own rows for the rehearsal of a revision, if it has some."""
        path = self._seeds / f"{revision}.sql"
        return path if path.is_file() else None

    def read(self) -> dict[str, Evidence]:
        """Every evidence there is, by revision.

        :raises ConfigurationError: a file is no evidence, or one of another revision.
        """
        return {path.stem: self._one(path) for path in sorted(self.directory.glob("[!.]*.json"))}

    def read_what_can_be_read(self) -> dict[str, Evidence]:
        """Likewise, without files of another version of the format, which are to be written anew."""
        found = {}
        for path in self.directory.glob("[!.]*.json"):
            with suppress(ConfigurationError):
                found[path.stem] = self._one(path)
        return found

    def _one(self, path: Path) -> Evidence:
        evidence = from_json(path.read_bytes(), str(path))
        if evidence.revision != path.stem:
            raise ConfigurationError(f"{path} is the evidence of {evidence.revision}; rename or delete it")
        return evidence

    def fingerprints(self, revisions: Iterable[Revision]) -> dict[str, str]:
        """What each revision is measured of, as a hash.

        :param revisions: the whole chain, parents before children.
        """
        env = _hash_of(self._env)
        known: dict[str, str] = {}
        for revision in revisions:
            seeds = self.seed_file(revision.id)
            ancestors = sorted(known[parent] for parent in (*revision.parents, *revision.dependencies))
            parts = [str(VERSION), env, _hash_of(revision.path), _hash_of(seeds) if seeds else "", *ancestors]
            known[revision.id] = sha256("\n".join(parts).encode()).hexdigest()
        return known

    def write(self, evidence: Evidence) -> None:
        """Put an evidence in its place: whole, or not at all."""
        self.directory.mkdir(exist_ok=True)
        path = self.path(evidence.revision)
        unfinished = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            unfinished.write_text(to_json(evidence), encoding="utf-8", newline="\n")
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)

    def sweep(self) -> None:
        """Remove what killed runs left unfinished."""
        for path in self.directory.glob(".*.json.*"):
            if path.suffix[1:].isdecimal() and not psutil.pid_exists(int(path.suffix[1:])):
                path.unlink(missing_ok=True)


def fingerprint_of(files: Iterable[Path]) -> str:
    """What a revision of the package's own is measured of, as a hash: its files, from the first to itself."""
    return sha256("\n".join([str(VERSION), *map(_hash_of, files)]).encode()).hexdigest()


def merged(kept: Evidence | None, measured: Evidence) -> Evidence:
    """What the file is to say after a measurement.

    The newest major is the canonical one; an older one adds an entry only where it differs. Evidence of other
    files (another fingerprint) is thrown away.
    """
    if kept is None or kept.fingerprint != measured.fingerprint:
        return measured
    if measured.postgres < kept.postgres:
        return with_major(kept, measured)
    versions = {int(major): on_major(kept, int(major)) for major in kept.also}
    if measured.postgres > kept.postgres:
        versions[kept.postgres] = on_major(kept, kept.postgres)
    for older in versions.values():
        measured = with_major(measured, older)
    return measured


def is_stale(kept: Evidence | None, fingerprint: str) -> bool:
    """Whether a revision must be measured again."""
    return kept is None or kept.fingerprint != fingerprint


def orphans(kept: Mapping[str, Evidence], revisions: Iterable[Revision]) -> tuple[str, ...]:
    """Revisions that have evidence, and no file any more."""
    return tuple(sorted(kept.keys() - {revision.id for revision in revisions}))


def _hash_of(path: Path) -> str:
    """Of the text, whatever its line ends, which git may change."""
    return sha256(path.read_bytes().replace(b"\r\n", b"\n")).hexdigest()
