"""MkDocs plugin: brings the runbooks into the site, and the pages of the chain and the catalogue (``site``); writes
what was executed, from ``build/run.json``.

Thin: it executes nothing, knows no database, and imports nothing that does.
"""

import html
import logging
import posixpath
import re
from collections.abc import Iterable
from pathlib import Path

import yaml
from mkdocs.config import config_options
from mkdocs.config.base import Config
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.livereload import LiveReloadServer
from mkdocs.plugins import BasePlugin
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.nav import Navigation
from mkdocs.structure.pages import Page as MkDocsPage
from mkdocs.structure.toc import AnchorLink, TableOfContents

from backout import executed
from backout.configuration import Project, load_project
from backout.errors import BackoutError
from backout.pages import Page, read_page
from backout.record import PageRecord, Runs, StepRecord, read_runs, text_hash
from backout.site import ASSETS, SitePage, headings, linked, notebooks, site_pages, sources, with_references

_LOG = logging.getLogger("mkdocs.plugins.backout")
COVERAGE = "<!-- backout: coverage -->"


class Options(Config):  # type: ignore[no-untyped-call]
    """What ``plugins: [backout: …]`` may say.

    :param configuration: Alembic's, relative to ``mkdocs.yml``; without such a file there are no migrations.
    :param section: of the ini file (``alembic -n``).
    """

    configuration = config_options.Type(str, default="alembic.ini")
    section = config_options.Type(str, default="alembic")


class BackoutPlugin(BasePlugin[Options]):  # type: ignore[no-untyped-call]
    """``plugins: [backout]``."""

    def __init__(self) -> None:
        # Kept while the site is served: a page whose sources have not changed is not made again.
        self.stamp: object = None
        self.generated: dict[str, SitePage] = {}
        self.finished: dict[str, str] = {}
        self.serving = False

    def on_startup(self, *, command: str, dirty: bool) -> None:
        """MkDocs keeps the plugin from one build to the next because this is here."""
        self.serving = command == "serve"

    def on_config(self, config: MkDocsConfig) -> None:
        """Find the project that the site belongs to."""
        self.root = Path(config.config_file_path).parent
        self.docs = Path(config.docs_dir).relative_to(self.root).as_posix()
        self.project: Project = load_project(self.root)
        config.extra_css.extend(uri for uri in ASSETS if uri.endswith(".css"))
        config.extra_javascript.extend(uri for uri in ASSETS if uri.endswith(".js"))

    def on_files(self, files: Files, /, *, config: MkDocsConfig) -> Files:
        """Pages of the project that lie in directories beside ``docs`` become pages of the site, and so do ours."""
        for path in self.project.page_paths():
            if not path.is_relative_to(self.root):
                continue  # of a project that this site is only a part of
            relative = path.relative_to(self.root)
            if len(relative.parts) > 1 and relative.parts[0] != self.docs and not relative.parts[0].startswith("."):
                files.append(File.generated(config, relative.as_posix(), abs_src_path=str(path)))
        for uri, asset in ASSETS.items():
            files.append(File.generated(config, uri, abs_src_path=str(asset)))
        try:
            self._generate()
        except BackoutError as error:
            raise PluginError(f"backout: {error}") from error
        self.addresses = {}
        for uri, page in self.generated.items():
            level = InclusionLevel.UNDEFINED if page.parent is None else InclusionLevel.NOT_IN_NAV
            file = File.generated(config, uri, content=_front_matter(page), inclusion=level)
            self.addresses[uri] = file
            finished = self.finished.get(uri)
            files.append(file if finished is None else File.generated(config, file.dest_uri, content=finished))
        return files

    def on_nav(self, nav: Navigation, /, *, config: MkDocsConfig, files: Files) -> Navigation:
        """Pages too many for the navigation stand below the page that lists them, and lead to one another."""
        pages = {
            uri: file.page or MkDocsPage(self.generated[uri].title, file, config)
            for uri, file in self.addresses.items()
        }
        for uri, page in pages.items():
            generated = self.generated[uri]
            if generated.parent is not None:
                page.parent = pages[generated.parent].parent
                page.previous_page = pages.get(generated.previous or "")
                page.next_page = pages.get(generated.next or "")
        return nav

    def on_page_content(self, content: str, /, *, page: MkDocsPage, config: MkDocsConfig, files: Files) -> str:
        """A page of ours has its HTML already; others lead to what they name."""
        if page.file.src_uri.endswith(".ipynb"):
            content = self._notebook(content, page, config, files)
        addresses = {uri: file.url_relative_to(page.file) for uri, file in self.addresses.items()}
        generated = self.generated.get(page.file.src_uri)
        if generated is None:
            return with_references(content, addresses)
        page.toc = _contents(generated)
        return linked(generated.html, addresses)

    def on_post_page(self, output: str, /, *, page: MkDocsPage, config: MkDocsConfig) -> str:
        """Keep what need not be made again."""
        generated = self.generated.get(page.file.src_uri)
        if self.serving and generated is not None and generated.parent is not None:
            self.finished[page.file.src_uri] = output
        return output

    def _generate(self) -> None:
        """The pages of the chain and the catalogue, unless they are as they were."""
        path: Path | None = self.root / self.config.configuration
        if not (self.root / self.config.configuration).is_file():
            toml = self.root / "pyproject.toml"
            path = toml if toml.is_file() and "[tool.alembic]" in toml.read_text(encoding="utf-8") else None
        self.sources = sources(path, self.config.section)
        stamp = [(file, file.stat().st_mtime_ns) for file in self.sources]
        if not self.serving or stamp != self.stamp or not self.generated:
            self.generated = {page.uri: page for page in site_pages(path, self.config.section)}
            self.finished = {}
            self.stamp = stamp

    def on_page_markdown(self, markdown: str, /, *, page: MkDocsPage, config: MkDocsConfig, files: Files) -> str:
        """Links that are right in the repository become right in the site; the coverage page gets its tables."""
        path = Path(page.file.abs_src_path or "")
        if path.suffix == ".ipynb":
            # What mkdocs-jupyter turns into HTML next is the copy that was executed, where there is one.
            page.meta.update(notebooks.meta(markdown))
            name, runs = path.relative_to(self.root).as_posix(), read_runs(self.root / "build" / "run.json")
            page.file.abs_src_path = str(executed.find(self.root, name, markdown, runs.get(name, {})) or path)
            return markdown
        if not path.is_relative_to(self.root):
            return markdown  # no file of the repository
        source = path.relative_to(self.root).as_posix()
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
        """Show the results of a test run, and new evidence, as soon as they are there."""
        build = self.root / "build"
        if build.is_dir():
            server.watch(str(build))
        for path in sorted({self.sources[0], *(file.parent for file in self.sources[1:])} if self.sources else ()):
            server.watch(str(path), recursive=False)
        return server

    def _notebook(self, content: str, page: MkDocsPage, config: MkDocsConfig, files: Files) -> str:
        """A notebook's HTML as the other pages are; MkDocs checks its anchors with all others."""
        shown, path = page.file.abs_src_path, Path(config.docs_dir, page.file.src_uri)
        page.file.abs_src_path = str(path)
        source = path.relative_to(self.root).as_posix()
        anchors: dict[File, dict[str, str]] = {}

        def address(link: str) -> str:
            if re.match(r"[a-z][a-z0-9+.-]*:|//", link):
                return link
            target, _, anchor = link.partition("#")
            wanted = posixpath.normpath(posixpath.join(posixpath.dirname(source), target)) if target else source
            file = files.get_file_from_path(wanted.removeprefix(f"{self.docs}/"))
            if file is None:
                level = config.validation.links.not_found
                _LOG.log(level, f"Notebook '{page.file.src_uri}' contains a link '{link}', and there is no such page.")
                return link
            if anchor:
                anchors.setdefault(file, {})[anchor] = link
            return f"{file.url_relative_to(page.file) if target else ''}{'#' + anchor if anchor else ''}"

        content = notebooks.mended(content, address)
        page.present_anchor_ids, page.links_to_anchors = notebooks.ids(content), anchors
        if shown == str(path):
            runs = read_runs(self.root / "build" / "run.json")
            told = notebooks.not_shown(path.read_text(encoding="utf-8-sig"), runs.get(source, {}))
            title, heading, rest = content.rpartition("</h1>")
            content = f"{title}{heading}{told}{rest}"
        return content

    def _link(self, target: str, source: str, uri: str, files: Files) -> str:
        """A link of the repository, from ``source``, as a link of the site, from ``uri``."""
        wanted = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
        wanted = wanted.removeprefix(f"{self.docs}/")
        if files.get_file_from_path(wanted) is None:
            return target  # MkDocs will say so
        return posixpath.relpath(wanted, posixpath.dirname(uri) or ".")


def _front_matter(page: SitePage) -> str:
    values = {"title": page.title, "description": page.description, **({"hide": ["toc"]} if page.wide else {})}
    return f"---\n{yaml.safe_dump(values, allow_unicode=True)}---\n"


def _contents(page: SitePage) -> TableOfContents:
    """The headings of a page below its title, those of the third level below those of the second."""
    top = AnchorLink(html.escape(page.title), "top", 1)
    for heading in headings(page.html):
        above = top.children[-1] if heading.level > 2 and top.children else top
        above.children.append(AnchorLink(html.escape(heading.title), heading.id, heading.level))
    return TableOfContents([top])


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
