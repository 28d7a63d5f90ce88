"""What a database is at, what is pending and what a rollback undoes; whatever the chain looks like."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from backout import production
from backout.errors import BackoutError, ConfigurationError, PostgresError, Refused
from backout.evidence import Schema
from backout.masking import Masking
from backout.postgres import Database, Server
from backout.production import Deployment, open_deployment
from backout.worker import MIGRATING, Target

Make = Callable[..., Database]


def execute(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)  # type: ignore[arg-type]


def at(url: str, *revisions: str, table: str = "alembic_version") -> None:
    """Put a database at these revisions, without running any."""
    execute(url, f"CREATE TABLE {table} (version_num varchar(32) PRIMARY KEY)")
    execute(url, *(f"INSERT INTO {table} VALUES ('{revision}')" for revision in revisions))


@pytest.fixture(scope="module")
def branched(
    backout_server: Server, make_chain: Callable[[Path], Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    """a1 → b2 and c3 → d4, which merges them → e5, which also needs x1, of a branch of its own → y2."""
    chain = make_chain(tmp_path_factory.mktemp("branched") / "crew")
    chain.add("a1")
    chain.add("b2", parents=("a1",))
    chain.add("c3", parents=("a1",))
    chain.add("d4", parents=("b2", "c3"))
    chain.add("x1", parents=())
    chain.add("e5", parents=("d4",), needs="x1")
    chain.add("y2", parents=("x1",))
    database = backout_server.create()
    with open_deployment(Target(chain.root / "alembic.ini"), database.url, Masking()) as deployment:
        yield deployment
    backout_server.drop(database)


# -- DATABASE_URL -----------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [None, "", "  "])
def test_the_database_must_be_named(value: str | None) -> None:
    with pytest.raises(ConfigurationError) as caught:
        production.database_url({} if value is None else {"DATABASE_URL": value})
    assert str(caught.value) == (
        "DATABASE_URL is not set: set it to postgresql://user@host:port/database, "
        "or, for a disposable one: backout postgres --revision head --sample"
    )


@pytest.mark.parametrize("value", ["crew", "mysql://crew:secret@db/crew", "postgresql://crew:sec%zzret@db/crew"])
def test_what_is_no_url_is_not_quoted(value: str) -> None:
    """It may hold a password."""
    with pytest.raises(ConfigurationError) as caught:
        production.database_url({"DATABASE_URL": value})
    assert str(caught.value) == (
        "DATABASE_URL cannot be read; write postgresql://user@host:port/database, "
        "with special characters percent-encoded (manual, section Connection URIs)"
    )


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg", "postgres+asyncpg"])
def test_the_forms_of_sqlalchemy_are_understood(scheme: str) -> None:
    assert production.database_url({"DATABASE_URL": f" {scheme}://crew@db:5433/crew "}) == (
        "postgresql://crew@db:5433/crew"
    )


def test_the_variable_is_read_when_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://crew@db/crew")
    assert production.database_url() == "postgresql://crew@db/crew"


# -- open_deployment --------------------------------------------------------------------------------


def test_a_database_that_does_not_answer(small_chain: Any, tmp_path: Path) -> None:
    url = f"postgresql://crew:secret@/crew?host={tmp_path}&port=5432"
    with pytest.raises(PostgresError) as caught, open_deployment(_target(small_chain), url, Masking()):
        pass
    assert str(caught.value) == (
        f"could not connect to postgresql://crew:***@/crew?host={tmp_path}&port=5432: "
        f"{str(caught.value.__cause__).strip()}; see that the server runs, and that it lets you in"
    )


def test_the_chain_is_looked_for_where_it_was_said(disposable: Make, tmp_path: Path) -> None:
    target = Target(tmp_path / "alembic.ini")
    with pytest.raises(ConfigurationError) as caught, open_deployment(target, disposable().url, Masking()):
        pass
    assert str(caught.value) == (
        f"{tmp_path}/alembic.ini does not exist; name the Alembic configuration of the project, "
        "an ini file or a pyproject.toml"
    )


def test_an_env_that_fails_is_told(small_chain: Any, disposable: Make) -> None:
    small_chain.add("a1")
    (small_chain.root / "alembic" / "env.py").write_text("raise RuntimeError('no settings')\n")
    database = disposable()
    with pytest.raises(BackoutError) as caught, open_deployment(_target(small_chain), database.url, Masking()):
        pass
    where = _description(database.url)
    assert str(caught.value) == (
        f"alembic/env.py:1: env.py failed on {where}, without a revision and read-only: RuntimeError: no settings; "
        "mend it, or give it what it needs: --python, --env, --set, -x or --hooks"
    )


def test_an_env_that_migrates_nothing_is_told(small_chain: Any, disposable: Make) -> None:
    small_chain.add("a1")
    (small_chain.root / "alembic" / "env.py").write_text("")
    with pytest.raises(BackoutError) as caught, open_deployment(_target(small_chain), disposable().url, Masking()):
        pass
    assert str(caught.value) == "env.py came to its end and had not asked for any migrations; see that it runs them"


def test_an_env_that_writes_before_anybody_agreed_may_not(small_chain: Any, disposable: Make) -> None:
    small_chain.add("a1")
    env = small_chain.root / "alembic" / "env.py"
    text = env.read_text()
    assert "    context.configure" in text
    env.write_text(
        text.replace(
            "    context.configure", "    connection.exec_driver_sql('CREATE SCHEMA early')\n    context.configure", 1
        )
    )
    database = disposable()
    with pytest.raises(BackoutError) as caught, open_deployment(_target(small_chain), database.url, Masking()):
        pass
    assert str(caught.value) == (
        f"alembic/env.py:6: env.py failed on {_description(database.url)}, without a revision and read-only: "
        "InternalError: cannot execute CREATE SCHEMA in a read-only transaction; "
        "mend it, or give it what it needs: --python, --env, --set, -x or --hooks"
    )


def test_opening_changes_nothing(small_chain: Any, disposable: Make) -> None:
    small_chain.add("a1")
    database = disposable()
    with open_deployment(_target(small_chain), database.url, Masking()) as deployment:
        assert deployment.current() == ()
        assert deployment.version_tables == {"public.alembic_version"}
    with psycopg.connect(database.url) as connection:
        assert connection.execute("SELECT to_regclass('alembic_version')").fetchone() == (None,)


def test_opening_waits_for_no_step(small_chain: Any, disposable: Make) -> None:
    """Nor does it hold what tells a runner that a step still runs."""
    small_chain.add("a1")
    database = disposable()
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [MIGRATING])
        with open_deployment(_target(small_chain), database.url, Masking()) as deployment:
            assert deployment.current() == ()


def test_evidence_of_other_files_is_none(crew: Any, disposable: Make) -> None:
    for name in ("e5_email_required", "f6_email_unique"):
        with (crew.root / "alembic" / "versions" / f"{name}.py").open("a") as file:
            file.write("# changed\n")
    (crew.root / "alembic" / "evidence" / "f6.json").unlink()
    with crew.open(disposable().url) as deployment:
        assert sorted(deployment.evidence) == ["a1", "b2", "c3", "d4"]
        assert deployment.stale == {"e5"}


def test_a_file_that_is_no_evidence_is_an_error(crew: Any, disposable: Make) -> None:
    path = crew.root / "alembic" / "evidence" / "a1.json"
    path.write_text("{")
    with pytest.raises(ConfigurationError) as caught, crew.open(disposable().url):
        pass
    assert str(caught.value).startswith(f"{path}")


# -- current ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("revisions", [(), ("b2", "c3"), ("zz",)])
def test_current_is_what_the_database_says(branched: Deployment, disposable: Make, revisions: tuple[str, ...]) -> None:
    database = disposable()
    assert _elsewhere(branched, database).current() == ()
    at(database.url, *reversed(revisions))
    assert _elsewhere(branched, database).current() == revisions


def test_several_version_tables_are_one_answer(small_chain: Any, disposable: Make) -> None:
    """Of an env.py that keeps a table for each part, one of them where a name needs quotes."""
    small_chain.add("a1")
    (small_chain.root / "alembic" / "env.py").write_text(
        "import os\n"
        "import sqlalchemy\n"
        "from alembic import context\n"
        "engine = sqlalchemy.create_engine(os.environ['DATABASE_URL'], poolclass=sqlalchemy.NullPool)\n"
        "with engine.connect() as connection:\n"
        "    for table, schema in (('alembic_version', None), ('Versions', 'of parts')):\n"
        "        context.configure(connection=connection, version_table=table, version_table_schema=schema)\n"
        "        with context.begin_transaction():\n"
        "            context.run_migrations()\n"
    )
    database = disposable()
    execute(database.url, 'CREATE SCHEMA "of parts"')
    at(database.url, "a1")
    at(database.url, "b2", table='"of parts"."Versions"')
    with open_deployment(_target(small_chain), database.url, Masking()) as deployment:
        assert deployment.version_tables == {"public.alembic_version", '"of parts"."Versions"'}
        assert deployment.current() == ("a1", "b2")
        assert deployment.unknown(deployment.current()) == ("b2",)


# -- revision ---------------------------------------------------------------------------------------


def test_a_revision_is_named_by_its_beginning(branched: Deployment) -> None:
    assert branched.revision("e").id == "e5"


def test_a_revision_that_is_none(branched: Deployment) -> None:
    with pytest.raises(ConfigurationError) as caught:
        branched.revision("zz")
    assert str(caught.value) == "'zz' is no revision of the chain: none starts so; alembic history lists them"
    with pytest.raises(ConfigurationError) as caught:
        branched.revision("")
    assert str(caught.value) == "'' is no revision of the chain: 7 start so; alembic history lists them"


# -- applied and pending ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("current", "to", "applied", "pending"),
    [
        ((), None, "", "a1 b2 c3 d4 x1 e5 y2"),
        ((), "c3", "", "a1 c3"),
        (("a1",), None, "a1", "b2 c3 d4 x1 e5 y2"),
        (("b2",), "d4", "a1 b2", "c3 d4"),
        (("b2", "c3"), "d4", "a1 b2 c3", "d4"),
        (("d4",), "e5", "a1 b2 c3 d4", "x1 e5"),
        (("e5",), None, "a1 b2 c3 d4 x1 e5", "y2"),
        (("e5",), "b2", "a1 b2 c3 d4 x1 e5", ""),
        (("e5", "y2"), None, "a1 b2 c3 d4 x1 e5 y2", ""),
        (("zz",), "a1", "", "a1"),
    ],
)
def test_applied_and_pending(
    branched: Deployment, current: tuple[str, ...], to: str | None, applied: str, pending: str
) -> None:
    """Branches, a merge, a dependency, and a revision that nobody knows."""
    assert _names(branched.applied(current)) == applied
    assert _names(branched.pending(current, to)) == pending


def test_what_no_file_has_is_unknown(branched: Deployment) -> None:
    assert branched.unknown(("a1", "yy", "zz")) == ("yy", "zz")


# -- undone -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("current", "to", "undone"),
    [
        (("a1",), "-1", "a1"),
        (("b2",), "-1", "b2"),
        (("e5",), "-1", "e5"),
        (("e5",), "d4", "e5"),
        (("e5",), "x1", "e5"),
        (("e5",), "b2", "e5 d4"),
        (("e5",), "a1", "e5 d4 c3 b2"),
        (("e5", "y2"), "x1", "y2 e5"),
        (("b2", "c3"), "a1", "c3 b2"),
        (("d4",), "base", "d4 c3 b2 a1"),
    ],
)
def test_a_rollback_undoes_what_was_built_on_where_it_stays(
    branched: Deployment, current: tuple[str, ...], to: str, undone: str
) -> None:
    assert _names(branched.undone(current, to)) == undone


@pytest.mark.parametrize(
    ("current", "to", "message"),
    [
        ((), "-1", "the database has no revision; there is nothing to roll back"),
        ((), "base", "the database has no revision; there is nothing to roll back"),
        (
            ("b2", "c3"),
            "-1",
            "the database is at 2 heads (b2, c3); name the revision to stay at: --to REVISION",
        ),
        (
            ("d4",),
            "-1",
            (
                "d4 merges b2 and c3; rolling back a merge leaves two heads, so name the revision to stay at: "
                "--to REVISION"
            ),
        ),
        (
            ("zz",),
            "-1",
            (
                "the database is at zz, and no file of the chain has it; "
                "check out the code that was deployed; runbook: missing-revision-file"
            ),
        ),
        (("b2",), "e5", "the database is at b2, which e5 is not below; it was not applied"),
        (("b2",), "b2", "the database is at b2 already; there is nothing to roll back"),
    ],
    ids=["nothing", "nothing to base", "several heads", "merge", "missing file", "above", "there already"],
)
def test_a_rollback_that_is_not_clear_is_refused(
    branched: Deployment, current: tuple[str, ...], to: str, message: str
) -> None:
    with pytest.raises(Refused) as caught:
        branched.undone(current, to)
    assert str(caught.value) == message


def test_what_was_applied_on_top(branched: Deployment) -> None:
    d4, x1 = branched.revision("d4"), branched.revision("x1")
    assert branched.built_on([d4], ("d4",)) == ()
    assert branched.built_on([d4], ("e5", "y2")) == ("e5",)
    assert branched.built_on([d4, x1], ("e5", "y2")) == ("e5", "y2")


# -- expected ---------------------------------------------------------------------------------------


def test_the_schema_is_the_fold_of_what_was_measured(crew: Any, disposable: Make) -> None:
    with crew.open(disposable().url) as deployment:
        first = deployment.expected(deployment.chain.revisions[:1])
        second = deployment.expected(deployment.chain.revisions[:2])
        assert first is not None
        assert second is not None
        assert ("table", "public.people") in first
        assert second.keys() - first.keys() == {("column", "public.people.nickname")}
        assert first.items() <= second.items()


def test_without_evidence_of_one_nothing_is_expected(crew: Any, disposable: Make) -> None:
    with crew.open(disposable().url) as deployment:
        revisions = deployment.chain.revisions[:2]
        b2 = deployment.evidence["b2"]
        for evidence in (
            {"a1": deployment.evidence["a1"]},
            {**deployment.evidence, "b2": replace(b2, schema=Schema())},
        ):
            lacking = replace(deployment, evidence=evidence)
            assert lacking.expected(revisions) is None
            assert lacking.expected(revisions[:1]) is not None


def _target(chain: Any) -> Target:
    return Target(chain.root / "alembic.ini")


def _names(revisions: Any) -> str:
    return " ".join(one.id for one in revisions)


def _elsewhere(deployment: Deployment, database: Database) -> Deployment:
    """The same chain, deployed to another database of the same server."""
    parameters = {**deployment.real.parameters, "dbname": database.name}
    return replace(deployment, real=replace(deployment.real, parameters=parameters))


def _description(url: str) -> str:
    with psycopg.connect(url) as connection:
        info = connection.info
        version = str(info.parameter_status("server_version")).split()[0]
        return f"the database {info.dbname} at {info.host}:{info.port} as {info.user}, PostgreSQL {version}"
