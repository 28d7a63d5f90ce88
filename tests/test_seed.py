"""backout.seed: rows meant to hurt, in schemas of every kind; what cannot be filled is told, with the reason.

``samples/seeds/`` holds one schema a construct. What must hold in each is the same, but for what its comments say:

* ``needs:`` extensions; ``since:`` a version of PostgreSQL
* ``rows:`` a table and how many rows it gets at least, instead of six
* ``never-null:`` columns that a constraint keeps from being NULL, though they may be
* ``shows-not:`` columns of which a constraint forbids some labels
* ``unlike:`` columns that something keeps unique, though no unique index names them
* ``assumes:`` what the seeding says that it did
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest

from backout.postgres import Database, Server
from backout.seed import Seeding, insert_of, more_rows, seed
from backout.tables import Column, Table, read_tables

Make = Callable[..., Database]
Connection = psycopg.Connection[Any]

SAMPLES = Path(__file__).parent / "samples" / "seeds"
NAMES = sorted(path.stem for path in SAMPLES.glob("*.sql") if path.stem != "impossible")
VERSIONS = frozenset({"public.alembic_version"})


@dataclass
class Sample:
    """A sample schema in a database, and what its comments say."""

    connection: Connection
    tables: dict[str, Table]
    rows: dict[str, int] = field(default_factory=dict)
    never_null: set[str] = field(default_factory=set)
    unlike: set[str] = field(default_factory=set)
    shows_not: set[str] = field(default_factory=set)
    assumes: tuple[str, ...] = ()

    def seed(self, **options: Any) -> Seeding:
        return seed(self.connection, self.tables, list(self.tables), **options)

    def values(self, table: Table, column: Column) -> list[str | None]:
        rows = self.connection.execute(f"SELECT {column.quoted}::text FROM ONLY {table.qualified}".encode())
        return [value for (value,) in rows]

    def one(self, statement: str) -> Any:
        row = self.connection.execute(statement.encode()).fetchone()
        return row and row[0]


@pytest.fixture
def sample(disposable: Make, backout_server: Server, request: pytest.FixtureRequest) -> Callable[[str], Sample]:
    def make(name: str) -> Sample:
        text = (SAMPLES / f"{name}.sql").read_text(encoding="utf-8")
        told: dict[str, list[str]] = {}
        for key, values in re.findall(r"^-- ([a-z-]+): (.*)$", text, re.MULTILINE):
            told.setdefault(key, []).extend([values] if key == "assumes" else values.split(", "))
        connection = psycopg.connect(disposable().url, autocommit=True)
        request.addfinalizer(connection.close)
        present = {name for (name,) in connection.execute("SELECT name FROM pg_available_extensions")}
        if missing := set(told.get("needs", [])) - present:
            pytest.skip(f"PostgreSQL {backout_server.version} here has no extension {', '.join(sorted(missing))}")
        if backout_server.major < int(told.get("since", ["0"])[0]):
            pytest.skip(f"PostgreSQL {backout_server.major} cannot do that yet")
        connection.execute(text.encode())
        counted = (entry.rsplit(" ", 1) for entry in told.get("rows", []))
        return Sample(
            connection=connection,
            tables=read_tables(connection),
            rows={table: int(number) for table, number in counted},
            never_null=set(told.get("never-null", [])),
            unlike=set(told.get("unlike", [])),
            shows_not=set(told.get("shows-not", [])),
            assumes=tuple(told.get("assumes", [])),
        )

    return make


def full_name(table: Table, column: Column) -> str:
    return f"{table.qualified}.{column.quoted}"


# -- every construct --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_every_table_and_column_is_filled(sample: Callable[[str], Sample], name: str) -> None:
    here = sample(name)
    before = {table: here.one(f"SELECT count(*) FROM {table}") for table in here.tables}
    seeding = here.seed()
    assert (seeding.unseeded, seeding.columns_unseeded, seeding.assumptions) == ({}, {}, here.assumes)
    grown = {table: here.one(f"SELECT count(*) FROM {table}") - before[table] for table in here.tables}
    few = {
        table: number
        for table, number in grown.items()
        if number < here.rows.get(table, 6) and here.tables[table].columns
    }
    assert few == {}
    # Triggers and children add to what was inserted.
    assert {table for table, number in seeding.inserted.items() if number > grown[table]} == set()


@pytest.mark.parametrize("name", NAMES)
def test_rows_are_meant_to_hurt(sample: Callable[[str], Sample], name: str) -> None:
    here = sample(name)
    here.seed()
    empty, never_null, single, labels = [], [], [], []
    for table in here.tables.values():
        if table.kind != "r":
            continue
        alone = {one for unique in table.uniques for one in unique.columns}
        apart = bool(table.exclusions) or any(None in unique.columns for unique in table.uniques)
        whole = here.rows.get(table.qualified, 6) >= 6
        for column in table.columns:
            values = here.values(table, column)
            filled = [value for value in values if value is not None]
            named = full_name(table, column)
            if not filled:
                empty.append(named)
            if not column.not_null and len(filled) == len(values) and not column.generated and whole:
                never_null.append(named)
            if column.name not in alone and not column.sequence and not apart and len(set(filled)) == len(filled):
                single.append(named)
            expected = set(column.of.labels) if column.of.kind == "enum" else set()
            if column.of.catalogue_name == "bool" and whole:
                expected = {"true", "false"}
            if not expected <= set(filled) and table.bound is None:
                labels.append(named)
    assert empty == []
    assert {one for one in never_null if not _is_forced(here, one)} == here.never_null
    assert {one for one in single if _rows_of(here, one) >= 6} <= here.unlike
    assert set(labels) == here.shows_not


def _is_forced(here: Sample, named: str) -> bool:
    """Whether the column has few rows, or is a key of one to one."""
    return _rows_of(here, named) < 6


def _rows_of(here: Sample, named: str) -> int:
    table = next(table for table in here.tables.values() if named.startswith(f"{table.qualified}."))
    return int(here.one(f"SELECT count(*) FROM ONLY {table.qualified}"))


@pytest.mark.parametrize("name", NAMES)
def test_the_same_schema_gives_the_same_rows(sample: Callable[[str], Sample], name: str) -> None:
    """But for what its triggers and its own defaults take from the clock."""
    first, second = (_all_rows(sample(name)) for _ in range(2))
    assert first == second


def _all_rows(here: Sample) -> dict[str, list[Any]]:
    here.seed(literals=("old", 7))
    here.connection.execute("SET TimeZone = 'UTC'")
    found = {}
    volatile = re.compile(r"now\(|clock_timestamp|gen_random|uuidv7")
    for table in here.tables.values():
        kept = [
            column.quoted
            for column in table.columns
            if not table.triggers and not (column.default and volatile.search(column.default))
        ]
        texts = ", ".join(f"{column}::text" for column in kept)
        rows = here.connection.execute(f"SELECT {texts or 1} FROM ONLY {table.qualified}".encode()).fetchall()
        found[table.qualified] = rows
    return found


@pytest.mark.parametrize("name", NAMES)
def test_an_application_goes_on(sample: Callable[[str], Sample], name: str) -> None:
    """Sequences are behind the keys; its own inserts find their place; constraints hold."""
    here = sample(name)
    here.seed()
    more = more_rows(here.connection, here.tables, list(here.tables))
    assert (more.unseeded, more.columns_unseeded) == ({}, {})
    behind = []
    for table in here.tables.values():
        for column in table.columns:
            if column.sequence is not None and column.sequence.increment > 0:
                last = here.one(f"SELECT last_value FROM {column.sequence.qualified}")
                if (here.one(f"SELECT max({column.quoted}) FROM {table.qualified}") or 0) > last:
                    behind.append(full_name(table, column))
    assert behind == []
    refused = {}
    for table in here.tables.values():
        statement = insert_of(here.connection, table, here.tables)
        try:
            with here.connection.transaction(force_rollback=True):
                here.connection.execute(statement.encode())
        except psycopg.Error as error:
            refused[table.qualified] = error.sqlstate
    assert refused == {"security": {"public.also": "23502"}, "defaults": {"public.starts_high": "2200H"}}.get(name, {})


# -- what cannot be filled --------------------------------------------------------------------------------


def test_what_cannot_be_filled_is_told(sample: Callable[[str], Sample]) -> None:
    here = sample("impossible")
    seeding = here.seed()
    digest = "900150983cd24fb0d6963f7d28e17f73"
    assert seeding.unseeded == {
        "public.below": "its column refused_id can have no value: no row of public.refuses fits the foreign key "
        "below_refused_id_fkey",
        "public.far": "it is a foreign table: its rows are on another server",
        "public.never": "its column a can have no value: no value was found for which (a > 1) AND (a < 1)",
        "public.no_value": "its column a can have no value: no value was found for which false",
        "public.refuses": "P0001 only the batch job may do that",
        "public.root": "it has no partition, or none of them could be filled",
        "public.secret": f"its column a can have no value: no value was found for which (md5(a) = '{digest}'::text)",
        "public.swallowed": "a rule of the table took the row away without an error",
        "public.taken_away": "a trigger of the table took the row away without an error",
    }
    assert seeding.columns_unseeded == {
        ("public.beside", "refused_id"): "public.refuses has no row that it could refer to",
        ("public.emptied", "gone"): "no value was accepted, or a trigger took it away again",
        ("public.generated_null", "b"): "it is generated, and its expression gave NULL for every row",
    }
    assert set(seeding.inserted) == {"public.beside", "public.emptied", "public.generated_null"}


# -- values -----------------------------------------------------------------------------------------------


def test_values_hurt(sample: Callable[[str], Sample]) -> None:
    here = sample("types")
    here.seed()

    def count(condition: str) -> int:
        return int(here.one(f"SELECT count(*) FROM everything WHERE {condition}"))

    conditions = (SAMPLES / "types.conditions").read_text(encoding="utf-8").splitlines()
    assert [condition for condition in conditions if not count(condition)] == []
    nullable = [column.quoted for column in here.tables["public.everything"].columns if not column.not_null]
    assert count(f"num_nonnulls({', '.join(nullable[:90])}) = 0") == 1
    pairs = [
        (one, other)
        for one in ("a_text", "an_int", "a_bool", "a_moment")
        for other in ("a_json", "a_price", "a_date")
        if not count(f"{one} IS NULL AND {other} IS NOT NULL") or not count(f"{one} IS NOT NULL AND {other} IS NULL")
    ]
    assert pairs == []


def test_two_rows_are_alike_but_for_their_keys(disposable: Make) -> None:
    with psycopg.connect(disposable().url, autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE people (id serial PRIMARY KEY, name text, email text UNIQUE, born date NOT NULL)"
        )
        tables = read_tables(connection)
        seed(connection, tables, list(tables))
        alike = connection.execute(
            "SELECT count(*) FROM people a JOIN people b USING (name, born) WHERE a.id < b.id AND a.email <> b.email"
        ).fetchone()
        assert alike is not None
        assert alike[0] >= 1


def test_an_address_of_mail_is_one(disposable: Make) -> None:
    """A value without @ in such a column would be our invention, not the application's."""
    with psycopg.connect(disposable().url, autocommit=True) as connection:
        connection.execute("CREATE TABLE people (id serial, email text NOT NULL, work_email varchar(80), mailing text)")
        tables = read_tables(connection)
        seed(connection, tables, list(tables))
        found = connection.execute(
            "SELECT count(*) FILTER (WHERE email LIKE '%@%') = count(*), count(work_email) = count(*) "
            "FILTER (WHERE work_email LIKE '%@%'), count(*) FILTER (WHERE mailing = '') > 0 FROM people"
        ).fetchone()
        assert found == (True, True, True)


def test_keys_stay_small(disposable: Make) -> None:
    """Batches go from the least key to the greatest; they would never end."""
    with psycopg.connect(disposable().url, autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE a (id bigint PRIMARY KEY, n bigint); CREATE TABLE b (id bigserial PRIMARY KEY)"
        )
        tables = read_tables(connection)
        seed(connection, tables, list(tables))
        found = connection.execute("SELECT max(a.id), max(n), (SELECT max(id) FROM b) FROM a").fetchone()
        assert found == (14, 9223372036854775807, 12)


# -- literals ---------------------------------------------------------------------------------------------

LITERALS = """
    CREATE TYPE state AS ENUM ('new', 'gone');
    CREATE TABLE items (
        id serial PRIMARY KEY, kind text NOT NULL, label varchar(4), state state, number int, price numeric(6, 2),
        born date, token uuid UNIQUE, tags text[], data jsonb, parent int REFERENCES items, active boolean NOT NULL
    );
    CREATE TABLE others (id serial PRIMARY KEY, kind text);
"""


def test_every_literal_is_in_every_column_that_takes_it(disposable: Make) -> None:
    with psycopg.connect(disposable().url, autocommit=True) as connection:
        connection.execute(LITERALS)
        tables = read_tables(connection)
        token = "0f8fad5b-d9cb-469f-a165-70867728950e"
        literals = ("old", "gone", 17, 3.75, "2011-12-13", token, True, None, "too long for it", "it's")
        seed(connection, tables, ["public.items"], literals=literals)
        conditions = [
            "kind = 'old'", "kind = 'gone'", "kind = 'it''s'", "kind = 'too long for it'",
            "label = 'old'", "label = 'it''s'", "state = 'gone'", "number = 17",
            "price = 17", "price = 3.75", "born = '2011-12-13'", f"token = '{token}'", "'old' = ANY (tags)",
            "tags @> '{old,gone}'", "data ->> 'old' = 'gone'", "data ->> 'old' = 'it''s'",
        ]  # fmt: skip
        missing = [
            condition
            for condition in conditions
            if not connection.execute(f"SELECT FROM items WHERE {condition} LIMIT 1".encode()).fetchall()
        ]
        assert missing == []
        # Only where they were asked for: other tables keep their few rows.
        assert connection.execute("SELECT count(*) FROM others").fetchone() == (0,)


def test_of_few_literals_every_pair_is_in_a_row(disposable: Make) -> None:
    """``WHERE kind = 'old' AND label = 'x'`` is only measured by a row that is both."""
    with psycopg.connect(disposable().url, autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE items (kind text, label text, third varchar(9), active boolean, at timestamptz)"
        )
        tables = read_tables(connection)
        seed(connection, tables, list(tables), literals=("a", "b", "c"))
        for one, other in (("kind", "label"), ("kind", "third"), ("label", "third")):
            pairs = connection.execute(
                f"SELECT count(DISTINCT ({one}, {other})) FROM items "
                f"WHERE {one} IN ('a', 'b', 'c') AND {other} IN ('a', 'b', 'c')".encode()
            ).fetchone()
            assert pairs == (9,)


# -- more rows, tame rows, the statement of a release -----------------------------------------------------


def test_columns_are_filled_where_they_are_null(disposable: Make) -> None:
    with psycopg.connect(disposable().url, autocommit=True) as connection:
        connection.execute("""
            CREATE TABLE owners (id serial PRIMARY KEY);
            CREATE TABLE things (id serial PRIMARY KEY, name text NOT NULL);
        """)
        tables = read_tables(connection)
        seed(connection, tables, list(tables))
        connection.execute("""
            ALTER TABLE things ADD nickname varchar(12), ADD owner int REFERENCES owners,
                               ADD low int, ADD high int, ADD CHECK (low < high),
                               ADD CHECK ((low IS NULL) = (high IS NULL))
        """)
        before = connection.execute("SELECT count(*) FROM things").fetchone()
        tables = read_tables(connection)
        columns = ("nickname", "owner", "low", "high")
        more = more_rows(connection, tables, ["public.things"], fill={("public.things", one) for one in columns})
        assert (more.unseeded, more.columns_unseeded) == ({}, {})
        assert before == (14,)
        old = connection.execute(
            "SELECT count(nickname), count(owner), count(low), count(high), count(DISTINCT nickname) > 5 "
            "FROM things WHERE id <= 14"
        ).fetchone()
        assert old == (14, 14, 14, 14, True)
        assert more.inserted["public.things"] >= 12


@pytest.mark.parametrize("key", ["PRIMARY KEY", ""])
def test_where_rows_lie_does_not_matter(disposable: Make, key: str) -> None:
    """The server makes room on a page when nobody reads it, so the same steps leave rows elsewhere in another run."""
    filled = []
    for tidied in (False, True):
        with psycopg.connect(disposable().url, autocommit=True) as connection:
            connection.execute(f"CREATE TABLE things (id serial {key}, name text NOT NULL)".encode())
            connection.execute("CREATE INDEX ON things (name)")  # each update writes the row elsewhere
            seed(connection, read_tables(connection), ["public.things"])
            connection.execute("UPDATE things SET name = name || '.'")
            if tidied:
                connection.execute("VACUUM things")
            connection.execute("UPDATE things SET name = name || '.' WHERE id > 3")
            connection.execute("ALTER TABLE things ADD nickname text")
            more_rows(connection, read_tables(connection), ["public.things"], fill={("public.things", "nickname")})
            filled.append(connection.execute("SELECT id, nickname FROM things ORDER BY id, name").fetchall())
    assert filled[0] == filled[1]


def test_tame_rows_fail_nowhere_but_lose(disposable: Make) -> None:
    with psycopg.connect(disposable().url, autocommit=True) as connection:
        connection.execute("""
            CREATE TABLE parents (id serial PRIMARY KEY, name text NOT NULL);
            CREATE TABLE things (
                id serial PRIMARY KEY, parent int REFERENCES parents, name text, email text, price numeric(10, 2),
                ratio float8, at timestamptz, data json, n bigint, kind text CHECK (kind IN ('a', 'b'))
            )
        """)
        tables = read_tables(connection)
        seeding = seed(connection, tables, list(tables), literals=("x",), tame=["public.things"])
        assert (seeding.unseeded, seeding.columns_unseeded, seeding.inserted["public.things"]) == ({}, {}, 4)
        connection.execute("""
            ALTER TABLE things
                ALTER name SET NOT NULL, ALTER name TYPE varchar(20), ADD UNIQUE (name), ADD UNIQUE (email),
                ALTER n TYPE smallint, ALTER price TYPE numeric(6, 2), ALTER ratio TYPE real, ALTER parent SET NOT NULL,
                ADD CHECK (name ~ '^[A-Za-z ]+$')
        """)
        assert connection.execute(
            "SELECT count(*) FROM things WHERE name = lower(name) OR at = date_trunc('second', at) "
            "OR data::text = data::jsonb::text"
        ).fetchone() == (0,)


def test_the_statement_of_a_release_names_what_it_must(disposable: Make) -> None:
    with psycopg.connect(disposable().url, autocommit=True) as connection:
        connection.execute("""
            CREATE TABLE things (
                id serial PRIMARY KEY, name text NOT NULL, note text, since timestamptz NOT NULL DEFAULT now(),
                until timestamptz NOT NULL CHECK (until > since), a int, b int, CHECK (num_nonnulls(a, b) = 1)
            )
        """)
        known = read_tables(connection)["public.things"]
        assert insert_of(connection, known, {"public.things": known}) == (
            "INSERT INTO public.things (name, until, a, b) VALUES ('Alpha One', '2999-12-31 00:00:00+14', '1', NULL)"
        )
        # On another schema the columns are the release's, and the values those that the schema takes.
        connection.execute("ALTER TABLE things ADD CHECK (name ~ '^x'), DROP CONSTRAINT things_check1, ADD must int")
        statement = insert_of(connection, known, read_tables(connection))
        assert statement.startswith("INSERT INTO public.things (name, until, a, b) VALUES ('x', '2999-12-31 ")
        connection.execute(statement.encode())
        for change, error in (
            ("ALTER must SET NOT NULL", "23502"),
            ("DROP must, DROP a", "42703"),
            ("RENAME TO t", "42P01"),
        ):
            connection.execute(f"DELETE FROM things; ALTER TABLE things {change}".encode())
            statement = insert_of(connection, known, read_tables(connection))
            with pytest.raises(psycopg.Error) as caught:
                connection.execute(statement.encode())
            assert caught.value.sqlstate == error


def test_a_statement_that_would_say_nothing_inserts_nothing(disposable: Make) -> None:
    """The only row is there; no value is known; there is no partition: none of it is the release's fault."""
    with psycopg.connect(disposable().url, autocommit=True) as connection:
        connection.execute("""
            CREATE TABLE one (id int PRIMARY KEY CHECK (id = 1), name text NOT NULL);
            CREATE TABLE secret (a text NOT NULL CHECK (md5(a) = 'x'));
            CREATE TABLE parted (a int NOT NULL, b text) PARTITION BY LIST (b);
        """)
        tables = read_tables(connection)
        seed(connection, tables, list(tables))
        assert [insert_of(connection, table, tables) for table in tables.values()] == [
            "INSERT INTO public.one (id, name) SELECT NULL, NULL WHERE false",
            "INSERT INTO public.parted (a) SELECT NULL WHERE false",
            "INSERT INTO public.secret (a) SELECT NULL WHERE false",
        ]


# -- the session ------------------------------------------------------------------------------------------


def test_nothing_else_is_changed(sample: Callable[[str], Sample]) -> None:
    """Not the settings, not the catalogue; and what the session had begun goes on."""
    here = sample("triggers")
    here.connection.execute("SET TimeZone = 'Asia/Kathmandu'; SET IntervalStyle = 'sql_standard'")
    settings = "SELECT array_agg(name || setting ORDER BY name) FROM pg_settings WHERE name <> 'transaction_isolation'"
    objects = (
        "SELECT (SELECT count(*) FROM pg_proc), (SELECT count(*) FROM pg_class), (SELECT count(*) FROM pg_namespace)"
    )
    before = here.one(settings), here.connection.execute(objects.encode()).fetchone()
    here.seed()
    assert (here.one(settings), here.connection.execute(objects.encode()).fetchone()) == before
    with here.connection.transaction(force_rollback=True):
        rows = here.one("SELECT count(*) FROM audited")
        here.connection.execute("SET LOCAL TimeZone = 'Asia/Tokyo'")
        more_rows(here.connection, here.tables, list(here.tables))
        assert here.one("SELECT count(*) FROM audited") > rows
        assert here.one("SHOW TimeZone") == "Asia/Tokyo"
    assert here.one("SELECT count(*) FROM audited") == rows


def test_the_schema_of_content_creation_crew(disposable: Make) -> None:
    with psycopg.connect(disposable("head").url, autocommit=True) as connection:
        tables = read_tables(connection, VERSIONS)
        for seeding in (seed(connection, tables, list(tables)), more_rows(connection, tables, list(tables))):
            assert (seeding.unseeded, seeding.columns_unseeded, seeding.assumptions) == ({}, {}, ())
            assert seeding.inserted.keys() == tables.keys()
            assert min(seeding.inserted.values()) >= 12


def test_only_what_is_wanted_and_its_parents(sample: Callable[[str], Sample]) -> None:
    here = sample("project")
    seeding = seed(here.connection, here.tables, ["shop.user_roles"])
    assert seeding.inserted == {"shop.roles": 8, "shop.tenants": 8, "shop.user_roles": 12, "shop.users": 11}
