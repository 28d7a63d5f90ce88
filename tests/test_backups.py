"""Backups: what a manifest says, that everything comes back, and which receipts stand. Faults: test_backups_faults."""

import json
import os
import re
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from backout import backups
from backout.backups.contents import Contents, SchemaObject, TableContents, differences
from backout.errors import BackoutError, ConfigurationError, PostgresError, Refused
from backout.postgres import Database, RealDatabase, Server, installed, open_server, real_database

Make = Callable[..., Database]

LIVED = Path(__file__).parent / "samples" / "backups" / "lived.sql"
ROLES = ("backout_test_owner", "backout_test_writer")
HOUR = timedelta(hours=1)


@pytest.fixture
def real(disposable: Make) -> Iterator[RealDatabase]:
    """The sample rows at head, as a database that people use."""
    with real_database(disposable("head", "sample").url) as database:
        yield database


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "backups"


@pytest.fixture
def verify(backout_server: Server) -> Callable[..., backups.Receipt]:
    """Verify a dump on this run's server."""
    return lambda dump, **options: backups.verify(dump, backout_server.handle(), **options)


def execute(database: RealDatabase | Database, *statements: str) -> None:
    with closing(psycopg.connect(database.url, autocommit=True)) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def rewrite(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change a manifest or a receipt by hand."""
    values = json.loads(path.read_text())
    change(values)
    path.write_text(json.dumps(values))


# -- taking -----------------------------------------------------------------------------------------


def test_a_backup_is_a_dump_and_its_manifest(real: RealDatabase, folder: Path) -> None:
    before = datetime.now(UTC)
    done = backups.take(real, folder)
    assert re.fullmatch(rf"{real.name}-\d{{8}}T\d{{6}}Z-7f544264830f\.dump", done.dump.name)
    assert sorted(path.name for path in folder.iterdir()) == [done.dump.name, f"{done.dump.stem}.json"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert done.dump.read_bytes()[:5] == b"PGDMP"
    manifest = done.manifest
    assert (manifest.size, manifest.revisions) == (done.dump.stat().st_size, ("7f544264830f",))
    assert (manifest.server, manifest.major, manifest.database) == (real.version, real.major, backups.identity_of(real))
    assert before <= manifest.began <= manifest.ended <= datetime.now(UTC)
    assert {table: held.rows for table, held in manifest.contents.tables.items()}["public.users"] == 25
    assert (len(manifest.contents.tables), manifest.contents.rows) == (14, 370)
    written = json.loads(done.dump.with_suffix(".json").read_text())
    assert (written["format"], written["version"], written["sha256"]) == ("backout/backup", 1, manifest.sha256)


def test_what_is_written_while_it_is_dumped_is_neither_dumped_nor_counted(
    real: RealDatabase, folder: Path, verify: Any
) -> None:
    """All of it is of one snapshot; sequences stand outside of transactions."""
    execute(real, "CREATE TABLE late (id serial, t text)", "INSERT INTO late (t) SELECT repeat('x', 90)")
    wrote = []

    def write(doing: str) -> None:
        if doing.startswith("dumping") and not wrote:
            wrote.append(doing)
            execute(real, "INSERT INTO late (t) SELECT 'y' FROM generate_series(1, 50)")

    done = backups.take(real, folder, watch=write)
    assert wrote
    assert done.manifest.contents.tables["public.late"].rows == 1
    assert done.manifest.contents.sequences["public.late_id_seq"][1] == 52
    assert verify(done.dump).rows == 371


def test_without_a_revision_and_with_a_name_that_is_no_file_name(backout_server: Server, folder: Path) -> None:
    server = backout_server
    place = server.create()
    name = "odd/näme of backout's test"
    execute(place, f'CREATE DATABASE "{name}"')
    try:
        with real_database(place.url) as real:
            odd = RealDatabase({**real.parameters, "dbname": name}, real.version, "", real.binaries)
            done = backups.take(odd, folder)
        assert re.fullmatch(r"odd_näme_of_backout_s_test-\d{8}T\d{6}Z-base\.dump", done.dump.name)
        assert done.manifest.database.name == name
    finally:
        execute(place, f'DROP DATABASE "{name}"')


def test_two_in_the_same_second_are_two(real: RealDatabase, folder: Path) -> None:
    assert len({backups.take(real, folder).dump for _ in range(3)}) == 3


def test_alembic_s_table_may_be_elsewhere(real: RealDatabase, folder: Path) -> None:
    execute(real, "CREATE SCHEMA meta", "ALTER TABLE alembic_version SET SCHEMA meta")
    execute(real, 'ALTER TABLE meta.alembic_version RENAME TO "Versions"')
    assert backups.take(real, folder).manifest.revisions == ()
    assert backups.take(real, folder, version_table='meta."Versions"').manifest.revisions == ("7f544264830f",)


def test_without_pg_dump(real: RealDatabase, folder: Path) -> None:
    with pytest.raises(PostgresError) as caught:
        backups.take(replace(real, binaries=None), folder)
    assert str(caught.value) == (
        f"there is no pg_dump on this machine for {real.description}; install PostgreSQL {real.major}'s programs"
    )


def test_a_directory_that_is_none(real: RealDatabase, folder: Path) -> None:
    folder.write_text("")
    with pytest.raises(BackoutError) as caught:
        backups.take(real, folder)
    assert str(caught.value) == (
        f"the backup of {real.description} failed: {folder}: File exists; nothing of it is left in {folder}: "
        "name a directory that you can write to: --to DIR"
    )


def test_a_service_of_libpq_s_leads_nobody_astray(
    real: RealDatabase, disposable: Make, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PGSERVICE would come before every other variable."""
    (tmp_path / "services").write_text(f"[other]\nhost=/nowhere\ndbname={disposable().name}\n")
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))
    monkeypatch.setenv("PGSERVICE", "other")
    done = backups.take(real, folder)
    assert done.manifest.contents.rows == 370
    assert backups.restore(done.dump, real, disposable().name).rows == 370


def test_a_schema_that_changes_meanwhile_is_told(real: RealDatabase, folder: Path) -> None:
    with closing(psycopg.connect(real.url)) as other:
        other.execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("backout.backups.taking.LOCK_SECONDS", 1)
            with pytest.raises(BackoutError) as caught:
                backups.take(real, folder)
    assert str(caught.value) == (
        f"the backup of {real.description} failed: canceling statement due to lock timeout; nothing of it is left in "
        f"{folder}: wait until nobody changes the schema, and begin again"
    )
    assert list(folder.iterdir()) == []


# -- verifying --------------------------------------------------------------------------------------


def test_a_verified_backup_has_a_receipt(real: RealDatabase, folder: Path, verify: Any) -> None:
    done = backups.take(real, folder)
    receipt = verify(done.dump, database=real)
    assert (receipt.kind, receipt.dump, receipt.path) == (
        "verified",
        done.dump,
        folder / f"{done.dump.stem}.receipt.json",
    )
    assert (receipt.taken, receipt.revisions) == (done.manifest.began, ("7f544264830f",))
    assert (receipt.tables, receipt.rows, receipt.sha256) == (14, 370, done.manifest.sha256)
    assert receipt.verified is not None
    assert receipt.age_seconds == int((receipt.verified - receipt.taken).total_seconds())
    assert backups.latest_receipt(folder, database=real) == receipt
    assert str(receipt) == (
        f"the backup {done.dump.name} of {backups.utc(receipt.taken)} at 7f544264830f, "
        f"restored and compared at {backups.utc(receipt.verified)}: 14 tables, 370 rows"
    )


def test_verifying_leaves_nothing_on_the_server(real: RealDatabase, folder: Path, verify: Any) -> None:
    before = databases(real)
    verify(backups.take(real, folder).dump)
    assert databases(real) == before


def test_a_server_at_a_url_is_left_as_it_was(
    real: RealDatabase, folder: Path, backout_server: Server, disposable: Make
) -> None:
    """Roles that the dump names went, too."""
    execute(real, "CREATE ROLE backout_test_gone", "ALTER TABLE users OWNER TO backout_test_gone")
    dump = backups.take(real, folder).dump
    execute(real, "REASSIGN OWNED BY backout_test_gone TO CURRENT_USER", "DROP ROLE backout_test_gone")
    before = databases(real)
    assert backups.verify(dump, backout_server.url).rows == 370
    assert databases(real) == before
    with closing(psycopg.connect(real.url)) as connection:
        found = connection.execute("SELECT FROM pg_roles WHERE rolname = 'backout_test_gone'").fetchall()
    assert found == []


def test_a_server_in_memory_has_room_for_the_dump(
    real: RealDatabase, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it lies on the disk."""
    monkeypatch.delenv("BACKOUT_POSTGRES", raising=False)
    done = backups.take(real, folder)
    assert done.manifest.database_size > 1_000_000
    free = shutil.disk_usage("/dev/shm").free if Path("/dev/shm").is_dir() else 0
    rewrite(done.dump.with_suffix(".json"), lambda values: values.update(database_size=free))
    seen: list[bool] = []

    def watch(doing: str) -> None:
        if doing.startswith("restoring"):
            ours = [Path(one.cwd()) for one in psutil.Process().children() if one.name() == "postgres"]
            seen.extend(path.is_relative_to("/dev/shm") for path in ours)

    assert backups.verify(done.dump, "embedded" if real.major != 15 else "system:15", watch=watch).rows == 370
    assert False in seen


@pytest.fixture
def lived(backout_server: Server, disposable: Make) -> Database:
    """A database of somebody else with one of nearly everything."""
    for role in ROLES:
        assert backout_server.create_role(role)
    database = disposable()
    with closing(psycopg.connect(database.url, autocommit=True)) as connection:
        connection.execute(LIVED.read_bytes())
        connection.execute(
            f"ALTER DATABASE {database.name} OWNER TO backout_test_owner; "
            f"ALTER DATABASE {database.name} SET work_mem = '7MB'".encode()
        )
        connection.execute("SET allow_in_place_tablespaces = on")
        connection.execute("CREATE TABLESPACE backout_test_space LOCATION ''")
        connection.execute("CREATE TABLE placed (id integer) TABLESPACE backout_test_space")
    return database


def test_everything_comes_back(lived: Database, folder: Path, verify: Any) -> None:
    """Rewritten conditions, owners, grants, odd names and values: no false alarm, here and on a server of its own."""
    try:
        with real_database(lived.url) as real:
            done = backups.take(real, folder)
            assert done.manifest.extensions.keys() == {"pg_trgm"}
            assert set(ROLES) <= set(done.manifest.roles)
            assert done.manifest.tablespaces == ("backout_test_space",)
            assert "secret of the mapping" not in done.dump.with_suffix(".json").read_text()
            assert verify(done.dump, database=real).rows == 12
            choice = "embedded" if done.manifest.major != 15 else "system:15"
            receipt = backups.verify(done.dump, choice)
            assert receipt.tables == 9
            contents = done.manifest.contents
            assert contents.large_objects == 2
            # By a server of another major, of another encoding: the same.
            assert contents.tables["public.accounts"] == TableContents(2, "763aca1894bd2e26")
            assert contents.sequences["public.tickets"] == (90, 90)
            restored = backups.restore(done.dump, real, f"{real.name}_beside")
            assert restored.left == ("setting database work_mem: 7MB",)
            execute(real, f"DROP DATABASE {real.name}_beside")
    finally:
        execute(lived, "DROP TABLE placed", "DROP TABLESPACE backout_test_space")


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_another_encoding_comes_back(backout_server: Server, folder: Path, verify: Any, encoding: str) -> None:
    place = backout_server.create()
    name = f"{place.name}_encoded"
    execute(place, f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}' LOCALE_PROVIDER libc LOCALE 'C'")
    try:
        with real_database(place.url) as real:
            encoded = RealDatabase({**real.parameters, "dbname": name}, real.version, "", real.binaries)
            execute(encoded, "CREATE TABLE t (t text)")
            execute(encoded, "SET client_encoding = 'UTF8'; INSERT INTO t VALUES ('ü')")
            done = backups.take(encoded, folder)
            assert (done.manifest.encoding, verify(done.dump).rows) == (encoding, 1)
            backups.restore(done.dump, real, f"{name}_beside")
            row = {}
            for one in (name, f"{name}_beside"):
                with closing(psycopg.connect(real.url)) as connection:
                    row[one] = connection.execute(
                        "SELECT pg_encoding_to_char(encoding), datcollate, datlocprovider FROM pg_database "
                        "WHERE datname = %s",
                        [one],
                    ).fetchone()
            assert row[name] == row[f"{name}_beside"]
    finally:
        execute(place, f"DROP DATABASE {name}", f"DROP DATABASE IF EXISTS {name}_beside")


def test_every_difference_is_named() -> None:
    one = (
        SchemaObject("column", "public.a.x", "integer"),
        SchemaObject("extension", "pg_trgm", "SCHEMA public VERSION '1.5'"),
        SchemaObject("index", "public.i", "CREATE INDEX"),
    )
    other = (
        SchemaObject("column", "public.a.x", "bigint"),
        SchemaObject("extension", "pg_trgm", "SCHEMA public VERSION '1.6'"),
        SchemaObject("view", "public.v", "SELECT 1"),
    )
    tables = {name: TableContents(rows, check) for name, rows, check in
              (("public.a", 3, "aa"), ("public.b", 1, "bb"), ("public.c", 2, "cc"))}  # fmt: skip
    expected = Contents(tables, {"public.s": (7, 7), "public.u": (5, 9), "public.t": (1, 1)}, 2, "", one)
    found = Contents(
        {"public.a": TableContents(3, "ab"), "public.b": TableContents(0, "00"), "public.d": TableContents(0, "00")},
        {"public.s": (8, 8), "public.u": (9, 9)}, 0, "", other,
    )  # fmt: skip
    assert differences(expected, found) == [
        "public.a: expected 3 rows with the checksum aa, found as many with ab",
        "public.b: expected 1 row, found 0 rows",
        "public.c: expected 2 rows, found no such table",
        "public.d: expected no such table, found one",
        "large objects: expected 2, found 0",
        "sequence public.s: expected the next value 7, found 8",
        "sequence public.t: expected the next value 1, found no such sequence",
        "column public.a.x: expected [integer], found [bigint]",
        "index public.i: expected [CREATE INDEX], found nothing",
        "view public.v: expected nothing, found [SELECT 1]",
    ]
    assert differences(expected, expected) == []


def test_what_does_not_come_back_as_it_was_is_refused(real: RealDatabase, folder: Path, verify: Any) -> None:
    """And a receipt of before is withdrawn."""
    done = backups.take(real, folder)
    receipt = verify(done.dump)

    def change(values: dict[str, Any]) -> None:
        values["contents"]["tables"]["public.users"]["rows"] = 26
        del values["contents"]["objects"][0]

    rewrite(done.dump.with_suffix(".json"), change)
    gone = done.manifest.contents.objects[0]
    with pytest.raises(BackoutError) as caught:
        verify(done.dump)
    assert str(caught.value) == (
        f"{done.dump.name} is refused as a backup: restored, it differs from what was dumped:\n"
        "  public.users: expected 26 rows, found 25 rows\n"
        f"  {gone.kind} {gone.name}: expected nothing, found [{gone.definition}]\n"
        "take another: backout backup"
    )
    assert not receipt.path.exists()


def test_another_major_proves_nothing(real: RealDatabase, folder: Path, verify: Any) -> None:
    done = backups.take(real, folder)
    rewrite(done.dump.with_suffix(".json"), lambda values: values.update(server="14.3"))
    with pytest.raises(Refused) as caught:
        verify(done.dump)
    assert str(caught.value).startswith(
        f"{done.dump.name} is of PostgreSQL 14.3, and this is PostgreSQL {real.version} ("
    )
    assert str(caught.value).endswith(
        "): that it restores into another major version proves nothing for its own; choose one: --postgres system:14"
    )
    rewrite(done.dump.with_suffix(".json"), lambda values: values.update(server=real.version, pg_dump="99.1"))
    with pytest.raises(Refused) as caught:
        verify(done.dump)
    assert str(caught.value) == (
        f"{done.dump.name} is of PostgreSQL {real.version} and was made by pg_dump 99.1, whose dumps are for "
        f"PostgreSQL 99; install PostgreSQL {real.major}'s programs, and take it again"
    )


@pytest.mark.skipif(installed(15) is None, reason="NOT CHECKED: PostgreSQL 15 is not installed here")
def test_the_installed_server_of_the_dump_s_major_is_found(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a choice; and libpq's variables, which tell of the database that was dumped, do not lead astray."""
    monkeypatch.delenv("BACKOUT_POSTGRES", raising=False)
    with open_server("system:15") as server:
        database = server.create()
        execute(database, "CREATE TABLE t AS SELECT 1 AS id")
        with real_database(database.url) as real:
            done = backups.take(real, folder)
        monkeypatch.setenv("PGHOSTADDR", "127.0.0.9")
        receipt = backups.verify(done.dump)
    assert receipt.server is not None
    assert receipt.server.startswith("PostgreSQL 15.")


def test_a_server_without_the_extension_is_not_the_dump_s_fault(real: RealDatabase, folder: Path, verify: Any) -> None:
    done = backups.take(real, folder)
    receipt = verify(done.dump)
    rewrite(done.dump.with_suffix(".json"), lambda values: values.update(extensions={"postgis": "3.5", "plv8": "3"}))
    with pytest.raises(BackoutError) as caught:
        verify(done.dump)
    assert str(caught.value) == (
        "the server lacks the extensions plv8, postgis that the dump needs; install it there, "
        f"or choose another: --postgres system:{real.major} or --postgres postgresql://…"
    )
    assert receipt.path.exists()


# -- which receipts stand ---------------------------------------------------------------------------


def spoil(how: str, receipt: backups.Receipt) -> str:
    """Damage the dump of a receipt; what is said of it."""
    assert receipt.dump is not None
    data = receipt.dump.read_bytes()
    if how == "removed":
        receipt.dump.unlink()
        return "it is gone"
    if how == "emptied":
        receipt.dump.write_bytes(b"")
        return f"it is empty; it had {len(data)} bytes"
    if how == "truncated":
        receipt.dump.write_bytes(data[:-100])
        return f"it has {len(data) - 100} bytes and had {len(data)}: it was truncated"
    if how == "longer":
        receipt.dump.write_bytes(data + b"x")
        return f"it has {len(data) + 1} bytes and had {len(data)}: it was changed"
    receipt.dump.write_bytes(data[:5000] + bytes([data[5000] ^ 1]) + data[5001:])
    return "its SHA-256 is not the one of the dump that was taken: it was changed, or is another one"


@pytest.mark.parametrize("how", ["removed", "emptied", "truncated", "longer", "one bit"])
def test_a_receipt_stands_as_long_as_its_dump_is_the_same(
    real: RealDatabase, folder: Path, verify: Any, how: str
) -> None:
    older, receipt = (verify(backups.take(real, folder).dump) for _ in range(2))
    assert backups.latest_receipt(folder, database=real) == receipt
    assert receipt.dump is not None
    said = (
        f"the backup {receipt.dump.name} is not what was verified: {spoil(how, receipt)}; take another: backout backup"
    )
    assert backups.latest_receipt(folder, database=real) == older
    assert backups.problem(receipt, datetime.now(UTC), HOUR) == said
    assert backups.objections(folder, database=real) == (said,)


def test_a_receipt_is_too_old_to_come_or_of_another_revision(real: RealDatabase, folder: Path, verify: Any) -> None:
    receipt = verify(backups.take(real, folder).dump)
    name = receipt.dump.name
    again = "take another and verify it: backout backup, backout backup verify --latest"
    now = receipt.taken
    assert backups.problem(receipt, now + HOUR, HOUR) is None
    assert backups.problem(receipt, now + HOUR, HOUR, revisions=("7f544264830f",)) is None
    assert backups.problem(receipt, now + 26 * HOUR, 24 * HOUR) == (
        f"the backup {name} is 26 hours old, and at most 24 hours are allowed; {again}"
    )
    assert backups.problem(receipt, now - HOUR, HOUR) == (
        f"the backup {name} is of {backups.utc(now)}, which is to come; see to this machine's clock"
    )
    assert backups.problem(receipt, now, HOUR, revisions=("b", "a")) == (
        f"the backup {name} is of the database at 7f544264830f, and it is at a, b now; {again}"
    )


def test_a_backup_of_another_database_is_none_of_this(
    real: RealDatabase, disposable: Make, folder: Path, verify: Any
) -> None:
    receipt = verify(backups.take(real, folder).dump)
    with real_database(disposable().url) as other:
        assert backups.latest_receipt(folder, database=other) is None
        assert backups.objections(folder, database=other) == (
            (
                f"the backup {receipt.dump.name} is of another database: of {receipt.database}, "
                f"and this is {backups.identity_of(other)}"
            ),
        )
        with pytest.raises(ConfigurationError) as caught:
            backups.latest_dump(folder, database=other)
    assert str(caught.value).startswith("there is no backup of backout_")
    assert backups.latest_dump(folder, database=real) == receipt.dump


def test_a_database_is_known_by_server_oid_name_and_address() -> None:
    """A copy of a server's disk has all of it but the address."""
    here = backups.Identity("crew", 16401, "7412", "db1", "5432")
    assert str(here) == "crew at db1:5432 (OID 16401, system identifier 7412)"
    for one, other in (
        ({}, False), ({"system": None}, False), ({"system": "7413"}, True), ({"oid": 16402}, True),
        ({"host": "db2"}, True), ({"port": "5433"}, True), ({"name": "crew2"}, True),
    ):  # fmt: skip
        assert here.is_other_than(replace(here, **one)) is other  # type: ignore[arg-type]
        assert replace(here, **one).is_other_than(here) is other  # type: ignore[arg-type]


def test_the_system_identifier_may_be_unreadable(real: RealDatabase, folder: Path) -> None:
    execute(real, "REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC", "CREATE ROLE backout_test_reader LOGIN")
    try:
        reader = replace(real, parameters={**real.parameters, "user": "backout_test_reader"})
        assert backups.identity_of(reader) == replace(backups.identity_of(real), system=None)
    finally:
        execute(real, "GRANT EXECUTE ON FUNCTION pg_control_system() TO PUBLIC", "DROP ROLE backout_test_reader")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is no receipt of a backup: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        ("[]", "is no receipt of a backup of version 1"),
        ('{"format": "backout/backup-receipt", "version": 2}', "is no receipt of a backup of version 1"),
        (
            '{"format": "backout/backup-receipt", "version": 1, "kind": "verified"}',
            "is no receipt of a backup: Object missing required field `verified`",
        ),
    ],
)
def test_what_is_no_receipt_counts_for_nothing(real: RealDatabase, folder: Path, text: str, said: str) -> None:
    folder.mkdir()
    path = folder / "x.receipt.json"
    path.write_text(text)
    assert backups.latest_receipt(folder, database=real) is None
    assert backups.objections(folder, database=real) == (f"{path} {said}",)
    assert [one.state for one in backups.kept(folder)] == [f"{path} {said}"]


def test_a_dump_that_was_not_verified_does_not_stand(real: RealDatabase, folder: Path) -> None:
    dump = backups.take(real, folder).dump
    assert backups.latest_receipt(folder, database=real) is None
    assert backups.objections(folder, database=real) == (
        f"the backup {dump.name} was not verified; verify it: backout backup verify {dump}",
    )


# -- statements -------------------------------------------------------------------------------------


def record(real: RealDatabase, folder: Path, **facts: Any) -> backups.Receipt:
    given = {"provider": "rds", "snapshot": "rds:crew-1", "taken": datetime.now(UTC), "by": "ann", **facts}
    return backups.record(real, folder, **given)


def test_a_provider_s_snapshot_is_what_somebody_says(real: RealDatabase, folder: Path) -> None:
    taken = datetime.now(UTC) - HOUR
    receipt = record(real, folder, taken=taken)
    assert (receipt.kind, receipt.dump, receipt.verified, receipt.rows, receipt.by) == (
        "statement",
        None,
        None,
        None,
        "ann",
    )
    assert receipt.path.name == f"{real.name}-{taken:%Y%m%dT%H%M%SZ}-rds-rds_crew-1.receipt.json"
    assert str(receipt) == (
        f"a statement, not verified: ann says that rds took the snapshot rds:crew-1 at {backups.utc(taken)}; "
        "the database was at 7f544264830f when that was recorded"
    )
    assert backups.latest_receipt(folder, database=real) == receipt
    assert backups.latest_receipt(folder, database=real, statements=False) is None
    assert backups.problem(receipt, taken + HOUR, HOUR) is None
    assert backups.problem(receipt, taken + 2 * HOUR, HOUR) == (
        "the snapshot rds:crew-1 is 2 hours old, and at most 60 minutes are allowed; "
        "take another and verify it: backout backup, backout backup verify --latest"
    )
    with pytest.raises(Refused) as caught:
        record(real, folder, taken=taken)
    assert str(caught.value) == f"the snapshot rds:crew-1 is recorded already, in {receipt.path}"


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"by": " "}, "--by is empty; say who says so"),
        ({"provider": ""}, "--provider is empty; say who keeps the snapshot"),
        ({"snapshot": ""}, "--snapshot is empty; say how the provider calls it"),
        (
            {"taken": datetime(2026, 1, 2, 3, 4)},
            "--taken 2026-01-02T03:04:00 has no time zone; write 2026-11-28T02:00Z",
        ),
    ],
)
def test_a_statement_says_who_what_and_when(real: RealDatabase, folder: Path, facts: Any, said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        record(real, folder, **facts)
    assert str(caught.value) == said
    assert not folder.exists()


def test_a_snapshot_that_is_to_come_is_refused(real: RealDatabase, folder: Path) -> None:
    taken = datetime.now(UTC) + timedelta(minutes=5)
    with pytest.raises(Refused) as caught:
        record(real, folder, taken=taken)
    assert re.fullmatch(
        rf"--taken {backups.utc(taken)} is to come: it is \S+ \S+ UTC now; give the time that was", str(caught.value)
    )


def test_a_snapshot_from_before_a_migration_is_refused_where_a_dump_shows_it(real: RealDatabase, folder: Path) -> None:
    dump = backups.take(real, folder).dump
    taken = datetime.now(UTC) - HOUR
    execute(real, "UPDATE alembic_version SET version_num = 'later'")
    with pytest.raises(Refused) as caught:
        record(real, folder, taken=taken)
    assert str(caught.value) == (
        f"the snapshot rds:crew-1 of {backups.utc(taken)} is older than the database's revision later: "
        f"the backup {dump.name} was taken later, at another one; take a snapshot now"
    )
    assert record(real, folder).revisions == ("later",)


def test_a_snapshot_from_before_a_migration_is_refused_where_the_server_tells(folder: Path) -> None:
    with open_server(settings={"track_commit_timestamp": True}) as server:
        database = server.create()
        execute(database, "CREATE TABLE alembic_version AS SELECT 'a' AS version_num")
        with real_database(database.url) as real:
            with pytest.raises(Refused) as caught:
                record(real, folder, taken=datetime.now(UTC) - HOUR)
            found = re.fullmatch(
                r"the snapshot rds:crew-1 of .* is older than the database's revision a, to which it came at (.*); "
                "take a snapshot now",
                str(caught.value),
            )
            assert found, str(caught.value)
            since = record(real, folder).revision_since
    assert since is not None
    assert backups.utc(since) == found[1]


# -- restoring beside -------------------------------------------------------------------------------


def databases(real: RealDatabase) -> set[str]:
    """Without those of this run's other tests, which come and go beside this one."""
    run = re.match(r"backout_\w+?_", real.name)
    assert run is not None
    with closing(psycopg.connect(real.url)) as connection:
        names = {name for (name,) in connection.execute("SELECT datname FROM pg_database")}
    return {name for name in names if name == real.name or not name.startswith(run[0])}


def test_a_backup_is_restored_beside_and_nowhere_else(real: RealDatabase, folder: Path) -> None:
    dump = backups.take(real, folder).dump
    execute(real, "DELETE FROM sessions")
    name = f"{real.name} beside=it"
    try:
        restored = backups.restore(dump, real, name)
        assert restored == backups.Restored(name, 14, 370, ())
        beside = RealDatabase({**real.parameters, "dbname": name}, real.version, "", real.binaries)
        with closing(psycopg.connect(beside.url)) as connection:
            assert connection.execute("SELECT count(*) FROM sessions").fetchone() == (20,)
            assert connection.execute("SELECT count(*) > 0 FROM pg_stats WHERE tablename = 'users'").fetchone() == (
                True,
            )
        with pytest.raises(Refused) as caught:
            backups.restore(dump, real, name)
        assert re.fullmatch(
            rf"the database {re.escape(name)} is not empty: it has column public\.\S+ and \d+ objects more; "
            "name one that does not exist",
            str(caught.value),
        )
    finally:
        execute(real, f'DROP DATABASE IF EXISTS "{name}"')
    with closing(psycopg.connect(real.url)) as connection:
        assert connection.execute("SELECT count(*) FROM sessions").fetchone() == (0,)


def test_an_empty_database_may_be_restored_into(real: RealDatabase, disposable: Make, folder: Path) -> None:
    assert backups.restore(backups.take(real, folder).dump, real, disposable().name).rows == 370


def test_nothing_is_left_of_a_restore_that_fails(real: RealDatabase, folder: Path) -> None:
    dump = backups.take(real, folder).dump
    before = databases(real)
    rewrite(dump.with_suffix(".json"), lambda values: values["contents"]["tables"]["public.users"].update(rows=24))
    with pytest.raises(BackoutError) as caught:
        backups.restore(dump, real, f"{real.name}_beside")
    assert str(caught.value) == (
        f"{dump.name} is refused as a backup: restored, it differs from what was dumped: "
        "public.users: expected 24 rows, found 25 rows; take another: backout backup"
    )
    rewrite(dump.with_suffix(".json"), lambda values: values.update(roles=["nobody_here", "nor_here"]))
    with pytest.raises(Refused) as caught:
        backups.restore(dump, real, f"{real.name}_beside")
    assert str(caught.value) == (
        "the server lacks the roles nobody_here, nor_here that the dump names; create them first: "
        "they are in pg_dumpall --globals-only"
    )
    assert databases(real) == before


def test_what_could_not_be_dropped_is_told(real: RealDatabase, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Our session was ended, too."""
    dump = backups.take(real, folder).dump
    name = f"{real.name}_beside"

    def cut(doing: str) -> None:
        if doing.startswith("counting"):
            execute(
                real,
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                f"WHERE application_name = 'backout restore' AND datname IN ('{real.name}', '{name}')",
            )

    with pytest.raises(BackoutError) as caught:
        backups.restore(dump, real, name, watch=cut)
    execute(real, f"DROP DATABASE {name} WITH (FORCE)")
    assert "terminating connection due to administrator command" in str(caught.value)
    assert str(caught.value).endswith(f"; the database {name} is left half restored: drop it")


# -- the directory ----------------------------------------------------------------------------------


def test_where_backups_are(tmp_path: Path) -> None:
    assert backups.directory(tmp_path, {}) == tmp_path / "backups"
    assert backups.directory(tmp_path, {"BACKOUT_BACKUPS": " kept "}) == tmp_path / "kept"
    assert backups.directory(tmp_path, {"BACKOUT_BACKUPS": "/srv/kept"}) == Path("/srv/kept")


def test_what_is_in_the_directory(real: RealDatabase, folder: Path, verify: Any) -> None:
    assert backups.kept(folder) == ()
    verified = verify(backups.take(real, folder).dump)
    changed = verify(backups.take(real, folder).dump)
    fresh = backups.take(real, folder).dump
    cut = backups.take(real, folder).dump
    size = cut.stat().st_size
    os.truncate(cut, 100)
    stranger = folder / "stranger.dump"
    stranger.write_bytes(b"PGDMP")
    statement = record(real, folder, taken=datetime.now(UTC) - HOUR)
    spoil("one bit", changed)
    os.utime(changed.dump, (later := datetime.now().timestamp() + 1, later))
    states = {one.name: one.state for one in backups.kept(folder)}
    assert states == {
        cut.name: f"it has 100 bytes, and had {size}",
        fresh.name: "not verified",
        changed.dump.name: "changed since it was verified",
        verified.dump.name: f"verified {backups.utc(verified.verified)}",
        "rds rds:crew-1": "a statement of ann, not verified",
        stranger.name: f"the manifest {folder}/stranger.json cannot be read: No such file or directory",
    }
    assert [one.path for one in backups.kept(folder)][-2:] == [statement.path, stranger]
    verified.dump.unlink()
    assert {one.name: one.state for one in backups.kept(folder)}[verified.dump.name] == "the dump is gone"
