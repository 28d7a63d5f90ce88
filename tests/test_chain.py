"""The migration chain: its form, each single step, and what the rows go through.

The form (docstrings, names, order) is asserted because guides, and people at three in the morning,
read it. The steps run on disposable databases.
"""

import ast
import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationStep
from alembic.script import Script, ScriptDirectory
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from content_creation_crew.db.engine import create_engine
from content_creation_crew.db.models import Base

ROOT = Path(__file__).parents[1]
CHAIN = ScriptDirectory.from_config(Config(str(ROOT / "alembic.ini")))
REVISIONS = [script.revision for script in reversed(list(CHAIN.walk_revisions()))]
HEAD = REVISIONS[-1]

#: One revision that is nothing else, for each kind of the risk matrix; the rollback guide walks through them.
KINDS = {
    "add column": "60b021ff3ca5",
    "remove column": "3263c0e46dff",
    "modify column": "a6219d533876",
    "add table": "f90d1fd6d569",
    "remove table": "76f0ddcb0970",
    "data migration": "4fb2096bbdef",
}
#: What upgrading and rolling back loses, as the docstrings say.
LOSSES = {
    "4fb2096bbdef": ["users.email"],
    "3263c0e46dff": ["users.legacy_password_hash"],
    "76f0ddcb0970": ["newsletter_signups"],
}
#: Drops a column, whose values the downgrade computes again.
RECOMPUTED = {"bcc48110e6e0"}
SECTION = re.compile(r"^(Why|Data loss|Rollback plan):\n((?:(?: {4}.*)?\n)+)", re.MULTILINE)

Disposable = Callable[..., Any]


class TestForm:
    """What the files say, without a database."""

    def test_one_head(self) -> None:
        assert CHAIN.get_heads() == [HEAD]

    def test_a_rollback_of_nine_single_steps_is_unambiguous(self) -> None:
        assert [revision for revision in REVISIONS[-9:] if _script(revision).is_merge_point] == []

    def test_each_kind_of_the_risk_matrix_is_among_the_last_twelve(self) -> None:
        assert set(KINDS.values()) <= set(REVISIONS[-12:])

    @pytest.mark.parametrize("revision", REVISIONS)
    def test_docstring(self, revision: str) -> None:
        docstring = _script(revision).module.__doc__ or ""
        message, empty, *_ = docstring.splitlines()
        assert message == message.strip(" .")
        assert empty == ""
        sections = dict(SECTION.findall(docstring))
        assert list(sections) == (
            ["Why", "Data loss", "Rollback plan"] if revision in LOSSES else ["Why", "Rollback plan"]
        )
        assert "REPLACE" not in docstring
        lost = re.findall(r"^    (\S+): \S", sections.get("Data loss", ""), re.MULTILINE)
        assert lost == LOSSES.get(revision, [])

    @pytest.mark.parametrize("revision", REVISIONS)
    def test_what_drops_something_says_so(self, revision: str) -> None:
        upgrade = next(
            node for node in _syntax(revision).body if isinstance(node, ast.FunctionDef) and node.name == "upgrade"
        )
        called = {
            node.func.attr
            for node in ast.walk(upgrade)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        }
        if called & {"drop_column", "drop_table"}:
            assert revision in LOSSES.keys() | RECOMPUTED

    @pytest.mark.parametrize("revision", REVISIONS)
    def test_file_name_and_header_agree(self, revision: str) -> None:
        script = _script(revision)
        header = dict(
            re.findall(r"^(Revision ID|Revises|Create Date):(?: (.+))?$", script.module.__doc__ or "", re.MULTILINE)
        )
        made = datetime.fromisoformat(header["Create Date"])
        slug = "_".join(re.findall(r"\w+", script.doc)).lower()
        assert Path(script.path).name == f"{made:%Y%m%d_%H%M}_{revision}_{slug}.py"
        assert re.fullmatch("[0-9a-f]{12}", revision)
        assert header["Revision ID"] == revision
        assert header["Revises"] == ", ".join(_parents(revision))

    def test_dates_are_in_order(self) -> None:
        dates = [
            re.findall(r"^Create Date: (.+)$", _script(revision).module.__doc__ or "", re.MULTILINE)[0]
            for revision in REVISIONS
        ]
        by_date = [revision for _, revision in sorted(zip(dates, REVISIONS, strict=True))]
        assert dates[REVISIONS.index(HEAD)] == max(dates)
        for revision in REVISIONS:
            assert all(by_date.index(parent) < by_date.index(revision) for parent in _parents(revision))

    @pytest.mark.parametrize("revision", REVISIONS)
    def test_migrations_do_not_import_the_application(self, revision: str) -> None:
        """Models move on; a migration must do tomorrow what it did when it was written."""
        imported = {
            alias.name if isinstance(node, ast.Import) else node.module
            for node in ast.walk(_syntax(revision))
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
        }
        assert imported <= {"sqlalchemy", "alembic", "sqlalchemy.dialects"}

    def test_the_folder_does_not_shadow_alembic(self) -> None:
        assert not (ROOT / "alembic" / "__init__.py").exists()


class TestSteps:
    """What the revisions do to the schema."""

    def test_up_down_up(self, disposable: Disposable, pg_dump: Callable[[str], str]) -> None:
        url = disposable().url
        with _configured(url) as config:
            command.upgrade(config, "head")
            there = pg_dump(url)
            command.downgrade(config, "base")
            assert _leftovers(url) == [("table", "alembic_version")]
            command.upgrade(config, "head")
            assert pg_dump(url) == there

    def test_each_step_down_and_up(self, disposable: Disposable, pg_dump: Callable[[str], str]) -> None:
        url = disposable().url
        before = ""
        for place, revision in enumerate(REVISIONS):
            _step(url, revision, "upgrade")
            if place:
                _step(url, revision, "downgrade")
                assert _unordered(pg_dump(url)) == before, revision
                _step(url, revision, "upgrade")
            before = _unordered(pg_dump(url))
        assert before == _unordered(pg_dump(disposable(revision="head").url))

    def test_the_models_and_the_chain_describe_one_schema(
        self, disposable: Disposable, pg_dump: Callable[[str], str]
    ) -> None:
        """Stricter than ``alembic check``: predicates, labels, deletions, access methods, too."""
        modelled = disposable().url
        engine = create_engine(modelled, poolclass=NullPool)
        with engine.begin() as connection:
            Base.metadata.create_all(connection)
            MigrationContext.configure(connection)._ensure_version_table()
        assert _unordered(pg_dump(modelled)) == _unordered(pg_dump(disposable(revision="head").url))

    def test_alembic_check_is_clean(self, disposable: Disposable) -> None:
        with _configured(disposable(revision="head").url) as config:
            config.stdout = io.StringIO()
            command.check(config)
        assert config.stdout.getvalue() == "No new upgrade operations detected.\n"

    def test_offline_sql_leads_to_the_same_schema(
        self, disposable: Disposable, pg_dump: Callable[[str], str], psql: Callable[[str, str], None]
    ) -> None:
        url = disposable().url
        psql(url, _offline(command.upgrade, "head"))
        assert pg_dump(url) == pg_dump(disposable(revision="head").url)
        psql(url, _offline(command.downgrade, "head:base"))
        assert _leftovers(url) == [("table", "alembic_version")]

    @pytest.mark.parametrize(
        ("revision", "index", "columns"),
        [
            ("80fff2a64566", "ix_content_jobs_organization_id_status", "organization_id, status"),
            ("7f544264830f", "ix_content_jobs_queue", "priority, created_at"),
        ],
    )
    def test_an_interrupted_concurrent_index_is_built_again(
        self, disposable: Disposable, revision: str, index: str, columns: str
    ) -> None:
        url = _before(disposable, revision)
        with psycopg.connect(url) as connection:
            connection.execute(f"CREATE INDEX {index} ON content_jobs (id)")
            # What a cancelled CONCURRENTLY leaves.
            connection.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = %s::regclass", [index])
        _step(url, revision, "upgrade")
        built = "SELECT indisvalid, pg_get_indexdef(indexrelid) FROM pg_index WHERE indexrelid = '{}'::regclass"
        ((valid, definition),) = _query(url, built.format(index))
        assert valid
        assert f"({columns})" in definition


class TestRows:
    """What the revisions do to rows, which is what the guides tell."""

    def test_head_loses_nothing(self, disposable: Disposable) -> None:
        url = disposable(revision="head", rows="sample").url
        before = _all_rows(url)
        _step(url, HEAD, "downgrade")
        assert _all_rows(url) == before
        _step(url, HEAD, "upgrade")
        assert _all_rows(url) == before

    def test_add_column(self, disposable: Disposable) -> None:
        url = _before(disposable, KINDS["add column"])
        _execute(url, _user(1, "ann@example.com"), _user(2, "bob@example.com"))
        old = _query(url, "SELECT * FROM users ORDER BY id")
        _step(url, KINDS["add column"], "upgrade")
        _execute(url, """UPDATE users SET preferences = '{"theme": "dark"}' WHERE id = 1""")
        _step(url, KINDS["add column"], "downgrade")
        assert _query(url, "SELECT * FROM users ORDER BY id") == old
        _step(url, KINDS["add column"], "upgrade")
        assert _query(url, "SELECT id, preferences FROM users ORDER BY id") == [(1, None), (2, None)]

    def test_remove_column(self, disposable: Disposable) -> None:
        url = _before(disposable, KINDS["remove column"])
        _execute(url, _user(1, "ann@example.com"), "UPDATE users SET legacy_password_hash = '$2b$12$x'")
        _step(url, KINDS["remove column"], "upgrade")
        _step(url, KINDS["remove column"], "downgrade")
        assert _query(url, "SELECT legacy_password_hash FROM users") == [(None,)]

    @pytest.mark.parametrize("name", ["x" * 61, "x" + " " * 60], ids=["letters", "spaces"])
    def test_modify_column_refuses_to_cut(self, disposable: Disposable, name: str) -> None:
        url = _before(disposable, KINDS["modify column"])
        _step(url, KINDS["modify column"], "upgrade")
        _execute(
            url, _user(1, "ann@example.com"), f"UPDATE users SET display_name = '{name}'", _user(2, "bob@example.com")
        )
        with pytest.raises(DBAPIError) as failure:
            _step(url, KINDS["modify column"], "downgrade")
        assert _diagnosis(failure.value) == (
            "22001",
            "cannot narrow users.display_name to varchar(60): too long in 1 row(s)",
            "Shorten them first, or stay on this revision.",
        )
        assert _query(url, "SELECT display_name FROM users WHERE id = 1") == [(name,)]
        assert _query(url, "SELECT version_num FROM alembic_version") == [(KINDS["modify column"],)]

    def test_modify_column_goes_back_while_all_fits(self, disposable: Disposable) -> None:
        url = _before(disposable, KINDS["modify column"])
        name = "ÿ" * 60
        _step(url, KINDS["modify column"], "upgrade")
        _execute(url, _user(1, "ann@example.com"), f"UPDATE users SET display_name = '{name}'")
        _step(url, KINDS["modify column"], "downgrade")
        assert _query(url, "SELECT display_name FROM users") == [(name,)]

    def test_add_table(self, disposable: Disposable) -> None:
        url = _before(disposable, KINDS["add table"])
        _execute(url, _user(1, "ann@example.com"), _organization(1), _job(1))
        before = _all_rows(url)
        _step(url, KINDS["add table"], "upgrade")
        _execute(url, "INSERT INTO retention_notifications (content_job_id, user_id, send_after) VALUES (1, 1, now())")
        _step(url, KINDS["add table"], "downgrade")
        assert _all_rows(url) == before
        _step(url, KINDS["add table"], "upgrade")
        assert _query(url, "SELECT count(*) FROM retention_notifications") == [(0,)]

    def test_remove_table(self, disposable: Disposable) -> None:
        url = _before(disposable, KINDS["remove table"])
        _execute(url, "INSERT INTO newsletter_signups (email) VALUES ('ann@example.com')")
        _step(url, KINDS["remove table"], "upgrade")
        _step(url, KINDS["remove table"], "downgrade")
        assert _query(url, "SELECT count(*) FROM newsletter_signups") == [(0,)]

    def test_data_migration(self, disposable: Disposable) -> None:
        url = _before(disposable, KINDS["data migration"])
        _execute(url, _user(1, "Ann@Example.org"), _user(2, "bob@example.org"))
        _step(url, KINDS["data migration"], "upgrade")
        _step(url, KINDS["data migration"], "downgrade")
        assert _query(url, "SELECT email FROM users ORDER BY id") == [("ann@example.org",), ("bob@example.org",)]

    def test_data_migration_changes_nothing_where_two_addresses_become_one(self, disposable: Disposable) -> None:
        url = _before(disposable, KINDS["data migration"])
        _execute(url, _user(1, "Ann@example.org"), _user(2, "ann@example.org"))
        with pytest.raises(DBAPIError) as failure:
            _step(url, KINDS["data migration"], "upgrade")
        assert _diagnosis(failure.value) == (
            "23505",
            'duplicate key value violates unique constraint "uq_users_email"',
            None,
        )
        assert _query(url, "SELECT email FROM users ORDER BY id") == [("Ann@example.org",), ("ann@example.org",)]

    def test_prices_become_cents_and_back(self, disposable: Disposable) -> None:
        """Expand, backfill, contract, with releases that know only one of the two columns."""
        url = _before(disposable, "cc72f4412d20")
        insert = "INSERT INTO subscriptions (id, organization_id, {}) VALUES ({}, 1, {})"
        _execute(url, _organization(1), insert.format("price", 1, "19.99"), insert.format("price", 2, "999999.99"))
        both = "SELECT id, price::text, price_cents FROM subscriptions ORDER BY id"

        _step(url, "cc72f4412d20", "upgrade")
        assert _query(url, both) == [(1, "19.99", None), (2, "999999.99", None)]
        _execute(url, insert.format("price", 3, "0.07"), insert.format("price_cents", 4, "123"))
        _execute(url, "UPDATE subscriptions SET price = 0.08 WHERE id = 3")
        _execute(url, "UPDATE subscriptions SET price_cents = 124 WHERE id = 4")
        _step(url, "411cf211891c", "upgrade")
        paid = [(1, "19.99", 1999), (2, "999999.99", 99999999), (3, "0.08", 8), (4, "1.24", 124)]
        assert _query(url, both) == paid

        rest = REVISIONS[REVISIONS.index("f1299983334e") : REVISIONS.index("bcc48110e6e0") + 1]
        for revision in rest:
            _step(url, revision, "upgrade")
        assert _query(url, "SELECT id, price_cents FROM subscriptions ORDER BY id") == [
            (row[0], row[2]) for row in paid
        ]
        _step(url, "bcc48110e6e0", "downgrade")
        assert _query(url, both) == paid
        _execute(url, "UPDATE subscriptions SET price_cents = 125 WHERE id = 4")
        assert _query(url, "SELECT price::text FROM subscriptions WHERE id = 4") == [("1.25",)]

    def test_the_backfill_goes_on_beyond_one_batch(self, disposable: Disposable) -> None:
        url = _before(disposable, "cc72f4412d20")
        _execute(
            url,
            _organization(1),
            "INSERT INTO subscriptions (organization_id, price) SELECT 1, n FROM generate_series(1, 2500) AS n",
        )
        for revision in ("cc72f4412d20", "411cf211891c"):
            _step(url, revision, "upgrade")
        assert _query(url, "SELECT count(*) FROM subscriptions WHERE price_cents = price * 100") == [(2500,)]
        # Each batch has committed on its own.
        assert _query(url, "SELECT count(DISTINCT xmin::text) FROM subscriptions") == [(3,)]

    def test_an_enum_label_in_use_is_not_removed(self, disposable: Disposable) -> None:
        added = "33ab76c18ce9"
        url = _before(disposable, added)
        _execute(url, _organization(1), _job(1), _job(2))
        _step(url, added, "upgrade")
        _execute(url, "UPDATE content_jobs SET status = 'cancelled' WHERE id = 1")
        with pytest.raises(DBAPIError) as failure:
            _step(url, added, "downgrade")
        assert _diagnosis(failure.value) == (
            "2BP01",
            "cannot remove cancelled from content_job_status: used by 1 row(s) of content_jobs",
            "Give them another status first.",
        )
        _execute(url, "UPDATE content_jobs SET status = 'failed' WHERE id = 1")
        _step(url, added, "downgrade")
        assert _query(url, "SELECT id, status::text FROM content_jobs ORDER BY id") == [(1, "failed"), (2, "queued")]

    def test_an_event_of_an_unknown_invoice_stops_the_validation_only(self, disposable: Disposable) -> None:
        url = _before(disposable, "7cb2071f820c")
        columns = "external_event_id, event_type, payload, invoice_id"
        _execute(url, f"INSERT INTO billing_events ({columns}) VALUES ('e', 't', '{{}}', 7)")
        _step(url, "7cb2071f820c", "upgrade")
        with pytest.raises(DBAPIError) as failure:
            _step(url, "f4945acc7795", "upgrade")
        constraint = "fk_billing_events_invoice_id_invoices"
        assert _diagnosis(failure.value) == (
            "23503",
            f'insert or update on table "billing_events" violates foreign key constraint "{constraint}"',
            None,
        )


class TestCommand:
    """The ``alembic`` command, as people type it."""

    def test_what_it_prints(self, disposable: Disposable) -> None:
        database = disposable(revision="head")
        answer = _alembic("downgrade", "-1", DATABASE_URL=database.url)
        assert (answer.returncode, answer.stdout) == (0, "")
        message = CHAIN.get_revision(HEAD).doc
        assert answer.stderr.splitlines() == [
            "INFO  [alembic.runtime.migration] Context impl PostgresqlImpl.",
            "INFO  [alembic.runtime.migration] Will assume transactional DDL.",
            f"INFO  [alembic.runtime.migration] Running downgrade {HEAD} -> {_parents(HEAD)[0]}, {message}",
        ]

    def test_without_database_url(self) -> None:
        answer = _alembic("current")
        message = (
            "DATABASE_URL is not set: set it to postgresql://user:password@host:port/database, or, "
            "for a disposable one: backout postgres --revision head --sample\n"
        )
        assert answer.returncode == 255
        assert (answer.stdout, answer.stderr) == (f"FAILED: {message}", f"ERROR [alembic.util.messaging] {message}")

    def test_a_new_revision_asks_for_its_reasons(self, tmp_path: Path) -> None:
        shutil.copy(ROOT / "alembic.ini", tmp_path)
        shutil.copytree(ROOT / "alembic", tmp_path / "alembic", ignore=shutil.ignore_patterns("__pycache__"))
        config = Config(str(tmp_path / "alembic.ini"), stdout=io.StringIO())
        with contextlib.redirect_stdout(io.StringIO()):
            script = command.revision(config, "add invoices.note", rev_id="0123456789ab")
        assert isinstance(script, Script)
        assert re.fullmatch(r"\d{8}_\d{4}_0123456789ab_add_invoices_note\.py", Path(script.path).name)
        docstring = script.module.__doc__ or ""
        assert script.doc == "add invoices.note"
        assert [name for name, body in SECTION.findall(docstring) if "REPLACE" in body] == [
            "Why",
            "Data loss",
            "Rollback plan",
        ]
        ruff = [sys.executable, "-m", "ruff", "check", "--quiet", "--config", ROOT / "pyproject.toml"]
        subprocess.run([*ruff, "--ignore=F401", script.path], check=True)


@pytest.fixture
def pg_dump(backout_server: Any) -> Callable[[str], str]:
    """The schema of a database as ``pg_dump`` prints it."""
    program = backout_server.binaries.program("pg_dump")

    def dump(url: str) -> str:
        options = ["--schema-only", "--no-owner", "--no-privileges"]
        printed = subprocess.run(
            [program, *options, "--dbname", url], check=True, capture_output=True, text=True
        ).stdout
        # Against CVE-2025-8714 each dump carries a key that is drawn anew.
        return "".join(
            line for line in printed.splitlines(keepends=True) if not line.startswith(("\\restrict", "\\unrestrict"))
        )

    return dump


@pytest.fixture
def psql(backout_server: Any) -> Callable[[str, str], None]:
    """Runs a script, statement by statement."""
    program = backout_server.binaries.program("psql")

    def run(url: str, script: str) -> None:
        options = ["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1"]
        subprocess.run([program, *options, "--dbname", url], input=script, check=True, capture_output=True, text=True)

    return run


@contextlib.contextmanager
def _configured(url: str) -> Iterator[Config]:
    config = Config(str(ROOT / "alembic.ini"))
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        yield config


def _step(url: str, revision: str, direction: str) -> None:
    """Applies exactly one revision, up or down, whatever the branches."""
    make = {"upgrade": MigrationStep.upgrade_from_script, "downgrade": MigrationStep.downgrade_from_script}[direction]
    with (
        _configured(url) as config,
        EnvironmentContext(config, CHAIN, fn=lambda heads, context: [make(CHAIN.revision_map, _script(revision))]),
    ):
        CHAIN.run_env()


def _before(disposable: Disposable, revision: str) -> str:
    (parent,) = _parents(revision)
    return str(disposable(revision=parent).url)


def _offline(order: Callable[..., None], revision: str) -> str:
    script = io.StringIO()
    order(Config(str(ROOT / "alembic.ini"), output_buffer=script), revision, sql=True)
    return script.getvalue()


def _alembic(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    return subprocess.run(
        [sys.executable, "-m", "alembic", *arguments],
        cwd=ROOT,
        env=inherited | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def _script(revision: str) -> Script:
    script = CHAIN.get_revision(revision)
    assert script is not None
    return script


def _parents(revision: str) -> tuple[str, ...]:
    down = _script(revision).down_revision
    return (down,) if isinstance(down, str) else tuple(down or ())


def _syntax(revision: str) -> ast.Module:
    return ast.parse(Path(_script(revision).path).read_text(encoding="utf-8"))


def _unordered(dump: str) -> str:
    """The dump with its lines in no order: a column that was dropped comes back in the last place.

    A constraint that a downgrade leaves validated is taken for one that is not. ``pg_dump`` writes the one
    inside CREATE TABLE, the other as an ALTER TABLE of its own.
    """
    lines = []
    for line in dump.splitlines():
        if line and not line.startswith("--") and not re.fullmatch(r"ALTER TABLE (ONLY )?[\w.]+", line):
            lines.append(re.sub(r"( NOT VALID)?[,;]?$", "", line).removeprefix("    ADD ").strip())
    return "\n".join(sorted(lines))


def _leftovers(url: str) -> list[tuple[Any, ...]]:
    return _query(
        url,
        """
        SELECT 'table', relname::text FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm')
        UNION ALL
        SELECT 'sequence', relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'S'
        UNION ALL
        SELECT 'type', typname::text FROM pg_type WHERE typnamespace = 'public'::regnamespace AND typtype IN ('e', 'd')
        UNION ALL
        SELECT 'function', proname::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace
        """,
    )


def _execute(url: str, *statements: str) -> None:
    with psycopg.connect(url) as connection:
        for statement in statements:
            connection.execute(statement)  # type: ignore[call-overload]


def _query(url: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(query).fetchall()  # type: ignore[call-overload]


def _all_rows(url: str) -> dict[str, list[tuple[Any, ...]]]:
    tables = [name for kind, name in _leftovers(url) if kind == "table" and name != "alembic_version"]
    return {name: _query(url, f"SELECT to_jsonb(t)::text FROM {name} t ORDER BY 1") for name in tables}


def _diagnosis(error: DBAPIError) -> tuple[str | None, str | None, str | None]:
    assert isinstance(error.orig, psycopg.Error)
    return error.orig.sqlstate, error.orig.diag.message_primary, error.orig.diag.message_hint


def _user(number: int, email: str) -> str:
    return f"INSERT INTO users (id, email, display_name) VALUES ({number}, '{email}', 'Somebody')"


def _organization(number: int) -> str:
    return f"INSERT INTO organizations (id, name, slug) VALUES ({number}, 'Crew', 'crew-{number}')"


def _job(number: int) -> str:
    columns = "id, organization_id, title, content_type, prompt"
    return f"INSERT INTO content_jobs ({columns}) VALUES ({number}, 1, 'T', 'newsletter', 'P')"
