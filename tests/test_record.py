"""backout.record: ``build/run.json`` and back."""

import json
from pathlib import Path

import pytest

from backout.record import (
    UNDER_WAY,
    PageRecord,
    StepRecord,
    add_runs,
    read_runs,
    read_under_way,
    text_hash,
    write_under_way,
)

STEP = StepRecord(id="a.1", line=3, language="bash", kind="run", outcome="passed")


def record(*steps: StepRecord, seconds: float = 1.5) -> PageRecord:
    return PageRecord(
        fingerprint="f", source=text_hash("é"), when="2026-01-02T03:04:05+00:00", commit="abc+", postgres="18.1",
        seconds=seconds, steps=steps or (STEP,),
    )  # fmt: skip


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "build" / "run.json"


def test_what_is_written_is_read(path: Path) -> None:
    written = add_runs(path, {"b.md": record(), "a.md": record()}, major=18, known=["a.md", "b.md"])
    assert read_runs(path) == written == {"a.md": {18: record()}, "b.md": {18: record()}}
    assert list(read_runs(path)) == ["a.md", "b.md"]
    assert sorted(path.parent.iterdir()) == [path]
    assert json.loads(path.read_text())["pages"]["a.md"]["18"]["steps"] == [
        {"id": "a.1", "line": 3, "language": "bash", "kind": "run", "outcome": "passed", "detail": ""}
    ]


def test_runs_are_merged_by_page_and_major(path: Path) -> None:
    known = ["a.md", "b.md"]
    add_runs(path, {"a.md": record(), "b.md": record()}, major=18, known=known)
    add_runs(path, {"a.md": record(seconds=9.0)}, major=15, known=known)
    add_runs(path, {"a.md": record(seconds=2.0)}, major=18, known=known)
    assert read_runs(path) == {"a.md": {15: record(seconds=9.0), 18: record(seconds=2.0)}, "b.md": {18: record()}}


def test_records_of_pages_that_are_gone_or_void_are_dropped(path: Path) -> None:
    add_runs(path, {"a.md": record(), "b.md": record(), "c.md": record()}, major=18, known=["a.md", "b.md", "c.md"])
    add_runs(path, {"b.md": record()}, major=15, known=["a.md", "b.md", "c.md"])
    assert add_runs(path, {}, major=18, known=["b.md", "c.md"], void=["b.md", "c.md", "d.md"]) == {
        "b.md": {15: record()}
    }


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"format": "other", "version": 1}', '{"format": "backout/run", "version": 2}']
)
def test_what_another_program_wrote_is_no_record(path: Path, text: str) -> None:
    path.parent.mkdir()
    path.write_text(text)
    assert read_runs(path) == {}
    assert add_runs(path, {"a.md": record()}, major=18, known=["a.md"]) == {"a.md": {18: record()}}
    assert read_runs(path) == {"a.md": {18: record()}}


def test_no_record(path: Path) -> None:
    assert read_runs(path) == {}


def test_counts() -> None:
    def step(kind: str, outcome: str) -> StepRecord:
        return StepRecord(id="x", line=1, language="", kind=kind, outcome=outcome)  # type: ignore[arg-type]

    page = record(
        step("run", "passed"), step("sabotage", "passed"), step("not run", "not run"), step("run", "elsewhere")
    )
    assert (page.count("passed"), page.count("passed", "run"), page.count("failed"), page.failed) == (2, 1, 0, False)
    assert record(step("run", "failed")).failed
    assert record(step("run", "not reached")).failed


def test_which_pages_are_being_run(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(UNDER_WAY, raising=False)
    under_way = path.parent / "under-way.json"
    write_under_way(under_way, ["b.md", "a.md"])
    assert read_under_way() == frozenset()  # nobody serves the site
    monkeypatch.setenv(UNDER_WAY, str(under_way))
    assert read_under_way() == {"a.md", "b.md"}
    write_under_way(under_way, ())
    assert read_under_way() == frozenset()
    under_way.unlink()
    assert read_under_way() == frozenset()
