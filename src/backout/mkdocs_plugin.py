"""MkDocs plugin: brings the runbooks into the site and writes what was executed, from ``build/run.json``.

Thin: it executes nothing, knows no database, and imports nothing that does.
"""

import posixpath
import re
from collections.abc import Iterable
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.livereload import LiveReloadServer
from mkdocs.plugins import BasePlugin
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page as SitePage

from backout.configuration import Project, load_project
from backout.pages import Page, read_page
from backout.record import PageRecord, Runs, StepRecord, read_runs, text_hash

COVERAGE = "<!-- backout: coverage -->"


class BackoutPlugin(BasePlugin):  # type: ignore[type-arg, no-untyped-call]
    """``plugins: [backout]``."""

    def on_config(self, config: MkDocsConfig) -> None:
        """Find the project that the site belongs to."""
        self.root = Path(config.config_file_path).parent
        self.docs = Path(config.docs_dir).relative_to(self.root).as_posix()
        self.project: Project = load_project(self.root)

    def on_files(self, files: Files, /, *, config: MkDocsConfig) -> Files:
        """Pages of the project that lie in directories beside ``docs`` become pages of the site."""
        for path in self.project.page_paths():
            relative = path.relative_to(self.root)
            if len(relative.parts) > 1 and relative.parts[0] != self.docs and not relative.parts[0].startswith("."):
                files.append(File.generated(config, relative.as_posix(), abs_src_path=str(path)))
        return files

    def on_page_markdown(self, markdown: str, /, *, page: SitePage, config: MkDocsConfig, files: Files) -> str:
        """Links that are right in the repository become right in the site; the coverage page gets its tables."""
        source = Path(page.file.abs_src_path or "").relative_to(self.root).as_posix()
        markdown = re.sub(
            r"(\]\()([^)#\s:]+\.md)(?=[)#])",
            lambda match: match[1] + self._link(match[2], source, page.file.src_uri, files),
            markdown,
        )
        if COVERAGE in markdown:
            runs = read_runs(self.root / "build" / "run.json")
            pages = [read_page(path, self.root) for path in self.project.page_paths()]
            markdown = markdown.replace(COVERAGE, coverage(pages, runs))
        return markdown

    def on_serve(self, server: LiveReloadServer, /, *, config: MkDocsConfig, builder: object) -> LiveReloadServer:
        """Show the results of a test run as soon as they are there."""
        build = self.root / "build"
        if build.is_dir():
            server.watch(str(build))
        return server

    def _link(self, target: str, source: str, uri: str, files: Files) -> str:
        """A link of the repository, from ``source``, as a link of the site, from ``uri``."""
        wanted = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
        wanted = wanted.removeprefix(f"{self.docs}/")
        if files.get_file_from_path(wanted) is None:
            return target  # MkDocs will say so
        return posixpath.relpath(wanted, posixpath.dirname(uri) or ".")


def coverage(pages: Iterable[Page], runs: Runs) -> str:
    """The coverage page's tables, in Markdown: every page, what ran where, what failed, what is not run and why."""
    pages = list(pages)
    majors = sorted({major for records in runs.values() for major in records}, reverse=True)
    lines = [_latest(major, runs) for major in majors]
    lines.append("")
    names = [*(f"PostgreSQL {major}" for major in majors), "Run", "Quoted", "Parsed", "Sabotaged", "Not run"]
    lines.append(f"| Page | {' | '.join(names)} |")
    lines.append("| --- |" + " --- |" * len(majors) + " ---: |" * 5)
    for page in pages:
        verdicts = [_verdict(page, runs.get(page.path, {}).get(major)) for major in majors]
        counts = [sum(step.kind == kind for step in page.steps) for kind in ("run", "quoted", "validated")]
        counts.append(sum(step.sabotage is not None for step in page.steps))
        counts.append(sum(step.kind == "not run" for step in page.steps))
        lines.append(f"| {page.path} | {' | '.join([*verdicts, *map(str, counts)])} |")
    if not majors:
        lines += ["", "**Not verified.** No test run has left its results in `build/run.json`."]
    lines += ["", "## Failures {#failures}", ""]
    failures = [
        (major, page, step)
        for page in pages
        for major, record in sorted(runs.get(page.path, {}).items())
        for step in record.steps
        if step.outcome == "failed"
    ]
    lines += [line for major, page, step in failures for line in _failure(major, page, step)] or ["None."]
    lines += ["", "## Blocks that are not run {#not-run}", ""]
    excused = [(page, step) for page in pages for step in page.steps if step.kind == "not run"]
    lines += [f"- {page.path}, line {step.line}: {step.reason}" for page, step in excused] or ["None."]
    missing = sorted(
        {
            step.detail
            for record in _records(runs)
            for step in record.steps
            if step.outcome == "not run" and "NOT CHECKED" in step.detail
        }
    )
    if missing:
        lines += ["", "## Not checked on the machine of the last run {#not-checked}", ""]
        lines += [f"- {detail.removeprefix('NOT CHECKED: ')}" for detail in missing]
    return "\n".join(lines)


def _records(runs: Runs) -> Iterable[PageRecord]:
    return (record for records in runs.values() for record in records.values())


def _verdict(page: Page, record: PageRecord | None) -> str:
    if not page.steps and not page.spans:
        return "nothing to run"
    if record is None:
        return "**not verified**"
    if record.source != text_hash(page.source):
        return "**changed since it was run**"
    if record.failed:
        return f"**{record.count('failed')} failed**, {record.count('not reached')} not reached"
    return f"passed, {record.seconds:g}&nbsp;s"


def _latest(major: int, runs: Runs) -> str:
    last = max((records[major] for records in runs.values() if major in records), key=lambda record: record.when)
    when = last.when[:16].replace("T", " ")
    return f"PostgreSQL {last.postgres}: last run {when} UTC at {last.commit or 'no commit'}.\n"


def _failure(major: int, page: Page, step: StepRecord) -> list[str]:
    fence = "````"
    return [f"**{page.path}**, {step.id}, on PostgreSQL {major}", "", f"{fence}text", step.detail, fence, ""]
