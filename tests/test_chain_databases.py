"""backout.chain: disposable databases with a chain's schema and its sample rows."""

import shutil
from pathlib import Path
from typing import Any

import psycopg
import pytest

from backout.chain import database_at
from backout.configuration import Project
from backout.errors import BackoutError, ConfigurationError
from backout.postgres import Database, Server


def write_chain(root: Path, upgrade: str = "op.create_table('t', sa.Column('name', sa.Text))") -> Path:
    (root / "alembic" / "versions").mkdir(parents=True)
    (root / "of_this_test").write_text(str(root))  # templates are shared by content
    (root / "src").mkdir()
    (root / "src" / "of_the_project.py").write_text("ROW = 'from src'\n")
    (root / "alembic.ini").write_text("[alembic]\nscript_location = %(here)s/alembic\npath_separator = os\n")
    (root / "alembic" / "env.py").write_text(
        "import os, sqlalchemy\nimport of_the_project\nfrom alembic import context\n"
        "open('../runs', 'a').write('x')\n"
        "engine = sqlalchemy.create_engine(os.environ['DATABASE_URL'], poolclass=sqlalchemy.NullPool)\n"
        "with engine.connect() as connection:\n    context.configure(connection=connection)\n"
        "    with context.begin_transaction():\n        context.run_migrations()\n"
    )
    for number, parent, text in (("1", None, upgrade), ("2", "1", "op.add_column('t', sa.Column('more', sa.Text))")):
        (root / "alembic" / "versions" / f"{number}.py").write_text(
            f"import sqlalchemy as sa\nfrom alembic import op\nrevision = {number!r}\ndown_revision = {parent!r}\n"
            f"def upgrade():\n    {text}\n\ndef downgrade():\n    pass\n"
        )
    return root


def rows(database: Database, statement: Any) -> list[tuple[Any, ...]]:
    with psycopg.connect(database.url) as connection:
        return connection.execute(statement).fetchall()


COLUMNS = "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass('t') AND attnum > 0 ORDER BY attnum"


@pytest.mark.parametrize(("revision", "columns"), [("1", ["name"]), ("head", ["name", "more"]), ("base", [])])
def test_a_database_at_a_revision(tmp_path: Path, backout_server: Server, revision: str, columns: list[str]) -> None:
    database = database_at(backout_server, Project(root=write_chain(tmp_path / "project")), revision)
    assert [name for (name,) in rows(database, COLUMNS)] == columns
    backout_server.drop(database)


def test_the_chain_is_run_once_and_every_database_is_its_own(tmp_path: Path, backout_server: Server) -> None:
    """Also for a copy of the project; another chain is another one."""
    project = Project(root=write_chain(tmp_path / "project"))
    first, second = (database_at(backout_server, project, "head") for _ in range(2))
    with psycopg.connect(first.url) as connection:
        connection.execute("DROP TABLE t")
    third = database_at(backout_server, Project(root=shutil.copytree(project.root, tmp_path / "copy")), "head")
    assert [len(rows(database, COLUMNS)) for database in (first, second, third)] == [0, 2, 2]
    assert (tmp_path / "runs").read_text() == "x"
    revision = tmp_path / "copy" / "alembic" / "versions" / "2.py"
    revision.write_text(revision.read_text().replace("'more'", "'other'"))
    changed = database_at(backout_server, Project(root=tmp_path / "copy"), "head")
    assert rows(changed, COLUMNS) == [("name",), ("other",)]
    assert (tmp_path / "runs").read_text() == "xx"
    for database in (first, second, third, changed):
        backout_server.drop(database)


def test_sample_rows(tmp_path: Path, backout_server: Server) -> None:
    command = "python -c 'import of_the_project as p; print(p.ROW)' | psql -Xqc 'COPY t (name) FROM STDIN'"
    project = Project(root=write_chain(tmp_path / "project"), sample=command)
    database = database_at(backout_server, project, "head", "sample")
    assert rows(database, "SELECT name FROM t") == [("from src",)]
    without = database_at(backout_server, project, "head")
    assert rows(without, "SELECT name FROM t") == []
    for each in (database, without):
        backout_server.drop(each)


def databases(server: Server) -> set[str]:
    """Of this process alone; others may use the server, too."""
    probe = server.create()
    server.drop(probe)
    with psycopg.connect(server.url) as connection:
        names = {name for (name,) in connection.execute("SELECT datname FROM pg_database")}
    return {name for name in names if name.startswith(probe.name.rpartition("_")[0])}


def test_a_chain_that_fails(tmp_path: Path, backout_server: Server) -> None:
    before = databases(backout_server)
    project = Project(root=write_chain(tmp_path / "project", "raise RuntimeError('no upgrade today')"))
    with pytest.raises(BackoutError) as failure:
        database_at(backout_server, project, "head")
    first, *_, last = str(failure.value).splitlines()
    assert first == f"alembic upgrade head failed in {tmp_path}/project with exit status 1; it printed"
    assert last == "    RuntimeError: no upgrade today"
    assert databases(backout_server) == before


def test_sample_rows_that_fail(tmp_path: Path, backout_server: Server) -> None:
    before = databases(backout_server)
    project = Project(root=write_chain(tmp_path / "project"), sample="echo one; false | cat")
    with pytest.raises(BackoutError) as failure:
        database_at(backout_server, project, "head", "sample")
    assert (
        str(failure.value)
        == f"echo one; false | cat failed in {tmp_path}/project with exit status 1; it printed\n    one"
    )
    with pytest.raises(ConfigurationError) as missing:
        database_at(backout_server, Project(root=tmp_path / "project"), "head", "sample")
    assert str(missing.value) == (
        "sample rows were asked for, and [tool.backout] in pyproject.toml names no sample command; "
        'add sample = "COMMAND"'
    )
    assert databases(backout_server) == before
