"""backout.evidence and backout.evidence_files: the form of what is measured, and its files."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from backout.errors import ConfigurationError
from backout.evidence import (
    Compatibility,
    Evidence,
    Lock,
    Loss,
    Losses,
    Schema,
    Seeded,
    Statement,
    Step,
    from_json,
    json_schema,
    on_major,
    to_json,
    with_major,
)
from backout.evidence_files import EvidenceFiles, is_stale, merged, orphans
from backout.worker import Revision

ROOT = Path(__file__).parents[1]
COMMITTED = sorted((ROOT / "alembic" / "evidence").glob("*.json"))
SCHEMA = ROOT / "docs" / "reference" / "evidence.schema.json"

NOT_RUN = Step("not-run")
MEASURED = Evidence(
    revision="r1",
    parents=("r0",),
    path="alembic/versions/r1.py",
    summary="drop bio",
    fingerprint="f1",
    postgres=18,
    upgrade=Step(
        "applied",
        transactional=True,
        statements=(
            Statement("ALTER …", locks=(Lock("public.users", "AccessExclusiveLock", ("reads", "writes"), True),)),
        ),
    ),
    downgrade=Step("failed", error="0A000 no way back"),
    reupgrade=NOT_RUN,
    lived_in_downgrade=NOT_RUN,
    lived_in_reupgrade=NOT_RUN,
    schema=Schema(changes=()),
    loss=Losses(upgrade=(Loss("public.users", "bio", 5, 6, ("é\u2028", None), (4, 0)),)),
    compatibility=Compatibility(),
    seeded=Seeded(1, 1, 4, 4),
    unproven=(),
    assumptions=(),
    risk="high",
    rollback="no",
)


def test_an_evidence_is_read_as_it_was_written() -> None:
    text = to_json(MEASURED)
    assert from_json(text, "r1.json") == MEASURED
    assert list(json.loads(text))[:4] == ["format", "version", "postgres", "revision"]
    assert text.endswith("}\n")
    # What was not reached is null.
    assert json.loads(text)["loss"]["untouched"] is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "r1.json is no evidence of version 1: Object missing required field `revision`; "),
        ("", "r1.json is no evidence of version 1: Input data was truncated; "),
        (
            to_json(MEASURED).replace('"version": 1', '"version": 2'),
            "r1.json is no evidence of version 1: Invalid enum value 2 - at `$.version`; ",
        ),
    ],
)
def test_what_is_no_evidence(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as failure:
        from_json(text, "r1.json")
    assert str(failure.value) == message + "measure again: backout rehearse"


# -- several major versions -------------------------------------------------------------------------


def test_another_major_is_kept_only_where_it_differs() -> None:
    same, other = replace(MEASURED, postgres=15), replace(MEASURED, postgres=15, risk="medium", rollback="risky")
    assert with_major(MEASURED, same).also == {}
    both = with_major(MEASURED, other)
    assert both.also == {"15": {"risk": "medium", "rollback": "risky"}}
    assert (on_major(both, 15), on_major(both, 18).risk) == (other, "high")
    assert from_json(to_json(both), "r1.json") == both


def test_the_newest_major_is_canonical() -> None:
    old, new = replace(MEASURED, postgres=15, risk="medium"), MEASURED
    assert merged(None, old) == old
    for kept, measured in ((old, new), (new, old)):
        both = merged(kept, measured)
        assert (both.postgres, both.risk, both.also) == (18, "high", {"15": {"risk": "medium"}})
        assert on_major(both, 15) == old
    # Measured again on the newest, the other's entry stays; on the other, it is written anew.
    both = merged(old, new)
    assert merged(both, new) == both
    assert merged(both, replace(old, risk="high")) == new


def test_evidence_of_other_files_is_thrown_away() -> None:
    other = replace(MEASURED, fingerprint="f2", postgres=15)
    assert merged(MEASURED, other) == other


# -- files ------------------------------------------------------------------------------------------


@pytest.fixture
def location(tmp_path: Path) -> Path:
    (tmp_path / "versions").mkdir()
    (tmp_path / "env.py").write_text("env\n")
    for name in ("r0", "r1", "r2"):
        (tmp_path / "versions" / f"{name}.py").write_text(f"{name}\n")
    return tmp_path


def chain(location: Path) -> tuple[Revision, ...]:
    parents = {"r0": (), "r1": ("r0",), "r2": ("r1",)}
    return tuple(
        Revision(name, its, (), (), location / "versions" / f"{name}.py", name, name) for name, its in parents.items()
    )


def test_a_file_is_written_whole_and_read_back(location: Path) -> None:
    files = EvidenceFiles(location)
    assert files.read() == {}
    files.write(MEASURED)
    assert files.read() == {"r1": MEASURED}
    assert [path.name for path in (location / "evidence").iterdir()] == ["r1.json"]


KILLED_IN_THE_MIDDLE = """
import os, signal, sys
from pathlib import Path
from backout.evidence import from_json
from backout.evidence_files import EvidenceFiles
evidence = from_json(Path(sys.argv[2]).read_bytes(), sys.argv[2])
Path.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
EvidenceFiles(Path(sys.argv[1])).write(evidence)
"""


def test_what_a_killed_run_left_unfinished_is_no_evidence_and_is_removed(location: Path, tmp_path: Path) -> None:
    files = EvidenceFiles(location)
    files.write(MEASURED)
    path = files.path("r1")
    done = subprocess.run([sys.executable, "-c", KILLED_IN_THE_MIDDLE, location, path], check=False)
    assert done.returncode == -signal.SIGKILL
    mine = files.directory / f".r2.json.{os.getpid()}"  # as of another run that lives
    mine.touch()
    assert len(list(files.directory.iterdir())) == 3
    assert files.read() == {"r1": MEASURED}
    files.sweep()
    assert set(files.directory.iterdir()) == {path, mine}


def test_a_file_that_cannot_be_written_leaves_nothing(location: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError("no space left on device")

    files = EvidenceFiles(location)
    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match=r"^no space left on device$"):
        files.write(MEASURED)
    assert list(files.directory.iterdir()) == []


def test_a_file_under_another_name_is_an_error(location: Path) -> None:
    files = EvidenceFiles(location)
    files.write(MEASURED)
    files.path("r1").rename(files.path("r2"))
    with pytest.raises(ConfigurationError) as failure:
        files.read()
    assert str(failure.value) == f"{files.path('r2')} is the evidence of r1; rename or delete it"
    assert files.read_what_can_be_read() == {}
    assert orphans({"r1": MEASURED, "gone": MEASURED}, chain(location)) == ("gone",)


@pytest.mark.parametrize(
    ("changed", "stale"),
    [
        ("versions/r2.py", {"r2"}),
        ("versions/r1.py", {"r1", "r2"}),
        ("env.py", {"r0", "r1", "r2"}),
        ("seeds/r1.sql", {"r1", "r2"}),
        ("README.md", set()),
    ],
)
def test_a_fingerprint_covers_what_was_measured(location: Path, changed: str, stale: set[str]) -> None:
    files = EvidenceFiles(location)
    before = files.fingerprints(chain(location))
    assert len(set(before.values())) == 3
    path = location / changed
    path.parent.mkdir(exist_ok=True)
    path.write_text("something else\n")
    after = files.fingerprints(chain(location))
    kept = {name: replace(MEASURED, revision=name, fingerprint=print_) for name, print_ in before.items()}
    assert {name for name in after if is_stale(kept[name], after[name])} == stale
    assert is_stale(None, after["r0"])


def test_line_ends_change_no_fingerprint(location: Path) -> None:
    files = EvidenceFiles(location)
    before = files.fingerprints(chain(location))
    (location / "versions" / "r1.py").write_bytes(b"r1\r\n")
    assert files.fingerprints(chain(location)) == before


# -- the schema, and the committed files ------------------------------------------------------------


def test_the_published_schema_is_that_of_the_format() -> None:
    assert json.loads(SCHEMA.read_text()) == json.loads(json.dumps(json_schema()))


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)
def test_a_committed_file_is_valid_and_in_its_own_form(path: Path) -> None:
    text = path.read_text()
    jsonschema.Draft202012Validator(json_schema()).validate(json.loads(text))
    assert to_json(from_json(text, path.name)) == text


def test_every_revision_has_evidence_that_is_not_stale() -> None:
    from alembic.config import Config  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    scripts = list(ScriptDirectory.from_config(Config(ROOT / "alembic.ini")).walk_revisions())
    assert {script.revision for script in scripts} == {path.stem for path in COMMITTED}
