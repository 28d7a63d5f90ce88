"""Orders to the server: statements that it runs one after the other, each failing for itself, in one round trip.

A failed statement ends a transaction, and with it everything that was sent behind it. Here each runs in a
subtransaction of one PL/pgSQL block, which leaves no object behind.

Not here: what is asked or inserted, and why.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import tuple_row


@dataclass(frozen=True)
class Failure:
    """Why a statement failed, as the server told it (manual, "Obtaining Information About an Error").

    :param state: SQLSTATE.
    :param message: the primary message.
    """

    state: str
    message: str
    schema: str
    table: str
    column: str
    constraint: str
    datatype: str


@dataclass(frozen=True)
class Order:
    """A statement to run.

    :param kind: ``ask``: a query for one JSON value. ``change``: the answer is the number of rows. ``attempt``: as
        ``change``, and then undone. ``batch``: as ``change``; when it succeeds, the ``instead`` orders that follow are
        left out, and their answers are None.
    """

    kind: str
    sql: str
    instead: int = 0


Answer = Any  # JSON of ``ask``, int, None, or Failure


def ask(sql: str) -> Order:
    """A query for one JSON value."""
    return Order("ask", sql)


def change(sql: str) -> Order:
    """A statement, answered by the number of rows."""
    return Order("change", sql)


def attempt(sql: str) -> Order:
    """A statement that is undone at once."""
    return Order("attempt", sql)


def batch(sql: str, singly: Sequence[str]) -> list[Order]:
    """A statement, and those to run one by one in its place if it fails."""
    return [Order("batch", sql, len(singly)), *(change(one) for one in singly)]


def run(connection: psycopg.Connection[Any], orders: Sequence[Order]) -> list[Answer]:
    """Run the orders in the connection's transaction, of which there must be one.

    :return: an answer for each order, a :class:`Failure` where the statement failed.
    :raises psycopg.Error: the language plpgsql is missing, or the session was ended.
    """
    if not orders:
        return []
    text = json.dumps([[order.kind, order.sql, order.instead] for order in orders], ensure_ascii=False)
    # Several statements in one simple query: one round trip, and none of psycopg's work for each of them.
    begin = sql.SQL("SELECT set_config('backout.orders', {}, true)").format(text).as_bytes(connection)
    with connection.cursor(row_factory=tuple_row) as cursor:
        cursor.execute(b"; ".join([begin, _RUN, b"SELECT current_setting('backout.answers')"]), prepare=False)
        while cursor.nextset():
            pass
        row = cursor.fetchone()
    answers = json.loads(row[0]) if row else []
    return [Failure(*answer["failure"]) if _is_failure(answer) else answer for answer in answers]


def _is_failure(answer: Any) -> bool:
    return isinstance(answer, dict) and answer.keys() == {"failure"}


_RUN = b"""
DO $backout$
DECLARE
    orders json[] := ARRAY(SELECT json_array_elements(current_setting('backout.orders')::json));
    answers json[] := '{}';
    answer json;
    number bigint;
    place integer := 1;
    state text; message text; of_schema text; of_table text; of_column text; of_constraint text; of_type text;
BEGIN
    WHILE place <= cardinality(orders) LOOP
        BEGIN
            IF orders[place]->>0 = 'ask' THEN
                EXECUTE orders[place]->>1 INTO answer;
            ELSE
                EXECUTE orders[place]->>1;
                GET DIAGNOSTICS number = ROW_COUNT;
                answer := to_json(number);
                IF orders[place]->>0 = 'attempt' THEN
                    RAISE EXCEPTION USING ERRCODE = 'BKUND';
                END IF;
            END IF;
            answers := answers || coalesce(answer, 'null'::json);
            IF orders[place]->>0 = 'batch' THEN
                answers := answers || array_fill('null'::json, ARRAY[(orders[place]->>2)::integer]);
                place := place + (orders[place]->>2)::integer;
            END IF;
        EXCEPTION WHEN OTHERS OR ASSERT_FAILURE THEN
            GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, of_schema = SCHEMA_NAME,
                of_table = TABLE_NAME, of_column = COLUMN_NAME, of_constraint = CONSTRAINT_NAME,
                of_type = PG_DATATYPE_NAME;
            answers := answers || CASE state WHEN 'BKUND' THEN answer ELSE json_build_object('failure',
                json_build_array(state, message, of_schema, of_table, of_column, of_constraint, of_type)) END;
        END;
        place := place + 1;
    END LOOP;
    PERFORM set_config('backout.answers', array_to_json(answers)::text, true);
END
$backout$
"""
