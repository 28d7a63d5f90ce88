"""backout.squawk: what is asked of squawk, what becomes of its answers, and what is said without it."""

import json
import os
import re
import sysconfig
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from backout import squawk
from backout.cli import main
from backout.errors import BackoutError, ConfigurationError
from backout.evidence import Evidence, Statement, from_json
from backout.postgres import Server
from backout.rules import Finding, load_catalogue, load_known, measured_rules
from backout.squawk import NOTES, explain, lint

ROOT = Path(__file__).parents[1]
CATALOGUE = load_catalogue()
SQUAWK = Path(sysconfig.get_path("scripts"), "squawk")
NAMING = [name for name, hazard in CATALOGUE.items() if hazard.squawk]
LEFT_TO_SQUAWK = {
    re.findall("`(.+)`", one.text)[0] for group in load_known(CATALOGUE) for one in group.left if one.way == "squawk"
}
INSTALL = "backout needs squawk 2.70 or newer: pip install 'backout[text]'"
UNCHECKED = "the SQL text was not checked: squawk is not installed; pip install 'backout[text]'"
CHAR = "Using `character` is likely a mistake and should almost always be replaced by `text` or `varchar`."
LINK = "https://squawkhq.com/docs/"


def read(path: Path) -> Evidence:
    return from_json(path.read_bytes(), str(path))


def revision(*statements: str, transactional: bool = True, name: str = "a1") -> Evidence:
    """The evidence of a revision whose upgrade executed these statements."""
    some = read(CATALOGUE["plain-index"].unsafe[-1].with_suffix(".json"))
    upgrade = replace(some.upgrade, statements=tuple(map(Statement, statements)), transactional=transactional)
    return replace(some, revision=name, upgrade=upgrade)


def told(*statements: str, root: Path = ROOT, transactional: bool = True) -> list[Finding]:
    """What squawk says of them."""
    found = lint([revision(*statements, transactional=transactional)], root)
    assert found is not None
    return list(found["a1"])


def warned(*statements: str, root: Path = ROOT) -> list[Finding]:
    """Without the notes."""
    return [finding for finding in told(*statements, root=root) if finding.severity == "warning"]


def anything(*statements: str, root: Path = ROOT, transactional: bool = True) -> list[str]:
    """The rules that squawk finds, also those whose danger is measured."""
    found = lint([revision(*statements, transactional=transactional)], root, {})
    assert found is not None
    return hazards(found["a1"])


def hazards(findings: Iterable[Finding]) -> list[str]:
    return [finding.hazard.removeprefix("squawk:") for finding in findings]


def configure(folder: Path, text: str) -> Path:
    (folder / ".squawk.toml").write_text(text)
    return folder


def program(folder: Path, script: str) -> Path:
    """A program of that name; returns the folder it is in."""
    folder.mkdir(exist_ok=True)
    (folder / "squawk").write_text(script)
    (folder / "squawk").chmod(0o755)
    return folder


@pytest.fixture
def scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder where the scripts of the running interpreter are looked for; nothing is on PATH."""
    folder = tmp_path / "scripts"
    folder.mkdir()
    monkeypatch.setattr(sysconfig, "get_path", lambda _name: str(folder))
    monkeypatch.setenv("PATH", "")
    return folder


# -- what the catalogue says of squawk -----------------------------------------------------------------------------


@cache
def of_the_catalogue(root: Path) -> Mapping[str, set[str]]:
    """The rules that squawk finds in the unsafe migrations, by hazard; those that it must be asked for as well."""
    configure(root, f"included_rules = {sorted(measured_rules())}\n")
    unsafe = [replace(read(CATALOGUE[name].unsafe[-1].with_suffix(".json")), revision=name) for name in NAMING]
    found = lint(unsafe, root, {})
    assert found is not None
    return {name: set(hazards(findings)) for name, findings in found.items()}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("root")


@pytest.mark.parametrize("hazard", NAMING)
def test_squawk_finds_the_rules_that_a_hazard_names(hazard: str, root: Path) -> None:
    upgrade = read(CATALOGUE[hazard].unsafe[-1].with_suffix(".json")).upgrade
    if upgrade.outcome == "failed":  # evidence has the statements before the one that failed
        assert (upgrade.statements, hazard in of_the_catalogue(root)) == ((), False)
    else:
        assert set(CATALOGUE[hazard].squawk) <= of_the_catalogue(root)[hazard]


def test_squawk_knows_every_rule_that_is_named(tmp_path: Path) -> None:
    """An unknown name in its configuration is an error."""
    configure(tmp_path, f"excluded_rules = {sorted({*measured_rules(), *NOTES, *LEFT_TO_SQUAWK})}\n")
    assert anything("ALTER TABLE users DROP COLUMN bio", root=tmp_path) == []


def test_nothing_that_is_left_to_squawk_is_left_out() -> None:
    assert measured_rules().keys() & {*NOTES, *LEFT_TO_SQUAWK} == set()


def test_the_safer_ways_and_what_is_harmless_are_safe_to_squawk() -> None:
    directory = ROOT / "src" / "backout" / "catalogue"
    paths = [*directory.glob("*/safer*.json"), *directory.glob("_safer/*/*.json"), *directory.glob("_harmless/*.json")]
    found = lint([replace(read(path), revision=str(path)) for path in paths], ROOT)
    assert found is not None
    assert [one.message for findings in found.values() for one in findings if one.severity != "note"] == []


def test_what_squawk_says_of_the_own_chain() -> None:
    found = lint([read(path) for path in sorted((ROOT / "alembic" / "evidence").glob("*.json"))], ROOT)
    assert found is not None
    assert [one.subject for findings in found.values() for one in findings if one.severity != "note"] == [
        "ALTER TYPE content_job_status ADD VALUE IF NOT EXISTS 'cancelled'",
        "DROP FUNCTION subscriptions_sync_price()",
    ]


# -- findings ------------------------------------------------------------------------------------------------------


def test_a_finding_has_the_words_of_squawk_and_the_statement_of_the_user() -> None:
    statement = "ALTER TYPE mood ADD VALUE 'calm'"
    words = (
        "ADD VALUE without BEFORE or AFTER appends the value to the end of the enum, which may result in unexpected "
        "ordering. Add `BEFORE` or `AFTER` to specify the position of the new enum value."
    )
    assert warned(f"{statement};") == [
        Finding(
            "squawk:require-enum-value-ordering",
            "warning",
            statement,
            f"{statement}: {words}",
            link=f"{LINK}require-enum-value-ordering",
        )
    ]


def test_a_long_statement_is_shown_with_the_line_concerned() -> None:
    columns = "".join(f"\tcolumn_{number} BIGINT, \n" for number in range(20))
    where = (
        "CREATE TABLE invoices ( column_0 BIGINT, column_1 BIGINT, column_2 BIGINT, column_3 BIGINT, column_4 BIGINT, "
        "column_5 …, at currency CHAR(3) NOT NULL"
    )
    (finding,) = warned(f"\nCREATE TABLE invoices (\n{columns}\tcurrency CHAR(3) NOT NULL, \n\tother BIGINT\n)\n\n")
    assert (finding.subject, finding.message) == (where, f"{where}: {CHAR}")


def test_two_of_a_kind_in_one_line_are_one() -> None:
    (finding,) = warned("ALTER TABLE invoices ADD a CHAR(2), ADD b CHAR(3)")
    assert finding.message == f"ALTER TABLE invoices ADD a CHAR(2), ADD b CHAR(3): {CHAR}"


def test_each_revision_gets_its_own() -> None:
    found = lint(
        [
            revision("ALTER TABLE a ADD x CHAR(2)", name="first"),
            revision(name="empty"),
            revision("SELECT 1", name="clean"),
            revision("SELECT 1\n-- the end", "ALTER TABLE b\n  ADD y CHAR(2)", name="last"),
        ],
        ROOT,
    )
    assert found is not None
    assert {name: [one.subject for one in those if one.severity == "warning"] for name, those in found.items()} == {
        "first": ["ALTER TABLE a ADD x CHAR(2)"],
        "clean": [],
        "last": ["ALTER TABLE b ADD y CHAR(2)"],
    }
    assert lint([revision()], ROOT) == lint([], ROOT) == {}


def test_what_is_measured_is_left_out() -> None:
    statements = ("ALTER TABLE users DROP COLUMN bio", "CREATE INDEX ON users (name)")
    assert warned(*statements) == []
    assert {"ban-drop-column", "require-concurrent-index-creation"} <= set(anything(*statements))


def test_advice_about_models_and_sessions_is_a_note() -> None:
    statements = (
        "CREATE TABLE users (id SERIAL PRIMARY KEY, a INTEGER, b SMALLINT, c VARCHAR(9))",
        "ALTER TABLE orders ADD COLUMN users BIGINT",
    )
    findings = [*told(*statements), *told("CREATE INDEX CONCURRENTLY i ON users (c)", transactional=False)]
    assert set(hazards(findings)) == NOTES.keys()
    assert {one.severity for one in findings} == {"note"}


def test_squawk_is_told_what_ran_in_a_transaction() -> None:
    inside, outside = (anything("BEGIN", "COMMIT", transactional=one) for one in (True, False))
    assert (inside, outside) == (["transaction-nesting"] * 2, [])


def test_parameters_of_the_driver_are_read() -> None:
    psycopg = "INSERT INTO codes (a, b, c) VALUES (%(a)s::VARCHAR, %s, '50%%')"
    assert told(psycopg, "INSERT INTO codes (a) VALUES ($1::VARCHAR)") == []


def test_sql_that_squawk_cannot_read_is_told_and_the_rest_is_read() -> None:
    """Of a file with an error in its syntax squawk says nothing else."""
    bad = "FROB TABLE a\n  (b, c)"
    findings = warned(bad, "ALTER TABLE a ADD x CHAR(2)", bad, "ALTER TABLE a FROB b")
    unread = "squawk cannot read it, so it was not checked"
    assert sorted(one.message for one in findings) == [
        f"ALTER TABLE a ADD x CHAR(2): {CHAR}",
        f"ALTER TABLE a FROB b: {unread}: expected command, found IDENT.",
        f"FROB TABLE a (b, c): {unread}: expected command, found IDENT.",
    ]
    (finding,) = (one for one in findings if one.subject == "FROB TABLE a (b, c)")
    assert finding == Finding(
        "squawk:syntax-error", "warning", finding.subject, finding.message, link=f"{LINK}syntax-error"
    )


def test_a_statement_that_swallows_the_next_is_left_out() -> None:
    findings = warned("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT 1", "ALTER TABLE a ADD x CHAR(2)")
    assert [one.message for one in findings] == [
        (
            "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT 1: squawk cannot read it, so it was not "
            "checked: Unterminated dollar quoted string literal."
        ),
        f"ALTER TABLE a ADD x CHAR(2): {CHAR}",
    ]


# -- the project's own configuration -------------------------------------------------------------------------------


def test_the_configuration_of_the_project_counts(tmp_path: Path) -> None:
    statements = ("ALTER TABLE users ADD code CHAR(2)", "ALTER TABLE users ADD at TIMESTAMP")
    expected = ["require-table-schema", "require-table-schema", "prefer-timestamp-tz"]
    configure(
        tmp_path,
        'excluded_rules = ["ban-char-field", "require-lock-timeout", "require-statement-timeout"]\n'
        'included_rules = ["require-table-schema"]\n',
    )
    (tmp_path / "backend").mkdir()
    assert sorted(hazards(told(*statements, root=tmp_path / "backend"))) == sorted(expected)


def test_what_the_rehearsal_knows_counts_more(tmp_path: Path) -> None:
    configure(tmp_path, 'excluded_paths = ["*"]\nassume_in_transaction = false\n')
    assert hazards(told("COMMIT", root=tmp_path)) == ["transaction-nesting"]


def test_a_name_of_the_temporary_folder_is_no_pattern(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a[b]*").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "a[b]*"))
    assert hazards(warned("ALTER TABLE users ADD code CHAR(2)")) == ["ban-char-field"]


def test_an_action_of_github_is_no_other_case(monkeypatch: pytest.MonkeyPatch) -> None:
    """Older releases of squawk print annotations there, before the report."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert hazards(warned("ALTER TABLE users ADD code CHAR(2)")) == ["ban-char-field"]


# -- finding the program, and its failures -------------------------------------------------------------------------

SAYS = """#!/bin/sh
echo '[{{"file":"0.sql","line":0,"rule_name":"x","message":"{words}","help":null,"column":0}}]'
exit 1
"""


def test_the_one_beside_the_interpreter_comes_first(
    scripts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", os.pathsep.join([str(program(tmp_path / "elsewhere", SAYS.format(words="Far")))]))
    assert told("SELECT 1")[0].message == "SELECT 1: Far."
    program(scripts, SAYS.format(words="Near"))
    assert told("SELECT 1")[0].message == "SELECT 1: Near."


def test_it_is_not_installed(scripts: Path) -> None:
    assert lint([revision("SELECT 1")], ROOT) is None
    assert explain("anything") == (
        "squawk:anything: a rule of squawk, which reads the SQL text\n\n"
        f"Rule\n  {LINK}anything\n\n"
        "Only the text shows it\n  It changes no verdict and no exit code."
    )


def failure(root: Path) -> str:
    with pytest.raises(BackoutError) as raised:
        told("ALTER TABLE users ADD code CHAR(2)", root=root)
    return str(raised.value)


def test_a_configuration_that_it_cannot_read(tmp_path: Path) -> None:
    configure(tmp_path, 'excluded_rules = ["ban-fun"]\n')
    assert failure(tmp_path) == (
        f"squawk ({SQUAWK}) failed in {tmp_path} with exit status 1; it printed\n"
        "    Configuration error: invalid rule name ban-fun for key `excluded_rules` at line 1 column 1\n"
        f"mend what it names; {INSTALL}"
    )


@pytest.mark.parametrize(
    ("script", "status", "printed"),
    [
        ("#!/bin/sh\necho '[]'\necho out of memory >&2\nexit 101\n", 101, "    []\n    out of memory\n"),
        ("#!/bin/sh\necho '[]'\nexit 1\n", 1, "    []\n"),
        ("#!/bin/sh\necho Squawk!\n", 0, "    Squawk!\n"),
        (SAYS.format(words="Help!").replace("exit 1", "exit 0"), 0, None),
        ('#!/bin/sh\necho \'[{"file": "0.sql"}]\'\nexit 1\n', 1, '    [{"file": "0.sql"}]\n'),
    ],
)
def test_a_program_that_fails(scripts: Path, tmp_path: Path, script: str, status: int, printed: str | None) -> None:
    program(scripts, script)
    if printed is None:
        printed = "    " + script.splitlines()[1].removeprefix("echo '").removesuffix("'") + "\n"
    assert failure(tmp_path) == (
        f"squawk ({scripts / 'squawk'}) failed in {tmp_path} with exit status {status}; it printed\n{printed}"
        f"mend what it names; {INSTALL}"
    )


def test_a_program_that_does_not_start(scripts: Path, tmp_path: Path) -> None:
    program(scripts, "#!/nowhere/sh\n")
    assert failure(tmp_path) == (
        f"squawk ({scripts / 'squawk'}) could not be started: No such file or directory; "
        "install it again: pip install 'backout[text]'"
    )


# -- explain -------------------------------------------------------------------------------------------------------


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


@pytest.mark.parametrize(
    ("rule", "rest"),
    [
        ("ban-drop-view", "Measured\n  What these find stands in its place: view-dropped.\n"),
        (
            "prefer-text-field",
            "Only a note\n  The model's choice, not the revision's. Another type is rehearsed when it\n  comes.\n",
        ),
        ("ban-char-field", "Only the text shows it\n  It changes no verdict and no exit code.\n"),
        ("syntax-error", "Only the text shows it\n  It changes no verdict and no exit code.\n"),
    ],
)
def test_explain_a_rule(rule: str, rest: str) -> None:
    done = run("explain", f"squawk:{rule}")
    assert (done.exit_code, done.stdout) == (
        0,
        f"squawk:{rule}: a rule of squawk, which reads the SQL text\n\nRule\n  {LINK}{rule}\n\n{rest}",
    )


def test_explain_no_rule() -> None:
    done = run("explain", "squawk:ban-fun")
    assert (done.exit_code, done.stderr) == (2, f"error: squawk has no rule 'ban-fun'; {LINK}rules lists them\n")
    with pytest.raises(ConfigurationError):
        explain("ban-fun")


# -- in the reports ------------------------------------------------------------------------------------------------

MESSAGE = f"ALTER TABLE users ADD COLUMN code CHAR(2): {CHAR}"


@pytest.fixture
def chain(small_chain: Any, monkeypatch: pytest.MonkeyPatch, backout_server: Server) -> Any:
    """A revision that makes a table, and one of which squawk has something to say."""
    small_chain.add("a1", "op.execute('CREATE TABLE users (id bigint PRIMARY KEY)')", "op.drop_table('users')")
    upgrade = "op.execute('ALTER TABLE users ADD COLUMN code CHAR(2)')"
    small_chain.add("b2", upgrade, "op.drop_column('users', 'code')", message="add code")
    monkeypatch.chdir(small_chain.root)
    monkeypatch.setenv("BACKOUT_POSTGRES", backout_server.handle())
    monkeypatch.setenv("COLUMNS", "400")
    return small_chain


def accept(chain: Any, waiver: str) -> int:
    """Write it into the second revision; returns its line."""
    path = chain.root / "alembic" / "versions" / "b2.py"
    path.write_text(path.read_text().replace("depends_on = None", f"depends_on = None\n# backout: accept {waiver}"))
    return int(path.read_text().splitlines().index(f"# backout: accept {waiver}")) + 1


def test_it_stands_in_every_report_and_gates_nothing(chain: Any) -> None:
    done = run("rehearse", "--json", "all.json", "--markdown", "risk.md", "--sarif", "risk.sarif")
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        "a1  low       yes if unused  before  a revision of the test",
        "  lost     what is written into what it adds",
        "b2  low       yes if unused  before  add code",
        "  lost     what is written into what it adds",
        "  blocked  users: reads and writes for a moment",
        f"  warning  squawk:ban-char-field: {MESSAGE}",
        "seeded 1 of 1 tables concerned, 1 of 1 columns",
    ]
    everything = json.loads((chain.root / "all.json").read_text())
    assert everything["text_checked"] is True
    assert [one for one in everything["revisions"][1]["findings"] if one["severity"] == "warning"] == [
        {
            "hazard": "squawk:ban-char-field",
            "severity": "warning",
            "subject": "ALTER TABLE users ADD COLUMN code CHAR(2)",
            "message": MESSAGE,
            "waiver": None,
        }
    ]
    assert "squawk" not in (chain.root / "alembic" / "evidence" / "b2.json").read_text()
    written = (chain.root / "risk.md").read_text().splitlines()
    assert written[-3] == f"- `b2` warning, squawk:ban-char-field: {MESSAGE}"
    (log,) = json.loads((chain.root / "risk.sarif").read_text())["runs"]
    assert {
        "id": "squawk:ban-char-field",
        "shortDescription": {"text": "squawk:ban-char-field"},
        "helpUri": f"{LINK}ban-char-field",
    } in log["tool"]["driver"]["rules"]
    assert [(one["ruleId"], one["message"]) for one in log["results"] if one["level"] == "warning"] == [
        ("squawk:ban-char-field", {"text": MESSAGE})
    ]


def test_it_is_accepted_like_any_other(chain: Any) -> None:
    accept(chain, "squawk:ban-char-field: two letters, by ISO 3166")
    done = run("rehearse", "--json", "all.json")
    assert f"  warning  squawk:ban-char-field: {MESSAGE} Accepted: two letters, by ISO 3166" in done.stdout.splitlines()
    findings = json.loads((chain.root / "all.json").read_text())["revisions"][1]["findings"]
    assert [one["waiver"] for one in findings if one["severity"] == "warning"] == ["two letters, by ISO 3166"]
    done = run("check")
    assert (done.exit_code, done.stdout) == (
        0,
        "2 revisions: the evidence is what was measured, and the docstrings say it\n",
    )


def test_without_squawk_that_is_said_and_no_waiver_is_unused(chain: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    line = accept(chain, "squawk:ban-chair-field: a slip of the pen")
    fault = f"alembic/versions/b2.py:{line}: squawk:ban-chair-field is accepted, but the revision has none"
    done = run("rehearse")
    assert done.exit_code == 1
    assert f"  error    unused-waiver: {fault}; remove the waiver" in done.stdout.splitlines()
    assert f"{fault}; remove the waiver" in run("check").stdout.splitlines()

    monkeypatch.setattr(squawk, "_program", lambda: None)
    done = run("rehearse", "--json", "all.json", "--markdown", "risk.md")
    assert done.exit_code == 0
    assert done.stdout.splitlines()[-2:] == ["seeded 1 of 1 tables concerned, 1 of 1 columns", UNCHECKED]
    assert json.loads((chain.root / "all.json").read_text())["text_checked"] is False
    assert (chain.root / "risk.md").read_text().endswith(f" |\n\n{UNCHECKED}\n")
    assert run("check").stdout.splitlines()[0] == UNCHECKED


def test_a_failure_is_the_end_of_the_report(chain: Any) -> None:
    configure(chain.root, 'excluded_rules = ["ban-fun"]\n')
    done = run("rehearse")
    assert done.exit_code == 1
    assert done.stderr.splitlines()[-3:] == [
        f"error: squawk ({SQUAWK}) failed in {chain.root} with exit status 1; it printed",
        "    Configuration error: invalid rule name ban-fun for key `excluded_rules` at line 1 column 1",
        f"mend what it names; {INSTALL}",
    ]
