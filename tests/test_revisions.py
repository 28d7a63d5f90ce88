"""A chain read from its files is the chain that Alembic makes of them; nothing of it is run."""

import shutil
from datetime import date
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from backout.errors import ConfigurationError
from backout.revisions import Revision, created, read_chain

ROOT = Path(__file__).parents[1]
PROJECTS = ROOT / "tests/samples/projects"


@pytest.mark.filterwarnings("ignore:No path_separator found:DeprecationWarning")
@pytest.mark.parametrize("name", ["branches", "locations", "plain", "pyproject", "schemas", "."])
def test_a_chain_is_what_alembic_makes_of_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    root = ROOT if name == "." else PROJECTS / name
    monkeypatch.chdir(root)
    toml = root / "pyproject.toml" if not (root / "alembic.ini").exists() else None
    script = ScriptDirectory.from_config(Config(toml_file=toml) if toml is not None else Config(root / "alembic.ini"))
    theirs = {one.revision: one for one in script.walk_revisions()}
    chain = read_chain(root / "alembic.ini")
    assert {one.id: one.parents for one in chain.revisions} == {
        name: one._versioned_down_revisions for name, one in theirs.items()
    }
    assert {one.id: one.dependencies for one in chain.revisions} == {
        name: one._resolved_dependencies for name, one in theirs.items()
    }
    assert {one.id: (one.path, one.summary, one.docstring) for one in chain.revisions} == {
        name: (Path(one.path).resolve(), one.doc, one.module.__doc__ or "") for name, one in theirs.items()
    }
    assert set(chain.heads) == set(script.get_heads())
    assert set(chain.bases) == set(script.get_bases())
    order = [one.id for one in chain.revisions]
    assert all(order.index(parent) < order.index(one.id) for one in chain.revisions for parent in one.parents)
    assert chain.script_location == Path(script.dir).resolve()


def test_ancestors_are_everything_that_is_applied_before() -> None:
    chain = read_chain(ROOT / "alembic.ini")
    assert chain.ancestors("b7fae58ad3e2") == ("0d6b7a56b094",)
    assert set(chain.ancestors("a2ecca8c13e7")) >= {"4b9b7cf145f7", "febdc084cd92"}
    assert chain.ancestors("0d6b7a56b094") == ()
    assert len(chain.ancestors("7f544264830f")) == 27


def _chain(tmp_path: Path, **files: str) -> Path:
    versions = tmp_path / "alembic/versions"
    versions.mkdir(parents=True)
    (tmp_path / "alembic/env.py").touch()
    (tmp_path / "alembic.ini").write_text("[alembic]\nscript_location = %(here)s/alembic\n")
    for name, text in files.items():
        (versions / f"{name}.py").write_text(text)
    return tmp_path / "alembic.ini"


def test_ids_may_be_annotated_or_set_together(tmp_path: Path) -> None:
    configuration = _chain(
        tmp_path,
        one='"""First\nline\n\nmore\n"""\nrevision: str = "a1"\ndown_revision: str | None = None\n',
        two='"""second"""\nrevision, down_revision = "b2", "a1"\ndepends_on = ["a"]\n',
    )
    first, second = read_chain(configuration).revisions
    assert (first.id, first.parents, first.summary) == ("a1", (), "First\nline")
    assert (second.id, second.parents, second.dependencies) == ("b2", ("a1",), ("a1",))


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"one": "revision = (\n"}, "{versions}/one.py is not Python: '(' was never closed (one.py, line 1); mend it"),
        ({"one": "x = 1\n"}, "{versions}/one.py sets no revision; every file in a version location is one"),
        (
            {"one": "x = 1\nrevision = str(x)\n"},
            "{versions}/one.py:2: revision is no literal, and the site runs no revision to learn it; write it out",
        ),
        (
            {"one": "revision = 'a'\n", "two": "revision = 'a'\n"},
            "{versions}/two.py and {versions}/one.py are both revision a; give one another id",
        ),
        (
            {"one": "revision = 'a'\ndown_revision = 'gone'\n"},
            "{versions}/one.py builds on gone, which no file is; mend the id",
        ),
        (
            {"one": "revision, down_revision = 'a', 'b'\n", "two": "revision, down_revision = 'b', 'a'\n"},
            "the revisions a, b build on themselves; mend the ids",
        ),
    ],
)
def test_files_that_do_not_say_what_they_are(tmp_path: Path, files: dict[str, str], message: str) -> None:
    configuration = _chain(tmp_path, **files)
    with pytest.raises(ConfigurationError) as caught:
        read_chain(configuration)
    versions = str(tmp_path / "alembic/versions")
    told = str(caught.value).replace(f"({versions}/one.py, line 1)", "(one.py, line 1)")
    assert told == message.format(versions=versions)


def test_configurations_that_name_no_chain(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_chain(tmp_path / "alembic.ini")
    assert str(caught.value) == (
        f"{tmp_path}/alembic.ini is no Alembic configuration; name the project's alembic.ini, "
        "or a pyproject.toml with a [tool.alembic] table"
    )
    (tmp_path / "alembic.ini").write_text("[alembic]\nscript_location = nowhere\n")
    with pytest.raises(ConfigurationError) as caught:
        read_chain(tmp_path / "alembic.ini")
    assert str(caught.value) == f"the script_location nowhere is no directory below {tmp_path}; mend it"
    (tmp_path / "alembic").mkdir()
    (tmp_path / "alembic.ini").write_text("[alembic]\nscript_location = alembic\n")
    with pytest.raises(ConfigurationError) as caught:
        read_chain(tmp_path / "alembic.ini")
    assert str(caught.value) == f"{tmp_path}/alembic has no env.py; mend the script_location of {tmp_path}/alembic.ini"
    (tmp_path / "alembic.ini").write_text("[other]\n")
    with pytest.raises(ConfigurationError) as caught:
        read_chain(tmp_path / "alembic.ini")
    assert str(caught.value) == f"{tmp_path}/alembic.ini has no script_location in [alembic]; add it"


def test_a_package_is_looked_for_where_projects_keep_theirs(tmp_path: Path) -> None:
    shutil.copytree(PROJECTS / "plain/migrations", tmp_path / "src/shop/migrations")
    (tmp_path / "alembic.ini").write_text("[alembic]\nscript_location = shop:migrations\n")
    assert read_chain(tmp_path / "alembic.ini").script_location == tmp_path / "src/shop/migrations"


@pytest.mark.parametrize(
    ("name", "docstring", "day"),
    [
        ("20250114_0932_a_b.py", "", date(2025, 1, 14)),
        ("2025-01-14_a.py", "", date(2025, 1, 14)),
        ("a_b.py", "x\n\nCreate Date: 2024-02-29 10:00:00\n", date(2024, 2, 29)),
        ("20250114_a.py", "x\n\nCreate Date: 2024-02-29 10:00:00\n", date(2024, 2, 29)),
        ("20251314_a.py", "", None),
        ("123456789012_a.py", "", None),
        ("abc_add.py", "", None),
    ],
)
def test_the_day_of_a_revision(name: str, docstring: str, day: date | None) -> None:
    assert created(Revision("a", (), (), (), Path(name), "", docstring)) == day
