"""backout.matrix.kinds: the kinds of migrations, their variants, and what is said when an entry is not whole."""

import re
from pathlib import Path

import pytest

from backout.errors import ConfigurationError
from backout.matrix.kinds import DIRECTORY, SHOP, load_kinds, read_evidence

KINDS = load_kinds()
SIX = ["Add column", "Remove column", "Modify column", "Add table", "Remove table", "Data migration"]

KIND = """\
---
title: Empty table
place: 1
typical: at_once
---
All rows go. The table
stays.
"""
REVISION = '"""{title}"""\n'


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A catalogue with one kind."""
    kind = tmp_path / "empty-table"
    kind.mkdir()
    (kind / "kind.md").write_text(KIND)
    (kind / "at_once.py").write_text(REVISION.format(title="at once"))
    return tmp_path


def problem(directory: Path) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load_kinds(directory)
    return str(caught.value).replace(f"{directory}/", "")


# -- what is in the package -------------------------------------------------------------------------------------------


def test_the_six_rows_come_first() -> None:
    assert [kind.title for kind in KINDS.values()][:6] == SIX
    assert [kind.title for kind in KINDS.values() if kind.row] == SIX


def test_every_row_has_more_than_one_variant() -> None:
    assert {kind.title: len(kind.variants) for kind in KINDS.values() if kind.row and len(kind.variants) < 4} == {}


def test_the_words_are_of_one_form() -> None:
    titles = [kind.title for kind in KINDS.values()]
    assert len(set(titles)) == len(titles)
    for kind in KINDS.values():
        assert re.fullmatch(r"[A-Z][^|.]{3,40}", kind.title), kind.id
        assert kind.text.endswith("."), kind.id
        assert len(kind.text) <= 200, kind.id
        names = [variant.title for variant in kind.variants.values()]
        assert len(set(names)) == len(names), kind.id
        for name in names:
            # What stands in a list inside of a cell: no sentence, and none of the list's own signs.
            assert re.fullmatch(r"[^|;:*().]{3,70}", name), (kind.id, name)


def test_every_file_belongs_to_a_variant() -> None:
    known = {file for kind in KINDS.values() for one in kind.variants.values() for file in (*one.before, *one.files)}
    assert {file for file in DIRECTORY.rglob("*.py") if "__pycache__" not in file.parts} == known - {SHOP}


def test_everything_was_measured() -> None:
    evidence = read_evidence(KINDS)
    assert {kind: list(found) for kind, found in evidence.items()} == {
        kind.id: list(kind.variants) for kind in KINDS.values()
    }
    assert [one.revision for one in evidence["rename-column"]["in_steps"]] == ["in_steps_1", "in_steps_2", "in_steps_3"]


# -- loading ----------------------------------------------------------------------------------------------------------


def test_a_kind_is_loaded_whole(directory: Path) -> None:
    folder = directory / "empty-table"
    (folder / "in_steps_before.py").write_text(REVISION.format(title="a table to empty"))
    (folder / "in_steps_2.py").write_text(REVISION.format(title="in steps: the rest"))
    (folder / "in_steps_1.py").write_text(REVISION.format(title="in steps: half of it"))
    kind = load_kinds(directory)["empty-table"]
    assert (kind.title, kind.place, kind.row, kind.typical) == ("Empty table", 1, False, "at_once")
    assert kind.text == "All rows go. The table stays."
    assert list(kind.variants) == ["at_once", "in_steps"]
    assert kind.variants["at_once"].before == (SHOP,)
    assert kind.variants["at_once"].files == (folder / "at_once.py",)
    steps = kind.variants["in_steps"]
    assert steps.title == "in steps"
    assert steps.before == (SHOP, folder / "in_steps_before.py")
    assert steps.files == (folder / "in_steps_1.py", folder / "in_steps_2.py")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (KIND, "Nothing.\n", "kind.md does not begin with front matter; put it between two lines of ---"),
        ("title: Empty table\n", "", "kind.md: title is missing; mend it"),
        ("place: 1", "place: first", "kind.md: place is 'first', not of type int; mend it"),
        ("place: 1", "place: yes", "kind.md: place is True, not of type int; mend it"),
        ("place: 1", "place: 1\nrisk: low", "kind.md: unknown key 'risk'; mend it"),
        ("All rows go. The table\nstays.\n", "", "kind.md: no sentence says what it is; mend it"),
        ("at_once", "later", "kind.md: the typical variant later has no file; there are at_once"),
        (KIND.split("---")[1], "\n- one\n", "kind.md: the front matter is no mapping; mend it"),
    ],
)
def test_a_malformed_kind(directory: Path, old: str, new: str, message: str) -> None:
    assert old in KIND
    (directory / "empty-table" / "kind.md").write_text(KIND.replace(old, new))
    assert problem(directory) == f"empty-table/{message}"


def test_front_matter_that_is_no_yaml(directory: Path) -> None:
    (directory / "empty-table" / "kind.md").write_text(KIND.replace("place: 1", "place: [1"))
    assert problem(directory).startswith("empty-table/kind.md: the front matter is not valid YAML: while parsing")


def test_files_that_are_missing(directory: Path) -> None:
    (directory / "empty-table" / "at_once.py").unlink()
    assert problem(directory) == "empty-table/kind.md: the typical variant at_once has no file; there are none"
    (directory / "empty-table" / "kind.md").unlink()
    assert problem(directory) == ("empty-table/kind.md cannot be read: No such file or directory; every kind has one")


def test_two_kinds_in_one_place(directory: Path) -> None:
    other = directory / "fill-table"
    other.mkdir()
    (other / "kind.md").write_text(KIND)
    (other / "at_once.py").write_text(REVISION.format(title="at once"))
    assert problem(directory) == "fill-table/kind.md: place 1 is taken by empty-table; give it another"


def test_steps_with_different_titles(directory: Path) -> None:
    (directory / "empty-table" / "in_steps_1.py").write_text(REVISION.format(title="in steps: half of it"))
    (directory / "empty-table" / "in_steps_2.py").write_text(REVISION.format(title="the rest"))
    assert problem(directory) == (
        "empty-table/in_steps_1.py: the revisions of a variant share their title up to a colon: "
        "in steps: half of it | the rest; mend the docstrings"
    )


def test_a_revision_without_docstring(directory: Path) -> None:
    (directory / "empty-table" / "at_once.py").write_text("revision = 'at_once'\n")
    assert problem(directory) == ("empty-table/at_once.py has no docstring; its first line is the variant's title")


def test_a_variant_that_was_never_measured(directory: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_evidence(load_kinds(directory))
    assert str(caught.value) == (
        f"{directory}/empty-table/at_once.json cannot be read: No such file or directory; "
        "measure it: python -m backout.specimens"
    )
