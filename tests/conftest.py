"""What the tests of the commands, scripts and workflows share: a copy of the repository that they may break."""

import functools
import http.server
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import psycopg
import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from backout import journal, production
from backout.campaign import Campaign
from backout.configuration import Project, load_project
from backout.masking import Masking
from backout.postgres import Database, Server
from backout.repository import copy_repository
from backout.worker import Target, Worker

ROOT = Path(__file__).parents[1]

# What a shell runs in the background ignores these, and so would everything that the tests start, and end with them.
for _signal in [getattr(signal, name) for name in ("SIGINT", "SIGQUIT", "SIGHUP") if hasattr(signal, name)]:
    if signal.getsignal(_signal) is signal.SIG_IGN:
        signal.signal(_signal, signal.default_int_handler if _signal is signal.SIGINT else signal.SIG_DFL)

# Of the caller's environment, what would lead a command astray: to another database, or as a child of `make test`.
ASTRAY = {"DATABASE_URL", "BACKOUT_POSTGRES", "BACKOUT_REQUIRE_ALL", "PYTEST_ARGS", "MESSAGE", "CONFIRM", "MIGRATE_IN"}
ASTRAY |= {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}

REVISION = '''"""{message}

{document}
Revision ID: {revision}
Revises: {parents}
"""

from alembic import op

revision = {revision!r}
down_revision = {down_revision!r}
branch_labels = None
depends_on = {needs!r}


def upgrade() -> None:
    {upgrade}


def downgrade() -> None:
    {downgrade}
'''


@dataclass(frozen=True)
class Chain:
    """A project whose chain a test may extend."""

    root: Path

    @property
    def project(self) -> Project:
        return load_project(self.root)

    @property
    def heads(self) -> tuple[str, ...]:
        return tuple(ScriptDirectory.from_config(Config(self.root / "alembic.ini")).get_heads())

    def add(
        self,
        revision: str,
        upgrade: str = "pass",
        downgrade: str = "pass",
        *,
        parents: tuple[str, ...] | None = None,
        needs: str | None = None,
        message: str = "a revision of the test",
        document: str = "",
    ) -> None:
        """Write a revision file, by default on top of the head."""
        parents = self.heads if parents is None else parents
        text = REVISION.format(
            message=message,
            document=document,
            revision=revision,
            parents=", ".join(parents),
            down_revision=parents[0] if len(parents) == 1 else parents or None,
            needs=needs,
            upgrade=upgrade.replace("\n", "\n    "),
            downgrade=downgrade.replace("\n", "\n    "),
        )
        (self.root / "alembic" / "versions" / f"{revision}.py").write_text(text, encoding="utf-8")


def _faults() -> ModuleType:
    spec = importlib.util.spec_from_file_location("faults", ROOT / "tests" / "faults.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def pytest_configure(config: pytest.Config) -> None:
    """Keep what the tests tell of faults."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(_faults().Recorder(config.rootpath))


@pytest.fixture(scope="session")
def faults() -> ModuleType:
    """The module ``faults`` beside this one."""
    return _faults()


@pytest.fixture
def fault(record_property: Callable[[str, Any], None]) -> Callable[[str, int, str, int], None]:
    """Leave behind what the page of faults tells: name, times, what happened, rows lost."""

    def leave(name: str, times: int, happened: str, lost: int) -> None:
        assert lost == 0
        record_property("fault", {"fault": name, "times": times, "happened": happened, "rows_lost": lost})

    return leave


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository, copied; its ``.venv`` is the running environment, and complete, so that nothing is installed."""
    copy = tmp_path_factory.mktemp("pristine") / "copy"
    copy_repository(ROOT, copy)
    environment = copy / ".venv"
    environment.mkdir()
    for entry in Path(sys.prefix).iterdir():
        if entry.name != ".complete":
            (environment / entry.name).symlink_to(entry)
    (environment / ".complete").touch()
    return copy


@pytest.fixture
def working_copy(pristine: Path, tmp_path: Path) -> Chain:
    """A copy of the repository that a test may break."""
    return Chain(Path(shutil.copytree(pristine, tmp_path / "copy", symlinks=True)))


@pytest.fixture
def small_chain(tmp_path: Path) -> Chain:
    """A project with an empty chain and an ``env.py`` of few lines."""
    return _small_chain(tmp_path / "small")


@pytest.fixture(scope="session")
def make_chain() -> Callable[[Path], Chain]:
    """Make such a project in a directory."""
    return _small_chain


def _small_chain(root: Path) -> Chain:
    (root / "alembic" / "versions").mkdir(parents=True)
    (root / "alembic.ini").write_text("[alembic]\nscript_location = %(here)s/alembic\npath_separator = os\n")
    (root / "alembic" / "env.py").write_text(
        "import os\n"
        "import sqlalchemy\n"
        "from alembic import context\n"
        "engine = sqlalchemy.create_engine(os.environ['DATABASE_URL'], poolclass=sqlalchemy.NullPool)\n"
        "with engine.connect() as connection:\n"
        "    context.configure(connection=connection)\n"
        "    with context.begin_transaction():\n"
        "        context.run_migrations()\n"
    )
    return Chain(root)


@pytest.fixture(scope="session")
def own_choice(backout_server: Server) -> str:
    """For ``open_server``: a server of a test's own, which it may break, of this run's kind."""
    return f"system:{backout_server.major}" if backout_server.origin == "system" else "embedded"


@pytest.fixture(scope="session")
def rehearsed(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``samples/production``, with the evidence that was measured on such a server as this run's; to be copied."""
    root = shutil.copytree(ROOT / "tests" / "samples" / "production", tmp_path_factory.mktemp("rehearsed") / "crew")
    with Campaign(Target(root / "alembic.ini"), pytestconfig.option.postgres) as campaign:
        for result in campaign.measure(campaign.choose(())):
            campaign.files.write(result.evidence)
    return Path(root)


@dataclass(frozen=True)
class Crew:
    """A copy of ``samples/production`` with its evidence."""

    root: Path

    @property
    def target(self) -> Target:
        return Target(self.root / "alembic.ini")

    def open(self, url: str, masking: Masking | None = None) -> AbstractContextManager[production.Deployment]:
        return production.open_deployment(self.target, url, masking or Masking())

    def order(self, **more: Any) -> production.Order:
        """How a test makes a change: quickly, and without a backup."""
        limits = production.Limits(backups=self.root / "backups")
        quick = {"accepted": {"backup": "a test"}, "lock_timeout": 0.7, "pause": 0.01, "wait": 5.0, "health_wait": 0.1}
        return production.Order(**{"limits": limits, **quick, **more})

    def log(self, subject: str = "apply", masking: Masking | None = None) -> journal.Journal:
        return journal.create(self.root / "build" / "journals", subject, masking or Masking())

    def records(self) -> list[journal.Record]:
        """Every journal, in the order in which they were begun."""
        paths = sorted((self.root / "build" / "journals").glob("*.jsonl"), key=lambda path: path.stat().st_ctime_ns)
        return sorted(map(journal.read, paths), key=lambda record: record.begin.at)


@pytest.fixture
def crew(rehearsed: Path, tmp_path: Path) -> Crew:
    """A project that is deployed, and that a test may break."""
    return Crew(Path(shutil.copytree(rehearsed, tmp_path / "crew")))


def _crew_at(server: Server, root: Path, revision: str) -> Database:
    """A copy of a database in which twelve people have lived since a1."""

    def build(database: Database) -> None:
        with Worker(Target(root / "alembic.ini"), server) as worker:
            names = [one.id for one in worker.load(database).revisions]
            for part in (names[:1], names[1 : names.index(revision) + 1]):
                if part:
                    report = worker.advance(database, part)
                    assert report.outcome == "applied", report
                if part == names[:1]:
                    with psycopg.connect(database.url) as connection:
                        connection.execute(
                            "INSERT INTO people (name, email) SELECT 'Ann ' || n, 'ann' || n || '@example.org' "
                            "FROM generate_series(1, 12) AS n"
                        )

    return server.clone(server.template(f"crew at {revision}", build))


@pytest.fixture(scope="session")
def crew_at() -> Callable[[Server, Path, str], Database]:
    """Make a database on a server: of the project there, at a revision, with people in it."""
    return _crew_at


@pytest.fixture
def deployed(backout_server: Server, rehearsed: Path) -> Iterator[Callable[[str], Database]]:
    """Make such databases on this run's server; dropped after the test."""
    made: list[Database] = []

    def make(revision: str) -> Database:
        made.append(_crew_at(backout_server, rehearsed, revision))
        return made[-1]

    yield make
    for database in made:
        backout_server.drop(database)


def _site(target: Path, **variables: str) -> Path:
    """Build the site as ``make site`` does, where no database, no tool of PostgreSQL and no program can be reached."""
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", target],
        cwd=ROOT,
        env={
            "PATH": "/nonexistent",
            "HOME": str(target),
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
            "NO_MKDOCS_2_WARNING": "1",
            "DISABLE_MKDOCS_2_WARNING": "true",
            **variables,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    return target


@pytest.fixture(scope="session")
def built_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site as it is published below ``/below/``; nobody may change it."""
    return _site(tmp_path_factory.mktemp("built") / "below", SITE_URL="https://crew.example.com/below/")


@pytest.fixture(scope="session")
def offline_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The copy of it that opens from a folder; nobody may change it."""
    return _site(tmp_path_factory.mktemp("offline") / "a folder", OFFLINE="true")


class _Pages(http.server.SimpleHTTPRequestHandler):
    """Serves files, and the site's own page for what is not there, as GitHub Pages does."""

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        page = Path(self.directory) / "below" / "404.html"
        if not page.is_file():
            super().send_error(code, message, explain)
            return
        self.send_response(code)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(page.read_bytes())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


class _Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):  # a page that was closed while it was loaded
            super().handle_error(request, client_address)


@contextmanager
def _serving(folder: Path) -> Iterator[str]:
    with _Server(("127.0.0.1", 0), functools.partial(_Pages, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def serving() -> Callable[[Path], AbstractContextManager[str]]:
    """Serves a folder while its block lasts: ``with serving(folder) as address``."""
    return _serving


@pytest.fixture(scope="session")
def served(built_site: Path) -> Iterator[str]:
    """The address of the site's home page, below a path."""
    with _serving(built_site.parent) as address:
        yield f"{address}below/"


CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium; for a module, as nobody else may open one in the same process meanwhile."""
    if CHROMIUM is None:
        pytest.skip("NOT CHECKED: the site in a browser: no Chromium is installed (Debian: chromium)")
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - slow, and needed with a browser only

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"],
        )
        yield opened
        opened.close()


@dataclass
class Opened:
    """A page, and what it did while it was loaded."""

    page: Any
    problems: list[str] = field(default_factory=list)
    requests: set[str] = field(default_factory=set)

    def faults(self) -> list[tuple[str, str, str]]:
        """What axe finds."""
        from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415

        found = Axe().run(self.page).response["violations"]
        return [(one["id"], one["nodes"][0]["html"][:300], one["nodes"][0]["failureSummary"]) for one in found]

    def outside(self, base: str) -> set[str]:
        """Requests that left the site."""
        return {url for url in self.requests if not url.startswith((base, "data:", "blob:"))}


@pytest.fixture
def opened(browser: Any) -> Iterator[Any]:
    """Opens a page: ``opened(address, viewport=PHONE, color_scheme="dark")``."""
    contexts = []

    def open_page(address: str, **options: Any) -> Opened:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        one = Opened(context.new_page())
        one.page.on("request", lambda request: one.requests.add(request.url))
        one.page.on("console", lambda message: one.problems.append(message.text) if message.type == "error" else None)
        one.page.on("pageerror", lambda error: one.problems.append(str(error)))
        one.page.goto(address, wait_until="load")
        return one

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def environment() -> dict[str, str]:
    """The environment for a command: the caller's, without what would lead it astray."""
    return {name: value for name, value in os.environ.items() if name not in ASTRAY}


@pytest.fixture
def current_revisions() -> Callable[[str], tuple[str, ...]]:
    """What a database says it is at, sorted."""

    def ask(url: str) -> tuple[str, ...]:
        with psycopg.connect(url) as connection:
            if connection.execute("SELECT to_regclass('alembic_version')").fetchone() == (None,):
                return ()
            return tuple(sorted(row[0] for row in connection.execute("SELECT version_num FROM alembic_version")))

    return ask
