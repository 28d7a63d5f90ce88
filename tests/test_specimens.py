"""backout.specimens: the package's own migrations, and whether their committed evidence is what is measured now."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

import backout.specimens
from backout.errors import ConfigurationError
from backout.evidence import Evidence, from_json, on_major, to_json
from backout.matrix.kinds import SHOP
from backout.specimens import (
    PACKAGE,
    Specimen,
    difference,
    fingerprint,
    kept,
    main,
    measure,
    specimens,
    updated,
)
from backout.verdict import verdict

ALL = specimens()
BY_NAME = {one.name: one for one in ALL}
NULLABLE = BY_NAME["kinds/add-column/nullable"]

REVISION = '"""{revision}"""\n\nrevision = "{revision}"\ndown_revision = {parent!r}\n'


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """The package's data, replaced: ``data(("shop", None), ("one", "shop"))`` is a chain of two files."""
    chains: list[tuple[Path, ...]] = []

    def add(*revisions: tuple[str, str | None]) -> None:
        files = []
        for revision, parent in revisions:
            file = tmp_path / f"{revision}.py"
            file.write_text(REVISION.format(revision=revision, parent=parent))
            files.append(file)
        chains.append(tuple(files))

    monkeypatch.setattr(backout.specimens, "PACKAGE", tmp_path)
    monkeypatch.setattr(backout.specimens, "_chains", lambda: chains)
    return add


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where evidence is read and written instead of beside the files."""
    monkeypatch.setattr(Specimen, "path", property(lambda one: tmp_path / f"{one.name.replace('/', '.')}.json"))
    return tmp_path


def evidence(specimen: Specimen) -> Evidence:
    found = kept(specimen)
    assert found is not None, f"{specimen.name} has no evidence; measure it: python -m backout.specimens --new"
    return found


# -- what is committed ------------------------------------------------------------------------------------------------


def test_everything_is_a_specimen() -> None:
    """Every revision of the catalogue and of the kinds, but the shop and what is only there before."""
    files = {file for place in ("catalogue", "kinds") for file in (PACKAGE / place).rglob("*.py")}
    expected = {file for file in files if file != SHOP and not re.fullmatch(r"(.+_)?before", file.stem)}
    assert {one.files[-1] for one in ALL} == {file for file in expected if "__pycache__" not in file.parts}


def test_evidence_is_there_and_of_these_files() -> None:
    stale = {one.name for one in ALL if (found := kept(one)) is None or found.fingerprint != fingerprint(one)}
    assert stale == set(), "measure them: python -m backout.specimens --new"


def test_no_evidence_is_left_of_what_is_gone() -> None:
    files = {file for place in ("catalogue", "kinds") for file in (PACKAGE / place).rglob("*.json")}
    assert files == {one.path for one in ALL}


def test_evidence_names_what_the_files_name() -> None:
    for one in ALL:
        found = evidence(one)
        source = one.files[-1].read_text()
        assert f'revision = "{found.revision}"\n' in source, one.name
        assert f'down_revision = "{found.parents[0]}"\n' in source, one.name
        assert found.path == f"{one.name}.py"
        assert source.startswith(f'"""{found.summary}\n'), one.name
        text = one.path.read_text()
        assert text == to_json(found), one.name
        # Neither the revision's name in the project nor where that was.
        assert backout.specimens._id(one.files[-1]) not in text, one.name
        assert "backout-specimens-" not in text, one.name


def test_verdicts_follow_from_the_rest() -> None:
    told = {one.name: (evidence(one).risk, evidence(one).rollback) for one in ALL}
    assert told == {one.name: verdict(evidence(one)) for one in ALL}


@pytest.fixture(scope="module")
def measured() -> dict[str, Evidence]:
    """All of them, measured now."""
    return {specimen.name: found for specimen, found in measure(ALL)}


def test_measured_again_everything_is_as_committed(measured: dict[str, Evidence]) -> None:
    assert measured.keys() == BY_NAME.keys()
    faults = [f"{name} {told}" for name, found in measured.items() if (told := difference(kept(BY_NAME[name]), found))]
    assert not faults, "\n".join([*sorted(faults), "if that is right: python -m backout.specimens"])


# -- the list ---------------------------------------------------------------------------------------------------------


def test_specimens_are_revisions_on_the_shop(data: Callable[..., None], tmp_path: Path) -> None:
    data(("shop", None), ("before", "shop"), ("unsafe", "before"))
    data(("shop", None), ("safer_1", "shop"), ("safer_2", "safer_1"))
    shop = tmp_path / "shop.py"
    assert specimens() == (
        Specimen("safer_1", (shop, tmp_path / "safer_1.py")),
        Specimen("safer_2", (shop, tmp_path / "safer_1.py", tmp_path / "safer_2.py")),
        Specimen("unsafe", (shop, tmp_path / "before.py", tmp_path / "unsafe.py")),
    )


def test_names_in_the_project_are_short_and_differ() -> None:
    names = {backout.specimens._id(file) for one in ALL for file in one.files}
    assert len(names) == len({file for one in ALL for file in one.files})
    assert all(re.fullmatch("[0-9a-f]{12}", name) for name in names)


@pytest.mark.parametrize(
    ("chains", "message"),
    [
        (
            [(("shop", None), ("unsafe", "before"))],
            "{0}/unsafe.py revises 'before'; before it comes 'shop': mend its down_revision",
        ),
        (
            [(("shop", "earlier"),)],
            "{0}/shop.py revises 'earlier'; before it comes None: mend its down_revision",
        ),
        (
            [(("shop", None), ("safer", "shop")), (("shop", None), ("before", "shop"), ("safer", "shop"))],
            "{0}/safer.py stands on {0}/shop.py and on {0}/before.py; give it one",
        ),
    ],
)
def test_a_chain_that_does_not_hold(
    data: Callable[..., None], tmp_path: Path, chains: list[list[tuple[str, str | None]]], message: str
) -> None:
    for chain in chains:
        data(*chain)
    with pytest.raises(ConfigurationError) as caught:
        specimens()
    assert str(caught.value) == message.format(tmp_path)


def test_a_file_that_names_no_revision(data: Callable[..., None], tmp_path: Path) -> None:
    data(("shop", None))
    (tmp_path / "shop.py").write_text("revision, down_revision = 'shop', None\n")
    with pytest.raises(ConfigurationError) as caught:
        specimens()
    assert str(caught.value) == f"{tmp_path}/shop.py sets revision 0 times; set it once, in a line of its own"


def test_a_fingerprint_is_of_the_whole_chain(data: Callable[..., None], tmp_path: Path) -> None:
    data(("shop", None), ("unsafe", "shop"))
    (one,) = specimens()
    seen = {fingerprint(one)}
    for file in ("shop.py", "unsafe.py"):
        with (tmp_path / file).open("a") as opened:
            opened.write("\n")
        seen.add(fingerprint(one))
    assert len(seen) == 3
    (tmp_path / "shop.py").write_bytes((tmp_path / "shop.py").read_bytes().replace(b"\n", b"\r\n"))
    assert fingerprint(one) in seen


# -- comparing and writing --------------------------------------------------------------------------------------------


def test_a_difference_says_where() -> None:
    found = evidence(NULLABLE)
    assert difference(found, found) is None
    assert difference(None, found) == "has no evidence"
    assert difference(replace(found, fingerprint="0"), found) == "has evidence of other files"
    assert difference(replace(found, risk="high", rollback="no"), found) == (
        'risk is "low", the file says "high"; rollback is "yes if unused", the file says "no"'
    )
    column = found.schema.changes
    assert column is not None
    other = replace(found, schema=replace(found.schema, changes=(replace(column[0], before="text"), *column[1:])))
    assert difference(other, found) == 'schema.changes[0].before is null, the file says "text"'
    other = replace(other, unproven=None, seeded=None, loss=replace(found.loss, upgrade=None, untouched=None))
    told = difference(other, found)
    assert told is not None
    assert told.endswith("; and 2 more")


def test_on_another_major_only_verdicts_must_agree() -> None:
    found = replace(evidence(NULLABLE), also={})
    older = replace(found, postgres=found.postgres - 1, summary="something else")
    assert difference(found, older) is None
    worse = replace(older, risk="high", rollback="no")
    assert difference(found, worse) == (f"is high and no on PostgreSQL {older.postgres}, not low and yes if unused")
    listed = updated(found, worse)
    assert difference(listed, worse) is None
    assert verdicts(listed, older.postgres) == ("high", "no")
    assert verdicts(listed, found.postgres) == ("low", "yes if unused")


def verdicts(found: Evidence, major: int) -> tuple[str, str]:
    there = on_major(found, major)
    return there.risk, there.rollback


def test_what_a_file_says_after_a_measurement() -> None:
    found = replace(evidence(NULLABLE), also={"14": {"risk": "high"}})
    now = replace(found, also={}, risk="medium")
    assert updated(None, now) == now
    assert updated(replace(found, fingerprint="0"), now) == now
    assert updated(found, now) == replace(now, also={"14": {"risk": "high"}})
    newer = replace(now, postgres=found.postgres + 1)
    assert updated(found, newer) == newer
    same = replace(found, also={}, postgres=found.postgres - 1)
    assert updated(found, same) == found


def run(*arguments: str) -> str:
    done = CliRunner().invoke(main, arguments, catch_exceptions=False, standalone_mode=False)
    return done.stdout


def test_the_command_writes_what_is_missing(elsewhere: Path) -> None:
    assert run("--new", "kinds/add-column/nullable") == "kinds/add-column/nullable: low, yes if unused\n"
    written = elsewhere / "kinds.add-column.nullable.json"
    assert json.loads(written.read_text())["path"] == "kinds/add-column/nullable.py"
    assert from_json(written.read_bytes(), "it").fingerprint == fingerprint(NULLABLE)
    text = written.read_text()
    assert run("--new", "kinds/add-column/nullable") == ""
    assert run("kinds/add-column/nullable") == ""
    assert written.read_text() == text
    assert list(elsewhere.iterdir()) == [written]


def test_the_command_refuses_a_name_that_is_none() -> None:
    with pytest.raises(ConfigurationError) as caught:
        run("kinds/add-colum/")
    assert str(caught.value) == (
        "no specimen's name begins with kinds/add-colum/; they are directories and files of "
        f"{PACKAGE}, like kinds/add-column/nullable"
    )
