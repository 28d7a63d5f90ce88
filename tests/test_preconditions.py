"""backout.preconditions: the queries count exactly the rows on which the migration fails."""

from collections.abc import Callable

import psycopg
import pytest

from backout.postgres import Database
from backout.preconditions import count_query, is_about_data

Make = Callable[..., Database]

SETUP = """
    CREATE TABLE "Shops" (code int, area int, PRIMARY KEY (code, area));
    INSERT INTO "Shops" VALUES (1, 1), (1, 2);
    CREATE TABLE people (name text, email text, age int, shop int, area int);
    INSERT INTO people VALUES
        ('Ann', 'a@x.org', 30, 1, 1), ('Ann', 'A@x.org', -1, 1, 3), (NULL, NULL, NULL, 1, NULL),
        ('Bob     ', 'b@x.org', -2, NULL, NULL), ('Roberta', 'a@x.org', 0, 2, 2), (NULL, NULL, 40, 1, 2);
"""


@pytest.mark.parametrize(
    ("change", "facts", "rows"),
    [
        ("ALTER TABLE people ALTER name SET NOT NULL", {"column": "name"}, 2),
        ("ALTER TABLE people ADD CONSTRAINT c CHECK (age >= 0 AND name <> ')')", {"constraint": "c"}, 2),
        ("ALTER TABLE people ADD CONSTRAINT c UNIQUE (name, email)", None, 0),
        ("ALTER TABLE people ADD CONSTRAINT c UNIQUE (name)", {"constraint": "c"}, 2),
        ("CREATE UNIQUE INDEX c ON people (lower(email)) WHERE age IS NOT NULL", {"index": "c"}, 3),
        ("ALTER TABLE people ADD CONSTRAINT c UNIQUE NULLS NOT DISTINCT (email)", {"constraint": "c"}, 4),
        (
            'ALTER TABLE people ADD CONSTRAINT c FOREIGN KEY (shop, area) REFERENCES "Shops"',
            {"constraint": "c"},
            2,
        ),
        ("ALTER TABLE people ALTER name TYPE varchar(3)", {"narrowed": {"name": 3}}, 1),
    ],
)  # fmt: skip
def test_the_query_counts_the_violators(
    disposable: Make, change: str, facts: dict[str, object] | None, rows: int
) -> None:
    with psycopg.connect(disposable().url, autocommit=True) as connection:
        connection.execute(SETUP)
        if facts is None:
            connection.execute(change)
            return
        # What it would be called, from where it can be made.
        definition = None
        with connection.transaction(force_rollback=True):
            connection.execute("TRUNCATE people")
            connection.execute(change)
            if "constraint" in facts:
                query = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'c'"
                definition = connection.execute(query).fetchone()[0]  # type: ignore[index]
            elif "index" in facts:
                definition = connection.execute("SELECT pg_get_indexdef('c'::regclass)").fetchone()[0]  # type: ignore[index]
        with pytest.raises(psycopg.Error) as failure:
            connection.execute(change)
        assert is_about_data(failure.value.sqlstate)
        query = count_query(
            str(failure.value.sqlstate),
            "public.people",
            column=facts.get("column"),  # type: ignore[arg-type]
            definition=definition,
            narrowed=facts.get("narrowed", {}),  # type: ignore[arg-type]
        )
        assert query is not None
        assert connection.execute(query).fetchone() == (rows,)


@pytest.mark.parametrize("sqlstate", ["22P02", "P0001", "23P01", "23514"])
def test_where_no_query_can(sqlstate: str) -> None:
    assert is_about_data(sqlstate)
    assert count_query(sqlstate, "t", column=None, definition=None, narrowed={}) is None


@pytest.mark.parametrize("sqlstate", [None, "42P01", "40001", "0A000"])
def test_other_errors_are_not_about_rows(sqlstate: str | None) -> None:
    assert not is_about_data(sqlstate)
