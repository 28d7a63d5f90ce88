"""The table of docs/reference/faults.md says what the tests of the faults say."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]


def test_every_fault_that_is_tested_is_on_the_page_and_no_other(faults: Any) -> None:
    on_page = [name for name, *_ in faults.rows(faults.PAGE.read_text(encoding="utf-8"))]
    assert on_page == sorted(faults.tested(ROOT / "tests")), "write the page anew: make faults"


def test_none_of_them_loses_a_row(faults: Any) -> None:
    rows = faults.rows(faults.PAGE.read_text(encoding="utf-8"))
    assert len(rows) > 15
    assert {lost for *_, lost in rows} == {"none"}
    assert all(int(times) > 0 for _, times, _, _ in rows)


def told(fault: str, times: int, lost: int = 0, happened: str = "told") -> dict[str, Any]:
    return {"fault": fault, "times": times, "happened": happened, "rows_lost": lost}


def test_what_several_tests_tell_of_a_fault_is_added(faults: Any) -> None:
    assert faults.merged([told("a", 1), told("b", 2), told("a", 3, 4)]) == {
        "a": {"times": 4, "happened": "told", "rows_lost": 4},
        "b": {"times": 2, "happened": "told", "rows_lost": 0},
    }


def test_what_does_not_belong_together_is_an_error(faults: Any) -> None:
    with pytest.raises(ValueError, match=r"^two tests tell different things of 'a'$"):
        faults.merged([told("a", 1), told("a", 1, happened="else")])
    with pytest.raises(ValueError, match=r"^a fault is told as fault, times, happened, rows_lost, not as fault$"):
        faults.merged([{"fault": "a"}])


def test_the_names_are_read_off_the_tests(faults: Any, tmp_path: Path) -> None:
    path = tmp_path / "test_a.py"
    path.write_text(
        'def test(record_property, fault):\n    fault("a", 1, "told", 0)\n'
        '    record_property("fault", {"fault": "b", "times": 1, "happened": "told", "rows_lost": 0})\n'
    )
    assert faults.tested(tmp_path) == {"a": path, "b": path}
    path.write_text("def test(fault, name):\n    fault(name, 1, 'told', 0)\n")
    with pytest.raises(ValueError, match=r"^test_a\.py:2: write the name of the fault out$"):
        faults.tested(tmp_path)


PAGE = "# Faults\n\n<!-- tested: faults -->\n\nThe end.\n"


def test_the_table_is_written_and_read(faults: Any) -> None:
    known = faults.merged([told("a", 1), told("b", 2, 3), told("old", 1)])
    page = faults.written(PAGE, known, ["a", "b"])
    assert page == (
        "# Faults\n\n<!-- tested: faults -->\n\n"
        "| Fault | Times tried | What happened | Rows lost |\n|---|---|---|---|\n"
        "| a | 1 | told | none |\n| b | 2 | told | 3 |\n\nThe end.\n"
    )
    assert faults.rows(page) == [("a", "1", "told", "none"), ("b", "2", "told", "3")]
    assert faults.written(page, known, ["b", "old"]).count("\n| ") == 3
    assert faults.written(page, known, ["a", "b"]) == page
    with pytest.raises(KeyError):
        faults.written(page, known, ["a", "unknown"])


CONFTEST = """
import importlib.util

spec = importlib.util.spec_from_file_location("faults", {path!r})
faults = importlib.util.module_from_spec(spec)
spec.loader.exec_module(faults)


def pytest_configure(config):
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(faults.Recorder(config.rootpath))
"""
TESTS = """
import pytest


@pytest.mark.parametrize("number", range(3))
def test_it(record_property, number):
    told = {"fault": "a", "times": 2, "happened": "told", "rows_lost": 0}
    record_property("fault", told)
    assert number < 2
"""


@pytest.mark.parametrize("distributed", [(), ("-n", "2")], ids=["alone", "distributed"])
def test_a_run_leaves_behind_what_its_tests_tell(tmp_path: Path, faults: Any, distributed: tuple[str, ...]) -> None:
    """Of tests that pass, and beside what earlier runs have left."""
    (tmp_path / "conftest.py").write_text(CONFTEST.format(path=str(ROOT / "tests" / "faults.py")))
    (tmp_path / "test_it.py").write_text(TESTS)
    path = tmp_path / faults.RECORD
    path.parent.mkdir()
    path.write_text(json.dumps({"a": 1, "b": 2}))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", ".", *distributed]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "1 failed, 2 passed" in done.stdout, done.stdout + done.stderr
    assert json.loads(path.read_text()) == {"a": {"times": 4, "happened": "told", "rows_lost": 0}, "b": 2}
