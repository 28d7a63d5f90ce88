"""backout rehearse, check and explain: what they print and write, and how they end."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import jsonschema
import psutil
import psycopg
import pytest
from click.testing import CliRunner, Result

from backout.cli import main
from backout.evidence import json_schema
from backout.postgres import Server
from backout.rules import load_catalogue

BACKOUT = Path(sys.executable).parent / "backout"


@pytest.fixture
def chain(small_chain: Any, monkeypatch: pytest.MonkeyPatch, backout_server: Server) -> Any:
    """Two revisions: one makes a table, the other drops a column of it for good."""
    small_chain.add("a1", "op.execute('CREATE TABLE users (id int PRIMARY KEY, bio text)')", "op.drop_table('users')")
    small_chain.add(
        "b2",
        "op.drop_column('users', 'bio')",
        "op.execute('ALTER TABLE users ADD bio text')",
        message="drop bio",
    )
    monkeypatch.chdir(small_chain.root)
    monkeypatch.setenv("BACKOUT_POSTGRES", backout_server.handle())
    monkeypatch.setenv("COLUMNS", "80")
    return small_chain


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def rewrite(chain: Any, revision: str, old: str, new: str) -> None:
    path = chain.root / "alembic" / "versions" / f"{revision}.py"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


B2 = "alembic/versions/b2.py"
WAIVER = "# backout: accept dropped-table-comes-back-empty: why not"
ROWS = "it runs on the rows that backout has put into the tables of b2: mend it"
CONFIGURATION = "name the Alembic configuration of the project, an ini file or a pyproject.toml"
HINT = "mend the revision, or accept it with a comment in its file: # backout: accept HAZARD: reason"
MEANT = "dropped-column-comes-back-empty or dropped-column-comes-back-constant or dropped-table-comes-back-empty?"
REPORT = """\
a1  low       yes if unused  before  a revision of the test
  lost     what is written into what it adds
b2  high      no             after   drop bio
  lost     users.bio N of N
  blocked  users: reads and writes for a moment
  error    MESSAGE
seeded 1 of 1 tables concerned, 2 of 2 columns
"""


def test_rehearse_tells_and_writes(chain: Any) -> None:
    done = run("rehearse", "--json", "all.json", "--markdown", "risk.md", "--sarif", "risk.sarif")
    assert done.exit_code == 1
    everything = json.loads((chain.root / "all.json").read_text())
    (finding,) = (one for one in everything["revisions"][1]["findings"] if one["severity"] == "error")
    # As it wraps, and with the numbers of the seeding.
    report = re.sub(r"bio \d+ of \d+", "bio N of N", done.stdout.replace("\n" + " " * 11, " "))
    assert report == REPORT.replace("MESSAGE", f"dropped-column-comes-back-empty: {finding['message']}")
    assert done.stderr.splitlines()[1:] == [
        "1/2 a1",
        "2/2 b2",
        f"error: 1 finding of severity error is not accepted; {HINT}",
    ]
    written = sorted(path.name for path in (chain.root / "alembic" / "evidence").iterdir())
    assert written == ["a1.json", "b2.json"]

    assert (everything["format"], everything["version"]) == ("backout/evidence-set", 1)
    for one in everything["revisions"]:
        assert one.pop("seconds") > 0
        one.pop("findings")
        jsonschema.Draft202012Validator(json_schema()).validate(one)
        assert one == json.loads((chain.root / "alembic" / "evidence" / f"{one['revision']}.json").read_text())

    table = (chain.root / "risk.md").read_text().splitlines()
    assert table[2] == (
        "| `a1` a revision of the test | 🟢 low | ✅ yes if unused | what is written into what it adds |  | before |"
    )
    assert re.fullmatch(
        r"\| `b2` drop bio \| 🔴 high \| ❌ no \| users.bio \d+ of \d+ "
        r"\| users: reads and writes for a moment \| after \|",
        table[3],
    )
    log = json.loads((chain.root / "risk.sarif").read_text())
    errors = [result for result in log["runs"][0]["results"] if result["level"] == "error"]
    assert [
        (result["ruleId"], result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]) for result in errors
    ] == [("dropped-column-comes-back-empty", "alembic/versions/b2.py")]


def test_new_measures_what_is_missing_or_stale(chain: Any) -> None:
    run("rehearse")
    done = run("rehearse", "--new")
    assert (done.exit_code, done.stdout) == (0, "nothing to rehearse: the evidence of 2 revisions is up to date\n")
    rewrite(chain, "b2", "drop bio", "drop bio for good")
    chain.add("c3")
    done = run("rehearse", "--new")
    assert [line for line in done.stderr.splitlines() if re.match(r"\d/\d ", line)] == ["1/2 b2", "2/2 c3"]


def test_check_passes_when_everything_is_said(chain: Any) -> None:
    rewrite(
        chain, "b2", "Revision ID", "Data loss:\n    users.bio: all of it.\nRollback plan:\n    None.\n\nRevision ID"
    )
    rewrite(
        chain,
        "b2",
        "depends_on = None",
        "depends_on = None\n# backout: accept dropped-column-comes-back-empty: so be it",
    )
    assert run("rehearse").exit_code == 0
    done = run("check")
    assert (done.exit_code, done.stdout) == (
        0,
        "2 revisions: the evidence is what was measured, and the docstrings say it\n",
    )


def test_check_tells_every_fault(chain: Any) -> None:
    run("rehearse")
    evidence = chain.root / "alembic" / "evidence"
    (evidence / "a1.json").rename(evidence / "gone.json")
    (evidence / "gone.json").write_text((evidence / "gone.json").read_text().replace('"a1"', '"gone"'))
    (evidence / "b2.json").write_text((evidence / "b2.json").read_text().replace('"high"', '"low"'))
    before = {path.name: path.read_text() for path in evidence.iterdir()}
    done = run("check")
    assert done.exit_code == 1
    told = [line for line in done.stdout.splitlines() if not line.startswith(" ")]
    assert told[:5] == [
        "alembic/evidence/gone.json is the evidence of no revision of the chain; delete it",
        "alembic/evidence/a1.json is missing; write it: backout rehearse a1",
        "alembic/evidence/b2.json does not say what was measured on PostgreSQL "
        + re.search(r"PostgreSQL (\d+)", done.stdout)[1]  # type: ignore[index]
        + ":",
        "alembic/versions/b2.py: the docstring has no Data loss: section; the rehearsal lost users.bio",
        f"{B2}: the docstring has no Rollback plan: section, and the rollback loses users.bio; say how to get back",
    ]
    assert told[5].startswith("alembic/versions/b2.py: dropped-column-comes-back-empty: ")
    assert done.stderr.splitlines()[-1] == "error: 6 faults in 2 revisions; each is told above"
    assert '    -  "risk": "low",' in done.stdout.splitlines()
    assert {path.name: path.read_text() for path in evidence.iterdir()} == before


def test_a_waiver_that_accepts_nothing_is_a_fault(chain: Any) -> None:
    rewrite(chain, "a1", "depends_on = None", f"depends_on = None\n{WAIVER}")
    run("rehearse")
    fault = "dropped-table-comes-back-empty is accepted, but the revision has none; remove the waiver"
    line = 1 + (chain.root / "alembic" / "versions" / "a1.py").read_text().splitlines().index(WAIVER)
    assert f"alembic/versions/a1.py:{line}: {fault}" in run("check").stdout.splitlines()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nowhere",), "'nowhere' is no revision: none starts so; alembic history lists them"),
        (("--env", "URL"), "--env 'URL' has no name and value; write --env NAME=VALUE"),
        (("--set", "=x"), "--set '=x' has no name and value; write --set NAME=VALUE"),
        (
            ("--config", "missing.ini"),
            f"missing.ini does not exist; {CONFIGURATION}",
        ),
    ],
)
def test_usage_is_2(chain: Any, arguments: tuple[str, ...], message: str) -> None:
    done = run("rehearse", *arguments)
    assert (done.exit_code, done.stderr.splitlines()[-1]) == (2, f"error: {message}")


def test_a_seed_file_that_fails_is_an_error(chain: Any) -> None:
    (chain.root / "alembic" / "seeds").mkdir()
    seeds = chain.root / "alembic" / "seeds" / "b2.sql"
    seeds.write_text("UPDATE users SET nothing = 1;\n")
    done = run("rehearse", "b2")
    assert (done.exit_code, done.stderr.splitlines()[-1]) == (
        2,
        f'error: {seeds}: 42703 column "nothing" of relation "users" does not exist; {ROWS}',
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_end_in_the_middle_leaves_no_half_evidence_no_process_and_no_database(
    chain: Any, number: signal.Signals, backout_server: Server
) -> None:
    for index in range(12):
        chain.add(f"c{index:02}", f"op.execute('CREATE TABLE t{index} (id int)')", f"op.drop_table('t{index}')")
    with subprocess.Popen(
        [BACKOUT, "rehearse", "-j", "2"], env=os.environ, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        next(line for line in process.stderr if line.startswith("3/"))
        process.send_signal(number)
        process.stderr.read()
    assert process.returncode != 0
    evidence = chain.root / "alembic" / "evidence"
    written = list(evidence.glob("[!.]*.json"))
    assert len(written) < 14
    for path in written:
        jsonschema.Draft202012Validator(json_schema()).validate(json.loads(path.read_text()))
    until_gone(lambda: [one for one in psutil.process_iter() if is_worker_of(process.pid, one)])
    if number != signal.SIGKILL:  # then the end of the server, which is another process's here, takes them along
        with psycopg.connect(backout_server.url) as connection:
            names = [name for (name,) in connection.execute("SELECT datname FROM pg_database")]
        assert [name for name in names if f"_{process.pid}_" in name] == []
    # It goes on where it was.
    done = run("rehearse", "--new")
    assert len([line for line in done.stderr.splitlines() if re.match(r"\d+/", line)]) == 14 - len(written)


def is_worker_of(parent: int, process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        return ["--parent", str(parent)] == [word for word in process.cmdline() if word in ("--parent", str(parent))]
    return False


def until_gone(those: Callable[[], list[Any]]) -> None:
    deadline = time.monotonic() + 60
    while those() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert those() == []


# -- explain ----------------------------------------------------------------------------------------


def test_explain_lists_the_catalogue() -> None:
    done = run("explain")
    assert done.exit_code == 0
    assert [line.split()[0] for line in done.stdout.splitlines()] == list(load_catalogue())


@pytest.mark.parametrize("hazard", load_catalogue())
def test_explain_tells_a_hazard(hazard: str) -> None:
    done = run("explain", hazard)
    assert done.exit_code == 0
    titles = [line for line in done.stdout.splitlines() if line and not line.startswith(" ")]
    assert titles[0] == f"{hazard} ({load_catalogue()[hazard].severity}): {load_catalogue()[hazard].name}"
    assert titles[1:5] == ["When", "Effect", "Safer way", "Unsafe"]
    assert max(map(len, done.stdout.splitlines())) <= 120 + len("  ")  # code is indented


def test_explain_knows_what_was_meant() -> None:
    done = run("explain", "dropped-column-comes-back-emtpy")
    assert (done.exit_code, done.stderr) == (
        2,
        f"error: 'dropped-column-comes-back-emtpy' is no hazard of the catalogue; did you mean {MEANT}\n",
    )
