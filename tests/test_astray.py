"""A project that wants to its own database by every way it knows: backout rehearse and check leave that as it was."""

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import psycopg
import pytest
from psycopg import conninfo

from backout.postgres import Server, open_server

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="NOT CHECKED: inherited sockets are POSIX's")

SAMPLES = Path(__file__).parent / "samples" / "projects"
PROGRAMS = Path(sys.executable).parent
WRITTEN = "postgresql://shop:secret@production.example/shop"  # in the sample's settings
WAYS = re.findall(r"^def (by_\w+)", (SAMPLES / "astray" / "app" / "ways.py").read_text(), re.MULTILINE)

POPULATE = """
    CREATE TABLE customers (id int PRIMARY KEY, name text NOT NULL);
    CREATE TABLE invoices (id serial PRIMARY KEY, customer_id int REFERENCES customers, total numeric(9, 2));
    CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY);
    INSERT INTO customers SELECT number, 'customer ' || number FROM generate_series(1, 200) AS number;
    INSERT INTO invoices (customer_id, total) SELECT id, id * 1.25 FROM customers;
    INSERT INTO alembic_version VALUES ('customers');
"""


@dataclass(frozen=True)
class Production:
    """Somebody's populated database, and the server that it is on.

    :param address: a URL, with a password where one is wanted; ``{}`` stands for the database.
    """

    server: Server
    address: str
    name: str = "shop"

    @property
    def url(self) -> str:
        return self.address.format(self.name)

    def rows(self, query: str) -> list[tuple[object, ...]]:
        return rows(self.url, query)

    def of_server(self, query: str) -> list[tuple[object, ...]]:
        """Without a session in the database itself."""
        return rows(self.address.format("postgres"), query)

    def populate(self) -> Self:
        self.of_server(f"CREATE DATABASE {self.name}")
        self.of_server(f"ALTER DATABASE {self.name} SET search_path = public")
        self.rows(POPULATE)
        return self

    def copy(self) -> "Production":
        self.of_server(f"CREATE DATABASE copy TEMPLATE {self.name}")
        return replace(self, name="copy")

    def content(self) -> list[object]:
        """What pg_dump writes of it, and the sum of every table with the places of its rows."""
        command = [self.server.binaries.program("pg_dump"), "--create", self.url]
        dump = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        lines = [line for line in dump.splitlines() if not re.match(r"\\(un)?restrict ", line)]  # by a random word
        tables = "SELECT oid::regclass FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
        sums = "SELECT count(*), md5(string_agg(format('%s %s %s', one, xmin, ctid), '' ORDER BY ctid)) FROM {} AS one"
        return [lines, *((name, self.rows(sums.format(name))) for (name,) in self.rows(f"{tables} ORDER BY 1"))]

    def neighbours(self) -> list[tuple[object, ...]]:
        """Names and settings of the server's databases and roles."""
        return self.of_server(
            "SELECT datname, datacl::text FROM pg_database UNION ALL SELECT rolname, NULL FROM pg_roles UNION ALL "
            "SELECT setdatabase::text, setconfig::text FROM pg_db_role_setting ORDER BY 1, 2"
        )

    def sessions(self) -> list[tuple[object, ...]]:
        """How many there were in the database until now."""
        return self.of_server(f"SELECT sessions FROM pg_stat_database WHERE datname = '{self.name}'")

    def variables(self, services: Path) -> dict[str, str]:
        """All that lead to it, and the programs of its server."""
        parameters = {name: str(value) for name, value in conninfo.conninfo_to_dict(self.url).items()}
        named = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD", "dbname": "PGDATABASE"}
        address = "" if parameters["host"].startswith("/") else f"hostaddr={parameters['host']}\n"
        services.write_text("[shop]\n" + "".join(f"{name}={value}\n" for name, value in parameters.items()) + address)
        return {
            "DATABASE_URL": self.url,
            **{variable: parameters[name] for name, variable in named.items() if name in parameters},
            "PGSERVICE": "shop",
            "PGSERVICEFILE": str(services),
            "PATH": f"{self.server.binaries.directory}{os.pathsep}{os.environ['PATH']}",
        }


def rows(url: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(query)  # type: ignore[arg-type]
        return cursor.fetchall() if cursor.description else []


@pytest.fixture(scope="module")
def behind_a_password() -> Iterator[Production]:
    """On a server of its own, by TCP."""
    with open_server("embedded", transport="tcp") as server:
        password = secrets.token_hex(8)
        rows(server.url, f"CREATE ROLE shop LOGIN SUPERUSER PASSWORD '{password}'")
        place = conninfo.conninfo_to_dict(server.url)
        yield Production(server, f"postgresql://shop:{password}@{place['host']}:{place['port']}/{{}}").populate()


@pytest.fixture(scope="module")
def beside() -> Iterator[Production]:
    """On the server on which the rehearsals' databases are made, too."""
    with open_server("embedded") as server:
        yield Production(server, server.url.replace("/postgres?", "/{}?")).populate()


def project(folder: Path, production: Production) -> tuple[Path, dict[str, str]]:
    """A copy of the sample project that wants to that database, and the environment to run it in."""
    root = Path(shutil.copytree(SAMPLES / "astray", folder / "astray", ignore=shutil.ignore_patterns("__pycache__")))
    settings = root / "app" / "settings.py"
    settings.write_text(settings.read_text().replace(WRITTEN, production.url))
    variables = production.variables(folder / "services")
    lines = {name: value for name, value in variables.items() if name != "PATH"}
    (root / ".env").write_text("".join(f"{name}={value}\n" for name, value in lines.items()))
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return root, {**inherited, **variables}


def backout(*arguments: str, root: Path, environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """The command, which is to end with what the sample's revisions lose."""
    command = [PROGRAMS / "backout", *arguments]
    done = subprocess.run(command, cwd=root, env=environ, check=False, capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    return done


def arrived(root: Path) -> None:
    """All that the project did, it did: somewhere."""
    for name in ("customers", "orders"):
        evidence = json.loads((root / "migrations" / "evidence" / f"{name}.json").read_text())
        assert [evidence[step]["outcome"] for step in ("upgrade", "downgrade", "reupgrade")] == ["applied"] * 3
    assert [one["column"] for one in evidence["loss"]["upgrade"]] == ["name"]  # the harm, on backout's own rows


def test_without_backout_every_way_leads_to_the_database(tmp_path: Path, beside: Production) -> None:
    """So that the tests below could fail."""
    copy = beside.copy()
    before = copy.content()
    root, environ = project(tmp_path, copy)
    command = [PROGRAMS / "alembic", "upgrade", "head"]
    done = subprocess.run(command, cwd=root, env=environ, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert copy.content() != before
    visits = [str(way) for (way,) in copy.rows("SELECT way FROM visits")]
    for place in ("import", "upgrade"):
        assert [way.removeprefix(f"{place} ") for way in visits if way.startswith(place)] == WAYS
    assert len([way for way in visits if way.startswith("env.py ")]) == 5
    assert copy.rows("SELECT count(*) FROM customers WHERE name LIKE 'customer%'") == [(0,)]


def test_a_database_on_another_server_is_not_even_connected_to(tmp_path: Path, behind_a_password: Production) -> None:
    production = behind_a_password
    root, environ = project(tmp_path, production)
    before, neighbours = production.content(), production.neighbours()
    sessions = production.sessions()
    done = backout("rehearse", "--jobs", "2", "--postgres", "embedded", root=root, environ=environ)
    assert production.sessions() == sessions
    assert (production.content(), production.neighbours()) == (before, neighbours)
    assert production.sessions() != sessions  # our own just now: they are counted
    arrived(root)
    written = "".join(path.read_text() for path in (root / "migrations" / "evidence").iterdir())
    assert environ["PGPASSWORD"] not in done.stdout + done.stderr + written


def test_a_database_beside_those_of_a_rehearsal_is_untouched(tmp_path: Path, beside: Production) -> None:
    root, environ = project(tmp_path, beside)
    before, neighbours = beside.content(), beside.neighbours()
    backout("rehearse", "--jobs", "2", root=root, environ={**environ, "BACKOUT_POSTGRES": beside.url})
    arrived(root)
    assert (beside.content(), beside.neighbours()) == (before, neighbours)
    done = backout("check", "--postgres", beside.url, root=root, environ=environ)
    assert "does not say what was measured" not in done.stdout
    assert "is missing" not in done.stdout
    assert (beside.content(), beside.neighbours()) == (before, neighbours)


def test_a_program_that_is_told_an_address_gets_there_and_the_report_says_that_it_was_not_seen(
    tmp_path: Path, beside: Production
) -> None:
    """The limit, as the documentation tells it."""
    told = replace(beside, name="told").populate()
    root = Path(shutil.copytree(SAMPLES / "programs", tmp_path / "programs"))
    (root / "address.txt").write_text(told.url)
    done = subprocess.run(
        [PROGRAMS / "backout", "rehearse", "--postgres", beside.server.handle()],
        cwd=root, check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert told.rows("SELECT to_regclass('there')::text") == [("there",)]
    evidence = json.loads((root / "migrations" / "evidence" / "elsewhere.json").read_text())
    started = "statements of psql, started at migrations/versions/elsewhere.py:15"
    assert [one["reason"] for one in evidence["unproven"]] == [f"statements were not seen: {started}"]
    assert evidence["rollback"] == "unproven"
