"""backout.configuration: the ``[tool.backout]`` table."""

from pathlib import Path

import pytest

from backout.configuration import Production, Project, Service, load_project
from backout.errors import ConfigurationError

TABLE = """\
[tool.backout]
pages = ["*.md", "docs/**/*.md"]
sample = "make sample"

[tool.backout.services.api]
command = "serve {port}"
variable = "API_URL"
"""


def write(root: Path, text: str) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    (root / "pyproject.toml").write_text(text)
    return root


def test_a_project(tmp_path: Path) -> None:
    assert load_project(write(tmp_path, TABLE)) == Project(
        root=tmp_path, pages=("*.md", "docs/**/*.md"), sample="make sample",
        services={"api": Service(command="serve {port}", variable="API_URL")},
    )  # fmt: skip


def test_the_nearest_table_upward_counts(tmp_path: Path) -> None:
    write(tmp_path, TABLE)
    inner = write(tmp_path / "inner", "[project]\nname = 'inner'\n")
    (inner / "deep").mkdir()
    assert load_project(inner / "deep").root == tmp_path
    write(inner, "[tool.backout]\n")
    assert load_project(inner / "deep") == Project(root=inner)


def test_without_a_table(tmp_path: Path) -> None:
    assert load_project(tmp_path) == Project(root=tmp_path)


def test_pages(tmp_path: Path) -> None:
    for name in ("z.md", "a.md", "docs/x.md", "docs/deep/y.md", "docs/x.txt", "tests/t.md", "docs/folder.md/x"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    project = load_project(write(tmp_path, TABLE.replace('"*.md",', '"*.md", "a.*",')))
    assert [path.relative_to(tmp_path).as_posix() for path in project.page_paths()] == [
        "a.md", "docs/deep/y.md", "docs/x.md", "z.md",
    ]  # fmt: skip
    assert project.is_page(tmp_path / "docs/x.md")
    assert not project.is_page(tmp_path / "tests/t.md")
    assert not Project(root=tmp_path).is_page(tmp_path / "a.md")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "[tool.backout]\npage = []\nsampel = 'x'\n",
            ": unknown key 'page', 'sampel'; known are pages, production, sample, secrets, services",
        ),
        (
            "[tool.backout.services.api]\ncommand = 'x'\nvariable = 'X'\nport = 1\n",
            ".services.api]: unknown key 'port'; known are command, variable",
        ),
        ("[tool.backout.services.api]\ncommand = 'x'\n", ".services.api]: variable is missing; add it"),
        ("[tool.backout]\npages = 'docs/*.md'\n", ": pages is a list of globs, not 'docs/*.md'"),
        ("[tool.backout]\nsample = ['x']\n", ": sample is a shell command, not ['x']"),
        ("[tool.backout]\nsecrets = 'x'\n", ": secrets is a list of variables' names, not 'x'"),
        ("[tool.backout]\nproduction = 5\n", ".production] is a table, not 5"),
        (
            "[tool.backout.production]\nhelth = 'x'\n",
            ".production]: unknown key 'helth'; known are backup_hours, health, ignore",
        ),
        ("[tool.backout.production]\nhealth = 5\n", ".production]: health is a URL, not 5"),
        ("[tool.backout.production]\nignore = 5\n", ".production]: ignore is a list of objects, not 5"),
        ("[tool.backout.production]\nignore = 'x'\n", ".production]: ignore is a list of objects, not 'x'"),
        ("[tool.backout.production]\nignore = [5]\n", ".production]: ignore is a list of objects, not [5]"),
        ("[tool.backout.production]\nbackup_hours = 0\n", ".production]: backup_hours is a number of hours, not 0"),
        (
            "[tool.backout.production]\nbackup_hours = true\n",
            ".production]: backup_hours is a number of hours, not True",
        ),
    ],
)
def test_a_table_that_makes_no_sense(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(ConfigurationError) as failure:
        load_project(write(tmp_path, text))
    bracket = "" if problem.startswith(".") else "]"
    assert str(failure.value) == f"{tmp_path}/pyproject.toml, [tool.backout{bracket}{problem}"


def test_what_is_true_of_production(tmp_path: Path) -> None:
    assert load_project(write(tmp_path, "[tool.backout]\n")).production == Production()
    text = "[tool.backout.production]\nhealth = 'http://app/health'\nignore = ['schema x']\nbackup_hours = 6\n"
    assert load_project(write(tmp_path, text)).production == Production("http://app/health", ("schema x",), 6)


def test_a_file_that_is_no_toml(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as failure:
        load_project(write(tmp_path, "[tool.backout\n"))
    assert str(failure.value) == (
        f"{tmp_path}/pyproject.toml is not valid TOML: "
        "Expected ']' at the end of a table declaration (at line 1, column 14); mend it"
    )
