"""What the rollback test compares, and what it says when a step fails. Whole runs: test_scripts.py."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from backout import roundtrip
from backout.contents import Contents, compare, contents
from backout.errors import BackoutError, Refused
from backout.masking import Masking
from backout.postgres import Database, Server
from backout.roundtrip import round_trip
from backout.worker import Target

Make = Callable[..., Database]

# Names that need quotes, an old partition, generated values, separators that COPY leaves as they are, equal rows.
TABLES = """
    CREATE SCHEMA "Old Books";
    CREATE TABLE "Old Books"."a ""list"" " (id int GENERATED ALWAYS AS IDENTITY, "from" text, twice int
        GENERATED ALWAYS AS (2) STORED);
    INSERT INTO "Old Books"."a ""list"" " ("from") VALUES (E'a\\u2028b\\u0085c\\nd\\\\'), (NULL);
    CREATE TABLE events (day date, what text) PARTITION BY RANGE (day);
    CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
    INSERT INTO events VALUES ('2025-02-03', 'x'), ('2025-02-03', 'x');
    CREATE TABLE parent (a int); CREATE TABLE child () INHERITS (parent);
    INSERT INTO child VALUES (1);
    CREATE SEQUENCE unused;
    CREATE VIEW everything AS SELECT * FROM events;
"""


@pytest.fixture
def database(disposable: Make, backout_server: Server, monkeypatch: pytest.MonkeyPatch) -> Database:
    """An empty one; this process has its environment."""
    made = disposable()
    for name, value in backout_server.environment(made).items():
        monkeypatch.setenv(name, value)
    return made


def execute(database: Database, statements: str) -> None:
    with psycopg.connect(database.url) as connection:
        connection.execute(statements)


# -- contents ---------------------------------------------------------------------------------------


def test_rows_and_sequences_of_every_table(database: Database) -> None:
    execute(database, TABLES)
    found = contents(database.url)
    assert found.rows == {
        'Old Books.a "list" ': ("\\N\t2", "a\u2028b\u0085c\\nd\\\\\t1"),
        "public.child": ("1",),
        "public.events_2025": ("2025-02-03\tx", "2025-02-03\tx"),
        "public.parent": (),
    }
    assert found.sequences == {'Old Books.a "list" _id_seq': 2, "public.unused": None}


def test_reading_twice_reads_the_same(database: Database) -> None:
    """pg_dump prints a random word, and rows come in any order."""
    execute(database, TABLES)
    before = contents(database.url)
    execute(database, "UPDATE events SET what = 'x'")
    assert compare(before, contents(database.url)) == []


def test_a_zone_of_the_database_makes_no_difference(database: Database) -> None:
    execute(database, "CREATE TABLE t (moment timestamptz); INSERT INTO t VALUES ('2025-07-01 12:00:00.000001+02')")
    execute(database, f"ALTER DATABASE {database.name} SET timezone = 'Asia/Kathmandu'")
    assert contents(database.url).rows == {"public.t": ("2025-07-01 10:00:00.000001+00",)}


def test_pg_dump_is_needed(database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BackoutError) as caught:
        contents(database.url)
    assert str(caught.value) == (
        "pg_dump is not on PATH, and the schemas are compared by what it prints; run backout postgres -- COMMAND"
    )
    (tmp_path / "pg_dump").write_text("#!/bin/sh\necho 'out of order' >&2\nexit 3\n")
    (tmp_path / "pg_dump").chmod(0o755)
    with pytest.raises(BackoutError) as caught:
        contents(database.url)
    assert str(caught.value) == "pg_dump failed: out of order"


# -- compare ----------------------------------------------------------------------------------------


def schema(database: Database, statements: str) -> Contents:
    execute(database, statements)
    return contents(database.url)


def test_the_order_of_columns_is_no_difference(database: Database) -> None:
    before = schema(database, "CREATE TABLE t (a int, b text, c date); INSERT INTO t VALUES (1, 'x', '2025-01-01')")
    execute(database, "DROP TABLE t")
    after = schema(database, "CREATE TABLE t (c date, a int, b text); INSERT INTO t VALUES (NULL, 1, 'x')")
    assert compare(before, after) == [
        "table public.t: 1 of 1 rows are gone or changed, 1 are new",
        "- a=1, b=x, c=2025-01-01",
        "+ a=1, b=x, c=NULL",
    ]


def test_what_a_schema_may_lose(database: Database) -> None:
    before = schema(
        database,
        "CREATE TABLE t (a int NOT NULL CHECK (a > 0) DEFAULT 1); CREATE INDEX ON t (a); COMMENT ON TABLE t IS 'old'",
    )
    execute(database, "DROP TABLE t")
    after = schema(
        database,
        "CREATE TABLE t (a int NOT NULL DEFAULT 1); CREATE INDEX ON t (a DESC); COMMENT ON TABLE t IS 'new'",
    )
    changed = [line for line in compare(before, after) if line[0] in "+-"]
    assert changed == [
        "--- schema before",
        "+++ schema after",
        "-    CONSTRAINT t_a_check CHECK ((a > 0))",
        "-COMMENT ON TABLE public.t IS 'old';",
        "-CREATE INDEX t_a_idx ON public.t USING btree (a);",
        "+COMMENT ON TABLE public.t IS 'new';",
        "+CREATE INDEX t_a_idx ON public.t USING btree (a DESC);",
    ]


def test_rows_are_counted_and_three_are_shown() -> None:
    before = Contents((), {"public.t": ("x",)}, {"public.t": ("a", "a", "b", "c", "d", "e"), "public.gone": ()}, {})
    after = Contents((), {"public.t": ("x",)}, {"public.t": ("a", "e", "f"), "public.new": ()}, {})
    assert compare(before, after) == [
        "table public.gone: is gone",
        "table public.new: is new",
        "table public.t: 4 of 6 rows are gone or changed, 1 are new",
        "- x=a",
        "- x=b",
        "- x=c",
        "+ x=f",
    ]


@pytest.mark.parametrize(
    ("was", "now", "said"),
    [
        (5, 4, ["sequence public.s: last value was 5, is 4"]),
        (5, None, ["sequence public.s: last value was 5, is none"]),
        (5, 5, []),
        (5, 6, []),
        (None, None, []),
        (None, 1, []),
    ],
)
def test_a_sequence_may_move_forward(was: int | None, now: int | None, said: list[str]) -> None:
    assert compare(Contents((), {}, {}, {"public.s": was}), Contents((), {}, {}, {"public.s": now})) == said


# -- round_trip -------------------------------------------------------------------------------------


def trip(chain: Any, database: Database) -> list[str]:
    """What the rollback test says of a chain."""
    said: list[str] = []
    try:
        round_trip(Target(chain.root / "alembic.ini"), database.url, Masking(), said.append)
    except BackoutError as error:
        said.append(f"error: {error}")
    return said


def test_a_chain_of_one_revision_goes_to_base_and_back(small_chain: Any, database: Database) -> None:
    small_chain.add("a1", "op.execute('CREATE TABLE t (a int)')", "op.execute('DROP TABLE t')")
    assert trip(small_chain, database) == [
        "1/5 current revision: none",
        "2/5 all migrations applied: a1 (head)",
        "3/5 rolled back a1: base",
        "4/5 applied again: a1 (head)",
        "5/5 final state matches the original: schema, 1 rows in 2 tables, sequences",
    ]


def test_what_it_does_not_give_back_is_told(small_chain: Any, database: Database) -> None:
    small_chain.add("a1", "op.execute('CREATE TABLE t AS SELECT 1 AS a')", "op.execute('DROP TABLE t')")
    small_chain.add("b2", "op.execute('DELETE FROM t')", "op.execute('CREATE TABLE left_behind ()')")
    assert trip(small_chain, database)[4].startswith(
        "error: rolling back b2 and applying it again changed the database:\n    --- schema before\n"
    )


def test_a_downgrade_that_fails_is_shown(small_chain: Any, database: Database) -> None:
    small_chain.add("a1", downgrade="raise NotImplementedError('there is no way back')")
    assert trip(small_chain, database) == [
        "1/5 current revision: none",
        "2/5 all migrations applied: a1 (head)",
        ("error: alembic/versions/a1.py:21: the downgrade of a1 failed: NotImplementedError there is no way back"),
    ]
    with psycopg.connect(database.url) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("a1",)]


def test_the_database_of_somebody_else_is_refused_before_anything_else(
    small_chain: Any, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roundtrip, "is_disposable", lambda url: False)
    monkeypatch.setattr(roundtrip, "open_deployment", lambda *_, **__: pytest.fail("its chain was loaded"))
    with pytest.raises(Refused) as caught:
        round_trip(Target(small_chain.root / "alembic.ini"), database.url, Masking(), pytest.fail)
    assert str(caught.value) == (
        "the rollback test migrates only databases that backout created, and this one is not; for a disposable "
        "one: backout postgres --revision head --sample -- make migrate-test"
    )
