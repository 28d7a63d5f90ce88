"""Faults while a backup is taken, and dumps that are none: nothing half is left, nothing bad gets a receipt.

Each tells what it did in the property ``fault``, for the table of faults in the documentation.
"""

import errno
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from backout import backups
from backout.errors import BackoutError, ConfigurationError
from backout.postgres import Database, RealDatabase, Server, open_server, real_database

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="NOT CHECKED: signals and limits are POSIX's")

Make = Callable[..., Database]
Fault = Callable[[str, int, str, int], None]

BACKOUT = Path(sys.executable).parent / "backout"
PASSWORD = "s3cr:t/p@ss%'\\ word"
QUOTED = "s3cr%3At%2Fp%40ss%25%27%5C%20word"
GONE_SECONDS = 20.0
TIMES = 10


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "backups"


@pytest.fixture
def real(disposable: Make) -> Iterator[RealDatabase]:
    with real_database(disposable("head", "sample").url) as database:
        yield database


@pytest.fixture(scope="module")
def big(backout_server: Server) -> Iterator[RealDatabase]:
    """A database whose dump takes a while, and does not compress to nothing."""
    database = backout_server.create()
    with closing(psycopg.connect(database.url, autocommit=True)) as connection:
        connection.execute(
            "CREATE TABLE big AS SELECT id, (SELECT string_agg(md5(random()::text || id || n), '') "
            "FROM generate_series(1, 10) n) AS noise FROM generate_series(1, 60000) id"
        )
    with real_database(database.url) as found:
        yield found
    backout_server.drop(database)


@pytest.fixture
def count_rows(big: RealDatabase) -> Callable[[], int]:
    """How many rows the database has lost since the test began."""

    def number() -> int:
        with closing(psycopg.connect(big.url)) as connection:
            ((rows,),) = connection.execute("SELECT count(*) FROM big").fetchall()
            return int(rows)

    before = number()
    return lambda: before - number()


# -- dumps that are none ----------------------------------------------------------------------------


def refusal(dump: Path, server: Server, database: RealDatabase | None = None) -> str:
    """Verify it, which must refuse; what is said, behind the dump's name."""
    with pytest.raises(BackoutError) as caught:
        backups.verify(dump, server.handle(), database=database)
    assert caught.value.exit_code == 1
    assert not dump.with_suffix(".receipt.json").exists()
    found = re.fullmatch(
        re.escape(dump.name) + r" is refused as a backup: (.*); take another: backout backup",
        str(caught.value),
        re.DOTALL,
    )
    assert found, str(caught.value)
    return found[1]


def rehash(dump: Path) -> None:
    """Let the manifest say that this is the dump that was taken."""
    path = dump.with_suffix(".json")
    values = json.loads(path.read_text())
    data = dump.read_bytes()
    path.write_text(json.dumps(values | {"sha256": sha256(data).hexdigest(), "size": len(data)}))


def test_a_truncated_dump(real: RealDatabase, folder: Path, backout_server: Server, fault: Fault) -> None:
    """By its size; and by restoring it, if it had been so when its hash was taken."""
    dump = backups.take(real, folder).dump
    data = dump.read_bytes()
    cuts = [len(data) * n // TIMES for n in range(1, TIMES)] + [len(data) - 1]
    for cut in cuts:
        backups.verify(dump, backout_server.handle())
        dump.write_bytes(data[:cut])
        assert refusal(dump, backout_server) == f"it has {cut} bytes and had {len(data)}: it was truncated"
        manifest = dump.with_suffix(".json").read_text()
        rehash(dump)
        assert refusal(dump, backout_server).startswith("it does not restore: pg_restore said: ")
        dump.with_suffix(".json").write_text(manifest)
        dump.write_bytes(data)
    fault("truncated dump", 2 * len(cuts), "refused, and an earlier receipt withdrawn", 0)


def test_an_empty_dump(real: RealDatabase, folder: Path, backout_server: Server, fault: Fault) -> None:
    done = backups.take(real, folder)
    done.dump.write_bytes(b"")
    assert refusal(done.dump, backout_server) == f"it is empty; it had {done.manifest.size} bytes"
    rehash(done.dump)
    assert refusal(done.dump, backout_server) == (
        "it does not restore: pg_restore said: input file is too short (read 0, expected 5)"
    )
    fault("empty dump", 2, "refused", 0)


def test_a_corrupted_dump(real: RealDatabase, folder: Path, backout_server: Server, fault: Fault) -> None:
    """One bit, at many places; in the rows of a table it is found by restoring alone, too."""
    dump = backups.take(real, folder).dump
    data = dump.read_bytes()
    places = [len(data) * n // (2 * TIMES) for n in range(2 * TIMES)]
    for place in places:
        dump.write_bytes(data[:place] + bytes([data[place] ^ 4]) + data[place + 1 :])
        assert refusal(dump, backout_server) == (
            "its SHA-256 is not the one of the dump that was taken: it was changed, or is another one"
        )
    place = len(data) - 200  # the last table's rows
    dump.write_bytes(data[:place] + bytes([data[place] ^ 4]) + data[place + 1 :])
    rehash(dump)
    assert "pg_restore said: " in refusal(dump, backout_server)
    fault("corrupted dump", len(places) + 1, "refused", 0)


def test_a_foreign_dump(
    real: RealDatabase, disposable: Make, folder: Path, backout_server: Server, fault: Fault
) -> None:
    """Of another database: with its own manifest, under this one's name, and without any."""
    ours = backups.take(real, folder)
    with real_database(disposable("head").url) as other:
        theirs = backups.take(other, folder)
        here = backups.identity_of(real)
        assert refusal(theirs.dump, backout_server, real) == (
            f"it is of another database: of {backups.identity_of(other)}, and DATABASE_URL names {here}"
        )
        receipt = backups.verify(theirs.dump, backout_server.handle())
        assert backups.latest_receipt(folder, database=other) == receipt
        assert backups.latest_receipt(folder, database=real) is None
        shutil.copy(theirs.dump, ours.dump)
        assert refusal(ours.dump, backout_server).startswith(f"it has {theirs.manifest.size} bytes and had ")
        rehash(ours.dump)
        assert "public.users: expected 25 rows, found 0 rows" in refusal_of_many(ours.dump, backout_server)
        stranger = folder / "stranger.dump"
        stranger.write_bytes(theirs.dump.read_bytes())
        assert refusal(stranger, backout_server) == (
            "it has no manifest stranger.json beside it: nobody knows what it should hold"
        )
        plain = folder / "plain.dump"
        assert other.binaries is not None
        subprocess.run(
            [other.binaries.program("pg_dump"), f"--file={plain}"], env=os.environ | other.environment(), check=True
        )
        shutil.copy(ours.dump.with_suffix(".json"), plain.with_suffix(".json"))
        rehash(plain)
        assert refusal(plain, backout_server).startswith(
            "it does not restore: pg_restore said: input file appears to be"
        )
    fault("foreign dump", 5, "refused", 0)


def refusal_of_many(dump: Path, server: Server) -> str:
    with pytest.raises(BackoutError) as caught:
        backups.verify(dump, server.handle())
    assert not dump.with_suffix(".receipt.json").exists()
    return str(caught.value)


# -- no room ----------------------------------------------------------------------------------------


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system with room for half of the dump."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2M", "tmpfs", place], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("NOT CHECKED: a file system may not be mounted here; that files may not grow is checked")
    yield place
    subprocess.run(["umount", place], check=True)


def test_a_full_disk(big: RealDatabase, small: Path, count_rows: Callable[[], int], fault: Fault) -> None:
    """pg_dump itself runs into it; once there is room, the next one is whole."""
    for _ in range(3):
        with pytest.raises(BackoutError) as caught:
            backups.take(big, small)
        found = re.fullmatch(
            rf"the backup of {re.escape(big.description)} failed: pg_dump said: could not \w+ .*: "
            rf"No space left on device; nothing of it is left in {small}: "
            r"make room, \S+ \S+ are free there, or name another directory: --to DIR",
            str(caught.value),
        )
        assert found, str(caught.value)
        assert list(small.iterdir()) == []
    subprocess.run(["mount", "-o", "remount,size=200M", small], check=True)
    assert backups.take(big, small).manifest.contents.rows == 60000
    fault("disk full during backup", 3, "refused, nothing left; whole once there was room", count_rows())


def test_a_disposable_server_without_room(
    big: RealDatabase, folder: Path, backout_server: Server, monkeypatch: pytest.MonkeyPatch, fault: Fault
) -> None:
    """The dump is not at fault: its receipt of before stays."""
    dump = backups.take(big, folder).dump
    receipt = backups.verify(dump, backout_server.handle())
    place = Path(tempfile.mkdtemp())  # that the server's user may pass through
    place.chmod(0o755)
    mount = ["mount", "-t", "tmpfs", "-o", "size=60M,mode=755", "tmpfs", place]
    try:
        if subprocess.run(mount, check=False, capture_output=True).returncode:
            pytest.skip("NOT CHECKED: a file system may not be mounted here")
        try:
            monkeypatch.setattr("backout.postgres.cluster._parents", lambda _room=0: [place])
            with pytest.raises(BackoutError) as caught:
                backups.verify(dump, "system:15" if big.major == 15 else "embedded")
        finally:
            subprocess.run(["umount", place], check=True)
    finally:
        place.rmdir()
    assert re.fullmatch(
        r"pg_restore said: .*(No space left on device|server closed the connection|connection to server).*; "
        r"the server has no room for what is restored, or was ended: "
        r"make room, or choose another server: --postgres postgresql://…",
        str(caught.value),
    )
    assert backups.latest_receipt(folder, database=big) == receipt
    fault("disk full while a dump is verified", 1, "said so; an earlier receipt stays", 0)


def test_a_disk_that_is_full_at_the_manifest(real: RealDatabase, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("backout.backups.taking.write_manifest", full)
    with pytest.raises(BackoutError) as caught:
        backups.take(real, folder)
    assert str(caught.value).startswith(
        f"the backup of {real.description} failed: {folder}: No space left on device; "
        f"nothing of it is left in {folder}: make room, "
    )
    assert list(folder.iterdir()) == []


def start(database: RealDatabase, folder: Path, *, limit: int | None = None, url: str = "", **variables: str) -> Any:
    """``backout backup`` in a process of its own; ``limit`` bytes a file."""

    def restrict() -> None:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return subprocess.Popen(
        [BACKOUT, "backup", "--to", folder],
        env={**environment, "DATABASE_URL": url or database.url, **variables},
        preexec_fn=restrict,  # noqa: PLW1509 - this process has no threads that hold locks
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_files_that_may_not_grow(big: RealDatabase, folder: Path, count_rows: Callable[[], int], fault: Fault) -> None:
    for _ in range(3):
        process = start(big, folder, limit=1_000_000)
        printed, said = process.communicate(timeout=60)
        assert (process.returncode, printed) == (1, "")
        assert said == (
            f"error: the backup of {big.description} failed: pg_dump said: it was ended by SIGXFSZ; "
            f"nothing of it is left in {folder}: files may not grow that large here: ulimit -f\n"
        )
        assert list(folder.iterdir()) == []
    fault("file size limit during backup", 3, "refused, nothing left", count_rows())


# -- cut and killed ---------------------------------------------------------------------------------


def cut(database: RealDatabase, whose: str) -> bool:
    """End the sessions of pg_dump, or ours."""
    with closing(psycopg.connect(database.url, autocommit=True)) as connection:
        rows = connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND application_name = %s",
            [whose],
        ).fetchall()
    return bool(rows)


@pytest.mark.parametrize("whose", ["pg_dump", "backout backup"])
def test_a_connection_that_is_cut(
    big: RealDatabase, folder: Path, count_rows: Callable[[], int], fault: Fault, whose: str
) -> None:
    for _ in range(3):
        done: list[bool] = []

        def watch(doing: str, done: list[bool] = done) -> None:
            if doing.startswith("dumping public.big") and not done and cut(big, whose):
                done.append(True)

        with pytest.raises(BackoutError) as caught:
            backups.take(big, folder, watch=watch)
        assert done
        assert str(caught.value).startswith(f"the backup of {big.description} failed: ")
        # Which of them comes depends on whether the server's last word is read before its end.
        assert re.search(
            "terminating connection due to administrator command|server closed the conn"
            "|the connection is (lost|closed)",
            str(caught.value),
        )
        assert str(caught.value).endswith(
            f"; nothing of it is left in {folder}: see that the server runs, and begin again"
        )
        assert list(folder.iterdir()) == []
    fault("connection cut during backup", 3, "refused, nothing left", count_rows())


def test_a_server_that_is_killed(folder: Path, fault: Fault) -> None:
    with open_server() as server:
        database = server.create()
        with closing(psycopg.connect(database.url, autocommit=True)) as connection:
            connection.execute("CREATE TABLE big AS SELECT md5(random()::text || n) FROM generate_series(1, 900000) n")
            ((pid,),) = connection.execute("SELECT pg_backend_pid()").fetchall()
            postmaster = psutil.Process(pid).parent()
        assert postmaster is not None
        killed: list[bool] = []

        def watch(doing: str) -> None:
            if doing.startswith("dumping public.big") and not killed:
                killed.append(True)
                for process in [postmaster, *postmaster.children()]:
                    with suppress(psutil.NoSuchProcess):
                        process.kill()

        with real_database(database.url) as real:
            with pytest.raises(BackoutError) as caught:
                backups.take(real, folder, watch=watch)
            assert killed
            assert str(caught.value).startswith(f"the backup of {real.description} failed: ")
            assert f"; nothing of it is left in {folder}: " in str(caught.value)
    assert list(folder.iterdir()) == []
    fault("server killed during backup", 1, "refused, nothing left", 0)


def wait_for(condition: Callable[[], object], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + GONE_SECONDS
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.005)


def parts(folder: Path) -> list[Path]:
    return [part for part in folder.glob("*.part") if part.stat().st_size > 0]


def test_a_killed_backup_is_none_and_is_swept(
    big: RealDatabase, folder: Path, count_rows: Callable[[], int], fault: Fault
) -> None:
    for number in range(1, 4):
        process = start(big, folder)
        wait_for(lambda: parts(folder), process)
        children = psutil.Process(process.pid).children()
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert [path.suffix for path in folder.iterdir()].count(".part") == 1
        assert len(list(folder.glob("*.dump"))) == number - 1
        with suppress(ConfigurationError):  # there is none at all
            assert not backups.latest_dump(folder).name.endswith(".part")
        assert len(backups.kept(folder)) == number - 1
        assert backups.latest_receipt(folder, database=big) is None
        psutil.wait_procs(children, GONE_SECONDS)  # pg_dump holds its file until it has nobody to tell of its progress
        backups.take(big, folder)
        assert list(folder.glob("*.part")) == []
        assert len(list(folder.glob("*.dump"))) == number
    fault("backup killed (SIGKILL)", 3, "never taken for a backup; removed by the next", count_rows())


def test_a_backup_that_is_told_to_end_leaves_nothing(
    big: RealDatabase, folder: Path, count_rows: Callable[[], int], fault: Fault
) -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        process = start(big, folder)
        wait_for(lambda: parts(folder), process)
        children = psutil.Process(process.pid).children()
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
        assert process.returncode == 130
        assert "Traceback" not in said
        assert list(folder.iterdir()) == []
        assert [child for child in children if child.is_running()] == []
    fault("backup interrupted (SIGTERM, SIGINT, SIGHUP)", 3, "nothing left", count_rows())


def test_a_backup_that_goes_on_is_not_swept(big: RealDatabase, folder: Path, fault: Fault) -> None:
    """Neither while its backout lives, nor while the pg_dump of a killed one does."""
    process = start(big, folder)
    wait_for(lambda: parts(folder), process)
    meanwhile = backups.take(big, folder)
    assert len(meanwhile.others) == 1
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert len(list(folder.glob("*.dump"))) == 2
    fault("two backups at once", 1, "both whole", 0)


# -- passwords --------------------------------------------------------------------------------------


def test_a_password_appears_nowhere(folder: Path, tmp_path: Path, fault: Fault) -> None:
    """In no argument or variable of pg_dump, in nothing printed or written."""
    with open_server(transport="tcp") as server:
        database = server.create()
        with closing(psycopg.connect(database.url, autocommit=True)) as connection:
            literal = PASSWORD.replace("'", "''")
            connection.execute(f"CREATE ROLE keeper LOGIN SUPERUSER PASSWORD '{literal}'".encode())
            connection.execute("CREATE TABLE big AS SELECT md5(random()::text || n) FROM generate_series(1, 300000) n")
        port = server.environment(database)["PGPORT"]
        url = f"postgresql://keeper:{QUOTED}@127.0.0.1:{port}/{database.name}"
        with real_database(database.url) as real:
            process = start(real, folder, url=url)
        seen: list[str] = []

        def look() -> bool:
            for child in psutil.Process(process.pid).children(recursive=True):
                with suppress(psutil.NoSuchProcess):
                    if child.name() == "pg_dump":
                        seen.extend([*child.cmdline(), *(f"{k}={v}" for k, v in child.environ().items())])
            return bool(seen)

        wait_for(look, process)
        printed, said = process.communicate(timeout=60)
        assert process.returncode == 0, said
        dump = backups.latest_dump(folder)
        done = subprocess.run(
            [BACKOUT, "backup", "verify", dump, "--json"], env={**os.environ, "DATABASE_URL": url},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        written = [path.read_text() for path in folder.glob("*.json")]
    assert any(text.startswith("--snapshot=") for text in seen)
    everything = "\n".join(
        [
            *(text for text in seen if not text.startswith("DATABASE_URL=")),
            printed,
            said,
            done.stdout,
            done.stderr,
            *written,
        ]
    )
    for secret in (PASSWORD, QUOTED):
        assert secret not in everything
    fault("password in the URL of a backup", 1, "works, shown nowhere", 0)
