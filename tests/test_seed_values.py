"""backout.seed.plain and backout.seed.values: every value is one that its type takes, on every version."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import psycopg
import pytest

from backout.postgres import Database
from backout.seed.plain import PLAIN
from backout.seed.values import INTEGERS, fresh, values_of
from backout.tables import Column, read_tables

Make = Callable[..., Database]

MODIFIED = """
    text; varchar(1); varchar(5); varchar(20000); varchar; char(8); char; name; citext; int2; int4; int8; numeric;
    numeric(10,2);
    numeric(3,3); numeric(5,0); numeric(5,-2); numeric(2,5); numeric(38,10); json; jsonb;
    bit(9); bit; bit varying; varbit(4);
    int4range; int8range; numrange; daterange; tsrange; tstzrange; int4multirange; tstzmultirange; nummultirange;
    text[]; int4[]; numeric(10,2)[]; jsonb[]; tstzrange[]; bytea[]; varchar(3)[]; citext[]; timestamp(3); time(0);
    interval day to second; interval(2); vector(5); vector; halfvec(3); sparsevec(4); uuid[]; mood; mood[]; pair;
    pair[]; pairs;
    word; word[]; spans; ltree[]; a_row
"""
SETUP = """
    CREATE TYPE mood AS ENUM ('a', 'B "c"', ''); CREATE TYPE pair AS (a int, b text, c mood, d numeric(5, 2), e int[]);
    CREATE TYPE pairs AS (one pair, two pair[]); CREATE DOMAIN word AS varchar(12); CREATE TABLE a_row (x int, y word);
    CREATE TYPE spans AS RANGE (subtype = float8);
"""
SCARCE = {"bool", "char", "seg", "isbn", "isbn13", "ean13", "tid", "xid"}
#: Without enough different values: they are no keys, or the type has no more.
FEW = {"bit(1)", "character(1)", "bit varying(4)", "numeric(3,3)", "character varying(1)", '"char"', "numeric(2,5)"}


@pytest.fixture
def columns(disposable: Make) -> Iterator[tuple[psycopg.Connection[Any], list[Column]]]:
    with psycopg.connect(disposable().url, autocommit=True) as connection:
        yield connection, _of_every_type(connection)


def _of_every_type(connection: psycopg.Connection[Any]) -> list[Column]:
    present = {name for (name,) in connection.execute("SELECT name FROM pg_available_extensions")}
    for extension in {"citext", "hstore", "ltree", "cube", "seg", "isn", "vector"} & present:
        connection.execute(f"CREATE EXTENSION {extension}".encode())
    connection.execute(SETUP.encode())
    types = [*(one.strip() for one in MODIFIED.split(";")), *('"char"' if name == "char" else name for name in PLAIN)]
    for number, name in enumerate(types):
        try:
            connection.execute(f"CREATE TABLE t{number} (x {name})".encode())
        except psycopg.errors.UndefinedObject:  # of an extension that is not there, or intarray's
            assert name.split("(")[0] in {"vector", "halfvec", "sparsevec", "query_int", "lquery", "ltxtquery"}
    tables = read_tables(connection)
    return [table.columns[0] for name, table in tables.items() if name != "public.a_row"]


def test_types_take_their_values(columns: tuple[psycopg.Connection[Any], list[Column]]) -> None:
    connection, found = columns
    refused = []
    for column in found:
        values = values_of(column.of, column.type, domains={})
        numbered = [fresh(column.of, column.type, number) for number in (0, 1, 59, 1234)]
        for value in {*values.hurting, *values.tame, *numbered} - {None}:
            literal = str(value).replace("'", "''")
            try:
                with connection.transaction(force_rollback=True):
                    connection.execute(f"CREATE TEMP TABLE taken (x {column.type})".encode())
                    connection.execute(f"INSERT INTO taken VALUES ('{literal}')".encode())
            except psycopg.Error as error:
                refused.append((column.type, value, str(error.diag.message_primary)))
    # The embedded server is built without libxml.
    assert [one for one in refused if one[2] != "unsupported XML feature"] == []


def test_there_are_enough_of_each(columns: tuple[psycopg.Connection[Any], list[Column]]) -> None:
    """At least two that hurt, and for types that can be keys sixty that differ and ascend."""
    connection, found = columns
    for column in found:
        values = values_of(column.of, column.type, domains={})
        assert len(set(values.hurting)) == len(values.hurting), column.type
        assert values.hurting, column.type
        assert values.tame, column.type
        spares = [fresh(column.of, column.type, number) for number in range(60)]
        if None in spares or column.of.catalogue_name in SCARCE or column.type in FEW:
            continue
        assert len(set(spares)) == 60, column.type
        if column.of.catalogue_name in {*INTEGERS, "date", "timestamptz", "numeric", "text", "uuid"}:
            pairs = ", ".join(f"('{one}'::{column.type}, '{other}'::{column.type})" for one, other in pairwise(spares))
            ascending = connection.execute(
                f"SELECT bool_and(a < b) FROM (VALUES {pairs}) AS v(a, b)".encode()
            ).fetchone()
            assert ascending == (True,), column.type


def test_tame_values_are_short_and_plain(columns: tuple[psycopg.Connection[Any], list[Column]]) -> None:
    _, found = columns
    long = {
        column.type: value
        for column in found
        for value in values_of(column.of, column.type, domains={}).tame
        if (len(value) > 40 and column.of.kind == "base") or not value.isascii()
    }
    assert long == {}


def test_a_document_is_of_the_shape_of_its_default() -> None:
    from backout.tables import Type  # noqa: PLC0415

    json = Type("jsonb", "jsonb", "base")
    assert {text[0] for text in values_of(json, "jsonb", default="'[]'::jsonb", domains={}).hurting} == {"["}
    assert values_of(json, "jsonb", default="'{}'::jsonb", domains={}).hurting[0][0] == "{"
