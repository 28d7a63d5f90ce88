"""What a page weighs on the wire, and how long it takes until its largest part is seen, in Chromium on this machine.

    python tests/benchmarks/bench_pages.py [RUNS]

Weights are of what a first visit fetches, compressed, without images and Mermaid. Exits with 1 when an aim is missed.
"""

import functools
import gzip
import http.server
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[2]
RUNS = 5
WEIGHT_AIM, NOTEBOOK_AIM = 500.0, 800.0  # kB
PAINT_AIM = 1000.0  # ms
PAGES = {
    "home": "",
    "guide": "migration-rollback/",
    "runbook": "runbooks/roll-back-one-revision/",
    "reference": "reference/api/",
    "decision": "decisions/0007-the-site/",
    "chain": "migrations/",
    "revision": "migrations/3263c0e46dff/",
    "schema": "migrations/schema/",
    "matrix": "risk/",
    "kind": "risk/modify-column/",
    "hazards": "hazards/",
    "hazard": "hazards/not-null-scans/",
}
OBSERVE = """() => new Promise(done => new PerformanceObserver(
  list => done(list.getEntries().at(-1).startTime)).observe({type: "largest-contentful-paint", buffered: true}))"""


def main() -> int:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    missed = 0
    with tempfile.TemporaryDirectory() as folder:
        site = Path(folder) / "below"
        environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "DISABLE_MKDOCS_2_WARNING": "true"}
        command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", site]
        subprocess.run(command, cwd=ROOT, env=environment, check=True)
        say(f"{'in kB, compressed, of all pages':<58}{'median':>8}{'least':>8}{'most':>8}")
        weights = {path.relative_to(site).as_posix(): weight(path, site) for path in site.rglob("*.html")}
        notebooks = {name: size for name, size in weights.items() if name.startswith("onboarding/")}
        others = {name: size for name, size in weights.items() if name not in notebooks}
        missed += show(f"a page; most: {max(others, key=others.__getitem__)}", [*others.values()], WEIGHT_AIM)
        if notebooks:
            missed += show("a notebook", [*notebooks.values()], NOTEBOOK_AIM)
        say(f"{f'largest contentful paint of {runs} first visits, in ms':<58}{'median':>8}{'least':>8}{'most':>8}")
        with served(site.parent) as address, browser() as chromium:
            for name, page in PAGES.items():
                times = [paint(chromium, f"{address}/below/{page}") for _ in range(runs)]
                missed += show(f"{name}: {page}", times, PAINT_AIM)
    return 1 if missed else 0


def weight(path: Path, site: Path) -> float:
    """kB of a page with its styles and scripts, compressed as servers do; Mermaid left out, which only some fetch."""
    text = path.read_text(encoding="utf-8")
    found = re.findall(r'<link rel="stylesheet" href="([^"]+)"|<script src="([^"]+)"', text)
    files = {path}
    for address in (style or script for style, script in found):
        base = site if address.startswith("/") else path.parent
        if "mermaid" not in address:
            files.add((base / address.removeprefix("/")).resolve())
    return sum(len(gzip.compress(file.read_bytes(), 6)) for file in files) / 1000


def paint(chromium: Any, address: str) -> float:
    """Milliseconds from the start of a visit to its largest contentful paint, with nothing kept from one before."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    try:
        page = context.new_page()
        page.goto(address, wait_until="load")
        page.wait_for_timeout(200)  # what comes later may be larger
        return float(page.evaluate(OBSERVE))
    finally:
        context.close()


@contextmanager
def browser() -> Iterator[Any]:
    names = ("chromium", "chromium-browser", "google-chrome")
    program = next((found for name in names if (found := shutil.which(name))), None)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        yield opened
        opened.close()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def show(what: str, values: list[float], aim: float) -> int:
    """Print a line; 1 when the most is over the aim."""
    most = max(values)
    told = f"{what:<58}{statistics.median(values):>8.0f}{min(values):>8.0f}{most:>8.0f}   aim: {aim:.0f}"
    say(told + ("" if most <= aim else "   MISSED"))
    return most > aim


def say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - its output is what it is for


if __name__ == "__main__":
    sys.exit(main())
