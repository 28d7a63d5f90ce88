"""Executed notebooks: where a test run leaves them for the site, and what may not be in one that is published.

    build/notebooks/18/docs/onboarding/x.ipynb

Each carries the hash of the text that was executed. Pure but for these files: the tests write them, the site reads
them.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from backout.record import PageRecord, text_hash

# What a run itself made, and called as no other run does.
_OF_THE_RUN = {
    re.compile(r"(?:/[\w.+-]+)*/backout-[0-9a-f]{8}\b[\w./-]*(?::\d+)?"): "…",
    re.compile(r"\bbackout_[0-9a-f]{6,}(?:_\d+)+\b"): "backout_…",
}
# What differs from machine to machine, whatever its folders are called.
_PRIVATE = {
    re.compile(r"(?:127\.0\.0\.1|localhost|\[::1\]):\d+"): "a port of this machine",
    re.compile(r"\bpostgres(?:ql)?(?:\+\w+)?://\S*"): "the URL of a database",
    re.compile(r"(?<![\w./])/(?:tmp|home|root|Users|dev/shm|var/folders)/\S*"): "a path of this machine",
}
_UNTOLD = (
    "it shows a picture without a text for those who cannot see it; show it with backout.notebooks.show(figure, text)"
)
_SHOWN = 60  # characters of what may not be shown


def place(root: Path, major: int, page: str) -> Path:
    """Where the executed copy of a notebook lies."""
    return root / "build" / "notebooks" / str(major) / page


def published(executed: str) -> str:
    """An executed notebook in which folders and databases of the run that made it have no name of their own."""
    notebook = json.loads(executed)
    for cell in notebook["cells"]:
        if "outputs" in cell:
            cell["outputs"] = [_unnamed(output) for output in cell["outputs"]]
    return json.dumps(notebook, ensure_ascii=False)


def _unnamed(value: Any) -> Any:
    if isinstance(value, str):
        for pattern, instead in _OF_THE_RUN.items():
            value = pattern.sub(instead, value)
        return value
    if isinstance(value, list):
        return _unnamed("".join(value)) if all(isinstance(one, str) for one in value) else list(map(_unnamed, value))
    return {key: _unnamed(one) for key, one in value.items()} if isinstance(value, dict) else value


def keep(executed: str, path: Path, source: str) -> None:
    """Leave an executed notebook for the site.

    :param source: the text that was executed.
    """
    notebook = json.loads(executed)
    notebook["metadata"]["backout"] = {**notebook["metadata"].get("backout", {}), "source": text_hash(source)}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(notebook, ensure_ascii=False), encoding="utf-8")


def find(root: Path, page: str, source: str, records: Mapping[int, PageRecord]) -> Path | None:
    """The newest PostgreSQL's executed copy of this very text, from a run that passed; None: there is none."""
    for major, record in sorted(records.items(), reverse=True):
        path = place(root, major, page)
        if record.failed or not record.is_of(source) or not path.is_file():
            continue
        if json.loads(path.read_text(encoding="utf-8"))["metadata"]["backout"].get("source") == record.source:
            return path
    return None


def unfit(executed: str, private: Iterable[str]) -> Iterator[tuple[int, str]]:
    """What keeps an executed notebook from being published: number of the code cell, from 1, and message.

    :param private: paths of this machine that may not be shown.
    """
    cells = [cell for cell in json.loads(executed)["cells"] if cell["cell_type"] == "code"]
    for number, cell in enumerate(cells, start=1):
        for output in cell["outputs"]:
            text = "\n".join(_texts(output))
            for path in filter(None, private):
                if path in text:
                    yield number, f"it shows {path}, a path of this machine; print less"
            for pattern, what in _PRIVATE.items():
                if found := pattern.search(text):
                    yield number, f"it shows {found[0][:_SHOWN]!r}, {what}; print less"
            if not _is_told(output):
                yield number, _UNTOLD


def _texts(output: Mapping[str, Any]) -> Iterator[str]:
    yield "".join(output.get("text", ""))
    yield "\n".join(output.get("traceback", ()))
    for kind, data in output.get("data", {}).items():
        if kind.startswith("text/") or kind == "image/svg+xml":
            yield "".join(data)


def _is_told(output: Mapping[str, Any]) -> bool:
    """Whether a picture says in words what it shows; true of what is none."""
    data = output.get("data", {})
    if "image/svg+xml" in data:
        return re.search(r"<title\b[^>]*>\s*\S", "".join(data["image/svg+xml"])) is not None
    return not any(kind.startswith("image/") for kind in data)
