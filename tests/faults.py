"""Makes every fault real, and writes the table of docs/reference/faults.md.

    python tests/faults.py -n 2

A test leaves behind what came of a fault, by the fixture ``fault`` or, which is the same, by pytest's::

    record_property("fault", {"fault": "server killed", "times": 1, "happened": "told", "rows_lost": 0})

Of several tests that say the same name, the times are added. ``conftest`` registers the :class:`Recorder`, which
writes ``build/faults.json`` at the end of each run.
"""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from backout.matrix import Line, Table, rewrite

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reference" / "faults.md"
RECORD = Path("build", "faults.json")
WORD = "tested"  # <!-- tested: faults -->
HEADER = ("Fault", "Times tried", "What happened", "Rows lost")
KEYS = ("fault", "times", "happened", "rows_lost")

Faults = dict[str, dict[str, Any]]


class Recorder:
    """Collects what the tests leave behind; in the controlling process only."""

    def __init__(self, root: Path) -> None:
        self._path = root / RECORD
        self._heard: list[Mapping[str, Any]] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and report.passed:
            self._heard += [value for name, value in report.user_properties if name == "fault"]

    def pytest_sessionfinish(self) -> None:
        if self._heard:
            kept = json.loads(self._path.read_text()) if self._path.exists() else {}
            self._path.parent.mkdir(exist_ok=True)
            self._path.write_text(json.dumps({**kept, **merged(self._heard)}, indent=2, ensure_ascii=False) + "\n")


def merged(heard: Iterable[Mapping[str, Any]]) -> Faults:
    """By name; the times and the rows of several tests are added.

    :raises ValueError: something else was left behind, or two tests tell different things of one fault.
    """
    found: Faults = {}
    for one in heard:
        if tuple(one) != KEYS:
            raise ValueError(f"a fault is told as {', '.join(KEYS)}, not as {', '.join(one)}")
        known = found.setdefault(one["fault"], {"times": 0, "happened": one["happened"], "rows_lost": 0})
        if known["happened"] != one["happened"]:
            raise ValueError(f"two tests tell different things of {one['fault']!r}")
        known["times"] += one["times"]
        known["rows_lost"] += one["rows_lost"]
    return found


def tested(folder: Path) -> dict[str, Path]:
    """Every fault that a test there names, with the test's file.

    :raises ValueError: a name is not written out, so that nobody could look it up.
    """
    found = {}
    for path in sorted(set(folder.glob("test_*.py")) - {folder / "test_faults.py"}):  # whose names are made up
        for line, name in _named(ast.parse(path.read_text(encoding="utf-8"))):
            if name is None:
                raise ValueError(f"{path.name}:{line}: write the name of the fault out")
            found[name] = path
    return found


def _named(tree: ast.AST) -> Iterator[tuple[int, str | None]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "fault" and node.args:
            yield node.lineno, _text(node.args[0])
        elif isinstance(node, ast.Dict):
            keys = [_text(key) for key in node.keys]
            if set(KEYS) <= set(keys):
                yield node.lineno, _text(node.values[keys.index("fault")])


def _text(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def written(page: str, faults: Faults, names: Iterable[str]) -> str:
    """The page with the table of these faults, in the order of their names.

    :raises KeyError: nothing was left behind of one.
    """
    lines = []
    for name in names:
        one = faults[name]
        lines.append(Line(name, (name, str(one["times"]), one["happened"], str(one["rows_lost"] or "none"))))
    emptied = re.sub(rf"(<!-- {WORD}: faults -->\n)(?:\n(?:\|.*\n)+)?", r"\1", page)
    return rewrite(emptied, [Table("faults", HEADER, "fault", tuple(lines))], word=WORD)


def rows(page: str) -> list[tuple[str, ...]]:
    """What the page's table says."""
    table = re.search(rf"<!-- {WORD}: faults -->\n\n((?:\|.*\n)+)", page)
    cells = [tuple(cell.strip() for cell in line.split("|")[1:-1]) for line in table[1].splitlines()] if table else []
    return cells[2:]


def main(words: list[str]) -> int:
    """Run the tests of the faults, and write the page."""
    names = tested(ROOT / "tests")
    (ROOT / RECORD).unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", *words, *sorted({str(path) for path in names.values()})]
    status = subprocess.run(command, cwd=ROOT, check=False).returncode
    if status == 0:
        faults = json.loads((ROOT / RECORD).read_text())
        PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), faults, sorted(names)), encoding="utf-8")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
