"""The catalogue: every entry is whole, and every migration in it runs on PostgreSQL as its entry says."""

import ast
import json
import re
import shutil
import subprocess
import sysconfig
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.exc import DBAPIError

from backout.errors import ConfigurationError
from backout.evidence import from_json, on_major
from backout.postgres import Database, Server
from backout.rules import GROUPS, PREDICATES, Finding, judge, load_catalogue, load_harmless, load_known
from backout.rules.catalogue import DIRECTORY
from backout.rules.elsewhere import FILE

CATALOGUE = load_catalogue()
SHARED = sorted(path.name for path in (DIRECTORY / "_safer").iterdir())
ONLY_ONCE = {"second-upgrade-fails", "enum-type-left-behind", "rows-inserted-again"}
ENV = """
from alembic import context

context.configure(connection=context.config.attributes["connection"], transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()
"""


class Chain:
    """Some revision files of the catalogue, as a project of their own at a database."""

    def __init__(self, files: Iterable[Path], folder: Path, url: str) -> None:
        versions = folder / "versions"
        versions.mkdir(parents=True)
        (folder / "env.py").write_text(ENV)
        for number, file in enumerate(files):
            shutil.copy(file, versions / f"{number}_{file.name}")
        self._url = url
        self._config = Config()
        self._config.set_main_option("script_location", str(folder))
        self._config.set_main_option("path_separator", "os")

    def go(self, order: str, revision: str) -> str:
        """``applied``, or ``failed``."""
        engine = create_engine(self._url, poolclass=NullPool)
        with engine.connect() as connection:
            self._config.attributes["connection"] = connection
            try:
                getattr(command, order)(self._config, revision)
            except (DBAPIError, NotImplementedError):
                return "failed"
        return "applied"

    def at(self) -> list[str]:
        engine = create_engine(self._url, poolclass=NullPool)
        with engine.connect() as connection:
            return list(connection.execute(text("SELECT version_num FROM alembic_version")).scalars())


@pytest.fixture
def at_shop(
    backout_server: Server, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterable[Callable[[Iterable[Path]], Chain]]:
    """A chain on a clone of the shop."""
    made: list[Database] = []

    def build(database: Database) -> None:
        chain = Chain([DIRECTORY / "base.py"], tmp_path / "shop", database.url)
        assert chain.go("upgrade", "shop") == "applied"

    def make(files: Iterable[Path]) -> Chain:
        made.append(backout_server.clone(backout_server.template("catalogue", build)))
        return Chain(files, tmp_path / "chain", made[-1].url)

    yield make
    for database in made:
        backout_server.drop(database)


# -- the entries ----------------------------------------------------------------------------------------------


def test_there_are_enough() -> None:
    assert len(CATALOGUE) >= 60


def test_every_predicate_has_an_entry_and_the_reverse() -> None:
    assert CATALOGUE.keys() == PREDICATES.keys()


def test_the_words_ask_for_what_their_predicates_give() -> None:
    asked = {name: hazard.placeholders for name, hazard in CATALOGUE.items()}
    assert {name: sorted(asked[name] - PREDICATES[name].gives) for name in asked} == {key: [] for key in asked}
    assert all("{" in hazard.message for hazard in CATALOGUE.values())


def test_the_measurable_part_of_the_way_back_is_covered() -> None:
    """D07 must not fire, and D33 (a downgrade that depends on settings) is no fact that a rehearsal sees."""
    covered = {source for hazard in CATALOGUE.values() for source in hazard.sources}
    assert {f"D{number:02}" for number in range(1, 37)} - covered == {"D07", "D33"}


def test_names_are_short_and_sentences_end() -> None:
    for hazard in CATALOGUE.values():
        assert len(hazard.name) <= 75, hazard.id
        assert not hazard.name.endswith("."), hazard.id
        for words in (hazard.condition, hazard.effect, hazard.safer_way, hazard.message):
            assert words.endswith((".", "`.", "{count_query}")), (hazard.id, words)
        assert len(hazard.message) <= 300, hazard.id


def test_what_is_entailed_is_another_hazard() -> None:
    assert [hazard.id for hazard in CATALOGUE.values() if hazard.id in hazard.entails] == []


def test_every_safer_way_that_is_shared_is_used() -> None:
    used = {path.parent.name for hazard in CATALOGUE.values() for path in hazard.safer}
    assert set(SHARED) <= used


@pytest.mark.parametrize(
    "path", sorted(DIRECTORY.rglob("*.py")), ids=lambda path: path.relative_to(DIRECTORY).as_posix()
)
def test_a_migration_says_what_it_is(path: Path) -> None:
    """Its docstring is as Alembic writes it, and it has both directions."""
    module = ast.parse(path.read_text(encoding="utf-8"))
    names: dict[str, Any] = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in module.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    documentation = ast.get_docstring(module) or ""
    assert names["revision"] == {"base": "shop"}.get(path.stem, names["revision"])
    assert f"Revision ID: {names['revision']}" in documentation
    assert re.search(rf"^Revises: ?{names['down_revision'] or ''}$", documentation, re.MULTILINE)
    assert [node.name for node in module.body if isinstance(node, ast.FunctionDef)] == ["upgrade", "downgrade"]


@pytest.mark.parametrize("hazard", [name for name, one in CATALOGUE.items() if one.fix])
def test_a_fix_is_python(hazard: str) -> None:
    """Also where names are quoted."""
    fix = CATALOGUE[hazard].fix
    assert fix is not None
    filled = re.sub(r"^( *)\{\w+\}$", r"\1op.execute('''ALTER TABLE public.\"A\" …''')", fix, flags=re.MULTILINE)
    ast.parse(filled.replace("{aside}", '"A_dropped"'))


# -- the migrations -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hazard", CATALOGUE)
def test_the_unsafe_migration_runs(hazard: str, at_shop: Callable[[Iterable[Path]], Chain]) -> None:
    """Up, down and up again, without rows; what fails is what the entry says."""
    entry = CATALOGUE[hazard]
    chain = at_shop(entry.unsafe)
    if "before.py" in {path.name for path in entry.unsafe}:
        assert chain.go("upgrade", "before") == "applied"
    start = chain.at()
    assert chain.go("upgrade", "unsafe") == entry.expects.get("upgrade", "applied")
    if "upgrade" in entry.expects:
        assert chain.at() == start
        return
    assert chain.at() == ["unsafe"]
    assert chain.go("downgrade", "-1") == entry.expects.get("downgrade", "applied")
    if "downgrade" in entry.expects:
        return
    assert chain.at() == start
    once = {hazard, *entry.entails} & ONLY_ONCE
    assert chain.go("upgrade", "unsafe") == ("failed" if once else "applied")


def run_up_and_down(chain: Chain, revisions: list[str]) -> None:
    for revision in revisions:
        for order, target in (("upgrade", revision), ("downgrade", "-1"), ("upgrade", revision)):
            assert chain.go(order, target) == "applied", (order, revision)
        assert chain.at() == [revision]


@pytest.mark.parametrize(
    "files", sorted({hazard.safer for hazard in CATALOGUE.values()}), ids=lambda files: files[-1].parent.name
)
def test_the_safer_way_runs(files: tuple[Path, ...], at_shop: Callable[[Iterable[Path]], Chain]) -> None:
    chain = at_shop(files)
    if files[1].name == "before.py":
        assert chain.go("upgrade", "before") == "applied"
    run_up_and_down(chain, [path.stem for path in files if path.name.startswith("safer")])


@pytest.mark.parametrize("name", load_harmless())
def test_the_harmless_migration_runs(name: str, at_shop: Callable[[Iterable[Path]], Chain]) -> None:
    run_up_and_down(at_shop(load_harmless()[name]), ["harmless"])


def test_the_shop_can_be_closed(disposable: Callable[..., Database], tmp_path: Path) -> None:
    chain = Chain([DIRECTORY / "base.py"], tmp_path, disposable().url)
    for _ in range(2):
        assert chain.go("upgrade", "shop") == "applied"
        assert chain.go("downgrade", "base") == "applied"


# -- what a rehearsal of them finds (measured again by test_specimens) -----------------------------------------


def findings(revision: Path, major: int) -> tuple[Finding, ...]:
    """What the committed evidence of a revision says on a major version."""
    path = revision.with_suffix(".json")
    return judge(on_major(from_json(path.read_bytes(), str(path)), major))


MAJORS = pytest.mark.parametrize("major", [15, 18])


@MAJORS
@pytest.mark.parametrize("hazard", CATALOGUE)
def test_the_unsafe_migration_has_its_hazard_and_those_it_entails(hazard: str, major: int) -> None:
    entry = CATALOGUE[hazard]
    assert {one.hazard for one in findings(entry.unsafe[-1], major)} == {hazard, *entry.entails}


@MAJORS
@pytest.mark.parametrize(
    "path", sorted({path for hazard in CATALOGUE.values() for path in hazard.safer if path.name.startswith("safer")}),
    ids=lambda path: f"{path.parent.name}/{path.stem}",
)  # fmt: skip
def test_the_safer_way_has_no_hazard_above_a_note(path: Path, major: int) -> None:
    assert [one.message for one in findings(path, major) if one.severity != "note"] == []


@MAJORS
@pytest.mark.parametrize("name", load_harmless())
def test_the_harmless_migration_has_none(name: str, major: int) -> None:
    """What is written into a new column or table is lost by a rollback, which is no hazard but a fact."""
    found = [one.hazard for one in findings(load_harmless()[name][-1], major)]
    assert found == (["values-written-since-are-lost"] if name in ("constant_default", "new_table") else [])


# -- known hazards that are none of the catalogue's ------------------------------------------------------------

SQUAWK = shutil.which("squawk", path=sysconfig.get_path("scripts"))
ALONE = "-- squawk-disable-assume-in-transaction\n"
LEFT_TO_SQUAWK = {
    "A43": "ALTER TABLE t ADD COLUMN c text;",
    "A44": "ALTER TABLE t ADD COLUMN c text;",
    "B07": "ALTER INDEX i RENAME TO j;",
    "B21": "ALTER TABLE t ADD COLUMN c text;",
    "B24": "ALTER TABLE t REPLICA IDENTITY FULL;",
    "E04": "BEGIN; SELECT 1; COMMIT;",
    "E05": f"{ALONE}BEGIN; SELECT 1;",
    "E08": f"{ALONE}ALTER TABLE t ADD COLUMN c text; ALTER TABLE t ADD COLUMN d text;",
    "E12": f"CREATE TABLE {'t' * 64} (c text);",
    "E13": "CREATE TABLE t (c text);",
    "E18": "ALTER EXTENSION citext UPDATE;",
    "F01": "CREATE TABLE t (id integer);",
    "F02": "CREATE TABLE t (id bigserial);",
    "F03": "CREATE TABLE t (c varchar(40));",
    "F04": "CREATE TABLE t (c char(40));",
    "F05": "CREATE TABLE t (c timestamp);",
    "F06": "ALTER TYPE e ADD VALUE 'x';",
    "F07": "CREATE DOMAIN d AS text CHECK (value <> '');",
    "F12": "UPDATE t SET c = 1, c = 2;",
}


def test_the_list_of_known_hazards_is_whole() -> None:
    sizes = {group.id: len(group.sources) + len(group.left) for group in load_known(CATALOGUE)}
    assert sizes == {"A": 55, "B": 24, "C": 24, "D": 36, "E": 23, "F": 12}


def test_every_hazard_is_in_one_group_of_rules() -> None:
    assert sorted(name for rules in GROUPS.values() for name in rules) == sorted(CATALOGUE)


@pytest.mark.skipif(SQUAWK is None, reason="NOT CHECKED: what is left to squawk: it is not installed")
def test_squawk_tells_what_is_left_to_it(tmp_path: Path) -> None:
    """Without being asked, where nothing else is said."""
    left = {one.id: one for group in load_known(CATALOGUE) for one in group.left if one.way == "squawk"}
    rules = {name: re.findall("`(.+)`", one.text)[0] for name, one in left.items()}
    for name, sql in LEFT_TO_SQUAWK.items():
        (tmp_path / f"{name}.sql").write_text(f"{sql}\n")

    def telling(*options: str) -> dict[str, bool]:
        command = [str(SQUAWK), "--reporter=json", "--pg-version=18", "--assume-in-transaction", *options, "*.sql"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        told = {(Path(one["file"]).stem, one["rule_name"]) for one in json.loads(done.stdout)}
        return {name: (name, rule) in told for name, rule in rules.items()}

    assert telling() == {name: "if asked" not in one.text for name, one in left.items()}
    assert all(telling(*(f"--include={rule}" for rule in rules.values())).values())


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("  D33:", "  D34:", "D33 is in no hazard.md, and not here; say who tells it"),
        ("  D33:", "  D32:", "D32 is in a hazard.md and here; keep one"),
        ("  D33:", "  D37:", "D33 is in no hazard.md, and not here; say who tells it"),
        ("known: 36", "known: 35", "no group has D36; mend the id, here or in a hazard.md"),
        ("unseen: Settings", "seen: Settings", "D33 has name, seen; give it a name and one of squawk, told, unseen"),
        (
            "unseen: Settings",
            "told: by nobody, unseen: Settings",
            "D33 has name, told, unseen; give it a name and one of squawk, told, unseen",
        ),
    ],
)
def test_a_list_of_known_hazards_that_is_not_whole(tmp_path: Path, old: str, new: str, message: str) -> None:
    file = tmp_path / "elsewhere.yaml"
    text = FILE.read_text(encoding="utf-8")
    assert text.count(old) == 1
    file.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(ConfigurationError) as failure:
        load_known(CATALOGUE, file)
    assert str(failure.value) == f"{file}: {message}"


def test_a_list_of_known_hazards_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as failure:
        load_known(CATALOGUE, tmp_path / "elsewhere.yaml")
    file = tmp_path / "elsewhere.yaml"
    assert str(failure.value) == (f"{file} cannot be read: [Errno 2] No such file or directory: {str(file)!r}; mend it")


# -- malformed entries ----------------------------------------------------------------------------------------

WHOLE = """---
name: an index built while writes wait
sources: [A01]
severity: warning
family: index
---
## Condition

One.

## Effect

Two.

## Safer way

Three.

## Message

Building blocks {table}.
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A catalogue of one hazard."""
    hazard = tmp_path / "catalogue" / "plain-index"
    hazard.mkdir(parents=True)
    (hazard / "hazard.md").write_text(WHOLE)
    for file in ("plain-index/unsafe.py", "plain-index/safer.py", "base.py"):
        (hazard.parent / file).write_text('"""a revision"""\n')
    return hazard.parent


def problem(directory: Path) -> str:
    with pytest.raises(ConfigurationError) as failure:
        load_catalogue(directory)
    return str(failure.value).replace(f"{directory}/", "")


def test_an_entry_is_loaded_whole(directory: Path) -> None:
    (hazard,) = load_catalogue(directory).values()
    assert (hazard.id, hazard.name, hazard.sources) == ("plain-index", "an index built while writes wait", ("A01",))
    assert (hazard.condition, hazard.effect, hazard.safer_way) == ("One.", "Two.", "Three.")
    assert (hazard.message, hazard.fix, hazard.placeholders) == ("Building blocks {table}.", None, {"table"})
    assert hazard.unsafe == (directory / "base.py", directory / "plain-index/unsafe.py")
    assert hazard.safer == (directory / "base.py", directory / "plain-index/safer.py")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("## Effect\n\nTwo.\n", "", "plain-index/hazard.md: the section Effect is missing or empty; write it"),
        ("Two.", "", "plain-index/hazard.md: the section Effect is missing or empty; write it"),
        (
            "## Effect",
            "## Cause\n\nOne.\n\n## Effect",
            "plain-index/hazard.md: unknown section Cause; known are Condition, Effect, Safer way, Message, Fix",
        ),
        ("severity: warning\n", "", "plain-index/hazard.md: severity is missing; mend the front matter"),
        (
            "severity: warning",
            "severity: bad",
            "plain-index/hazard.md: severity is 'bad', not error, warning, note; mend the front matter",
        ),
        ("family", "familie", "plain-index/hazard.md: unknown key 'familie'; mend the front matter"),
        ("A01", "Z1", "plain-index/hazard.md: the source 'Z1' is no id like A01; mend the front matter"),
        (
            "family: index",
            "family: index\nexpects: {upgrade: applied}",
            (
                "plain-index/hazard.md: expects upgrade: applied, which is not one of downgrade, reupgrade, upgrade: "
                "failed; mend the front matter"
            ),
        ),
        (
            "family: index",
            "family: index\nentails: [no-such]",
            "plain-index/hazard.md: entails no-such, which is no hazard of the catalogue; mend the name",
        ),
        (
            "family: index",
            "family: index\nsafer: index",
            (
                "plain-index/hazard.md: a hazard has either a safer.py of its own or safer: NAME, "
                "a directory of _safer; this one has both"
            ),
        ),
        (
            "{table}",
            "{tabel}",
            (
                "plain-index/hazard.md: unknown placeholder {tabel}; the predicate gives add_check, build_index, "
                "concurrently, not_valid, set_not_null, statement, subject, table, use_index, validate, "
                "validate_check"
            ),
        ),
        (
            "{table}.\n",
            "{table}.\n\n## Fix\n\nDo it better.\n",
            "plain-index/hazard.md: the section Fix is not one block of python; make it one",
        ),
        (
            "---\nname",
            "name",
            "plain-index/hazard.md does not begin with front matter; put it between two lines of ---",
        ),
    ],
)
def test_a_malformed_entry(directory: Path, old: str, new: str, message: str) -> None:
    (directory / "plain-index/hazard.md").write_text(WHOLE.replace(old, new, 1))
    assert problem(directory) == message


def test_a_hazard_without_predicate(directory: Path) -> None:
    (directory / "plain-index").rename(directory / "plain-indices")
    assert problem(directory) == (
        "plain-indices/hazard.md: the hazard has no predicate; add it to a table of src/backout/rules"
    )


def test_a_name_that_is_none(directory: Path) -> None:
    (directory / "plain-index").rename(directory / "Plain_Index")
    assert problem(directory).endswith("Plain_Index is no name of a hazard; use words in lower case, joined by hyphens")


def test_files_that_are_missing(directory: Path) -> None:
    (directory / "plain-index/safer.py").unlink()
    assert problem(directory) == (
        "plain-index/hazard.md: a hazard has either a safer.py of its own or safer: NAME, a directory of _safer; "
        "this one has neither"
    )
    (directory / "plain-index/unsafe.py").unlink()
    assert problem(directory) == "plain-index/unsafe.py does not exist; every hazard has a migration that has it"
    (directory / "plain-index/hazard.md").unlink()
    assert problem(directory) == (
        "plain-index/hazard.md cannot be read: No such file or directory; every hazard has one"
    )


def test_a_shared_safer_way_that_is_missing(directory: Path) -> None:
    (directory / "plain-index/safer.py").unlink()
    (directory / "plain-index/hazard.md").write_text(WHOLE.replace("family: index", "family: index\nsafer: nothing"))
    assert problem(directory).replace(str(directory), "catalogue") == (
        "plain-index/hazard.md: safer: nothing, and there is no safer.py in _safer/nothing"
    )
