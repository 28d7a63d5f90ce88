"""The scripts, run as their users run them, on chains that are sound and on chains that are not."""

import re
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from backout.languages import NotChecked, validate
from backout.postgres import Database, Server
from backout.production import MIGRATION_LOCK
from content_creation_crew.db.sample import sample_rows

ROOT = Path(__file__).parents[1]
ROLLBACK = "scripts/test_migration_rollback.sh"
PRODUCTION = "scripts/migrate_production.sh"
NEW = "0000000000aa"

Make = Callable[..., Database]


class Scripts:
    """The scripts of a working copy, and a server for them."""

    def __init__(self, copy: Any, server: Server, environment: dict[str, str]) -> None:
        self.copy = copy
        self.server = server
        self.environment = environment

    @property
    def head(self) -> str:
        return str(self.copy.heads[0])

    def command(self, script: str, database: Database | None, cwd: Path | None = None) -> dict[str, Any]:
        """Arguments for subprocess."""
        variables = self.server.environment(database) if database else {}
        return {
            "args": ["bash", self.copy.root / script],
            "cwd": cwd or self.copy.root,
            "env": {**self.environment, **variables},
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
            "text": True,
        }

    def run(self, script: str, database: Database | None, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(**self.command(script, database, cwd), check=False)


@pytest.fixture
def scripts(working_copy: Any, backout_server: Server, environment: dict[str, str]) -> Scripts:
    return Scripts(working_copy, backout_server, environment)


def steps(revision: str, parent: str) -> str:
    """What the rollback test prints up to the comparison."""
    return (
        f"2/5 all migrations applied: {revision} (head)\n"
        f"3/5 rolled back {revision}: {parent}\n"
        f"4/5 applied again: {revision} (head)\n"
    )


# -- test_migration_rollback ------------------------------------------------------------------------


def test_the_rollback_of_the_head_passes_from_any_directory(
    scripts: Scripts, disposable: Make, tmp_path: Path, current_revisions: Callable[[str], tuple[str, ...]]
) -> None:
    database = disposable(revision="head", rows="sample")
    (before,) = current_revisions(database.url)
    done = scripts.run(ROLLBACK, database, cwd=tmp_path)
    rows = 1 + sum(map(len, sample_rows().values()))  # the one more is alembic_version's
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        f"1/5 current revision: {before}\n"
        + steps(scripts.head, "76f0ddcb0970")
        + f"5/5 final state matches the original: schema, {rows} rows in {len(sample_rows()) + 1} tables, sequences\n"
    )


@pytest.fixture
def somebodys(backout_server: Server) -> Iterator[Database]:
    """A database that backout did not create."""
    name = "content_creation_crew_of_somebody"
    with psycopg.connect(backout_server.url, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
        parts = backout_server.url.partition("?")
        url = parts[0].rpartition("/")[0] + f"/{name}" + parts[1] + parts[2]
        yield Database(name, url, token="")
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def test_a_database_of_somebody_else_is_never_migrated(
    scripts: Scripts, somebodys: Database, current_revisions: Callable[[str], tuple[str, ...]]
) -> None:
    done = scripts.run(ROLLBACK, somebodys)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == (
        "error: the rollback test migrates only databases that backout created, and this one is not; for a "
        "disposable one: backout postgres --revision head --sample -- make migrate-test\n"
    )
    assert current_revisions(somebodys.url) == ()


def test_a_downgrade_that_loses_rows_is_found(scripts: Scripts, disposable: Make) -> None:
    parent = scripts.head
    scripts.copy.add(NEW, downgrade="op.execute(\"DELETE FROM usage_counters WHERE metric = 'tokens'\")")
    done = scripts.run(ROLLBACK, disposable(revision="head", rows="sample"))
    assert (done.returncode, done.stdout) == (1, f"1/5 current revision: {parent}\n" + steps(NEW, parent))
    lines = done.stderr.splitlines()
    assert lines[:2] == [
        f"error: rolling back {NEW} and applying it again changed the database:",
        "    table public.usage_counters: 18 of 54 rows are gone or changed, 0 are new",
    ]
    assert [line[:6] for line in lines[2:]] == ["    - "] * 3


def test_another_schema_is_found(scripts: Scripts, disposable: Make) -> None:
    parent = scripts.head
    scripts.copy.add(NEW, downgrade='op.execute("ALTER TABLE users ALTER COLUMN locale DROP DEFAULT")')
    done = scripts.run(ROLLBACK, disposable(revision="head", rows="sample"))
    assert (done.returncode, done.stdout) == (1, f"1/5 current revision: {parent}\n" + steps(NEW, parent))
    assert re.sub(r"@@ .* @@", "@@", done.stderr) == (
        f"error: rolling back {NEW} and applying it again changed the database:\n"
        "    --- schema before\n"
        "    +++ schema after\n"
        "    @@\n"
        "         last_seen_at timestamp with time zone\n"
        "    -    locale character varying(12) DEFAULT 'en'::character varying NOT NULL\n"
        "    +    locale character varying(12) NOT NULL\n"
        "         password_hash text\n"
    )


def test_a_sequence_that_moves_back_is_found(scripts: Scripts, disposable: Make) -> None:
    parent = scripts.head
    scripts.copy.add(NEW, downgrade="op.execute(\"SELECT setval('users_id_seq', 3)\")")
    done = scripts.run(ROLLBACK, disposable(revision="head", rows="sample"))
    assert (done.returncode, done.stdout) == (1, f"1/5 current revision: {parent}\n" + steps(NEW, parent))
    assert done.stderr == (
        f"error: rolling back {NEW} and applying it again changed the database:\n"
        "    sequence public.users_id_seq: last value was 25, is 3\n"
    )


def test_powershell_calls_what_bash_calls() -> None:
    shell = (ROOT / ROLLBACK).read_text(encoding="utf-8")
    power = (ROOT / ROLLBACK).with_suffix(".ps1").read_text(encoding="utf-8")
    try:
        assert validate("powershell", power) is None
        assert validate("powershell", power.replace("}", "", 1)) is not None
    except NotChecked as missing:
        pytest.skip(f"NOT CHECKED: {missing}")
    assert shell.splitlines()[-1].removeprefix("exec backout ") == "roundtrip"
    assert power.splitlines()[-2:] == ["& $backout roundtrip", "exit $LASTEXITCODE"]


# -- migrate_production -----------------------------------------------------------------------------


def test_production_is_brought_from_base_to_head_once(
    scripts: Scripts, disposable: Make, tmp_path: Path, current_revisions: Callable[[str], tuple[str, ...]]
) -> None:
    database = disposable()
    done = scripts.run(PRODUCTION, database, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, f"now at {scripts.head} (head)\n"), done.stderr
    assert current_revisions(database.url) == (scripts.head,)
    done = scripts.run(PRODUCTION, database, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, f"already at {scripts.head} (head)\n")
    assert "applying" not in done.stderr


def test_two_runners_at_once_apply_each_revision_once(scripts: Scripts, disposable: Make) -> None:
    """Both are seen waiting for the lock before one may begin."""
    database = disposable()
    with psycopg.connect(database.url, autocommit=True) as holder:
        holder.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
        runners = [subprocess.Popen(**scripts.command(PRODUCTION, database)) for _ in range(2)]
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND application_name = %s"
        while holder.execute(waiting, [database.name, "backout migration lock"]).fetchone() != (2,):
            assert [runner.poll() for runner in runners] == [None, None]
            time.sleep(0.01)
    printed = [runner.communicate() for runner in runners]
    assert sorted((runner.returncode, out) for runner, (out, _) in zip(runners, printed, strict=True)) == [
        (0, f"already at {scripts.head} (head)\n"),
        (0, f"now at {scripts.head} (head)\n"),
    ]
    applied = re.findall(r"^applying (\w+)", "".join(err for _, err in printed), re.MULTILINE)
    assert sorted(applied) == sorted(path.name.split("_")[2] for path in scripts.copy.root.glob("alembic/versions/2*"))


def test_production_must_be_named(scripts: Scripts) -> None:
    done = scripts.run(PRODUCTION, None)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "error: DATABASE_URL is not set: set it to postgresql://user@host:port/database, "
        "or, for a disposable one: backout postgres --revision head --sample\n"
    )
