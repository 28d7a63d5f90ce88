"""backout.production.preview: what a rollback would lose is counted in the rows that there are, or said not to be.

That a preview is true, for every specimen whose rollback loses something, is proved in ``test_production_salvage``.
"""

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import psycopg
import pytest
from click.testing import CliRunner, Result
from psycopg import sql

from backout.cli import main
from backout.errors import BackoutError, Refused
from backout.evidence import (
    Compatibility,
    Evidence,
    Lock,
    Loss,
    Losses,
    Schema,
    SchemaChange,
    Statement,
    Step,
    Unproven,
)
from backout.masking import Masking
from backout.postgres import Database, real_database
from backout.production import Deployment, Preview, conclusion, details, preview, size_of
from backout.production.counting import is_constant
from backout.production.doomed import type_of
from backout.worker import Chain, Revision, Worker

Make = Callable[..., Database]
ROOT = Path(__file__).parents[1]
APPLIED = Step("applied", transactional=True, statements=())


def measured(
    *changes: tuple[str, str, str | None, str | None],
    lived_in: tuple[Loss, ...] | None = (),
    untouched: tuple[Loss, ...] = (),
    upgrade: tuple[Loss, ...] = (),
    downgrade: Step = APPLIED,
    fails: str | None = None,
    **more: Any,
) -> Evidence:
    """Evidence of the revision ``r``; what is not given is harmless."""
    evidence = Evidence(
        revision="r",
        parents=("p",),
        path="versions/r.py",
        summary="a change",
        fingerprint="",
        postgres=18,
        upgrade=APPLIED,
        downgrade=downgrade,
        reupgrade=Step("applied"),
        lived_in_downgrade=Step("failed", error=fails) if fails else Step("applied"),
        lived_in_reupgrade=Step("not-run") if fails else Step("applied"),
        schema=Schema(tuple(SchemaChange(*one) for one in changes), restored=True),
        loss=Losses(upgrade, untouched, None if fails else lived_in),
        compatibility=Compatibility(),
        seeded=None,
        unproven=(),
        assumptions=(),
        risk="low",
        rollback="yes if unused",
    )
    return replace(evidence, **more)


def lost(table: str, column: str | None = None, number: int = 5, of: int = 8) -> Loss:
    return Loss(table, column, number, of, ("a", None), (3, 0))


def revision(name: str, *parents: str) -> Revision:
    return Revision(name, parents, (), (), Path(f"{name}.py"), f"summary of {name}", "")


CHAIN = (revision("p"), revision("r", "p"))


@contextmanager
def deployed(
    database: Database, evidence: Mapping[str, Evidence], *, at: str = "r", role: str | None = None
) -> Iterator[Deployment]:
    """A database at a revision of a chain of two, for what needs no worker."""
    url = database.url if role is None else psycopg.conninfo.make_conninfo(database.url, user=role)
    with psycopg.connect(database.url) as connection:
        connection.execute(
            "CREATE TABLE IF NOT EXISTS alembic_version (version_num text PRIMARY KEY); TRUNCATE alembic_version; "
            "GRANT SELECT ON alembic_version TO PUBLIC"
        )
        connection.execute("INSERT INTO alembic_version VALUES (%s)", [at])
    chain = Chain(Path(), CHAIN, ("r",), ("p",), (), Path(), {})
    with real_database(url) as real:
        tables = frozenset({"public.alembic_version"})
        yield Deployment(real, cast(Worker, None), chain, evidence, frozenset(), tables, Masking())


def run(database: Database, statements: str) -> None:
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute(statements.encode())


def told(found: Preview, *labels: str) -> list[str]:
    """What is said of the only revision, under these labels."""
    (one,) = found.undone
    return [text for label, text in details(one) if label in (labels or ("loses",))]


def told_of(
    database: Database, evidence: Evidence, *labels: str, role: str | None = None, timeout: float = 5.0
) -> list[str]:
    with deployed(database, {"r": evidence}, role=role) as deployment:
        return told(preview(deployment, timeout=timeout), *labels)


@pytest.fixture
def role(backout_server: Any) -> Iterator[str]:
    """A role that may log in, and nothing else."""
    name = f"reader_{os.getpid()}"
    with psycopg.connect(backout_server.url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(name)))
        yield name
        connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


# -- what is lost, counted -------------------------------------------------------------------------

USERS = """
    CREATE TABLE users (
        id int PRIMARY KEY, preferences jsonb, gift text DEFAULT 'a''b', token uuid DEFAULT gen_random_uuid()
    );
    INSERT INTO users
    SELECT n, CASE WHEN n <= 1204 THEN '{}' END::jsonb, CASE n % 3 WHEN 0 THEN 'c' WHEN 1 THEN NULL ELSE 'a''b' END
    FROM generate_series(1, 3000) AS n;
"""


@pytest.mark.parametrize(
    ("column", "sentence"),
    [
        ("preferences", "1,204 of 3,000 users have `preferences` other than the default"),
        ("gift", "1,000 of 3,000 users have `gift` other than the default"),
        ("token", "3,000 of 3,000 users have a value in `token`"),
    ],
)
def test_values_of_a_column_that_goes(disposable: Make, column: str, sentence: str) -> None:
    database = disposable()
    run(database, USERS)
    evidence = measured(("column", f"public.users.{column}", None, "text"), lived_in=(lost("public.users", column),))
    assert told_of(database, evidence) == [sentence]


def test_names_are_the_users_own(disposable: Make) -> None:
    database = disposable()
    run(
        database,
        """CREATE SCHEMA "Größe"; CREATE TABLE "Größe"."Kunden %s" ("Nr" int PRIMARY KEY, "E-Mail" text DEFAULT 'a%b');
           INSERT INTO "Größe"."Kunden %s" VALUES (1, 'a%b'), (2, 'x'), (3, NULL)""",
    )
    table = '"Größe"."Kunden %s"'
    evidence = measured(("column", f'{table}."E-Mail"', None, "text"), lived_in=(lost(table, '"E-Mail"'),))
    assert told_of(database, evidence) == ['1 of 3 "Größe"."Kunden %s" have `"E-Mail"` other than the default']


def test_tables_and_partitions_that_go(disposable: Make) -> None:
    database = disposable()
    run(
        database,
        """CREATE TABLE x AS SELECT generate_series(1, 1532) AS a;
           CREATE TABLE heirs () INHERITS (x); INSERT INTO heirs VALUES (1);
           CREATE TABLE e (a int PRIMARY KEY) PARTITION BY RANGE (a);
           CREATE TABLE e1 PARTITION OF e FOR VALUES FROM (1) TO (3);
           CREATE TABLE e2 PARTITION OF e FOR VALUES FROM (3) TO (9) PARTITION BY RANGE (a);
           CREATE TABLE e21 PARTITION OF e2 DEFAULT;
           INSERT INTO e SELECT generate_series(1, 8)""",
    )
    evidence = measured(
        ("table", "public.x", None, "TABLE"),
        ("table", "public.e2", None, "TABLE PARTITION OF public.e FOR VALUES FROM (3) TO (9) PARTITION BY RANGE (a)"),
        lived_in=(lost("public.e"), lost("public.x"), lost("public.x", "a")),
    )
    assert told_of(database, evidence) == ["drops e2: 6 of 8 rows of e", "drops table x: 1,532 rows"]


def test_a_table_that_only_gets_another_name_is_not_dropped(disposable: Make) -> None:
    database = disposable()
    run(database, "CREATE TABLE new_name (a int PRIMARY KEY); INSERT INTO new_name VALUES (1)")
    evidence = measured(("table", "public.old_name", "TABLE", None), ("table", "public.new_name", None, "TABLE"))
    with deployed(database, {"r": evidence}) as deployment:
        found = preview(deployment)
    assert (told(found), found.advice) == (["nothing that is there now"], "nothing")


@pytest.mark.parametrize(
    ("now", "was", "values", "number"),
    [
        ("varchar(120)", "character varying(6)", "('short'), ('spaces   '), ('too long'), (NULL)", 2),
        ("text", "character varying(3)", "('ééé'), ('éééé')", 1),
        ("numeric(14,2)", "numeric(4,2)", "(99.99), (100), (-99999), (NULL)", 2),
        ("bigint", "smallint", "(32767), (32768), (-40000)", 2),
        ("double precision", "real", "(0.5), (0.1)", 1),
    ],
)
def test_values_that_another_type_cannot_hold(disposable: Make, now: str, was: str, values: str, number: int) -> None:
    """Also those with which the cast fails, on versions that cannot ask whether it would."""
    database = disposable()
    run(database, f"CREATE TABLE t (a {now}); INSERT INTO t VALUES {values}")
    evidence = measured(("column", "public.t.a", was, now), lived_in=(lost("public.t", "a"),))
    of = values.count("(")
    assert told_of(database, evidence) == [f"{number} of {of} t have a `a` that {was} cannot hold"]


def test_labels_that_go(disposable: Make) -> None:
    database = disposable()
    run(
        database,
        """CREATE TYPE mood AS ENUM ('calm', 'it''s loud'); CREATE TABLE t (a mood, b mood[]);
           INSERT INTO t VALUES ('calm', '{calm}'), ('it''s loud', '{calm,"it''s loud"}'), (NULL, NULL)""",
    )
    evidence = measured(
        ("type", "public.mood", "ENUM ('calm')", "ENUM ('calm', 'it''s loud')"),
        lived_in=(lost("public.t", "a"), lost("public.t", "b")),
    )
    assert told_of(database, evidence) == [
        '1 of 3 t have `a` "it\'s loud"',
        '1 of 3 t have `b` "it\'s loud"',
    ]


OWN = Step(
    "applied", transactional=True, statements=(Statement("ALTER TABLE t ALTER b TYPE varchar(9) USING left(b, 4)"),)
)


@pytest.mark.parametrize(
    ("changes", "loss", "sentence"),
    [
        (
            (), lost("public.t"),
            "deletes rows of t (5 of 8 in the rehearsal); of 3 rows now, not counted: no query tells which rows",
        ),
        (
            (), lost("public.t", "a"),
            "writes over `a` of t (5 of 8 in the rehearsal); of 3 rows now, not counted: no query tells which values",
        ),
        (
            (("column", "public.t.b", "character varying(9)", "text"),), lost("public.t", "b"),
            ("converts `b` of t to character varying(9) (5 of 8 in the rehearsal); of 3 rows now, not counted: "
            "no query tells which values"),
        ),
        (
            (("column", "public.t.c", "timestamp with time zone", "date"),), lost("public.t", "c"),
            ("converts `c` of t to timestamp with time zone (5 of 8 in the rehearsal); of 3 rows now, not counted: "
            "no query tells which values"),
        ),
        ((), lost("public.t", "d"), "writes over `d` of t: 0 of 3"),  # where there is nothing, nothing is lost
    ],
)  # fmt: skip
def test_what_no_query_can_count_is_said_not_to_be(
    disposable: Make, changes: tuple[Any, ...], loss: Loss, sentence: str
) -> None:
    database = disposable()
    run(
        database,
        """CREATE TABLE t (a text, b text, c date, d text);
           INSERT INTO t VALUES ('x', 'y', '2001-01-01', NULL), (NULL, NULL, NULL, NULL), (NULL, NULL, NULL, NULL)""",
    )
    evidence = measured(*changes, lived_in=(loss,), downgrade=OWN)
    assert told_of(database, evidence) == [sentence]


def test_what_the_upgrade_threw_away_is_not_counted_and_said_to_be_gone(disposable: Make) -> None:
    database = disposable()
    run(database, "CREATE TABLE t (a text)")
    gone = (lost("public.t", "a", 4, 4), lost("public.u", None, 1532, 1532))
    evidence = measured(upgrade=gone, untouched=gone, rollback="risky", risk="high")
    with deployed(database, {"r": evidence}) as deployment:
        found = preview(deployment)
    behind = "they are not there any more, so no query can count them"
    assert told(found, "loses", "lost") == [
        "nothing that is there now",
        f"`a` of t: values were lost when it was applied (4 of 4 in the rehearsal); {behind}",
        f"u: rows were lost when it was applied (1,532 of 1,532 in the rehearsal); {behind}",
    ]
    assert conclusion(found)[1] == "roll-back-one-revision"


def test_what_is_not_there_now_is_not_counted(disposable: Make) -> None:
    evidence = measured(("column", "public.t.a", None, "text"), lived_in=(lost("public.t", "a"),))
    assert told_of(disposable(), evidence) == [
        "drops `a` of t; of an unknown number of rows now, not counted: public.t.a is not there now"
    ]


# -- where counting ends ---------------------------------------------------------------------------


LARGE = USERS.replace("1204", "120400").replace("3000", "300000")


def test_a_count_that_does_not_end_is_an_estimate(disposable: Make) -> None:
    database = disposable()
    run(database, LARGE + "; ALTER TABLE users ALTER preferences SET STATISTICS 1000; ANALYZE users")
    evidence = measured(
        ("column", "public.users.preferences", None, "jsonb"),
        ("table", "public.users", None, "TABLE"),
        lived_in=(lost("public.users"),),
    )
    assert told_of(database, evidence, timeout=0.002) == [
        "drops table users: about 300,000 rows (estimate: it takes longer than 0.002 s)"
    ]
    evidence = measured(
        ("column", "public.users.preferences", None, "jsonb"), lived_in=(lost("public.users", "preferences"),)
    )
    assert told_of(database, evidence, timeout=0.002) == [
        (
            "about 120,400 of about 300,000 users have `preferences` other than the default "
            "(estimate: it takes longer than 0.002 s)"
        )
    ]


def test_where_no_statistics_tell_it_is_not_counted(disposable: Make) -> None:
    database = disposable()
    run(database, LARGE.replace("id int PRIMARY KEY", "id int").replace(");", ") WITH (autovacuum_enabled = off);", 1))
    evidence = measured(("column", "public.users.gift", None, "text"), lived_in=(lost("public.users", "gift"),))
    with deployed(database, {"r": evidence}) as deployment:
        found = preview(deployment, timeout=0.002)
    assert told(found) == [
        "drops `gift` of users; of an unknown number of rows now, not counted: it takes longer than 0.002 s"
    ]
    assert found.advice == "lost"  # and not: nothing


def test_tables_that_are_locked_against_readers(disposable: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[preview.__module__], "STRUCTURE_SECONDS", 0.2)
    database = disposable()
    run(database, USERS)
    with psycopg.connect(database.url, application_name="psql") as other:
        other.execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
        with deployed(database, {"r": measured()}) as deployment, pytest.raises(BackoutError) as caught:
            preview(deployment)
        assert str(caught.value) == (
            "the structure of the tables could not be read within 0.2 s; locked against readers: "
            f"users by session {other.info.backend_pid} (psql); wait until that has ended, or end it"
        )


def test_row_security_and_missing_privileges_are_no_zero(disposable: Make, role: str) -> None:
    database = disposable()
    run(
        database,
        f"""CREATE TABLE a (x int PRIMARY KEY, y int); CREATE TABLE b (LIKE a INCLUDING ALL);
            INSERT INTO a VALUES (1, 1); ANALYZE a; ALTER TABLE a ENABLE ROW LEVEL SECURITY;
            GRANT SELECT ON a TO {role}; GRANT SELECT (x) ON b TO {role}""",
    )
    evidence = measured(
        ("column", "public.a.y", None, "integer"),
        ("column", "public.b.y", None, "integer"),
        lived_in=(lost("public.a", "y"), lost("public.b", "y")),
    )
    assert told_of(database, evidence, "loses", "salvage", role=role) == [
        (
            "drops `y` of a; of about 1 rows now, not counted: row security hides rows of it from this role "
            "(estimate: row security hides rows of it from this role)"
        ),
        "drops `y` of b; of an unknown number of rows now, not counted: 42501 permission denied for table b",
        f"cannot keep it: the role {role} may not create a schema in this database: GRANT CREATE ON DATABASE",
        f"cannot keep it: row security hides rows of public.a from the role {role}",
        f"cannot keep it: the role {role} may not read y of public.b",
    ]
    run(database, f"DROP OWNED BY {role}")


# -- on what it fails ------------------------------------------------------------------------------

DEMANDS = """
    CREATE TABLE parents (id int PRIMARY KEY); INSERT INTO parents VALUES (1);
    CREATE TYPE mood AS ENUM ('calm', 'wild');
    CREATE TABLE t (id int PRIMARY KEY, a text, n bigint, p int, m mood);
    INSERT INTO t VALUES (1, 'same', 1, 1, 'calm'), (2, 'same', 70000, 2, 'wild'), (3, NULL, -1, NULL, 'wild');
"""
UNIQUE = "CREATE UNIQUE INDEX t_a ON public.t USING btree (a)"


@pytest.mark.parametrize(
    ("change", "error", "sentence"),
    [
        (("constraint", "public.t.positive", "CHECK ((n > 0))", None), "23514 check", "on 1 rows of t, for positive"),
        (("constraint", "public.t.t_a", "UNIQUE (a)", None), "23505 duplicate", "on 2 rows of t, for t_a"),
        (("index", "public.t_a", UNIQUE, None), "23505 duplicate", "on 2 rows of t, for t_a"),
        (
            ("constraint", "public.t.p_fkey", "FOREIGN KEY (p) REFERENCES public.parents(id)", None),
            "23503 foreign key",
            "on 1 rows of t, for p_fkey",
        ),
        (("column", "public.t.a", "text NOT NULL", "text"), "23502 null", "on 1 rows of t, for t.a"),
        (("column", "public.t.n", "smallint", "bigint"), "22003 out of range", "on 1 rows of t, for t.n"),
        (("column", "public.t.n", "numeric(4,0)", "bigint"), "22003 overflow", "on 1 rows of t, for t.n"),
        (("column", "public.t.a", "character varying(3)", "text"), "22001 too long", "on 2 rows of t, for t.a"),
        (("type", "public.mood", "ENUM ('calm')", "ENUM ('calm', 'wild')"), "22P02 invalid", "on 2 rows of t, for t.m"),
        (("type", "public.mood", "ENUM ('calm')", "ENUM ('calm', 'wild')"), "2BP01 in use", "on 2 rows of t, for t.m"),
        (
            ("table", "public.t", "TABLE", "TABLE"), "RuntimeError copy them first",
            "may fail, as in the rehearsal, on rows: RuntimeError copy them first; not counted: no query counts them",
        ),
        (
            ("constraint", "public.t.positive", "CHECK ((n < 99999))", None), "23514 check",
            "on none of the rows of t that are there now, for positive",
        ),
    ],
)  # fmt: skip
def test_rows_on_which_the_downgrade_fails_are_counted(
    disposable: Make, change: tuple[str, str, str | None, str | None], error: str, sentence: str
) -> None:
    database = disposable()
    run(database, DEMANDS)
    evidence = measured(change, fails=error)
    with deployed(database, {"r": evidence}) as deployment:
        found = preview(deployment)
    assert told(found, "fails") == [sentence]
    assert (found.advice == "fails now") is ("none of the rows" not in sentence)


def test_what_is_lost_after_use_was_not_measured_where_the_downgrade_failed(disposable: Make) -> None:
    """Then whatever the downgrade drops or converts is doomed."""
    database = disposable()
    run(database, DEMANDS)
    evidence = measured(
        ("column", "public.t.a", None, "text"), ("constraint", "public.t.positive", "CHECK ((n < 99999))", None),
        fails="23514 check",
    )  # fmt: skip
    with deployed(database, {"r": evidence}) as deployment:
        found = preview(deployment)
    assert told(found) == [
        "2 of 3 t have `a` other than the default",
        "what else is lost was not measured: in the rehearsal the downgrade failed on what was written",
    ]
    assert found.advice == "kept"
    run(database, "CREATE TABLE empty (n int)")
    bare = measured(("constraint", "public.empty.positive", "CHECK ((n < 99999))", None), fails="23514 check")
    with deployed(database, {"r": bare}) as deployment:
        assert conclusion(preview(deployment)) == (
            "Nothing is lost of what could be measured.",
            "roll-back-one-revision",
        )


# -- whom it blocks, and how it runs ---------------------------------------------------------------


def test_whom_it_blocks_and_how_large_that_is(disposable: Make) -> None:
    database = disposable()
    run(database, USERS + "; ANALYZE users; CREATE TABLE small (a int)")
    locks = (Lock("public.users", "AccessExclusiveLock", ("reads", "writes"), True),)
    small = (Lock("public.small", "ShareLock", ("writes",), True), Lock("public.gone", "ShareLock", ("writes",), True))
    step = Step(
        "applied",
        transactional=False,
        statements=(
            Statement("x", locks=locks, rewrites=("public.users",), indexes=(), scans=(), rows_changed=None),
            Statement("y", locks=small, rewrites=(), indexes=(), scans=(), rows_changed=None),
        ),
    )
    evidence = measured(downgrade=step, schema=Schema((), restored=False))
    with psycopg.connect(database.url) as connection:
        row = connection.execute("SELECT pg_total_relation_size('users')").fetchone()
    assert row is not None
    assert told_of(database, evidence, "blocks", "runs", "leaves") == [
        "small (0 bytes, 0 rows): writes for a moment",
        f"users ({size_of(row[0])}, about 3,000 rows): reads and writes during a rewrite",
        "not in one transaction: a failure may leave half of it",
        "another schema than there was before",
    ]
    unseen = measured(downgrade=Step("applied", statements=(Statement("x"),)))
    assert told_of(disposable(), unseen, "blocks", "runs") == [
        "not known: not all of it could be observed",
        "in one transaction or not: not known",
    ]


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 bytes"), (10239, "10239 bytes"), (10240, "10 kB"), (1024**2 * 11, "11 MB"), (1024**4 * 20, "20 TB")],
)
def test_sizes_as_postgresql_writes_them(disposable: Make, size: int, text: str) -> None:
    with psycopg.connect(disposable().url) as connection:
        assert connection.execute("SELECT pg_size_pretty(%s::bigint)", [size]).fetchone() == (text,)
    assert size_of(size) == text


# -- what to do ------------------------------------------------------------------------------------

ADDED = ("column", "public.users.preferences", None, "jsonb")
GOES = (lost("public.users", "preferences"),)
ONE_STEP = Step("applied", transactional=False, statements=())


@pytest.mark.parametrize(
    ("evidence", "advice", "runbook"),
    [
        (measured(), "nothing", "roll-back-one-revision"),
        (measured(ADDED, lived_in=GOES), "kept", "roll-back-without-losing-data"),
        (measured(ADDED, lived_in=GOES, downgrade=ONE_STEP), "lost", "restore-from-a-backup"),
        (measured(rollback="no", untouched=GOES, upgrade=GOES), "thrown away", "restore-from-a-backup"),
        (measured(downgrade=Step("failed", error="42P01 no"), rollback="no"), "fails", "restore-from-a-backup"),
        (measured(rollback="unproven", unproven=(Unproven(None, "why"),)), "unproven", "restore-from-a-backup"),
        (None, "unproven", "restore-from-a-backup"),
    ],
)
def test_what_to_do(disposable: Make, evidence: Evidence | None, advice: str, runbook: str) -> None:
    database = disposable()
    run(database, USERS)
    with deployed(database, {"r": evidence} if evidence else {}) as deployment:
        found = preview(deployment)
        unproven = preview(deployment, to="base")
    assert (found.advice, conclusion(found)[1]) == (advice, runbook)
    assert found.measured is (evidence is not None)
    assert unproven.advice in ("unproven", "fails")  # there is no evidence of p


def test_what_is_unproven_is_said_so(disposable: Make) -> None:
    evidence = measured(rollback="unproven", risk="unproven", unproven=(Unproven("public.t", "no rows"),))
    labels = "measured", "unproven", "loses"
    assert told_of(disposable(), evidence, *labels) == ["risk unproven, rollback unproven", "public.t: no rows"]
    with deployed(disposable(), {}) as deployment:
        stale = preview(replace(deployment, stale=frozenset({"r"})))
        missing = preview(deployment)
    assert told(stale, *labels) == ["unproven: not measured", "its evidence is of other files"]
    assert told(missing, *labels) == ["unproven: not measured", "there is no evidence of it"]


def test_what_cannot_be_rolled_back_is_refused(disposable: Make) -> None:
    with deployed(disposable(), {}, at="unknown") as deployment, pytest.raises(Refused) as caught:
        preview(deployment)
    assert str(caught.value) == (
        "the database is at unknown, and no file of the chain has it; "
        "check out the code that was deployed, then look again"
    )
    with deployed(disposable(), {}) as deployment, pytest.raises(Refused) as caught:
        preview(deployment, to="r")
    assert str(caught.value) == "the database is at r already; there is nothing to roll back"


def test_it_reads_only_and_sees_one_moment(disposable: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    module = sys.modules[preview.__module__]
    read = module.read_tables
    seen: list[Any] = []

    def look(connection: psycopg.Connection[Any], ignored: frozenset[str]) -> Any:
        names = ("transaction_read_only", "default_transaction_read_only", "transaction_isolation", "row_security")
        seen.extend(connection.execute(f"SHOW {name}".encode()).fetchone()[0] for name in names)  # type: ignore[index]
        return read(connection, ignored)

    monkeypatch.setattr(module, "read_tables", look)
    database = disposable()
    run(database, USERS)
    evidence = measured(ADDED, ("column", "public.users.gift", "character varying(1)", "text"), fails="22001 x")
    assert told_of(database, evidence) == [
        "1,000 of 3,000 users have a `gift` that character varying(1) cannot hold",
        "1,204 of 3,000 users have `preferences` other than the default",
        "what else is lost was not measured: in the rehearsal the downgrade failed on what was written",
    ]
    assert seen == ["on", "on", "repeatable read", "off"]


@pytest.mark.parametrize(
    ("definition", "type_"),
    [
        ("character varying(60) NOT NULL", "character varying(60)"),
        ("timestamp(0) with time zone NOT NULL DEFAULT now()", "timestamp(0) with time zone"),
        ('text COLLATE "C" NOT NULL', "text"),
        ("bigint CONSTRAINT events_id_not_null NOT NULL", "bigint"),
        ("numeric GENERATED ALWAYS AS ((price * 1.19)) STORED", "numeric"),
        ('"Größe"."Maß"[] DEFAULT \'{}\'', '"Größe"."Maß"[]'),
    ],
)
def test_the_type_in_a_definition(definition: str, type_: str) -> None:
    assert type_of(definition) == type_


@pytest.mark.parametrize(
    ("default", "constant"),
    [
        ("'en'::character varying", True), ("false", True), ("'-1'::integer", True), ("(-1)", True), ("0.5", True),
        ("'it''s'::text", True), ("now()", False), ("nextval('s'::regclass)", False), (None, False),
        ("('a'::text || 'b'::text)", False),
    ],
)  # fmt: skip
def test_constant_defaults(default: str | None, constant: bool) -> None:
    assert is_constant(default) is constant


# -- the command -----------------------------------------------------------------------------------


@pytest.fixture
def at_head(disposable: Make, monkeypatch: pytest.MonkeyPatch) -> Database:
    """The repository's own chain, with its sample rows."""
    database = disposable(revision="head", rows="sample")
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("DATABASE_URL", database.url)
    return database


def command(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


OWN_CHAIN = """\
60b021ff3ca5: add users.preferences
  measured risk low, rollback yes if unused
  loses    14 of 25 users have `preferences` other than the default
  blocks   users (48 kB, 25 rows): reads and writes for a moment
  runs     in one transaction: a failure changes nothing
  salvage  can keep users.preferences

It fails on rows that are there, or may; a human must say what becomes of them
  first.
Runbook: roll-back-to-a-revision
"""


def test_the_command_tells_in_80_columns(at_head: Database) -> None:
    done = command("preview", "--to", "base")
    assert done.exit_code == 0
    assert max(map(len, done.stdout.splitlines())) <= 80
    before, _, rest = OWN_CHAIN.partition("\n\n")
    assert f"\n{before}\n\n" in done.stdout
    assert done.stdout.endswith(f"\n\n{rest}")
    values = json.loads(command("preview", "--to", "base", "--json").stdout)
    assert (values["format"], values["version"], values["advice"]) == ("backout/preview", 1, "fails now")
    assert (values["runbook"], values["to"]) == ("roll-back-to-a-revision", [])
    by_name = {one["revision"]: one for one in values["revisions"]}
    assert len(by_name) == 28
    (loss,) = by_name["60b021ff3ca5"]["losses"]
    assert (loss["lost"], loss["rows"]) == (
        {"number": 14, "basis": "counted", "why": ""},
        {"number": 25, "basis": "counted", "why": ""},
    )
    assert {"about": "loses", "text": "3 of 40 content_jobs have `status` 'cancelled'"} in by_name["33ab76c18ce9"][
        "told"
    ]


def test_the_last_revision_is_the_default_and_exit_codes_tell(
    at_head: Database, tmp_path: Path, monkeypatch: Any
) -> None:
    done = command("preview")
    assert (done.exit_code, done.stdout.splitlines()[-1]) == (0, "Runbook: roll-back-one-revision")
    refused = command("preview", "--to", "7f544264830f")
    assert (refused.exit_code, refused.stderr) == (
        3,
        "error: the database is at 7f544264830f already; there is nothing to roll back\n",
    )
    assert command("preview", "--to", "nonsense").exit_code == 2


def test_nothing_measured_is_no_success(small_chain: Any, disposable: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    small_chain.add("a1", "op.execute('CREATE TABLE t (a int)')", "op.drop_table('t')")
    database = disposable()
    monkeypatch.chdir(small_chain.root)
    monkeypatch.setenv("DATABASE_URL", database.url)
    run(
        database,
        """CREATE TABLE alembic_version (version_num text); INSERT INTO alembic_version VALUES ('a1');
           CREATE TABLE t (a int)""",
    )
    done = command("preview")
    assert done.exit_code == 1
    assert done.stdout.splitlines()[4:] == [
        "a1: a revision of the test",
        "  measured unproven: not measured",
        "  unproven there is no evidence of it",
        "",
        "What it loses is not known. Measure it first: backout rehearse; until then only",
        "  a backup is safe.",
        "Runbook: restore-from-a-backup",
    ]
    assert done.stderr == "error: nothing of this rollback was measured; measure it: backout rehearse\n"
