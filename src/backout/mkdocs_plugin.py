"""MkDocs plugin: brings the runbooks into the site, and the pages of the chain and the catalogue (``site``); writes
what was executed, from ``build/run.json``.

Thin: it executes nothing, knows no database, and imports nothing that does.
"""

import html
import logging
import posixpath
import re
from pathlib import Path

import yaml
from jinja2 import Environment
from mkdocs.config import config_options
from mkdocs.config.base import Config
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.livereload import LiveReloadServer
from mkdocs.plugins import BasePlugin, CombinedEvent, event_priority
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.nav import Navigation
from mkdocs.structure.pages import Page as MkDocsPage
from mkdocs.structure.toc import AnchorLink, TableOfContents

from backout import executed
from backout.configuration import Project, load_project
from backout.errors import BackoutError
from backout.mkdocs_rebuild import Rebuild, watch_closely
from backout.pages import Page, read_page
from backout.record import read_runs, read_under_way
from backout.site import (
    ASSETS,
    COVERAGE,
    SitePage,
    coverage,
    for_python_markdown,
    headings,
    linked,
    notebooks,
    project_state,
    site_pages,
    sources,
    with_references,
    with_run,
)

STATE = "<!-- backout: state -->"
_LOG = logging.getLogger("mkdocs.plugins.backout")


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
        self.parsed: dict[Path, tuple[bytes, Page]] = {}
        self.rebuild = Rebuild()
        self.serving = False

    def on_startup(self, *, command: str, dirty: bool) -> None:
        """MkDocs keeps the plugin from one build to the next because this is here."""
        self.serving = command == "serve"

    def on_config(self, config: MkDocsConfig) -> None:
        """Find the project that the site belongs to."""
        self.root = Path(config.config_file_path).parent
        self.docs = Path(config.docs_dir).relative_to(self.root).as_posix()
        self.project: Project = load_project(self.root)
        self.contract = frozenset(self.project.page_paths())
        self.runs = read_runs(self.project.root / "build" / "run.json")
        self.under_way = read_under_way()
        config.extra_css.extend(uri for uri in ASSETS if uri.endswith(".css"))
        config.extra_javascript.extend(uri for uri in ASSETS if uri.endswith(".js"))

    def _bring(self, files: Files, /, *, config: MkDocsConfig) -> Files:
        """Pages of the project that lie beside ``docs`` become pages of the site, and so do ours."""
        for path in sorted(self.contract):
            if not path.is_relative_to(self.root):
                continue  # of a project that this site is only a part of
            relative = path.relative_to(self.root)
            uri = self._uri(relative.as_posix())
            beside = relative.parts[0] != self.docs and not relative.parts[0].startswith(".") and uri != "readme.md"
            if beside and files.get_file_from_path(uri) is None:
                files.append(File.generated(config, uri, abs_src_path=str(path)))
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
            files.append(file)
        return files

    @event_priority(-100)  # other plugins have brought their pages
    def _keep(self, files: Files, /, *, config: MkDocsConfig) -> Files:
        """While the site is served, only what changed is made."""
        if self.serving:
            self.rebuild.begin(files, config, self._key)
            self.addresses = {uri: files.src_uris[uri] for uri in self.addresses}
        return files

    on_files = CombinedEvent(_bring, _keep)

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
        self.rebuild.name(files)
        return nav

    def on_env(self, env: Environment, /, *, config: MkDocsConfig, files: Files) -> Environment:
        """Keep the compiled templates of a served site."""
        env.bytecode_cache = self.rebuild.templates
        return env

    def on_page_content(self, content: str, /, *, page: MkDocsPage, config: MkDocsConfig, files: Files) -> str:
        """A page of ours has its HTML already; others lead to what they name."""
        if page.file.src_uri.endswith(".ipynb"):
            content = self._notebook(content, page, config, files)
        addresses = {uri: file.url_relative_to(page.file) for uri, file in self.addresses.items()}
        generated = self.generated.get(page.file.src_uri)
        if generated is not None:
            page.toc = _contents(generated)
            return linked(generated.html, addresses)
        content = with_references(content, addresses)
        if STATE in content:
            told = project_state(self.chain, self.config.section, self._pages(), self.runs)
            content = content.replace(STATE, linked(told, addresses))
        path = self._path(page.file)
        if path is None or not self.contract:
            return content
        name = self._name(path)
        return with_run(
            content,
            self._page(path) if path in self.contract else None,
            page.file.content_string,
            self.runs.get(name, {}),
            under_way=name in self.under_way,
            writing=self.serving,
        )

    @event_priority(-100)  # nobody changes it any more
    def on_post_page(self, output: str, /, *, page: MkDocsPage, config: MkDocsConfig) -> str:
        """Keep what need not be made again."""
        if self.serving and "<!-- backout:" not in page.file.content_string:  # what we fill may show anything
            self.rebuild.keep(page, output)
        return output

    @event_priority(-100)  # the search index is written
    def on_post_build(self, *, config: MkDocsConfig) -> None:
        """The search finds what was not made again, too."""
        if self.serving:
            self.rebuild.end(config)

    def _key(self, file: File) -> object:
        """What a page is made from, beside what every page has."""
        if file.src_uri in self.generated:
            return self.generated[file.src_uri]
        path = self._path(file)
        name = self._name(path) if path else ""
        return file.content_bytes, self.runs.get(name), name in self.under_way

    def _path(self, file: File) -> Path | None:
        """Where a page of the project stands; None: it is no file of it."""
        path = Path(file.abs_src_path or "")
        return path if path.is_relative_to(self.root) else None

    def _name(self, path: Path) -> str:
        """As the records of runs call a page."""
        return path.relative_to(self.project.root).as_posix()

    def _pages(self) -> list[Page]:
        """Every page under the contract."""
        return [self._page(path) for path in sorted(self.contract)]

    def _page(self, path: Path) -> Page:
        """A page under the contract, parsed once as long as it is as it was."""
        text = path.read_bytes()
        known = self.parsed.get(path)
        if known is None or known[0] != text:
            self.parsed[path] = known = text, read_page(path, self.project.root)
        return known[1]

    def _generate(self) -> None:
        """The pages of the chain and the catalogue, unless they are as they were."""
        path: Path | None = self.root / self.config.configuration
        if not (self.root / self.config.configuration).is_file():
            toml = self.root / "pyproject.toml"
            path = toml if toml.is_file() and "[tool.alembic]" in toml.read_text(encoding="utf-8") else None
        self.chain = path
        self.sources = sources(path, self.config.section)
        stamp = [(file, file.stat().st_mtime_ns) for file in self.sources]
        if not self.serving or stamp != self.stamp or not self.generated:
            self.generated = {page.uri: page for page in site_pages(path, self.config.section)}
            self.stamp = stamp

    def on_page_markdown(self, markdown: str, /, *, page: MkDocsPage, config: MkDocsConfig, files: Files) -> str:
        """Links that are right in the repository become right in the site; the coverage page gets its tables."""
        path = self._path(page.file)
        if path is None:
            return markdown  # no file of the repository
        if path.suffix == ".ipynb":
            # What mkdocs-jupyter turns into HTML next is the copy that was executed, where there is one.
            page.meta.update(notebooks.meta(markdown))
            name, root = self._name(path), self.project.root
            page.file.abs_src_path = str(executed.find(root, name, markdown, self.runs.get(name, {})) or path)
            return markdown
        source = path.relative_to(self.root).as_posix()
        markdown = re.sub(
            r"(\]\()([^)#\s:]+\.md)(?=[)#])",
            lambda match: match[1] + self._link(match[2], source, page.file.src_uri, files),
            markdown,
        )
        if COVERAGE in markdown:
            here = posixpath.dirname(page.file.src_uri)
            uris = {self._name(one): self._uri(one.relative_to(self.root).as_posix()) for one in self.contract}
            links = {name: posixpath.relpath(uri, here) for name, uri in uris.items() if files.get_file_from_path(uri)}
            markdown = markdown.replace(COVERAGE, coverage(self._pages(), self.runs, links))
        return for_python_markdown(markdown) if path in self.contract else markdown

    def on_serve(self, server: LiveReloadServer, /, *, config: MkDocsConfig, builder: object) -> LiveReloadServer:
        """Show the results of a test run, and new evidence, as soon as they are there."""
        watched = {path.parent for path in self.contract if path.is_relative_to(self.root)}
        watched |= {self.sources[0], *(file.parent for file in self.sources[1:])} if self.sources else set()
        watched |= {self.project.root / "build"}
        watch_closely(server, config)
        for path in sorted(path for path in watched if path != self.root and path.exists()):
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
            told = notebooks.not_shown(path.read_text(encoding="utf-8-sig"), self.runs.get(self._name(path), {}))
            title, heading, rest = content.rpartition("</h1>")
            content = f"{title}{heading}{told}{rest}"
        return content

    def _uri(self, path: str) -> str:
        """Where a file of the repository is on the site: ``docs/x.md`` is ``x.md``, ``NEWS.md`` is ``news.md``.

        README.md, for those who read the repository, is nowhere; and no page takes the place of one in ``docs``.
        """
        return path.removeprefix(f"{self.docs}/") if "/" in path else path.lower()

    def _link(self, target: str, source: str, uri: str, files: Files) -> str:
        """A link of the repository, from ``source``, as a link of the site, from ``uri``."""
        wanted = self._uri(posixpath.normpath(posixpath.join(posixpath.dirname(source), target)))
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
