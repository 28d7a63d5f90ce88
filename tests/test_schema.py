"""backout.schema: the snapshot of a schema, and what differs between two.

``samples/schemas/kitchen_sink`` makes an object of every kind; ``samples/schemas/changes`` holds the changes that are
tried on it, with the entries that each must change. Every one of them is held against ``pg_dump``.
"""

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationStep
from alembic.script import ScriptDirectory
from psycopg.pq import TransactionStatus
from psycopg.rows import dict_row
from sqlalchemy import NullPool, create_engine

from backout.evidence import SchemaChange
from backout.postgres import Database, Server
from backout.schema import PRISTINE, Snapshot, changes, differences, fold, roles, same_relations, snapshot
from backout.schema.privileges import privileges
from backout.tables import read_tables

ROOT = Path(__file__).parents[1]
SAMPLES = Path(__file__).parent / "samples" / "schemas"
ROLES = ("schema_reader", "schema_writer")
KINDS = {
    "access method", "aggregate", "cast", "collation", "column", "comment", "constraint", "conversion",
    "default privilege", "domain", "event trigger", "extension", "foreign data wrapper", "foreign server",
    "foreign table", "function", "index", "language", "large objects", "materialized view", "operator",
    "operator class", "operator family", "owner", "policy", "privilege", "procedure", "publication",
    "publication schema", "publication table", "rule", "schema", "security label", "sequence", "setting", "statistics",
    "subscription", "table", "text search configuration", "text search dictionary", "text search parser",
    "text search template", "transform", "trigger", "type", "user mapping", "view",
}  # fmt: skip

CHAIN = ScriptDirectory.from_config(Config(str(ROOT / "alembic.ini")))
REVISIONS = [script.revision for script in CHAIN.walk_revisions()][::-1]

Disposable = Callable[..., Database]
Connection = psycopg.Connection[Any]


@dataclass(frozen=True)
class Case:
    """A change, and the way back.

    :param changed: entries that the change alters, ``kind name``; before it the oldest PostgreSQL that says so.
    :param left: entries that the way back does not restore.
    :param notes: what is told about the round trip.
    :param dump: None, or why ``pg_dump`` sees ``changed`` or ``unchanged`` where the snapshot sees the opposite.
    """

    path: str
    name: str
    since: int
    changed: tuple[tuple[int, str], ...]
    left: tuple[str, ...]
    notes: tuple[str, ...]
    dump: str | None
    forth: str
    back: str

    @property
    def restores(self) -> bool:
        """Whether the way back leads to the very schema that was there."""
        return not self.left and not self.notes


def read_cases(path: Path) -> list[Case]:
    cases = []
    for text in re.split(r"^-- case: ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        name, _, rest = text.partition("\n")
        forth, back = re.split(r"^-- back\n", rest, maxsplit=1, flags=re.MULTILINE)
        words: dict[str, list[str]] = {}
        for word, value in re.findall(r"^-- (since|left|note|dump): (.*)$", forth, re.MULTILINE):
            words.setdefault(word, []).append(value)
        changed = re.findall(r"^-- changes(?: from (\d+))?: (.*)$", forth, re.MULTILINE)
        cases.append(
            Case(
                path=path.stem,
                name=name,
                since=int(words.get("since", ["0"])[0]),
                changed=tuple((int(version or 0), entry) for version, entry in changed),
                left=tuple(words.get("left", ())),
                notes=tuple(words.get("note", ())),
                dump=words["dump"][0] if "dump" in words else None,
                forth=forth,
                back=back,
            )
        )
    return cases


CASES = [case for path in sorted((SAMPLES / "changes").glob("*.sql")) for case in read_cases(path)]


@pytest.fixture
def connection(disposable: Disposable) -> Iterator[Connection]:
    with psycopg.connect(disposable().url, autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def kitchen_sink(backout_server: Server) -> Iterator[Database]:
    """A database with an object of every kind that the server knows; nobody is connected to it."""
    with psycopg.connect(backout_server.url, autocommit=True) as connection:
        for role in ROLES:
            connection.execute(f"CREATE ROLE {role}")  # type: ignore[call-overload]
    database = backout_server.create()
    try:
        with psycopg.connect(database.url) as connection:
            for path in sorted((SAMPLES / "kitchen_sink").glob("*.sql")):
                text = path.read_text(encoding="utf-8")
                since = re.match(r"-- since: (\d+)\n", text)
                if since is None or int(since[1]) <= backout_server.major:
                    connection.execute(text)  # type: ignore[call-overload]
        yield database
    finally:
        backout_server.drop(database)
        with psycopg.connect(backout_server.url, autocommit=True) as connection:
            for role in ROLES:
                connection.execute(f"DROP ROLE {role}")  # type: ignore[call-overload]


class Bench:
    """Copies of the kitchen sink: one that is as before after every case, and new ones for those that leave things."""

    def __init__(self, server: Server, source: Database) -> None:
        self.server = server
        self.source = source
        self.dump = dump(server, source)
        self.steady: Database | None = None

    @contextmanager
    def copy(self, restores: bool) -> Iterator[Database]:
        database = (self.steady if restores else None) or self.server.clone(self.source)
        if restores:
            self.steady = None
        try:
            yield database
        except BaseException:
            restores = False
            raise
        finally:
            if restores:
                self.steady = database
            else:
                self.server.drop(database)


@pytest.fixture(scope="module")
def bench(backout_server: Server, kitchen_sink: Database) -> Iterator[Bench]:
    bench = Bench(backout_server, kitchen_sink)
    yield bench
    if bench.steady is not None:
        backout_server.drop(bench.steady)


def execute(database: Database, text: str) -> None:
    """Run statements in a session of its own, whose settings end with it."""
    with psycopg.connect(database.url, autocommit=True) as connection:
        for statement in re.split(r";\n", text):
            if re.sub(r"^--.*$", "", statement, flags=re.MULTILINE).strip():
                connection.execute(statement)  # type: ignore[call-overload]


def look(database: Database, ignored: frozenset[str] = frozenset()) -> Snapshot:
    with psycopg.connect(database.url, autocommit=True) as connection:
        return snapshot(connection, ignored=ignored)


def dump(server: Server, database: Database, *options: str) -> str:
    """What ``pg_dump`` prints, without remarks, the database's name and mark, and what differs between two runs."""
    done = subprocess.run(
        [server.binaries.program("pg_dump"), "--schema-only", "--create", *options, database.url],
        env=os.environ | server.environment(database) | {"LC_ALL": "C"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    left_out = (r"--", r"\\(un)?restrict ", rf"COMMENT ON DATABASE {database.name} ", r"$")
    lines = [line for line in done.stdout.splitlines() if not re.match("|".join(left_out), line)]
    return "\n".join(lines).replace(database.name, "DATABASE")


def named(found: tuple[SchemaChange, ...]) -> tuple[str, ...]:
    return tuple(f"{change.kind} {change.name}" for change in found)


def test_a_new_database_holds_what_is_pristine(connection: Connection) -> None:
    assert snapshot(connection) == Snapshot(PRISTINE)


@pytest.mark.parametrize("case", [pytest.param(case, id=f"{case.path}: {case.name}") for case in CASES])
def test_a_change_and_its_way_back(case: Case, bench: Bench) -> None:
    if bench.server.major < case.since:
        pytest.skip(f"PostgreSQL {bench.server.major} does not know this; {case.since} does")
    expected = tuple(entry for version, entry in case.changed if version <= bench.server.major)
    with bench.copy(case.restores) as database, psycopg.connect(database.url, autocommit=True) as connection:
        before, tables = snapshot(connection), read_tables(connection)
        execute(database, case.forth)
        after = snapshot(connection)
        assert snapshot(connection, before=before) == after
        same = same_relations(before, snapshot(connection, before=before))
        kept = [table for table in tables.values() if table.oid in same]
        assert read_tables(connection, known=kept) == read_tables(connection)
        dumped = dump(bench.server, database)
        execute(database, case.back)
        restored = snapshot(connection)
        assert snapshot(connection, before=after) == snapshot(connection, before=before) == restored
        assert named(changes(before, after)) == expected
        left, notes = differences(before, restored, between=after)
        assert (named(left), notes) == (case.left, case.notes)
        seen = bool(expected) if case.dump is None else case.dump.startswith("changed, ")
        assert (dumped != bench.dump) is seen


def test_what_came_back_is_also_for_pg_dump_what_was_there(bench: Bench) -> None:
    if bench.steady is None:
        pytest.skip("no case ran before this one")
    assert dump(bench.server, bench.steady).splitlines() == bench.dump.splitlines()


def test_every_kind_of_entry_is_created_and_dropped_by_a_case() -> None:
    tried = {kind for case in CASES for _, entry in case.changed for kind in KINDS if entry.startswith(f"{kind} ")}
    assert KINDS - tried == set()


def test_the_kitchen_sink_holds_every_kind(kitchen_sink: Database) -> None:
    assert KINDS - {kind for kind, _ in look(kitchen_sink).objects} == {"security label", "setting", "subscription"}


def test_definitions_are_the_same_in_every_session(kitchen_sink: Database) -> None:
    with psycopg.connect(kitchen_sink.url, autocommit=True) as connection:
        plain = snapshot(connection)
        for setting in (
            "search_path = app, public, extensions",
            "timezone = 'Asia/Kathmandu'",
            "datestyle = 'German'",
            "intervalstyle = 'iso_8601'",
            "quote_all_identifiers = on",
            "standard_conforming_strings = off",
            "extra_float_digits = -10",
        ):
            connection.execute(f"SET {setting}")  # type: ignore[call-overload]
        assert snapshot(connection) == plain
        assert connection.execute("SHOW search_path").fetchone() == ("app, public, extensions",)
    assert not re.search(r"\b(1[6-9]|[2-9]\d)\d{3}\b", "".join(plain.objects.values())), "an OID"


def test_nothing_of_a_secret_is_told(kitchen_sink: Database) -> None:
    told = "\n".join(f"{name} {text}" for (_, name), text in look(kitchen_sink).objects.items())
    for secret in ("swordfish", "hunter2", "reader'"):
        assert secret not in told
    assert "OPTIONS (host 'db.example.org', port '5432', secret_token scrypt:" in told


def test_what_belongs_to_an_extension_is_left_out(kitchen_sink: Database) -> None:
    names = {name for _, name in look(kitchen_sink).objects}
    assert not {name for name in names if "similarity" in name or "hstore_in" in name}
    assert "pg_trgm" in names


class TestConnection:
    """In whatever state the caller's connection is, it is the same afterwards."""

    def test_in_an_open_transaction(self, connection: Connection) -> None:
        with connection.transaction():
            connection.execute("CREATE TABLE fresh (id integer)")
            connection.execute("SET LOCAL timezone = 'Asia/Kathmandu'")
            assert ("table", "public.fresh") in snapshot(connection).objects
            assert connection.execute("SHOW timezone").fetchone() == ("Asia/Kathmandu",)
            connection.execute("INSERT INTO fresh VALUES (1)")
        assert connection.execute("SELECT id FROM fresh").fetchone() == (1,)

    def test_without_autocommit(self, disposable: Disposable) -> None:
        with psycopg.connect(disposable().url, row_factory=dict_row) as connection:
            assert snapshot(connection) == Snapshot(PRISTINE)
            assert connection.info.transaction_status == TransactionStatus.IDLE
            connection.execute("CREATE TABLE fresh (id integer)")
            assert ("table", "public.fresh") in snapshot(connection).objects
            assert connection.info.transaction_status == TransactionStatus.INTRANS

    def test_a_failure_leaves_the_session_as_it_was(self, connection: Connection) -> None:
        connection.execute("SET timezone = 'Asia/Kathmandu'; SET lock_timeout = '1ms'")
        connection.execute("CREATE TABLE busy (id integer); CREATE INDEX ON busy ((id + 1))")
        with psycopg.connect(connection.info.dsn) as other:
            other.execute("LOCK TABLE busy")
            with pytest.raises(psycopg.errors.LockNotAvailable):
                snapshot(connection)
        assert connection.execute("SHOW timezone").fetchone() == ("Asia/Kathmandu",)
        assert ("table", "public.busy") in snapshot(connection).objects


def test_a_table_that_is_ignored_is_left_out_with_all_that_is_its(connection: Connection) -> None:
    connection.execute(
        """
        CREATE SCHEMA "Odd";
        CREATE TABLE "Odd"."the Version" (num varchar(32) NOT NULL CONSTRAINT version_pkc PRIMARY KEY);
        CREATE INDEX ON "Odd"."the Version" (lower(num));
        CREATE STATISTICS "Odd".some ON (upper(num)) FROM "Odd"."the Version";
        COMMENT ON TABLE "Odd"."the Version" IS 'x';
        COMMENT ON COLUMN "Odd"."the Version".num IS 'x';
        GRANT SELECT ON "Odd"."the Version" TO PUBLIC;
        """
    )
    seen = snapshot(connection, ignored=frozenset({'"Odd"."the Version"', "public.nowhere"}))
    assert seen == Snapshot({**PRISTINE, ("schema", '"Odd"'): "SCHEMA"})


class TestSequences:
    @pytest.mark.parametrize(
        ("options", "first", "then", "back", "note"),
        [
            ("", "nextval('s')", "setval('s', 3)", None, "its next value was 2 and is 4"),
            ("", "setval('s', 3)", "setval('s', 3, false)", ("next value 4", "next value 3"), None),
            ("", "setval('s', 4, false)", "setval('s', 3)", None, None),
            ("INCREMENT -1", "setval('s', -3)", "setval('s', -5)", None, "its next value was -4 and is -6"),
            ("INCREMENT -1", "setval('s', -3)", "setval('s', -2)", ("next value -4", "next value -3"), None),
            ("INCREMENT 10 START 5", "1", "setval('s', 1, false)", ("next value 5", "next value 1"), None),
        ],
    )
    def test_back_is_a_difference_and_forward_a_note(
        self,
        connection: Connection,
        options: str,
        first: str,
        then: str,
        back: tuple[str, str] | None,
        note: str | None,
    ) -> None:
        connection.execute(f"CREATE SEQUENCE s {options}")  # type: ignore[call-overload]
        connection.execute(f"SELECT {first}")  # type: ignore[call-overload]
        before = snapshot(connection)
        connection.execute(f"SELECT {then}")  # type: ignore[call-overload]
        found, notes = differences(before, snapshot(connection))
        assert found == ((SchemaChange("sequence position", "public.s", *back),) if back else ())
        assert notes == ((f"the sequence public.s moved forward: {note}",) if note else ())
        assert changes(before, snapshot(connection)) == ()

    def test_one_that_was_made_anew_begins_again(self, connection: Connection) -> None:
        connection.execute("CREATE TABLE t (id serial); INSERT INTO t DEFAULT VALUES")
        before = snapshot(connection)
        connection.execute("DROP TABLE t; CREATE TABLE t (id serial)")
        found, _ = differences(before, snapshot(connection))
        assert found == (SchemaChange("sequence position", "public.t_id_seq", "next value 2", "next value 1"),)

    def test_one_that_may_not_be_read_is_a_note(self, kitchen_sink: Database) -> None:
        with psycopg.connect(kitchen_sink.url, autocommit=True) as connection:
            connection.execute("SET ROLE schema_reader")
            seen = snapshot(connection)
        _, notes = differences(seen, seen)
        lacks = "could not be read: the role lacks the privilege SELECT on it"
        assert notes[:2] == (
            f"where the sequence app.numbers stands {lacks}",
            f"where the sequence app.plain stands {lacks}",
        )


def test_generated_names_that_are_too_long_are_known(connection: Connection) -> None:
    table, column = "a_table_with_a_name_that_is_as_long_as_any", "ünd_a_column_with_a_name_that_is_not_shorter"
    connection.execute(f"CREATE TABLE {table} ({column} integer NOT NULL, id integer NOT NULL)")  # type: ignore[call-overload]
    assert snapshot(connection).objects["column", f'public.{table}."{column}"'] == "integer NOT NULL"


def test_a_not_null_constraint_under_another_generated_name_is_a_note(connection: Connection) -> None:
    before = Snapshot(
        {("column", "public.t.b"): "text COLLATE \"C\" CONSTRAINT t_a_not_null NOT NULL DEFAULT ''::text"}
    )
    usual = Snapshot({("column", "public.t.b"): "text COLLATE \"C\" NOT NULL DEFAULT ''::text"})
    chosen = Snapshot({("column", "public.t.b"): "text COLLATE \"C\" CONSTRAINT chosen NOT NULL DEFAULT ''::text"})
    told = "the NOT NULL constraint of public.t.b "
    assert differences(before, usual) == ((), (f"{told}has its usual name; it was called t_a_not_null",))
    assert differences(usual, before) == ((), (f"{told}is called t_a_not_null; it had its usual one",))
    assert named(differences(before, chosen)[0]) == ("column public.t.b",)


def test_an_index_left_without_knowing_what_was_between_is_a_difference(connection: Connection) -> None:
    connection.execute(
        "CREATE TABLE t (at date); CREATE TABLE p (at date) PARTITION BY RANGE (at); CREATE INDEX ON p (at)"
    )
    before = snapshot(connection)
    connection.execute("ALTER TABLE p ATTACH PARTITION t FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')")
    between = snapshot(connection)
    connection.execute("ALTER TABLE p DETACH PARTITION t")
    after = snapshot(connection)
    assert named(differences(before, after)[0]) == ("index public.t_at_idx",)
    note = "the index public.t_at_idx is left on a table that was a partition meanwhile"
    assert differences(before, after, between=between) == ((), (note,))


def test_roles(backout_server: Server) -> None:
    with psycopg.connect(backout_server.url, autocommit=True) as connection:
        before = roles(connection)
        try:
            connection.execute(
                """
                CREATE ROLE "Schema Group" NOLOGIN;
                CREATE ROLE schema_member LOGIN NOINHERIT CREATEDB PASSWORD 'swordfish' CONNECTION LIMIT 3
                    IN ROLE "Schema Group";
                ALTER ROLE schema_member SET work_mem = '8MB';
                COMMENT ON ROLE schema_member IS 'one of them';
                GRANT SET ON PARAMETER log_statement TO schema_member;
                """
            )
            found = changes(before, roles(connection))
        finally:
            connection.execute(
                """
                DO $$BEGIN
                    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'schema_member') THEN
                        DROP OWNED BY schema_member;
                    END IF;
                END$$;
                DROP ROLE IF EXISTS schema_member; DROP ROLE IF EXISTS "Schema Group"
                """
            )
        assert differences(before, roles(connection)) == ((), ())
    member = "MEMBER, WITHOUT INHERIT" if backout_server.major >= 16 else "MEMBER"
    assert found == (
        SchemaChange("comment", "role schema_member", None, "one of them"),
        SchemaChange("membership", 'schema_member in "Schema Group"', None, member),
        SchemaChange("privilege", "parameter log_statement to schema_member", None, "SET"),
        SchemaChange("role", '"Schema Group"', None, "NOLOGIN"),
        SchemaChange("role", "schema_member", None, "NOINHERIT CREATEDB LOGIN CONNECTION LIMIT 3"),
        SchemaChange("setting", "role schema_member work_mem", None, "8MB"),
    )


def test_the_project_s_chain(backout_server: Server, disposable: Disposable) -> None:
    """Every step of it, up and down: what ``pg_dump`` sees is seen, and the changes add up to the schema."""
    database = disposable()
    ignored = frozenset({"public.alembic_version"})
    before, dumped = look(database, ignored), dump(backout_server, database, "--exclude-table=alembic_version")
    folded = dict(PRISTINE)
    for direction, revisions in (("upgrade", REVISIONS), ("downgrade", REVISIONS[::-1])):
        for revision in revisions:
            step(database, revision, direction)
            after, dumped_after = (
                look(database, ignored),
                dump(backout_server, database, "--exclude-table=alembic_version"),
            )
            found = changes(before, after)
            assert (dumped_after != dumped) is bool(found), revision
            folded = fold([found], folded)
            assert folded == after.objects, revision
            before, dumped = after, dumped_after
    assert before == Snapshot(PRISTINE)


def test_changes_add_up(kitchen_sink: Database) -> None:
    whole = look(kitchen_sink)
    found = changes(Snapshot(PRISTINE), whole)
    assert fold([found[:50], found[50:]]) == whole.objects
    assert fold([found, changes(whole, Snapshot(PRISTINE))]) == PRISTINE


@pytest.mark.parametrize(
    ("items", "owner", "said"),
    [
        ([], "owner", "nothing to anybody"),
        (["owner=arwdDxt/owner"], "owner", "ALL TO OWNER"),
        (["=r/owner", "owner=ar/owner"], "owner", "SELECT, INSERT TO OWNER; SELECT TO PUBLIC"),
        (["me=r*w/owner"], "owner", "UPDATE TO CURRENT_ROLE; SELECT TO CURRENT_ROLE WITH GRANT OPTION"),
        (["me=r/other"], "owner", 'SELECT TO CURRENT_ROLE GRANTED BY "Other"'),
        (['"we""ird=/"=X/"o ""w"'], 'o "w', "EXECUTE TO gone"),
        (["owner=r/owner"], None, "SELECT TO OWNER"),
    ],
)
def test_privileges_in_words(items: list[str], owner: str | None, said: str) -> None:
    names = {"me": "CURRENT_ROLE", "other": '"Other"', 'we"ird=/': "gone"}
    assert privileges(items, owner, names, frozenset("arwdDxt")) == said


def test_what_is_no_privilege_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"^not an aclitem: 'nonsense'$"):
        privileges(["nonsense"], "owner", {}, frozenset())


def step(database: Database, revision: str, direction: str) -> None:
    """Apply exactly one revision, up or down, whatever the branches."""
    make = {"upgrade": MigrationStep.upgrade_from_script, "downgrade": MigrationStep.downgrade_from_script}[direction]
    script = CHAIN.get_revision(revision)
    assert script is not None
    config = Config(str(ROOT / "alembic.ini"))
    engine = create_engine(database.url, poolclass=NullPool)
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        with EnvironmentContext(config, CHAIN, fn=lambda heads, context: [make(CHAIN.revision_map, script)]):
            CHAIN.run_env()
