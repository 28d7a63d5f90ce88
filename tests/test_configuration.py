"""backout.configuration: the ``[tool.backout]`` table."""

import re
from pathlib import Path

import pytest

from backout.configuration import Production, Project, Service, load_project
from backout.errors import ConfigurationError
from backout.mkdocs_plugin import Options

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


# -- the page that tells it -------------------------------------------------------------------------------------------

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/reference/configuration.md").read_text(encoding="utf-8")


def told(heading: str) -> list[str]:
    """The first column of the table below a heading."""
    section = PAGE.partition(f"{{#{heading}}}\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)


def known(table: str, tmp_path: Path) -> list[str]:
    """What the reader of a table takes, as it says itself when it is given something else."""
    with pytest.raises(ConfigurationError) as caught:
        load_project(write(tmp_path, f"[tool.backout]\n{table}no-such-setting = 1\n"))
    return str(caught.value).partition("; known are ")[2].split(", ")


def test_the_page_tells_every_setting_and_no_other(tmp_path: Path) -> None:
    settings = set(known("", tmp_path)) - {"production", "services"}
    settings |= {f"production.{name}" for name in known("[tool.backout.production]\n", tmp_path)}
    settings |= {f"services.NAME.{name}" for name in known("[tool.backout.services.api]\n", tmp_path)}
    assert sorted(told("settings")) == sorted(settings)


def test_the_page_shows_every_setting(tmp_path: Path) -> None:
    example = PAGE.partition("```toml\n")[2].partition("```")[0]
    project = load_project(write(tmp_path, example))
    shown = [project.pages, project.sample, project.secrets, project.services]
    shown += [project.production.health, project.production.ignore]
    assert all(shown)
    without = dict(re.findall(r"^\| `([\w.]+)` \| (\S+) \|", PAGE, re.MULTILINE))
    assert float(without["production.backup_hours"]) == Production().backup_hours


def test_the_page_tells_every_variable_and_no_other() -> None:
    inner = {"BACKOUT_STATE", "BACKOUT_NEEDS", "BACKOUT_UNDER_WAY"}  # from one process of ours to another
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "src/backout").rglob("*.py"))
    variables = set(re.findall(r"""["'](BACKOUT_[A-Z_]+)["']""", code)) - inner
    assert sorted(told("environment")) == sorted({"DATABASE_URL", *variables})


def test_the_page_tells_every_option_of_the_site_and_no_other() -> None:
    assert sorted(told("site")) == sorted(dict(Options()._schema))
    defaults = re.findall(r"^\| `(configuration|section)` \| `([^`]+)` \|", PAGE, re.MULTILINE)
    assert dict(defaults) == {name: option.default for name, option in Options()._schema}
