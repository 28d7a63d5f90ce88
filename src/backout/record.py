"""What the last runs of the pages left behind: ``build/run.json``.

The tests write it, the site reads it; neither imports the other. A page without a record, or with a
record of another text, is *not verified*. Pure but for reading and writing that one file, and the one that says which
pages are being run now.

    {"format": "backout/run", "version": 1,
     "pages": {"docs/x.md": {"18": {"fingerprint": …, "source": sha256 of the page, "when": ISO 8601, "commit": …,
                                    "postgres": "18.6", "seconds": 4.2,
                                    "steps": [{"id", "line", "language", "kind", "outcome", "detail"}]}}}}
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

Outcome = Literal["passed", "failed", "not reached", "not run", "elsewhere"]


@dataclass(frozen=True)
class StepRecord:
    """One block, or one proof about a page.

    :param line: line of the page, from 1.
    :param kind: class of the block (*run*, *quoted*, *validated*, *not run*), *sabotage*,
        *incident*, *way back*, *again*, *names*, *outputs* or *contract*.
    :param outcome: ``elsewhere``: checked by another test, named in ``detail``.
    :param detail: the reason why a block is not run, or the message of a failure.
    """

    id: str
    line: int
    language: str
    kind: str
    outcome: Outcome
    detail: str = ""


_BLOCKS = ("run", "quoted", "validated", "not run", "way back")
_PROOFS = ("sabotage", "incident", "again")  # each is about a block, and has its line


@dataclass(frozen=True)
class PageRecord:
    """One page on one major version of PostgreSQL.

    :param fingerprint: hash of all that the page's result depends on.
    :param source: hash of the page's text.
    :param when: start of the run, ISO 8601 in UTC.
    :param commit: short hash, with ``+`` where the work tree differed; empty outside git.
    :param seconds: duration of the page.
    """

    fingerprint: str
    source: str
    when: str
    commit: str
    postgres: str
    seconds: float
    steps: tuple[StepRecord, ...]

    @property
    def failed(self) -> bool:
        """Whether anything on the page failed or was not reached."""
        return any(step.outcome in ("failed", "not reached") for step in self.steps)

    def count(self, outcome: Outcome, kind: str | None = None) -> int:
        """How many steps ended so, of one kind or of all."""
        return sum(step.outcome == outcome and kind in (None, step.kind) for step in self.steps)

    def is_of(self, source: str) -> bool:
        """Whether this very text was run."""
        return self.source == text_hash(source)

    def block_of(self, step: StepRecord) -> str | None:
        """The id of the block that a step is or is about; None: it is about the whole page."""
        if step.kind in _PROOFS:
            return next((one.id for one in self.steps if one.kind in _BLOCKS and one.line == step.line), None)
        return step.id if step.kind in _BLOCKS else None


Runs = dict[str, dict[int, PageRecord]]
"""Page path → PostgreSQL major → record."""

# Names the file that says which pages are being run, while somebody serves the site and runs them.
UNDER_WAY = "BACKOUT_UNDER_WAY"


def text_hash(text: str) -> str:
    """The hash that ``PageRecord.source`` holds."""
    return hashlib.sha256(text.encode()).hexdigest()


def read_runs(path: Path) -> Runs:
    """Read ``run.json``; nothing where there is none, or where another version of backout wrote it."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    if not isinstance(data, dict) or (data.get("format"), data.get("version")) != ("backout/run", 1):
        return {}
    return {
        page: {int(major): _record(values) for major, values in runs.items()} for page, runs in data["pages"].items()
    }


def add_runs(
    path: Path, records: Mapping[str, PageRecord], *, major: int, known: Iterable[str], void: Iterable[str] = ()
) -> Runs:
    """Merge new records into ``run.json`` and drop those of pages that are gone.

    :param known: the paths of all pages that exist.
    :param void: pages whose record holds no longer: a part of them was run, and failed.
    :return: all records after the merge.
    """
    runs = read_runs(path)
    for page, record in records.items():
        runs.setdefault(page, {})[major] = record
    for page in void:
        runs.get(page, {}).pop(major, None)
    kept = {page for page in known if runs.get(page)}
    runs = {page: runs[page] for page in sorted(runs) if page in kept}
    pages = {
        page: {str(key): asdict(record) for key, record in sorted(values.items())} for page, values in runs.items()
    }
    _write(path, {"format": "backout/run", "version": 1, "pages": pages})
    return runs


def read_under_way() -> frozenset[str]:
    """Paths of the pages that are being run now, as far as ``backout serve`` runs them."""
    path = os.environ.get(UNDER_WAY)
    if path is None:
        return frozenset()
    try:
        return frozenset(json.loads(Path(path).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return frozenset()


def write_under_way(path: Path, pages: Iterable[str]) -> None:
    """Say which pages are being run now; none: no run is under way."""
    _write(path, sorted(pages))


def _write(path: Path, content: object) -> None:
    """Whole or not at all: the site reads it while pages run."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as file:
        json.dump(content, file, indent=1, ensure_ascii=False)
        file.write("\n")
    os.replace(file.name, path)  # noqa: PTH105


def _record(values: Mapping[str, Any]) -> PageRecord:
    return PageRecord(**{**values, "steps": tuple(StepRecord(**step) for step in values["steps"])})
