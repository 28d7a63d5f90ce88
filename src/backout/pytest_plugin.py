"""pytest runs the pages: Sybil holds the document, ``execute`` runs its steps, this file only reports.

Loaded wherever backout is installed; collects nothing unless the project's ``[tool.backout]`` names pages.
Every page is one file of tests, run in order by one worker:

* ``contract``: the page keeps the page contract;
* one test a block, named by its heading and number, ``before-you-roll-back.2``;
* ``….sabotage``: the check before it can fail, and fails alone;
* in a notebook: ``outputs``, what its cells show may be published; it is left in ``build/notebooks`` for the site;
* in a runbook: ``incident``, the symptom shows with the incident and not without; ``STEP.way-back``, which undoes its
  step; ``STEP.again``, after which the checks of the steps before still hold;
* ``names``: inline code names things that exist.

The only module that knows pytest.
"""

import os
import platform
import re
import sys
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sybil.example import Example, SybilFailure

from backout import executed, postgres
from backout.chain import database_at
from backout.configuration import Project, load_project
from backout.errors import BackoutError
from backout.execute import PageRun, Result, lasting_checks, write_updates
from backout.languages import NotChecked, quoted_problem, validate
from backout.pages import Page, Step, read_page, source_form
from backout.postgres.cluster import run_folder
from backout.record import PageRecord, Runs, StepRecord, add_runs, read_runs, text_hash
from backout.references import Surroundings, unresolved
from backout.repository import code_hash, commit_of, hash_of, is_apart, repository_files

NOT_CHECKED = "NOT CHECKED: "
REQUIRE_ALL = "BACKOUT_REQUIRE_ALL"


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of the plugin."""
    group = parser.getgroup("backout", "pages and disposable databases")
    group.addoption(
        "--postgres",
        metavar="CHOICE",
        help="embedded, system, system:15, or the URL of a server to create databases on (default: $BACKOUT_POSTGRES)",
    )
    group.addoption(
        "--update", action="store_true", help="rewrite expected output of pages where it differs from what was printed"
    )
    group.addoption(
        "--skip-unchanged", action="store_true", help="leave out pages that passed and whose inputs are the same since"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Keep a page in one worker, and remember the project."""
    try:
        config.stash[_SESSION] = _Session(config)
    except BackoutError as error:
        raise pytest.UsageError(str(error)) from error
    config.pluginmanager.register(_Recorder(config.stash[_SESSION]))
    if getattr(config.option, "dist", "no") in ("load", "worksteal"):
        config.option.dist = "loadfile"


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the server that this session started."""
    session = config.stash.get(_SESSION, None)
    if session is not None:
        session.close()


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Start the server once, in the controlling process, where the project has pages."""
    ours = session.config.stash[_SESSION]
    if ours.project.pages and not session.config.option.collectonly:
        try:
            _ = ours.server
        except BackoutError as error:
            raise pytest.UsageError(str(error)) from error


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say once on which PostgreSQL everything runs."""
    ours = config.stash[_SESSION]
    return f"backout: {ours.server.description}" if ours.has_server else None


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Hand the server to an xdist worker."""
    ours = node.config.stash[_SESSION]
    if ours.has_server:
        node.workerinput["backout_server"] = ours.server.handle()


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """A Markdown file or a notebook that the project names under ``pages`` is a page."""
    if file_path.suffix in (".md", ".ipynb") and parent.config.stash[_SESSION].project.is_page(file_path):
        collector: pytest.Collector = PageFile.from_parent(parent, path=file_path)
        return collector
    return None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the pages that have not changed, where that was asked for."""
    if not config.option.skip_unchanged:
        return
    ours = config.stash[_SESSION]
    pages = {item.page_file: item.page_file.page for item in items if isinstance(item, PageItem)}
    unchanged = {file for file, page in pages.items() if ours.is_unchanged(page)}
    skipped = [item for item in items if isinstance(item, PageItem) and item.page_file in unchanged]
    if skipped:
        left = set(skipped)
        items[:] = [item for item in items if item not in left]
        config.hook.pytest_deselected(items=skipped)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,  # noqa: ARG001 - pluggy passes arguments by name
    call: pytest.CallInfo[None],  # noqa: ARG001
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where everything is required, what was not checked has failed."""
    report = yield
    if report.skipped and os.environ.get(REQUIRE_ALL) == "1" and isinstance(report.longrepr, tuple):
        reason = report.longrepr[2].removeprefix("Skipped: ")
        if reason.startswith(NOT_CHECKED):
            report.outcome = "failed"
            report.longrepr = f"{REQUIRE_ALL}=1, and this machine lacks what the check needs.\n{reason}"
    return report


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say loudly what this machine could not check."""
    reasons = sorted(
        {
            report.longrepr[2].removeprefix("Skipped: ")
            for report in terminalreporter.getreports("skipped")
            if isinstance(report.longrepr, tuple) and NOT_CHECKED in report.longrepr[2]
        }
    )
    if reasons:
        terminalreporter.section("not checked on this machine", yellow=True, bold=True)
        for reason in reasons:
            terminalreporter.line(reason, yellow=True)


@pytest.fixture
def disposable(request: pytest.FixtureRequest) -> Iterator[Callable[..., postgres.Database]]:
    """Make disposable databases: ``disposable(revision="head", rows="sample").url``; dropped after the test."""
    ours = request.config.stash[_SESSION]
    made: list[postgres.Database] = []

    def make(revision: str | None = None, rows: str | None = None) -> postgres.Database:
        made.append(database_at(ours.server, ours.project, revision or "base", rows or "none"))
        return made[-1]

    yield make
    for database in made:
        ours.server.drop(database)


@pytest.fixture(scope="session")
def backout_server(request: pytest.FixtureRequest) -> postgres.Server:
    """The server of this run."""
    server: postgres.Server = request.config.stash[_SESSION].server
    return server


class PageFile(pytest.File):
    """A page; its items share one run."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.ours = self.config.stash[_SESSION]
        if self.config.option.update and self.path.suffix == ".ipynb":
            _take_out_outputs(self.path)
        self.page = read_page(self.path, self.ours.project.root)
        self._run: PageRun | None = None
        self.count = 0  # of its items

    def collect(self) -> Iterable["PageItem"]:
        """The items, in the order in which they must run."""
        items = list(self._items())
        self.count = len(items)
        return items

    def _items(self) -> Iterator["PageItem"]:
        yield PageItem.from_parent(self, name="contract", kind="contract", act=self._contract)
        proofs: dict[str, list[Step]] = {}
        for step in self.page.runnable:
            if step.sabotage is not None:
                proofs.setdefault(self.page.proof_point(step).id, []).append(step)
        examples = {example.parsed.id: example for example in self.page.document.examples()}
        self.page.document.push_evaluator(self._evaluate)
        for step in self.page.steps:
            if _is_silent(step) or step.way_back:
                continue
            yield from self._before(step)
            example = examples[step.id]
            yield PageItem.from_parent(self, name=step.id, kind=step.kind, step=step, act=example.evaluate)
            for check in proofs.get(step.id, ()):
                act = partial(self._proved, PageRun.prove, check)
                yield PageItem.from_parent(self, name=f"{check.id}.sabotage", kind="sabotage", step=check, act=act)
            yield from self._behind(step)
        yield PageItem.from_parent(self, name="names", kind="names", act=self._names)
        if self.page.is_notebook:
            yield PageItem.from_parent(self, name="outputs", kind="outputs", act=self._outputs)

    def _before(self, block: Step) -> Iterator["PageItem"]:
        """The proof of the way back of the step that this block begins."""
        for section in self.page.runbook.sections if self.page.runbook else ():
            if section.way_back is not None and block in section.blocks[:1]:
                act, back = partial(self._proved, PageRun.prove_way_back, section), section.way_back
                yield PageItem.from_parent(self, name=back.id, kind="way back", step=back, act=act)

    def _behind(self, block: Step) -> Iterator["PageItem"]:
        """The proofs about what this block ends: the symptom of an incident, a step with others before it."""
        runbook = self.page.runbook
        for section in runbook.sections if runbook else ():
            if block not in section.blocks[-1:]:
                continue
            if section.anchor == "when" and runbook is not None and runbook.incident is not None:
                act = partial(self._proved, PageRun.prove_incident)
                yield PageItem.from_parent(self, name="incident", kind="incident", step=section.blocks[0], act=act)
            if section.number is not None and lasting_checks(self.page, section):
                act = partial(self._proved, PageRun.prove_again, section)
                yield PageItem.from_parent(self, name=f"{section.anchor}.again", kind="again", step=block, act=act)

    @property
    def run(self) -> PageRun:
        """The page's run, begun at the first item that needs it."""
        if self._run is None:
            self._run = PageRun(
                self.page,
                self.ours.project,
                self.ours.server,
                scratch=self.ours.scratch(),
                update=self.config.option.update,
            )
        return self._run

    def teardown(self) -> None:
        """End the run; rewrite the page where that was asked for."""
        if self._run is not None:
            self._run.__exit__(None, None, None)
            if self.config.option.update:
                write_updates(self.page, self._run.results, self.path)
            self._run = None

    def _contract(self) -> None:
        if self.page.problems:
            raise PageFailure("\n".join(map(str, self.page.problems)))

    def _evaluate(self, example: Example) -> str | None:
        step: Step = example.parsed
        where = f"{self.page.path}:{step.line}"
        if step.kind == "quoted":
            assert step.title is not None
            problem = quoted_problem(step.text, step.title, self.ours.project.root)
            return f"{where}: this block {problem}" if problem else None
        if step.kind == "validated":
            try:
                problem = validate(step.language, step.text)
            except NotChecked as missing:
                pytest.skip(f"{NOT_CHECKED}{where}: {missing}")
            return f"{where}: not valid {step.language}: {problem}" if problem else None
        self._must_be_sound()
        return self._told(self.run.reach(step))

    def _proved(self, proof: Callable[..., Result], *about: object) -> None:
        self._must_be_sound()
        problem = self._told(proof(self.run, *about))
        if problem:
            raise PageFailure(problem)

    def _names(self) -> None:
        if not self.page.spans:
            return
        self._must_be_sound()
        if self.page.runnable and self.run.reach_end() is not None:
            self._told(Result("not reached", f"not reached: {self.page.path} stopped before its end"))
        root = self.run.work if self.page.runnable else self.ours.project.root
        with ExitStack() as stack:
            if self.page.runnable:
                database, environment = self.run.database, self.run.environment
            else:
                database = database_at(self.ours.server, self.ours.project, "head")
                stack.callback(self.ours.server.drop, database)
                environment = self.ours.server.environment(database)
            connection = stack.enter_context(psycopg.connect(database.url, autocommit=True))
            problems = unresolved(
                self.page,
                Surroundings(
                    root=root,
                    files=tuple(repository_files(root)),
                    query=lambda sql: [str(row[0]) for row in connection.execute(sql)],
                    path=os.pathsep.join([str(Path(sys.executable).parent), environment.get("PATH", os.defpath)]),
                ),
            )
        if problems:
            raise PageFailure("\n".join(problems))

    def _outputs(self) -> None:
        self._must_be_sound()
        if self.run.reach_end() is not None:
            self._told(Result("not reached", f"not reached: {self.page.path} stopped before its end"))
        shown, root = executed.published(self.run.executed()), self.ours.project.root
        private = dict.fromkeys(map(str, (root, Path.home(), Path(sys.prefix))))
        steps = self.page.runnable
        problems = [
            f"{self.page.path}:{steps[number - 1].line}: {message}"
            for number, message in executed.unfit(shown, [path for path in private if len(path) > 1])
        ]
        if problems:
            raise PageFailure("\n".join(problems))
        executed.keep(shown, executed.place(root, self.ours.server.major, self.page.path), self.page.source)

    def _must_be_sound(self) -> None:
        if self.page.problems:
            self._not_reached(f"not reached: {self.page.path} breaks the page contract", "contract", self._contract)

    def _told(self, result: Result) -> str | None:
        if result.outcome == "not reached":
            failures = [(name, each.message) for name, each in self.run.results.items() if each.outcome == "failed"]
            for name, message in failures:
                self._not_reached(result.message, name, partial(_fail, message))
            pytest.skip(result.message)
        return result.message if result.outcome == "failed" else None

    def _not_reached(self, reason: str, cause: str, tell: Callable[[], None]) -> None:
        """Skip where the test that failed is among those asked for; else nobody would be told."""
        if any(item.parent is self and item.name == cause for item in self.session.items):
            pytest.skip(reason)
        tell()


class PageItem(pytest.Item):
    """One block of a page, or one proof about it."""

    def __init__(self, *, kind: str, act: Callable[[], None], step: Step | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kind = kind
        self.step = step
        self._act = act

    @property
    def page_file(self) -> PageFile:
        """The page it is of."""
        assert isinstance(self.parent, PageFile)
        return self.parent

    def runtest(self) -> None:
        """Run, and leave behind what ``run.json`` needs."""
        page = self.page_file.page
        values: dict[str, Any] = {
            "page": page.path,
            "id": self.name,
            "line": self.step.line if self.step else 1,
            "language": self.step.language if self.step else "",
            "kind": self.kind,
        }
        if self.kind == "contract":
            values["page_facts"] = self.page_file.ours.facts(page, self.page_file.count)
        self.user_properties.append(("backout", values))
        self._act()

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The message says it all; a traceback of backout would only hide it."""
        if isinstance(excinfo.value, SybilFailure):
            return excinfo.value.result
        if isinstance(excinfo.value, (BackoutError, PageFailure)):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where the block stands; the line counts from 0 here."""
        # pytest writes a name that ends the node id with :: for its dots; this one it leaves alone.
        return self.path, self.step.line - 1 if self.step else 0, f"{self.page_file.page.path} {self.name}"


class _Recorder:
    """Collects what the site's coverage page will say; writes in the controlling process only."""

    def __init__(self, ours: "_Session") -> None:
        self._ours = ours
        self._pending: list[tuple[dict[str, Any], pytest.TestReport]] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        for name, value in report.user_properties:
            if name == "backout" and report.when == "call" and isinstance(value, dict):
                self._pending.append((value, report))

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write ``build/run.json``: whole pages only."""
        if not hasattr(session.config, "workerinput") and self._pending and self._ours.has_server:
            self._ours.write_record(self._pending)


class PageFailure(AssertionError):  # noqa: N818 - what failed is the page
    """A block, a check or a name does not hold."""


class _Session:
    """What one pytest process knows: the project, the server, what the pages' results depend on."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._stack = ExitStack()
        self._server: postgres.Server | None = None
        self._hash: str | None = None
        self._runs: Runs | None = None
        self._folder: Path | None = None
        self._pages = 0
        self.project: Project = load_project(config.rootpath)
        self.started = datetime.now(UTC)

    @property
    def has_server(self) -> bool:
        return self._server is not None

    @property
    def server(self) -> postgres.Server:
        if self._server is None:
            handle = getattr(self._config, "workerinput", {}).get("backout_server")
            self._server = (
                postgres.attach(handle)
                if handle is not None
                else self._stack.enter_context(postgres.open_server(self._config.option.postgres))
            )
        return self._server

    def close(self) -> None:
        self._stack.close()

    def scratch(self) -> Path:
        """A new empty folder, gone with this process, however it ends."""
        if self._folder is None:
            self._folder = run_folder(self._stack)
        self._pages += 1
        folder = self._folder / f"page{self._pages}"
        folder.mkdir()
        return folder

    @property
    def record_path(self) -> Path:
        return self.project.root / "build" / "run.json"

    def is_unchanged(self, page: Page) -> bool:
        if self._runs is None:
            self._runs = read_runs(self.record_path)
        record = self._runs.get(page.path, {}).get(self.server.major)
        if record is None or record.failed or record.fingerprint != self.fingerprint(page):
            return False
        return not page.is_notebook or executed.place(self.project.root, self.server.major, page.path).is_file()

    def fingerprint(self, page: Page) -> str:
        """Hash of all that a page's result depends on: its text, the repository but for prose and tests, the server.

        Another page, or a test's file, counts where this page names it, or runs something over its directory.
        """
        if self._hash is None:
            self._hash = code_hash(self.project.root)
        digest = sha256(self._hash.encode())
        digest.update(f"{platform.python_version()} {self.server.version} {self.server.origin}\n".encode())
        digest.update(page.source.encode())
        commands = set(re.findall(r"[\w.-]+", "\n".join(step.text for step in page.runnable)))
        named = [
            path
            for path in repository_files(self.project.root)
            if is_apart(path)
            and path.as_posix() != page.path
            and (path.name in page.source or commands.intersection(path.parts[:-1]))
        ]
        digest.update(hash_of(self.project.root, named).encode())
        return digest.hexdigest()

    def facts(self, page: Page, items: int) -> dict[str, Any]:
        """What ``run.json`` says of a page beside the outcomes of its items, of which it has so many."""
        mermaid = "rendered in the site's browser test"
        silent = [
            (step, "not run", step.reason or "") if step.kind == "not run" else (step, "elsewhere", mermaid)
            for step in page.steps
            if _is_silent(step)
        ]
        return {
            "fingerprint": self.fingerprint(page),
            "source": text_hash(page.source),
            "items": items,
            "silent": [
                {"id": step.id, "line": step.line, "language": step.language, "kind": step.kind, "outcome": outcome,
                 "detail": detail}
                for step, outcome, detail in silent
            ],
        }  # fmt: skip

    def write_record(self, pending: list[tuple[dict[str, Any], pytest.TestReport]]) -> None:
        pages: dict[str, list[tuple[dict[str, Any], pytest.TestReport]]] = {}
        for values, report in pending:
            pages.setdefault(values["page"], []).append((values, report))
        records = {}
        void = []
        commit = commit_of(self.project.root)
        for page, items in pages.items():
            facts = next((values["page_facts"] for values, _ in items if "page_facts" in values), None)
            if facts is None or len(items) != facts["items"]:
                if any(report.failed for _, report in items):
                    void.append(page)
                continue  # only a part of the page was asked for
            steps = [_step_record(values, report) for values, report in items]
            steps += [StepRecord(**values) for values in facts["silent"]]
            records[page] = PageRecord(
                fingerprint=facts["fingerprint"],
                source=facts["source"],
                when=self.started.isoformat(timespec="seconds"),
                commit=commit,
                postgres=self.server.version,
                seconds=round(sum(report.duration for _, report in items), 1),
                steps=tuple(sorted(steps, key=lambda step: step.line)),
            )
        known = [path.relative_to(self.project.root).as_posix() for path in self.project.page_paths()]
        add_runs(self.record_path, records, major=self.server.major, known=known, void=void)


def _take_out_outputs(path: Path) -> None:
    """Bring a notebook into source form; one that is none is told by its contract."""
    text = path.read_text(encoding="utf-8-sig")
    try:
        form = source_form(text)
    except ValueError:
        return
    if form != text:
        path.write_text(form, encoding="utf-8")


def _is_silent(step: Step) -> bool:
    """Whether a block has no test of its own here: it is not run, or rendered in the browser test."""
    return step.kind == "not run" or (step.language == "mermaid" and step.kind == "validated")


def _step_record(values: dict[str, Any], report: pytest.TestReport) -> StepRecord:
    if report.passed:
        outcome, detail = "passed", ""
    elif report.failed:
        outcome, detail = "failed", str(report.longrepr)
    else:
        reason = report.longrepr[2].removeprefix("Skipped: ") if isinstance(report.longrepr, tuple) else ""
        outcome, detail = ("not run" if reason.startswith(NOT_CHECKED) else "not reached"), reason
    known = {name: values[name] for name in ("id", "line", "language", "kind")}
    return StepRecord(**known, outcome=outcome, detail=detail)  # type: ignore[arg-type]


def _fail(message: str) -> None:
    raise PageFailure(message)


_SESSION: pytest.StashKey[_Session] = pytest.StashKey()
