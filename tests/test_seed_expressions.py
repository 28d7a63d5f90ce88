"""backout.seed.expressions: what is read out of expressions as pg_get_expr prints them."""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from backout.postgres import Database
from backout.seed.expressions import (
    Constants,
    conjuncts,
    constants,
    definition,
    functions,
    is_constant,
    ordered_bounds,
    references,
)

Make = Callable[..., Database]
Print = Callable[[str], str]

COLUMNS = {
    "a": "int", "b": "numeric", "text": "text", '"Ab c"': "text", "varying": "varchar(20)", "at": "timestamptz",
    "kind": "varchar", "j": "jsonb", "low": "date", "high": "date",
}  # fmt: skip
NAMES = {name.strip('"') for name in COLUMNS}


@pytest.fixture
def printed(disposable: Make) -> Iterator[Print]:
    """A CHECK as PostgreSQL prints it."""
    with psycopg.connect(disposable().url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA s; CREATE FUNCTION s.valid(text) RETURNS bool LANGUAGE sql RETURN $1 <> ''")
        connection.execute("SET search_path = ''")

        def make(check: str) -> str:
            listed = ", ".join(f"{name} {of}" for name, of in COLUMNS.items())
            with connection.transaction(force_rollback=True):
                connection.execute(f"CREATE TABLE s.t ({listed}, CHECK ({check}))".encode())
                row = connection.execute(
                    "SELECT pg_get_expr(conbin, conrelid) FROM pg_constraint "
                    "WHERE conrelid = 's.t'::regclass AND contype = 'c'"
                )
                found: tuple[Any, ...] | None = row.fetchone()
            assert found is not None
            return str(found[0])

        yield make


@pytest.mark.parametrize(
    ("check", "expected"),
    [
        ("kind IN ('old', 'it''s') AND a > 5", Constants(("old", "it's"), ("5",))),
        ("a BETWEEN -3 AND 10.5", Constants(("-3",), ("10.5",))),
        ("at < '2024-01-01 00:00+00'", Constants(("2024-01-01 00:00:00+00",), ())),
        (r"text ~ '^a\d{2}$'", Constants((r"^a\d{2}$",), ())),
        ("length(varying) = 1e2", Constants(("100",), ())),
    ],
)
def test_constants(printed: Print, check: str, expected: Constants) -> None:
    assert constants(printed(check)) == expected


@pytest.mark.parametrize(
    ("check", "names"),
    [
        ("a > 5", {"a"}),
        ("text = 'a' AND varying::text <> 'kind'", {"text", "varying"}),
        ('"Ab c" IS NOT NULL OR a::text = text', {"Ab c", "a", "text"}),
        ("CASE WHEN a = 1 THEN b ELSE 2 END > 1", {"a", "b"}),
        ("kind::varchar(7) COLLATE \"C\" > ''", {"kind"}),
        ("at AT TIME ZONE 'UTC' > '2000-01-01'", {"at"}),
        ("j ? 'a' AND j ->> 'b' = 'kind'", {"j"}),
        ("1 = 1", set()),
    ],
)
def test_references(printed: Print, check: str, names: set[str]) -> None:
    assert references(printed(check), NAMES) == names


def test_conjuncts(printed: Print) -> None:
    check = "a > 0 AND (kind = 'x AND y' OR b IS NULL) AND a BETWEEN 1 AND 2 AND NOT (a = 1 AND b = 2)"
    assert conjuncts(printed(check)) == (
        "(a > 0)",
        "(((kind)::text = 'x AND y'::text) OR (b IS NULL))",
        "(a >= 1)",
        "(a <= 2)",
        "(NOT ((a = 1) AND (b = (2)::numeric)))",
    )
    assert conjuncts(printed("a > 0")) == ("(a > 0)",)


@pytest.mark.parametrize(
    ("check", "expected"),
    [
        ("b = a * 2", ("b", "((a * 2))::numeric")),
        ("a * 2 = b", ("b", "((a * 2))::numeric")),
        ("high = low + 1", ("high", "(low + 1)")),
        ("a = 5", None),
        ("a = a + 1", None),
        ("a >= b", None),
        ("a + 1 = b + 2", None),
        ("(a = 1) = (b IS NULL)", None),
    ],
)
def test_definitions(printed: Print, check: str, expected: tuple[str, str] | None) -> None:
    assert definition(printed(check), NAMES) == expected


def test_bounds_of_ranges(printed: Print) -> None:
    assert ordered_bounds(printed("NOT isempty(daterange(low, high, '[]'))")) == ("(low <= high)",)
    assert ordered_bounds(printed("low < high")) == ()


def test_functions(printed: Print) -> None:
    assert functions(printed("s.valid(text) AND length(text) > 1")) == ("s.valid",)


@pytest.mark.parametrize(
    ("default", "constant"),
    [
        ("'x'::text", True), ("0", True), ("'-1'::integer", True), ("'{}'::jsonb", True), ("true", True),
        ("NULL::text", True), ("ARRAY['a'::text, 'b'::text]", True), ("ARRAY[]::text[]", True),
        ("'{}'::character varying(20)[]", True),
        ("(0)::numeric", True),
        ("'a'::public.mood", True), ("'1 day'::interval", True), ("now()", False), ("nextval('s'::regclass)", False),
        ("CURRENT_TIMESTAMP", False), ("(now() + '1 day'::interval)", False), ("CURRENT_USER", False),
        ("gen_random_uuid()", False),
        ("ARRAY[now()]", False), ("s.make()", False),
    ],
)  # fmt: skip
def test_constant_defaults(default: str, *, constant: bool) -> None:
    assert is_constant(default) is constant
