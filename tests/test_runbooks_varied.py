"""Runbooks with other values than those of their page, and cut off where the page's own tests do not cut.

The pages' own tests run each with one set of values. Nothing of a page may hold for these alone.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import psycopg
import pytest

from backout.configuration import load_project
from backout.execute import PageRun
from backout.pages import read_page
from backout.postgres import Server
from backout.repository import copy_repository

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="NOT CHECKED: bash and its processes are POSIX's")

ROOT = Path(__file__).parents[1]
VARIED = {
    # Names that need quotes, a type of several words, a column that may be NULL.
    "rename-a-column": (
        {"CHANGE": "seen", "COLUMN": "last_seen_at", "NEW": "Last Seen"},
        r"""sed -i 's/^    last_seen_at: \(.*\)$/    last_seen_at: \1 = mapped_column("Last Seen")/' \
              src/content_creation_crew/db/models/user.py""",
    ),
    # A column that is NOT NULL, and a key that is a number.
    "change-a-column-type": (
        {"CHANGE": "prompt", "TABLE": "content_jobs", "COLUMN": "prompt", "TYPE": "character varying(100000)"},
        r"""sed -i 's/^    prompt: Mapped\[str\]$/    prompt: Mapped[str] = mapped_column(String(100000))/' \
              src/content_creation_crew/db/models/content_job.py""",
    ),
    # The other way out.
    "multiple-heads": ({"REBASE": "none"}, (ROOT / "tests/incidents/multiple-heads.sh").read_text(encoding="utf-8")),
}

Open = Callable[[str, dict[str, str], str], AbstractContextManager[PageRun]]


@pytest.fixture
def opened(backout_server: Server) -> Iterator[Open]:
    """Open a run of a runbook with other examples and another incident."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        root, scratch = Path(folder, "project"), Path(folder, "scratch")
        copy_repository(ROOT, root)
        scratch.mkdir()

        @contextmanager
        def open_run(name: str, examples: dict[str, str], incident: str) -> Iterator[PageRun]:
            path = root / "runbooks" / f"{name}.md"
            lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
            for variable, value in examples.items():
                [at] = [number for number, line in enumerate(lines) if line.startswith(f"    {variable}: ")]
                lines[at] = f"    {variable}: {value}\n"
            path.write_text("".join(lines), encoding="utf-8")
            (root / "tests/incidents" / f"{name}.sh").write_text(incident, encoding="utf-8")
            page = read_page(path, root)
            assert [str(problem) for problem in page.problems] == []
            with PageRun(page, load_project(root), backout_server, scratch=scratch) as run:
                yield run

        yield open_run


@pytest.mark.parametrize("name", VARIED)
def test_a_runbook_with_other_values_comes_to_its_end(name: str, opened: Open) -> None:
    examples, incident = VARIED[name]
    with opened(name, examples, incident) as run:
        stopped = run.reach_end()
        assert stopped is None, stopped.message


def test_a_backfill_that_is_killed_goes_on_and_waits_for_a_replica_that_is_behind(opened: Open) -> None:
    name = "backfill-a-large-table"
    incident = (ROOT / "tests/incidents" / f"{name}.sh").read_text(encoding="utf-8")
    with opened(name, {"BATCH": '"300"'}, incident) as run:
        [first] = [block for block in run.page.runnable if block.id == "try.1"]
        assert run.reach(first).outcome == "passed", run.results["try.1"].message
        count = "SELECT count(*) FROM content_artifacts WHERE word_count IS NULL AND body IS NOT NULL"
        with psycopg.connect(run.database.url, autocommit=True) as connection:
            assert connection.execute(count).fetchone() == (2200,)

            one = _backfill(run, PAUSE="60")
            assert _line(one) == "batch 1: 300 rows"
            os.killpg(one.pid, signal.SIGKILL)
            one.communicate()
            assert connection.execute(count).fetchone() == (1900,)

            connection.execute("SELECT pg_create_physical_replication_slot('asleep', true, true)")
            connection.execute("SELECT pg_logical_emit_message(false, 'much', repeat('x', 20000000))")
            two = _backfill(run, PAUSE="0")
            assert _line(two).startswith("waiting: a replica is ")
            assert connection.execute(count).fetchone() == (1900,)
            connection.execute("SELECT pg_drop_replication_slot('asleep')")
            output, _ = two.communicate(timeout=60)

            assert two.returncode == 0, output
            assert output.splitlines()[-1] == "batch 9: 0 rows"
            assert connection.execute(count).fetchone() == (0,)
        kept = [line.split("\t") for line in (run.work / "build/word_counts.kept").read_text().splitlines()]
        assert len({key for key, _, _ in kept}) == len(kept) == 2500
        assert {was for _, was, _ in kept} == {"\\N"}
        assert len({transaction for _, _, transaction in kept}) == 9


def _backfill(run: PageRun, **variables: str) -> "subprocess.Popen[str]":
    bash = shutil.which("bash")
    assert bash is not None
    return subprocess.Popen(
        [bash, "build/word_counts.sh"],
        cwd=run.work,
        env={**run.environment, **variables},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def _line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().rstrip("\n")
