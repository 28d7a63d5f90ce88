"""What of a real database is not what its revisions make, and what of that is nobody's fault."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from backout import schema
from backout.evidence import SchemaChange
from backout.postgres import Database, Server
from backout.production import Deployment, Drift, find_drift
from backout.production.drift import SHOWN, compare
from backout.schema import PRISTINE

Deployed = Callable[[str], Database]


@pytest.fixture(scope="module")
def opened(backout_server: Server, rehearsed: Path) -> Iterator[Deployment]:
    from backout.masking import Masking  # noqa: PLC0415
    from backout.production import open_deployment  # noqa: PLC0415
    from backout.worker import Target  # noqa: PLC0415

    database = backout_server.create()
    with open_deployment(Target(rehearsed / "alembic.ini"), database.url, Masking()) as deployment:
        yield deployment
    backout_server.drop(database)


@pytest.fixture
def look(opened: Deployment, deployed: Deployed, backout_server: Server) -> Callable[..., Drift | None]:
    """What has drifted in a database at ``c3`` after these statements."""

    def drift(*statements: str, ignored: tuple[str, ...] = (), revision: str = "c3") -> Drift | None:
        database = deployed(revision)
        with psycopg.connect(database.url, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.format(database=database.name))  # type: ignore[arg-type]
            applied = opened.applied([revision])
            return find_drift(opened, applied, connection, ignored=ignored)

    return drift


# A role that every server has, so that what a rehearsal beside this one sees of the server stays as it is.
READER = "pg_monitor"


# -- what is drift ----------------------------------------------------------------------------------


@pytest.mark.parametrize("revision", ["a1", "b2", "c3", "d4", "e5", "f6"])
def test_a_database_is_what_its_revisions_make(look: Callable[..., Drift], revision: str) -> None:
    assert look(revision=revision) == Drift((), ())


def test_a_schema_public_that_was_made_by_hand_is_told(look: Callable[..., Drift]) -> None:
    """As after ``DROP SCHEMA public CASCADE`` and a restore."""
    drift = look("COMMENT ON SCHEMA public IS NULL")
    assert drift == Drift(
        (), ("comment schema public is missing, which every new database has: standard public schema",)
    )


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        (
            "DROP INDEX ix_people_email",
            (
                (
                    "index public.ix_people_email is missing; the revisions make it: "
                    "CREATE INDEX ix_people_email ON public.people USING btree (email)"
                ),
            ),
        ),
        (
            "CREATE TABLE visits ()",
            ("table public.visits is there, and no revision makes it: TABLE",),
        ),
        (
            "ALTER TABLE people ALTER name DROP NOT NULL",
            ("column public.people.name is text; the revisions make it text NOT NULL",),
        ),
        (
            "ALTER TABLE people ADD CHECK (name <> ''), DROP COLUMN nickname",
            (
                "column public.people.nickname is missing; the revisions make it: text",
                (
                    "constraint public.people.people_name_check is there, and no revision makes it: "
                    "CHECK ((name <> ''::text))"
                ),
            ),
        ),
        (
            "COMMENT ON COLUMN people.email IS 'for letters'",
            ("comment column public.people.email is there, and no revision makes it: for letters",),
        ),
        (
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_people_email'::regclass",
            (
                (
                    "index public.ix_people_email is CREATE INDEX ix_people_email ON public.people USING btree "
                    "(email) INVALID; the revisions make it "
                    "CREATE INDEX ix_people_email ON public.people USING btree (email)"
                ),
            ),
        ),
    ],
    ids=["missing", "extra", "changed", "both", "comment", "invalid index"],
)
def test_each_object_that_differs_is_told(look: Callable[..., Drift], statement: str, told: tuple[str, ...]) -> None:
    drift = look(statement)
    assert drift.told() == told
    assert drift.notes == ()


def test_a_revision_that_was_forgotten_is_missing(opened: Deployment, deployed: Deployed) -> None:
    """A database that says d4, and at which only c3 was ever run."""
    with psycopg.connect(deployed("c3").url, autocommit=True) as connection:
        drift = find_drift(opened, opened.applied(["d4"]), connection)
        assert drift is not None
        assert drift.told() == ("column public.people.greeting is missing; the revisions make it: text",)


def test_the_tables_of_versions_are_alembics(opened: Deployment, deployed: Deployed) -> None:
    without = replace(opened, version_tables=frozenset())
    with psycopg.connect(deployed("a1").url, autocommit=True) as connection:
        drift = find_drift(without, opened.applied(["a1"]), connection)
        assert drift is not None
        assert {change.name.split(".")[1] for change in drift.differences} == {"alembic_version"}


def test_without_evidence_nothing_is_said(opened: Deployment, deployed: Deployed) -> None:
    lacking = replace(opened, evidence={name: one for name, one in opened.evidence.items() if name != "b2"})
    with psycopg.connect(deployed("c3").url, autocommit=True) as connection:
        assert find_drift(lacking, opened.applied(["c3"]), connection) is None
        assert find_drift(lacking, opened.applied(["a1"]), connection) is not None


# -- what is an operator's ---------------------------------------------------------------------------


def test_owners_and_privileges_are_notes(look: Callable[..., Drift]) -> None:
    drift = look(
        f"ALTER TABLE people OWNER TO {READER}",
        f"GRANT SELECT ON people TO {READER}",
        f"GRANT SELECT ON alembic_version TO {READER}",
        f"GRANT CREATE ON SCHEMA public TO {READER}",
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO {READER}",
    )
    assert drift.differences == ()
    assert drift.notes == (
        "default privilege IN public TABLES is there, and no revision makes it: SELECT TO pg_monitor",
        "owner table public.people is there, and no revision makes it: pg_monitor",
        (
            "privilege schema public is there, and no revision makes it: "
            "ALL TO OWNER; USAGE TO PUBLIC; CREATE TO pg_monitor"
        ),
    )


def test_settings_of_the_database_are_notes(look: Callable[..., Drift]) -> None:
    drift = look("ALTER DATABASE {database} SET work_mem = '7MB'")
    assert drift == Drift((), ("setting database work_mem is there, and no revision makes it: 7MB",))


def test_extensions_are_notes_unless_a_revision_makes_them() -> None:
    """What lies in an extension, and another version of one."""
    key, comment = ("extension", "pg_trgm"), ("comment", "extension pg_trgm")
    assert compare({}, {key: "VERSION '1.6'", comment: "text"}) == Drift(
        (),
        (
            "comment extension pg_trgm is there, and no revision makes it: text",
            "extension pg_trgm is there, and no revision makes it: VERSION '1.6'",
        ),
    )
    assert compare({key: "VERSION '1.5'"}, {key: "VERSION '1.6'"}) == Drift(
        (), ("extension pg_trgm is VERSION '1.6'; the revisions make it VERSION '1.5'",)
    )
    assert compare({key: "VERSION '1.5'", comment: "text"}, {}) == Drift(
        (SchemaChange(*comment, "text", None), SchemaChange(*key, "VERSION '1.5'", None)), ()
    )
    assert compare({key: "VERSION '1.5'", comment: "text"}, {key: "VERSION '1.5'", comment: "other"}) == Drift(
        (SchemaChange(*comment, "text", "other"),), ()
    )


def test_what_a_revision_says_of_owners_is_no_note() -> None:
    key = ("privilege", "table public.people")
    assert compare({key: "SELECT TO app"}, {}).told() == (
        "privilege table public.people is missing; the revisions make it: SELECT TO app",
    )
    assert compare({key: "SELECT TO app"}, {key: "ALL TO app"}).told() == (
        "privilege table public.people is ALL TO app; the revisions make it SELECT TO app",
    )


# -- what is ours, and what is to be ignored ----------------------------------------------------------


def test_salvaged_values_are_ours(look: Callable[..., Drift]) -> None:
    assert look(
        "CREATE SCHEMA backout_salvage",
        "CREATE TABLE backout_salvage.people (id bigint PRIMARY KEY, value text)",
        "CREATE INDEX ON backout_salvage.people (value)",
        "COMMENT ON TABLE backout_salvage.people IS 'kept'",
        f"GRANT USAGE ON SCHEMA backout_salvage TO {READER}",
    ) == Drift((), ())


def test_what_is_called_almost_so_is_not_ours(look: Callable[..., Drift]) -> None:
    drift = look("CREATE SCHEMA backout_salvage_2", "CREATE TABLE backout_salvaged ()")
    assert drift.told() == (
        "schema backout_salvage_2 is there, and no revision makes it: SCHEMA",
        "table public.backout_salvaged is there, and no revision makes it: TABLE",
    )


MONITORING = (
    "CREATE SCHEMA monitoring",
    "CREATE TABLE monitoring.samples (id serial PRIMARY KEY, value int CHECK (value > 0))",
    "CREATE INDEX latest ON monitoring.samples (value)",
    "COMMENT ON COLUMN monitoring.samples.value IS 'in percent'",
    "CREATE VIEW monitoring.mean AS SELECT avg(value) FROM monitoring.samples",
    "CREATE FUNCTION monitoring.now() RETURNS int LANGUAGE sql AS 'SELECT 1'",
)


def test_a_schema_is_ignored_with_all_that_lies_in_it(look: Callable[..., Drift]) -> None:
    assert len(look(*MONITORING).differences) == 11
    assert look(*MONITORING, ignored=("schema monitoring",)) == Drift((), ())


def test_a_table_is_ignored_with_all_that_belongs_to_it(look: Callable[..., Drift]) -> None:
    statements = (
        "CREATE TABLE tmp_import (id serial PRIMARY KEY, line text)",
        "CREATE INDEX first_letter ON tmp_import (left(line, 1))",
        "COMMENT ON TABLE tmp_import IS 'of Monday'",
    )
    assert len(look(*statements).differences) == 7
    assert look(*statements, ignored=("table public.tmp_*",)) == Drift((), ())
    assert look(*MONITORING[:4], ignored=("table monitoring.*",)).told() == (
        "schema monitoring is there, and no revision makes it: SCHEMA",
    )


def test_a_name_that_needs_quotes_is_ignored_likewise() -> None:
    found = {("table", '"a.b"."the list"'): "TABLE", ("column", '"a.b"."the list".a'): "text"}
    assert compare({}, found, ignored=('table "a.b"."the list"',)) == Drift((), ())
    assert compare({}, found, ignored=('schema "a.b"',)) == Drift((), ())
    assert len(compare({}, found, ignored=("schema a", "table a.b")).differences) == 2


def test_what_is_not_named_is_not_ignored(look: Callable[..., Drift]) -> None:
    drift = look("DROP INDEX ix_people_email", ignored=("schema monitoring", "table people", "index ix_*"))
    assert [change.name for change in drift.differences] == ["public.ix_people_email"]
    assert look("DROP INDEX ix_people_email", ignored=("index public.ix_*",)).differences == ()


# -- told, without ----------------------------------------------------------------------------------


def test_of_many_differences_twenty_are_told() -> None:
    made = {("table", f"public.t{number:02}"): "TABLE" for number in range(SHOWN + 3)}
    told = compare(made, {}).told()
    assert len(told) == SHOWN + 1
    assert told[-2:] == ("table public.t19 is missing; the revisions make it: TABLE", "and 3 more")
    assert len(compare(dict(list(made.items())[:SHOWN]), {}).told()) == SHOWN


def test_what_was_there_before_is_taken_off() -> None:
    before = compare({("table", "public.a"): "TABLE"}, {})
    after = compare({("table", "public.a"): "TABLE", ("table", "public.b"): "TABLE"}, {})
    assert after.without(before).differences == (SchemaChange("table", "public.b", "TABLE", None),)


def test_an_empty_database_is_what_no_revision_makes(opened: Deployment, disposable: Any) -> None:
    with psycopg.connect(disposable().url, autocommit=True) as connection:
        assert schema.snapshot(connection).objects == PRISTINE
        assert find_drift(opened, (), connection) == Drift((), ())
