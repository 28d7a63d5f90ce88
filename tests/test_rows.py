"""What rows hold and what is lost of it, on a real server, with values that a careless comparison calls equal."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from backout.evidence import Loss
from backout.postgres import Server
from backout.rows import Values, filled, losses, read_values, volatile_columns
from backout.rows.matching import match
from backout.tables import read_tables

Connection = psycopg.Connection[Any]


@pytest.fixture
def connection(backout_server: Server) -> Iterator[Connection]:
    database = backout_server.create()
    with psycopg.connect(database.url, autocommit=True) as connection:
        yield connection
    backout_server.drop(database)


def values(connection: Connection) -> Values:
    return read_values(connection, read_tables(connection).values())


def lost(connection: Connection, setup: str, change: str) -> tuple[Loss, ...]:
    """What a change loses."""
    connection.execute(setup)  # type: ignore[call-overload]
    before = values(connection)
    connection.execute(change)  # type: ignore[call-overload]
    return losses(before, values(connection), connection=connection)


def column(name: str, number: int, of: int, example: tuple[str | None, str | None], distinct: tuple[int, int]) -> Loss:
    return Loss("public.t", name, number, of, example, distinct)


def rows(number: int, of: int, example: str, after: int, table: str = "public.t") -> Loss:
    return Loss(table, None, number, of, (example, None), (of, after))


T = "CREATE TABLE t (id int PRIMARY KEY, v {}); INSERT INTO t VALUES "


@pytest.mark.parametrize(
    ("setup", "change", "expected"),
    [
        pytest.param(
            T.format("timestamptz")
            + "(1, '2024-02-29 12:00:00.123456+05:45'), (2, '2024-02-29 12:00:01+00'), (3, NULL)",
            "ALTER TABLE t ALTER v TYPE timestamptz(0); ALTER TABLE t ALTER v TYPE timestamptz",
            [column("v", 1, 2, ("2024-02-29 06:15:00.123456+00", "2024-02-29 06:15:00+00"), (2, 2))],
            id="microseconds",
        ),
        pytest.param(
            T.format("text") + "(1, 'a'), (2, 'b ')",
            "ALTER TABLE t ALTER v TYPE char(3); ALTER TABLE t ALTER v TYPE text",
            [column("v", 1, 2, ("b ", "b"), (2, 2))],
            id="padding",
        ),
        pytest.param(
            T.format("char(3)") + "(1, 'a')",
            "ALTER TABLE t ALTER v TYPE char(5)",
            [],
            id="padding alone",
        ),
        pytest.param(
            T.format("json") + """(1, '{"b":1, "a":2, "b":3}'), (2, '{"a": 1}')""",
            "ALTER TABLE t ALTER v TYPE jsonb USING v::jsonb; ALTER TABLE t ALTER v TYPE json USING v::json",
            [column("v", 1, 2, ('{"b":1, "a":2, "b":3}', '{"a": 2, "b": 3}'), (2, 2))],
            id="json",
        ),
        pytest.param(
            T.format("text") + "(1, 'Ann@X.org'), (2, 'bob@x.org'), (3, 'BOB@x.org')",
            "UPDATE t SET v = lower(v)",
            [column("v", 2, 3, ("Ann@X.org", "ann@x.org"), (3, 2))],
            id="lower",
        ),
        pytest.param(
            T.format("double precision")
            + "(1, '-0'), (2, 'NaN'), (3, '-Infinity'), (4, 5e-324), (5, 1.7976931348623157e308)",
            "UPDATE t SET v = CASE WHEN v = 'NaN' THEN v WHEN v > 1 THEN v / 2 * 2 ELSE v + 0 END",
            [column("v", 1, 5, ("-0", "0"), (5, 5))],
            id="floats",
        ),
        pytest.param(
            T.format("double precision") + "(1, 0.1), (2, 0.5)",
            "ALTER TABLE t ALTER v TYPE real; ALTER TABLE t ALTER v TYPE double precision",
            [column("v", 1, 2, ("0.1", "0.10000000149011612"), (2, 2))],
            id="real",
        ),
        pytest.param(
            T.format("numeric") + "(1, 1.50), (2, 12345678901234567890.123456789), (3, 'NaN')",
            "UPDATE t SET v = trim_scale(v)",
            [column("v", 1, 3, ("1.50", "1.5"), (3, 3))],
            id="scale",
        ),
        pytest.param(
            T.format("bytea") + r"(1, '\x00ff'), (2, '\x')",
            r"UPDATE t SET v = v || '\x00'",
            [column("v", 2, 2, (r"\x00ff", r"\x00ff00"), (2, 2))],
            id="bytea",
        ),
        pytest.param(
            T.format("text[]") + "(1, '{a,NULL,\"b c\"}'), (2, '{}'), (3, '[2:3]={x,y}')",
            "UPDATE t SET v = array_remove(v, NULL) || '{}'",
            [column("v", 1, 3, ('{a,NULL,"b c"}', '{a,"b c"}'), (3, 3))],
            id="arrays",
        ),
        pytest.param(
            T.format("text") + "(1, 'e\u0301'), (2, ''), (3, NULL)",
            "UPDATE t SET v = coalesce(normalize(v), '')",
            [column("v", 1, 2, ("e\u0301", "\u00e9"), (2, 2))],
            id="combining characters",
        ),
        pytest.param(
            T.format("text") + "(1, 'a'), (2, 'a'), (3, NULL)",
            "ALTER TABLE t DROP v; ALTER TABLE t ADD v text DEFAULT 'x'",
            [column("v", 2, 2, ("a", "x"), (1, 1))],
            id="column added again",
        ),
        pytest.param(
            T.format("text") + "(1, 'a'), (2, 'b'), (3, NULL)",
            "ALTER TABLE t DROP v",
            [column("v", 2, 2, ("a", None), (2, 0))],
            id="column gone",
        ),
        pytest.param(
            T.format("text") + "(1, 'a'), (2, 'b')",
            "DROP TABLE t",
            [rows(2, 2, "(1, a)", 0)],
            id="table gone",
        ),
        pytest.param(
            T.format("text") + "(9, 'a'), (10, 'b'), (11, 'c')",
            "DELETE FROM t WHERE id > 9; UPDATE t SET v = 'x'",
            [rows(2, 3, "(10, b)", 1), column("v", 1, 3, ("a", "x"), (1, 1))],
            id="rows gone",
        ),
        pytest.param(
            T.format("text") + "(1, '" + 70 * "x" + "')",
            "UPDATE t SET v = left(v, 60)",
            [column("v", 1, 1, (59 * "x" + "\u2026", 60 * "x"), (1, 1))],
            id="long examples",
        ),
        pytest.param(
            "CREATE TABLE t (id int PRIMARY KEY)",
            "DROP TABLE t",
            [],
            id="nothing to lose",
        ),
        pytest.param(
            "CREATE TYPE c AS (a text, b timestamptz); CREATE TABLE t (id int PRIMARY KEY, v c, r tstzrange);"
            "INSERT INTO t VALUES (1, ('x y', '2024-01-01 00:00:00.5+01'), '[2024-01-01 01:00+01,)')",
            "SET TimeZone = 'Asia/Kathmandu'; SET DateStyle = 'German'; SET extra_float_digits = 0",
            [],
            id="settings of the session",
        ),
    ],
)
def test_values_lost(connection: Connection, setup: str, change: str, expected: list[Loss]) -> None:
    assert list(lost(connection, setup, change)) == expected


@pytest.mark.parametrize(
    ("setup", "change", "expected"),
    [
        pytest.param("varchar(3)", "text", None, id="widened"),
        pytest.param("int", "numeric(10,2)", None, id="int to numeric"),
        pytest.param("int", "bigint", None, id="int to bigint"),
        pytest.param("text", "char(10)", None, id="char(n)"),
        pytest.param("date", "timestamptz", None, id="date to timestamptz"),
        pytest.param("timestamptz", "timestamp", None, id="timestamptz to timestamp"),
        pytest.param("timestamp", "timestamptz", None, id="timestamp to timestamptz"),
        pytest.param("cidr", "inet", None, id="cidr to inet"),
        pytest.param("mood", "text", None, id="enum to text"),
        pytest.param("numeric(10,2)", "int", ("1.23", "1.00"), id="numeric to int"),
        pytest.param("timestamptz", "date", ("2024-02-29 12:00:00+00", "2024-02-29 00:00:00+00"), id="to date"),
        pytest.param("double precision", "real", ("0.1", "0.10000000149011612"), id="to real"),
        pytest.param("text", "varchar(1)", ("12", "1"), id="shortened"),
        pytest.param("int", "int[] USING CASE WHEN v IS NOT NULL THEN ARRAY[v] END", ("12", "{12}"), id="no cast back"),
        pytest.param("varchar(2)", "text USING v || 'x'", ("12", "12x"), id="a cast that would cut"),
        pytest.param("int", "text USING v || 'x'", ("12", "12x"), id="no longer a number"),
    ],
)
def test_a_type_that_was_left_changed(
    connection: Connection, setup: str, change: str, expected: tuple[str, str] | None
) -> None:
    """Values are compared as those of the type before."""
    examples = {"date": "2024-02-29", "timestamp": "2024-02-29 12:00", "cidr": "10.0.0.0/8", "mood": "ok"}
    examples |= {"timestamptz": "2024-02-29 12:00+00", "numeric(10,2)": "1.23", "double precision": "0.1"}
    value = examples.get(setup, "12")
    connection.execute("CREATE TYPE mood AS ENUM ('ok')")
    using = change if "USING" in change else f"{change} USING v::{change}"
    found = lost(connection, T.format(setup) + f"(1, '{value}'), (2, NULL)", f"ALTER TABLE t ALTER v TYPE {using}")
    assert found == ((column("v", 1, 1, expected, (1, 1)),) if expected else ())


def test_an_enum_that_is_gone(connection: Connection) -> None:
    found = lost(
        connection,
        "CREATE TYPE mood AS ENUM ('ok', 'sad');" + T.format("mood") + "(1, 'ok'), (2, 'sad')",
        "ALTER TABLE t ALTER v TYPE text; DROP TYPE mood; UPDATE t SET v = 'blue' WHERE v = 'sad'",
    )
    assert found == (column("v", 1, 2, ("sad", "blue"), (2, 2)),)


def test_empty_is_not_null(connection: Connection) -> None:
    setup = T.format("text") + "(1, ''), (2, NULL)"
    assert lost(connection, setup, "ALTER TABLE t ALTER v TYPE varchar(5)") == ()
    assert lost(connection, "ALTER TABLE t ALTER v TYPE text", "UPDATE t SET v = NULL") == (
        column("v", 1, 1, ("", None), (1, 0)),
    )


def test_without_a_connection_texts_are_compared(connection: Connection) -> None:
    connection.execute(T.format("timestamp") + "(1, '2024-02-29 12:00')")
    before = values(connection)
    connection.execute("ALTER TABLE t ALTER v TYPE timestamptz")
    assert losses(before, values(connection)) == (
        column("v", 1, 1, ("2024-02-29 12:00:00", "2024-02-29 12:00:00+00"), (1, 1)),
    )


NO_KEY = "CREATE TABLE t (a text, b text, c int); INSERT INTO t VALUES "


@pytest.mark.parametrize(
    ("setup", "change", "expected"),
    [
        pytest.param(
            "('x', 'y', 1), ('x', 'y', 1), ('x', 'y', 1), (NULL, 'z', 2)",
            "CREATE TABLE u AS SELECT DISTINCT * FROM t; TRUNCATE t; INSERT INTO t TABLE u; DROP TABLE u",
            [rows(2, 4, "(x, y, 1)", 2)],
            id="deduplicated",
        ),
        pytest.param(
            "('x', 'y', 1), ('x', 'z', 2), ('w', 'y', 3)",
            "UPDATE t SET b = upper(b) WHERE c > 1",
            [column("b", 2, 3, ("y", "Y"), (2, 3))],
            id="one column changed",
        ),
        pytest.param(
            "('x', 'y', 1), ('v', 'z', 2), ('w', 'y', 3)",
            "UPDATE t SET a = upper(a), b = NULL",
            [column("a", 3, 3, ("v", "V"), (3, 3)), column("b", 3, 3, ("z", None), (2, 0))],
            id="two columns changed",
        ),
        pytest.param(
            "('x', 'y', 1), ('v', 'z', 2), ('w', 'y', 3)",
            "DELETE FROM t WHERE c = 2; UPDATE t SET a = 'X' WHERE c = 1",
            [rows(1, 3, "(v, z, 2)", 2), column("a", 1, 3, ("x", "X"), (2, 2))],
            id="a row gone and one changed",
        ),
        pytest.param(
            "('x', 'y', 1), ('v', 'z', 2)",
            "UPDATE t SET a = CASE a WHEN 'x' THEN 'v' ELSE 'x' END",
            [column("a", 2, 2, ("v", "x"), (2, 2))],
            id="exchanged between rows",
        ),
        pytest.param(
            "('x', 'y', 1), ('v', 'z', 2)",
            "UPDATE t SET a = a || 1, b = b || 2, c = c + 5",
            [
                column("a", 2, 2, ("v", "v1"), (2, 2)),
                column("b", 2, 2, ("z", "z2"), (2, 2)),
                column("c", 2, 2, ("2", "7"), (2, 2)),
            ],
            id="everything changed",
        ),
        pytest.param(
            "('x', 'y', 1), ('v', 'z', 2)",
            "ALTER TABLE t ADD COLUMN id serial PRIMARY KEY",
            [],
            id="a key that was added",
        ),
    ],
)
def test_rows_without_a_key(connection: Connection, setup: str, change: str, expected: list[Loss]) -> None:
    assert list(lost(connection, NO_KEY + setup, change)) == expected


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param("ALTER TABLE t DROP CONSTRAINT t_pkey", [], id="the constraint gone"),
        pytest.param(
            "ALTER TABLE t DROP CONSTRAINT t_pkey; UPDATE t SET id = 1 WHERE id = 2",
            [column("id", 1, 3, ("2", "1"), (3, 2))],
            id="no longer unique",
        ),
        pytest.param(
            "UPDATE t SET id = id + 100 WHERE id > 1",
            [column("id", 2, 3, ("2", "102"), (3, 3))],
            id="new numbers",
        ),
        pytest.param(
            "ALTER TABLE t DROP COLUMN id;"
            "ALTER TABLE t ADD COLUMN id uuid DEFAULT '7f1dd2ae-8d8f-4b5b-9d0c-000000000001'",
            [column("id", 3, 3, ("1", "7f1dd2ae-8d8f-4b5b-9d0c-000000000001"), (3, 1))],
            id="another key",
        ),
        pytest.param(
            "ALTER TABLE t RENAME COLUMN id TO number",
            [column("id", 3, 3, ("1", None), (3, 0))],
            id="the key renamed",
        ),
        pytest.param(
            "ALTER TABLE t ALTER id TYPE text USING to_char(id, 'FM000')",
            [column("id", 3, 3, ("1", "001"), (3, 3))],
            id="the key's type changed",
        ),
        pytest.param("ALTER TABLE t ALTER id TYPE numeric(10,1)", [], id="the key's type widened"),
        pytest.param(
            "DELETE FROM t WHERE id = 2; INSERT INTO t VALUES (4, 'other')", [rows(1, 3, "(2, b)", 3)], id="another row"
        ),
        pytest.param("DELETE FROM t; INSERT INTO t VALUES (3, 'c'), (2, 'b'), (1, 'a')", [], id="inserted again"),
        pytest.param("ALTER TABLE t RENAME TO u; ALTER TABLE u RENAME TO t", [], id="renamed and back"),
        pytest.param(
            "CREATE TABLE u AS TABLE t; UPDATE t SET v = '';"
            "UPDATE t SET v = u.v FROM u WHERE u.id = t.id; DROP TABLE u",
            [],
            id="moved to another table and back",
        ),
        pytest.param(
            "ALTER TABLE t DROP COLUMN v; ALTER TABLE t ADD COLUMN w int, ADD COLUMN v text;"
            "UPDATE t SET v = chr(96 + id)",
            [],
            id="another place",
        ),
    ],
)
def test_keys(connection: Connection, change: str, expected: list[Loss]) -> None:
    setup = T.format("text") + "(1, 'a'), (2, 'b'), (3, 'c')"
    assert list(lost(connection, setup, change)) == expected


def test_partitions_are_read_through_their_root(connection: Connection) -> None:
    setup = """
        CREATE TABLE p (id int, at date) PARTITION BY RANGE (at);
        CREATE TABLE p23 PARTITION OF p FOR VALUES FROM ('2023-01-01') TO ('2024-01-01') PARTITION BY LIST (id);
        CREATE TABLE p23_1 PARTITION OF p23 FOR VALUES IN (1);
        CREATE TABLE p24 PARTITION OF p FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
        INSERT INTO p VALUES (1, '2023-05-05'), (2, '2024-05-05')
    """
    connection.execute(setup)
    before = values(connection)
    assert {name: len(one.rows) for name, one in before.tables.items()} == {"public.p": 2}
    tables = read_tables(connection)
    assert list(read_values(connection, [tables["public.p23_1"], tables["public.p23"]]).tables) == ["public.p23"]
    connection.execute("ALTER TABLE p DETACH PARTITION p24; ALTER TABLE p ATTACH PARTITION p24 DEFAULT")
    assert losses(before, values(connection)) == ()
    connection.execute("ALTER TABLE p DETACH PARTITION p24")
    assert losses(before, values(connection)) == (rows(1, 2, "(2, 2024-05-05)", 1, "public.p"),)


def test_heirs_are_read_for_themselves(connection: Connection) -> None:
    found = lost(
        connection,
        "CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TABLE heir (more text) INHERITS (t);"
        "INSERT INTO t VALUES (1, 'a'); INSERT INTO heir VALUES (1, 'b', 'c')",
        "UPDATE heir SET v = 'x'",
    )
    assert found == (Loss("public.heir", "v", 1, 1, ("b", "x"), (1, 1)),)


def test_names(connection: Connection) -> None:
    found = lost(
        connection,
        'CREATE SCHEMA "S; 1"; CREATE TABLE "S; 1"."T%s {}" ("Id" int PRIMARY KEY, "a ""b""" regclass, "\u00fc" text);'
        """INSERT INTO "S; 1"."T%s {}" VALUES (1, '"S; 1"."T%s {}"', 'x')""",
        'UPDATE "S; 1"."T%s {}" SET "a ""b""" = NULL, "\u00fc" = NULL',
    )
    assert found == (
        Loss('"S; 1"."T%s {}"', '"a ""b"""', 1, 1, ('"S; 1"."T%s {}"', None), (1, 0)),
        Loss('"S; 1"."T%s {}"', '"\u00fc"', 1, 1, ("x", None), (1, 0)),
    )


def test_a_table_without_columns(connection: Connection) -> None:
    found = lost(
        connection,
        "CREATE TABLE t (); INSERT INTO t DEFAULT VALUES; INSERT INTO t DEFAULT VALUES",
        "TRUNCATE t; INSERT INTO t DEFAULT VALUES",
    )
    assert found == (rows(1, 2, "()", 1),)


def test_generated_columns_are_left_out(connection: Connection) -> None:
    columns = "id int PRIMARY KEY, a int, b int GENERATED ALWAYS AS (a * 2) STORED"
    setup = f"CREATE TABLE t ({columns}); INSERT INTO t VALUES (1, 5)"
    assert lost(connection, setup, "ALTER TABLE t DROP COLUMN b") == ()


@pytest.mark.parametrize("key", ["PRIMARY KEY", ""])
def test_a_thousand_rows(connection: Connection, key: str) -> None:
    found = lost(
        connection,
        f"CREATE TABLE t (id int {key}, v text, w text);"
        "INSERT INTO t SELECT i, 'v' || i % 7, NULLIF('w' || i % 3, 'w0') FROM generate_series(1, 1000) i",
        "DELETE FROM t WHERE id > 990; UPDATE t SET v = upper(v), w = NULL WHERE id % 2 = 0",
    )
    assert found == (
        rows(10, 1000, "(991, v4, w1)", 990),
        column("v", 495, 1000, ("v2", "V2"), (7, 14)),
        column("w", 330, 667, ("w2", None), (2, 2)),
    )


def test_filled(connection: Connection) -> None:
    connection.execute(T.format("text") + "(1, 'a'), (2, NULL), (3, NULL)")
    before = values(connection)
    connection.execute("UPDATE t SET v = coalesce(v, '') WHERE id < 3")
    after = values(connection)
    assert filled(before, after) == (("public.t", "v", 1),)
    assert filled(before, after, volatile={("public.t", "v")}) == ()
    assert losses(before, after) == ()


def test_values_that_are_the_same_are_equal(connection: Connection) -> None:
    connection.execute(T.format("text") + "(1, 'a'), (2, NULL)")
    first = values(connection)
    connection.execute("UPDATE t SET v = 'a' WHERE id = 1")  # now in another order
    assert values(connection) == first
    connection.execute("UPDATE t SET v = '' WHERE id = 2")
    assert values(connection) != first


RUN = """
    TRUNCATE t, u;
    INSERT INTO t SELECT gen_random_uuid(), clock_timestamp(), 'a', n FROM generate_series(1, 3) n;
    INSERT INTO u SELECT n, id FROM t
"""


def test_volatile_columns(connection: Connection) -> None:
    connection.execute(
        "CREATE TABLE t (id uuid PRIMARY KEY, at timestamptz, v text, n int);"
        "CREATE TABLE u (n int PRIMARY KEY, t_id uuid)"
    )
    connection.execute(RUN)
    first = values(connection)
    connection.execute(RUN)
    second = values(connection)
    found = volatile_columns(first, second)
    assert found == {("public.t", "id"), ("public.t", "at"), ("public.u", "t_id")}
    assert volatile_columns(first, first) == frozenset()
    assert losses(first, second, volatile=found) == ()
    connection.execute("UPDATE t SET v = 'b' WHERE n = 2; DELETE FROM t WHERE n = 3")
    assert losses(first, values(connection), volatile=found) == (
        rows(1, 3, "(a, 3)", 2),
        column("v", 1, 3, ("a", "b"), (1, 2)),
    )


def test_reading_changes_nothing(connection: Connection) -> None:
    connection.execute(T.format("timestamptz") + "(1, '2024-01-01 00:00+00')")
    connection.execute("SET TimeZone = 'Asia/Kathmandu'; SET search_path = public, pg_catalog")
    tables = read_tables(connection)
    first = read_values(connection, tables.values())
    assert first.tables["public.t"].rows == (("1", "2024-01-01 00:00:00+00"),)
    with connection.transaction():
        connection.execute("UPDATE t SET id = 2")
        inside = read_values(connection, tables.values())
        assert inside.tables["public.t"].rows == (("2", "2024-01-01 00:00:00+00"),)
        connection.execute("UPDATE t SET id = 1")
    shown = connection.execute("SELECT current_setting('TimeZone'), current_setting('search_path'), v::text FROM t")
    assert shown.fetchone() == ("Asia/Kathmandu", "public, pg_catalog", "2024-01-01 05:45:00+05:45")


def test_another_client_encoding(connection: Connection) -> None:
    connection.execute(T.format("text") + "(1, '\u00fc')")
    before = values(connection)
    connection.execute("SET client_encoding = 'latin1'")
    assert values(connection) == before


def test_row_security_hides_nothing(connection: Connection, backout_server: Server) -> None:
    connection.execute(T.format("text") + "(1, 'a')")
    connection.execute("ALTER TABLE t ENABLE ROW LEVEL SECURITY; ALTER TABLE t FORCE ROW LEVEL SECURITY")
    assert values(connection).tables["public.t"].rows == (("1", "a"),)
    role = connection.info.dbname  # roles are the server's
    connection.execute(f"CREATE ROLE {role}; GRANT SELECT ON t TO {role}; SET ROLE {role}")  # type: ignore[call-overload]
    try:
        expected = 'query would be affected by row-level security policy for table "t"'
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match=f"^{re.escape(expected)}$"):
            values(connection)
    finally:
        connection.execute(f"RESET ROLE; DROP OWNED BY {role}; DROP ROLE {role}")  # type: ignore[call-overload]


def test_many_rows_that_nothing_tells_apart_are_matched_in_their_order() -> None:
    before = [(f"a{n:04}", "x") for n in range(600)]
    after = [(f"b{n:04}", "y") for n in range(599)]
    pairs, gone = match(before, after, [(0, 0), (1, 1)], None)
    assert pairs == tuple(zip(before, after, strict=False))
    assert gone == (before[-1],)
