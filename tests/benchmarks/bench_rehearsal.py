"""What a rehearsal costs over upgrading, downgrading and upgrading each revision without measuring anything.

    python tests/benchmarks/bench_rehearsal.py [LENGTH …]

Chains of 100, 200 and 400 made-up revisions over 150 tables; each number is of one run, all on the same machine, one
after the other. The loops go up, down and up at each revision:

classical     three commands of Alembic's API a revision; each command loads every revision file
loaded once   the same three steps, by a program that loads the files once

Exits with 1 when an aim is missed.
"""

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
from alembic import command
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationStep
from alembic.script import Script, ScriptDirectory
from chains import add_revision, write_chain

from backout.postgres import open_server

LENGTHS = (100, 200, 400)
BACKOUT = [sys.executable, "-m", "backout", "rehearse"]
ONE_JOB_AIM, TWO_JOBS_AIM = 5.0, 3.0  # times the loop that loads once
CLASSICAL_AIM, CLASSICAL_AIM_LONG, LONG = 1.0, 1 / 3, 400  # of the classical loop, and from that many revisions on
MEMORY_AIM = 400.0  # MB
NEW_AIM = 5.0  # s


def main() -> int:
    lengths = tuple(map(int, sys.argv[1:])) or LENGTHS
    missed = 0
    say(f"{'revisions':>9} {'':<28}{'seconds':>9}{'a revision':>12}{'x loaded once':>15}{'x classical':>13}")
    for length in lengths:
        with tempfile.TemporaryDirectory() as folder:
            project = Path(folder)
            write_chain(project, length)
            once = loop(project, loaded_once)
            classical = loop(project, commands)
            show(length, "loaded once", once, once, classical)
            show(length, "classical", classical, once, classical)
            one, memory = rehearse(project, "--jobs", "1")
            two, memory_of_two = rehearse(project, "--jobs", "2")
            aim = CLASSICAL_AIM_LONG if length >= LONG else CLASSICAL_AIM
            missed += show(length, "backout rehearse", one, once, classical, ONE_JOB_AIM, aim)
            missed += show(length, "backout rehearse --jobs 2", two, once, classical, TWO_JOBS_AIM, aim)
            missed += told(f"memory of backout and its workers, {length} revisions, MB", memory, MEMORY_AIM)
            missed += told("the same with --jobs 2", memory_of_two, MEMORY_AIM)
            add_revision(project, length)
            new, _ = rehearse(project, "--new")
            missed += told(f"--new, one new revision on top of {length}, s", new, NEW_AIM)
    return 1 if missed else 0


def loop(project: Path, go: Callable[[Config], None]) -> float:
    """Seconds of a loop over the whole chain, in a process of its own."""
    program = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import bench_rehearsal as b; "
    program += f"b.time_loop(b.{go.__name__})"
    done = subprocess.run([sys.executable, "-c", program], cwd=project, check=True, stdout=subprocess.PIPE, text=True)
    return float(done.stdout)


def time_loop(go: Callable[[Config], None]) -> None:
    """For the process of :func:`loop`: on a database of its own; prints the seconds."""
    with open_server("embedded") as server:
        os.environ["DATABASE_URL"] = server.create().url
        started = time.perf_counter()
        go(Config("alembic.ini"))
        say(str(time.perf_counter() - started))


def loaded_once(config: Config) -> None:
    scripts = ScriptDirectory.from_config(config)
    for script in reversed(list(scripts.walk_revisions())):
        for make in (
            MigrationStep.upgrade_from_script,
            MigrationStep.downgrade_from_script,
            MigrationStep.upgrade_from_script,
        ):
            one_step(config, scripts, script, make)


def one_step(config: Config, scripts: ScriptDirectory, script: Script, make: Callable[..., MigrationStep]) -> None:
    def steps(_heads: object, _context: object) -> list[MigrationStep]:
        return [make(scripts.revision_map, script)]

    with EnvironmentContext(config, scripts, fn=steps):
        scripts.run_env()


def commands(config: Config) -> None:
    order = [(one.revision, one.down_revision) for one in ScriptDirectory.from_config(config).walk_revisions()]
    for revision, parent in reversed(order):
        command.upgrade(config, revision)
        command.downgrade(config, str(parent or "base"))
        command.upgrade(config, revision)


def rehearse(project: Path, *options: str) -> tuple[float, float]:
    """Seconds from the command to its end, and the most memory that its processes had, PostgreSQL's left out, in MB."""
    started = time.perf_counter()
    process = psutil.Popen([*BACKOUT, *options], cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    most = [0.0]
    watch = threading.Thread(target=lambda: watch_memory(process, most), daemon=True)
    watch.start()
    _, errors = process.communicate()
    seconds = time.perf_counter() - started
    if process.returncode and (process.returncode != 1 or b" not accepted; " not in errors):
        sys.exit(f"backout failed:\n{errors.decode()}")
    return seconds, most[0]


def watch_memory(process: psutil.Process, most: list[float]) -> None:
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        resident = 0
        for one in [process, *process.children(recursive=True)]:
            try:
                if "postgres" not in one.name():
                    resident += one.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        most[0] = max(most[0], resident / 1e6)
        time.sleep(0.2)


def show(
    length: int, what: str, seconds: float, once: float, classical: float,
    aim: float | None = None, classical_aim: float | None = None,
) -> int:  # fmt: skip
    """Print a line; 1 where it misses an aim."""
    missed = (aim is not None and seconds > aim * once) + (
        classical_aim is not None and seconds > classical_aim * classical
    )
    aims = f"   aim: {aim:g} and {classical_aim:.2f}" if aim is not None and classical_aim is not None else ""
    say(
        f"{length:>9} {what:<28}{seconds:>9.1f}{seconds / length * 1000:>9.0f} ms{seconds / once:>15.1f}"
        f"{seconds / classical:>13.2f}{aims}{', missed' if missed else ''}"
    )
    return 1 if missed else 0


def told(what: str, value: float, aim: float) -> int:
    missed = value > aim
    say(f"{what:>60}{value:>9.1f}   aim: {aim:g}{', missed' if missed else ''}")
    return 1 if missed else 0


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
