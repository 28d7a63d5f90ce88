"""What one release's statements meet on the schema of another."""

import psycopg
import pytest

from backout.compatibility import failures, order, release
from backout.evidence import Incompatibility
from backout.postgres import Server
from backout.tables import read_tables

GONE = '42P01 relation "public.notes" does not exist'


def met(server: Server, before: str, after: str) -> tuple[Incompatibility, ...]:
    """What the release of a schema meets after a change."""
    with psycopg.connect(server.create().url, autocommit=True) as connection:
        connection.execute(before.encode())
        tables = read_tables(connection)
        with connection.transaction(force_rollback=True):
            connection.execute(after.encode())
            changed = read_tables(connection)
        known = release(connection, tables, tables, changed)
        connection.execute(after.encode())
        return failures(connection, read_tables(connection), known)


NOTES = "CREATE TABLE notes (id serial PRIMARY KEY, title varchar(20) NOT NULL CHECK (title <> ''), body text)"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("ALTER TABLE notes ADD mood text", ()),
        ("ALTER TABLE notes RENAME TO papers; CREATE VIEW notes AS SELECT * FROM papers", ()),
        (
            "ALTER TABLE notes RENAME TO papers; CREATE VIEW notes AS SELECT id, body FROM papers",
            (
                Incompatibility("INSERT public.notes", '42703 column "title" of relation "notes" does not exist'),
                Incompatibility("SELECT public.notes", '42703 column "title" does not exist'),
                Incompatibility("UPDATE public.notes", '42703 column "title" does not exist'),
            ),
        ),
        (
            "ALTER TABLE notes RENAME TO papers",
            tuple(Incompatibility(f"{verb} public.notes", GONE) for verb in ("DELETE", "INSERT", "SELECT", "UPDATE")),
        ),
        (
            "ALTER TABLE notes ADD mood text NOT NULL",
            (
                Incompatibility(
                    "INSERT public.notes",
                    '23502 null value in column "mood" of relation "notes" violates not-null constraint',
                ),
            ),
        ),
    ],
)
def test_the_previous_release_meets(change: str, expected: tuple[Incompatibility, ...], backout_server: Server) -> None:
    assert met(backout_server, NOTES, change) == expected


def test_order() -> None:
    one = (Incompatibility("SELECT public.notes", GONE),)
    assert [order((), ()), order((), one), order(one, ()), order(one, one)] == ["either", "before", "after", "split"]
