"""How long it takes to a first disposable database, and what a clone costs over PostgreSQL's own statement.

    python tests/benchmarks/bench_postgres.py [RUNS]

Interpreter and imports are not counted. Exits with 1 when an aim is missed.
"""

import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from backout.postgres import Database, Server, installed, open_server
from backout.postgres import binaries as postgres_binaries

RUNS = 20
TABLES = 40
FIRST_AIM = 250.0  # ms
CLONE_AIM = 1.5  # times the bare statement


def main() -> int:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    missed = 0
    say(f"{'median of ' + str(runs) + ' runs, in ms':<58}{'median':>8}{'least':>8}{'most':>8}")
    for choice in ["embedded"] + (["system:15"] if installed(15) else []):
        with open_server(choice) as server:
            say(server.description)
            bare, cloned, dropped = clones(server, runs)
        with empty_cache() as empty:
            initial = [first(choice, empty) for _ in range(runs)]
        show("first database of all, with initdb", initial)
        missed += show("first database, from nothing", [first(choice) for _ in range(runs)], FIRST_AIM)
        show(f"CREATE DATABASE … TEMPLATE, {TABLES} tables", bare)
        missed += show("the same by Server.clone", cloned, CLONE_AIM * statistics.median(bare))
        show("Server.drop", dropped)
    return 1 if missed else 0


def first(choice: str, prepare: Callable[[], None] = lambda: None) -> float:
    """Milliseconds from nothing to an answer of a new database."""
    prepare()
    started = time.perf_counter()
    with open_server(choice) as server:
        with psycopg.connect(server.create().url) as connection:
            connection.execute("SELECT 1")
        return since(started)


def clones(server: Server, runs: int) -> tuple[list[float], list[float], list[float]]:
    """Milliseconds of the bare statement on an open connection, of clone, and of drop, taken by turns."""
    template = server.template("tables", build)
    bare, cloned, dropped = [], [], []
    with psycopg.connect(server.url, autocommit=True) as connection:
        for number in range(runs + 1):
            started = time.perf_counter()
            connection.execute(f"CREATE DATABASE bare_{number} TEMPLATE {template.name} STRATEGY FILE_COPY")
            bare.append(since(started))
            started = time.perf_counter()
            database = server.clone(template)
            cloned.append(since(started))
            started = time.perf_counter()
            server.drop(database)
            dropped.append(since(started))
            connection.execute(f"DROP DATABASE bare_{number}")
    return bare[1:], cloned[1:], dropped[1:]  # the first one warms up


def build(database: Database) -> None:
    with psycopg.connect(database.url) as connection:
        for number in range(TABLES):
            connection.execute(
                f"CREATE TABLE t{number}"
                " (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text UNIQUE, at timestamptz)"
            )
            connection.execute(f"INSERT INTO t{number} (name, at) SELECT n, now() FROM generate_series(1, 20) AS n")


@contextmanager
def empty_cache() -> Iterator[Callable[[], None]]:
    """A cache of its own, and what empties it; outside private folders, which the server's user cannot pass."""
    folder = Path(tempfile.mkdtemp(dir="/var/tmp"))
    folder.chmod(0o755)
    candidates = postgres_binaries._cache_candidates
    postgres_binaries._cache_candidates = lambda: [folder / "cache"]
    try:
        yield lambda: shutil.rmtree(folder / "cache", ignore_errors=True)
    finally:
        postgres_binaries._cache_candidates = candidates
        shutil.rmtree(folder)


def show(what: str, times: list[float], aim: float | None = None) -> bool:
    """Print one row; whether its aim was missed."""
    median = statistics.median(times)
    met = "" if aim is None else f"   aim {aim:.0f}: {'met' if median <= aim else 'MISSED'}"
    say(f"  {what:<56}{median:>8.1f}{min(times):>8.1f}{max(times):>8.1f}{met}")
    return aim is not None and median > aim


def since(started: float) -> float:
    return (time.perf_counter() - started) * 1000


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
