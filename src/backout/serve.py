"""``backout serve``: the site at once, and a run of every page beside it; then of each page that is changed.

Starts MkDocs and pytest as processes of their own and ends both. Knows the results only from
``build/run.json``, as the site does, and tells it which pages are being run.
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress

from backout.configuration import Project
from backout.errors import BackoutError, ConfigurationError
from backout.processes import started
from backout.record import UNDER_WAY, PageRecord, read_runs, write_under_way

START_SECONDS = 120
LOOK_SECONDS = 0.2


def serve(project: Project, address: str, postgres: str | None, say: Callable[[str], None]) -> None:
    """Build and serve the site, run the pages meanwhile, then each page when it is changed.

    ``KeyboardInterrupt`` ends it.

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
    runs = _Runs(project, postgres)
    runs.tell(())
    environment = {
        **os.environ, "NO_MKDOCS_2_WARNING": "1", "DISABLE_MKDOCS_2_WARNING": "true", UNDER_WAY: str(runs.under_way),
    }  # fmt: skip
    # MkDocs, ended early, leaves the folder that it was to build in.
    with tempfile.TemporaryDirectory(prefix="backout-serve-") as folder:
        site = started(
            lambda: subprocess.Popen(
                # A warning does not keep a page that is being written from being shown.
                [sys.executable, "-m", "mkdocs", "serve", "--no-strict", "--dev-addr", address],
                cwd=project.root,
                env={**environment, "TMPDIR": folder},
                start_new_session=True,
            )
        )
        try:
            _wait_for(site, host, int(port))
            say(f"The site is served on http://{address} (Ctrl-C ends it). Its pages are run now:")
            holds = runs.run(runs.every(), site)
            for line in _summary(project, None):
                say(line)
            say(
                f"{'All pages hold' if holds else 'Some pages do not hold: see above'}; "
                f"the whole record: http://{address}/reference/coverage/"
            )
            while site.poll() is None:
                time.sleep(LOOK_SECONDS)
                if changed := runs.changed():
                    runs.run(changed, site)
                    for line in _summary(project, changed):
                        say(line)
        except KeyboardInterrupt:
            say("")
        finally:
            runs.tell(())
            _end(site)


class _Runs:
    """The runs of pages, one after the other; what was changed while one was under way is run first."""

    def __init__(self, project: Project, postgres: str | None) -> None:
        self._project = project
        self._postgres = postgres
        self._seen = self._look()
        self.under_way = project.root / "build" / "under-way.json"

    def every(self) -> tuple[str, ...]:
        """All pages."""
        return tuple(self._seen)

    def changed(self) -> tuple[str, ...]:
        """The pages that have changed since they were last asked about."""
        before, self._seen = self._seen, self._look()
        return tuple(page for page, state in self._seen.items() if before.get(page) != state)

    def tell(self, pages: Iterable[str]) -> None:
        """Tell the site what is being run."""
        write_under_way(self.under_way, pages)

    def run(self, pages: Collection[str], site: subprocess.Popen[bytes]) -> bool:
        """Run these, and on the way whatever is changed meanwhile; whether all hold."""
        self.tell(pages)
        process = started(
            lambda: subprocess.Popen(
                self._pytest(pages), cwd=self._project.root, stdin=subprocess.DEVNULL, start_new_session=True
            )
        )
        changed: tuple[str, ...] = ()
        try:
            while process.poll() is None and site.poll() is None and not changed:
                time.sleep(LOOK_SECONDS)
                changed = self.changed()
        finally:
            _end(process)
            self.tell(())
        if not changed:
            return process.returncode in (0, 5)
        # The page that somebody looks at goes first; what has passed until now is not run again.
        holds = self.run(changed, site)
        rest = [page for page in pages if page not in changed]
        return (not rest or self.run(rest, site)) and holds

    def _look(self) -> dict[str, tuple[int, int]]:
        root = self._project.root
        states = {path: path.stat() for path in self._project.page_paths()}
        return {path.relative_to(root).as_posix(): (state.st_mtime_ns, state.st_size) for path, state in states.items()}

    def _pytest(self, pages: Collection[str]) -> list[str]:
        choice = ["--postgres", self._postgres] if self._postgres else []
        beside = ["-n", "2"] if len(pages) > 1 else []
        return [sys.executable, "-m", "pytest", "--skip-unchanged", *beside, "-p", "no:cacheprovider", *choice, *pages]


def _wait_for(site: subprocess.Popen[bytes], host: str, port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while site.poll() is None and time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection((host, port), timeout=1):
            return
        time.sleep(0.05)
    raise BackoutError("the site could not be built; what MkDocs printed above says why")


def _summary(project: Project, pages: Collection[str] | None) -> list[str]:
    runs = read_runs(project.root / "build" / "run.json")
    runs = {page: records for page, records in runs.items() if pages is None or page in pages}
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
