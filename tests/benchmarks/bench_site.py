"""How long it takes to build the site, and from saving a page until a browser that looks at it would have the new one.

    python tests/benchmarks/bench_site.py [RUNS]

On a copy of the repository, served as ``backout serve`` serves it. Exits with 1 when an aim is missed.
"""

import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

from backout.repository import copy_repository

ROOT = Path(__file__).parents[2]
RUNS = 10
BUILD_AIM = 20.0  # s
RELOAD_AIM = 2.0  # s
PAGES = {"docs/glossary.md": "glossary/", "runbooks/roll-back-one-revision.md": "runbooks/roll-back-one-revision/"}
ENVIRONMENT = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "DISABLE_MKDOCS_2_WARNING": "true"}


def main() -> int:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    missed = 0
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "project"
        copy_repository(ROOT, project)
        say(f"{'in s':<58}{'median':>8}{'least':>8}{'most':>8}")
        missed += show("the whole site, built", [build(project, Path(folder) / "site")], BUILD_AIM)
        for page, times in reloads(project, runs).items():
            missed += show(f"{page}, from saved to served", times, RELOAD_AIM)
    return 1 if missed else 0


def build(project: Path, target: Path) -> float:
    """Seconds of ``mkdocs build``."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", target]
    subprocess.run(command, cwd=project, env=ENVIRONMENT, check=True)
    return time.perf_counter() - started


def reloads(project: Path, runs: int) -> dict[str, list[float]]:
    """Seconds from each saving of a page until it is served with what was written."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "mkdocs", "serve", "--no-strict", "--quiet", "--dev-addr", f"127.0.0.1:{port}"]
    with subprocess.Popen(command, cwd=project, env=ENVIRONMENT) as server:
        try:
            found: dict[str, list[float]] = {page: [] for page in PAGES}
            for page, address in PAGES.items():
                until(server, f"http://127.0.0.1:{port}/{address}", "<article")
                text = (project / page).read_text(encoding="utf-8")
                for number in range(runs + 1):
                    time.sleep(1)  # somebody thinks
                    (project / page).write_text(f"{text}\nWritten {number}.\n", encoding="utf-8")
                    found[page].append(until(server, f"http://127.0.0.1:{port}/{address}", f"Written {number}."))
            return {page: times[1:] for page, times in found.items()}  # the first one warms up
        finally:
            server.terminate()


def until(server: subprocess.Popen[bytes], url: str, text: str) -> float:
    """Seconds until the page has the text."""
    started = time.perf_counter()
    while server.poll() is None:
        with suppress(OSError), urllib.request.urlopen(url) as answer:
            if text in answer.read().decode():
                return time.perf_counter() - started
        time.sleep(0.01)
    raise SystemExit("mkdocs serve has ended")


def show(name: str, times: list[float], aim: float) -> int:
    missed = statistics.median(times) > aim
    verdict = f"  aim {aim:g}: {'MISSED' if missed else 'met'}"
    say(f"{name:<58}{statistics.median(times):8.2f}{min(times):8.2f}{max(times):8.2f}{verdict}")
    return int(missed)


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
