"""``backout serve``: the site at once, and a run of every page beside it.

Starts MkDocs and pytest as processes of their own and ends both. Knows the results only from
``build/run.json``, as the site does.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress

from backout.configuration import Project
from backout.errors import BackoutError, ConfigurationError
from backout.record import PageRecord, read_runs

START_SECONDS = 120


def serve(project: Project, address: str, postgres: str | None, say: Callable[[str], None]) -> None:
    """Build and serve the site, run the changed pages meanwhile, then serve until interrupted.

    :param address: ``host:port``.
    :param postgres: as ``--postgres``.
    :raises ConfigurationError: no ``mkdocs.yml``, or the address is taken.
    :raises BackoutError: the site could not be built.
    """
    if not (project.root / "mkdocs.yml").is_file():
        raise ConfigurationError(
            f"{project.root} has no mkdocs.yml; run backout serve where the site's configuration is"
        )
    host, _, port = address.rpartition(":")
    with socket.socket() as probe:
        if probe.connect_ex((host, int(port))) == 0:
            raise ConfigurationError(
                f"{address} is taken by another program; end it, or choose another: --address 127.0.0.1:8001"
            )
    (project.root / "build").mkdir(exist_ok=True)
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "DISABLE_MKDOCS_2_WARNING": "true"}
    site = subprocess.Popen(
        [sys.executable, "-m", "mkdocs", "serve", "--quiet", "--dev-addr", address],
        cwd=project.root,
        env=environment,
        start_new_session=True,
    )
    try:
        _wait_for(site, host, int(port))
        say(f"The site is served on http://{address} (Ctrl-C ends it). Its pages are run now:")
        pages = subprocess.Popen(
            _pytest(project, postgres), cwd=project.root, stdin=subprocess.DEVNULL, start_new_session=True
        )
        try:
            status = pages.wait()
        finally:
            _end(pages)
        for line in _summary(project):
            say(line)
        say(
            f"{'All pages hold' if status in (0, 5) else 'Some pages do not hold: see above'}; "
            f"the whole record: http://{address}/reference/coverage/"
        )
        site.wait()
    except KeyboardInterrupt:
        say("")
    finally:
        _end(site)


def _pytest(project: Project, postgres: str | None) -> list[str]:
    paths = [str(path.relative_to(project.root)) for path in project.page_paths()]
    choice = ["--postgres", postgres] if postgres else []
    return [
        sys.executable,
        "-m",
        "pytest",
        "--skip-unchanged",
        "-n",
        "2",
        "-p",
        "no:cacheprovider",
        *choice,
        *paths,
    ]


def _wait_for(site: subprocess.Popen[bytes], host: str, port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while site.poll() is None and time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection((host, port), timeout=1):
            return
        time.sleep(0.05)
    raise BackoutError("the site could not be built; what MkDocs printed above says why")


def _summary(project: Project) -> list[str]:
    runs = read_runs(project.root / "build" / "run.json")
    width = max(map(len, runs), default=0)
    return [
        f"  {page:{width}}  PostgreSQL {major}: {_counts(record)}"
        for page, records in runs.items()
        for major, record in sorted(records.items(), reverse=True)
    ]


def _counts(record: PageRecord) -> str:
    text = f"{record.count('passed')} passed"
    for outcome in ("failed", "not reached", "not run"):
        if number := record.count(outcome):
            text += f", {number} {outcome}"
    return f"{text} in {record.seconds:g} s ({record.when[:16].replace('T', ' ')} UTC)"


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        # As Ctrl-C would, so that it removes what it has made; each has a session of its own and gets it once.
        process.send_signal(signal.SIGINT if os.name == "posix" else signal.SIGTERM)
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
