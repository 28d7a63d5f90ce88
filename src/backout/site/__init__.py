"""The pages that the site shows of a project's chain and of the catalogue, made from files alone.

::

    for page in site_pages(Path("alembic.ini")):
        write(page.uri, page.html)

They are what ``mkdocs_plugin`` puts into a site, and know nothing of MkDocs: a page has an address, as that of a
Markdown file, and HTML in which links to other pages are written ``site:risk/index.md#top``.

Nothing of the project is imported, no database is asked: revisions are read (``revisions``), evidence is the committed
one. Evidence that is missing or not of the files as they stand is told as *not measured*.

Not here: measuring, judging. Only adapters import it.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from backout.evidence_files import EvidenceFiles
from backout.matrix.kinds import load_kinds
from backout.pages import Page
from backout.record import PageRecord
from backout.revisions import read_chain
from backout.rules import GROUPS, load_catalogue
from backout.site import catalogue_pages as catalogue
from backout.site import migration_pages as migrations
from backout.site.blocks import with_blocks
from backout.site.coverage import COVERAGE, coverage
from backout.site.measured import read_measured_chain
from backout.site.model import SitePage
from backout.site.procedures import with_procedure
from backout.site.source import for_python_markdown
from backout.site.stamps import Subject, evidence_stamp_html, notice_html, stamp_html, stamp_of, subject_of
from backout.site.state import project_state

__all__ = [
    "ASSETS",
    "COVERAGE",
    "Heading",
    "SitePage",
    "coverage",
    "for_python_markdown",
    "headings",
    "linked",
    "project_state",
    "site_pages",
    "sources",
    "with_references",
    "with_run",
]

_ASSETS = Path(__file__).parent / "assets"

# Address on the site → file. No page asks for any other.
ASSETS: Mapping[str, Path] = {
    "assets/backout/backout.css": _ASSETS / "backout.css",
    "assets/backout/backout.js": _ASSETS / "backout.js",
}


def site_pages(configuration: Path | None, section: str = "alembic") -> tuple[SitePage, ...]:
    """Every page: the migrations, where there is a chain; then the catalogue.

    :param configuration: ``alembic.ini``; None: no project.
    :raises ConfigurationError: the chain, its evidence or a waiver cannot be read.
    """
    chain = None if configuration is None else read_measured_chain(configuration, section)
    pages = (
        *(migrations.migration_pages(chain) if chain else ()),
        *catalogue.catalogue_pages(chain),
    )
    return tuple(replace(page, html=page.html + evidence_stamp_html(page.measured)) for page in pages)


def sources(configuration: Path | None, section: str = "alembic") -> tuple[Path, ...]:
    """The project's files that the pages are made from: as long as they stay as they are, so do the pages.

    :raises ConfigurationError: the chain cannot be read.
    """
    if configuration is None:
        return ()
    chain = read_chain(configuration, section)
    files = EvidenceFiles(chain.script_location)
    seeds = filter(None, (files.seed_file(one.id) for one in chain.revisions))
    evidence = sorted(files.directory.glob("*.json"))
    return (configuration, chain.script_location / "env.py", *(one.path for one in chain.revisions), *seeds, *evidence)


def with_run(
    text: str,
    page: Page | None,
    source: str,
    records: Mapping[int, PageRecord],
    *,
    under_way: bool = False,
    writing: bool = False,
) -> str:
    """The HTML of a page that people wrote: with what is added at its blocks, its boxes and its stamp.

    :param page: None where it is not under the page contract.
    :param source: the text of its file.
    :param records: of its last runs, by PostgreSQL major.
    :param under_way: whether it is being run now.
    :param writing: whether somebody is writing it, and must see at its top that it does not hold.
    """
    stamp = stamp_of(subject_of(page) if page else Subject(source), records, under_way=under_way)
    if page is not None:
        text = with_procedure(with_blocks(text, page, records), page)
    return (notice_html(stamp) if writing else "") + text + stamp_html(stamp)


@dataclass(frozen=True)
class Heading:
    """A heading of a page, which a table of contents shows."""

    level: int
    id: str
    title: str


def headings(text: str) -> Iterator[Heading]:
    """The headings of a page's HTML that have an address, in order."""
    for found in re.finditer(r'<h([2-4]) id="([^"]+)"[^>]*>(.*?)</h\1>', text, re.DOTALL):
        title = re.sub(r"<a class=\"headerlink\".*?</a>|<[^>]+>", "", found[3], flags=re.DOTALL)
        yield Heading(int(found[1]), html.unescape(found[2]), " ".join(html.unescape(title).split()))


def linked(text: str, address: Mapping[str, str]) -> str:
    """A page's HTML with its links to other pages as they are on the site.

    :param address: of each page, from the page that is written.
    """
    return re.sub(r'"site:([^"#?]+)', lambda found: f'"{address[found[1]]}', text)


def with_references(text: str, pages: Mapping[str, str]) -> str:
    """The HTML of any page; the code of a hazard or of a revision, and a kind of the matrix, lead to their page.

    A measured table that repeats what stands on those pages is left out of the search, which finds the pages.

    :param pages: address of each generated page, from this one.
    """
    known = {name: catalogue.hazard_address(name) for name in load_catalogue()}
    known |= {
        uri.removeprefix("migrations/").removesuffix(".md"): uri for uri in pages if uri.startswith("migrations/")
    }
    kinds = {html.escape(kind.title): catalogue.kind_address(name) for name, kind in load_kinds().items()}

    def unsearched(found: re.Match[str]) -> str:
        return f"{found[1]} data-search-exclude" if found[2] in repeated else found[0]

    repeated = {"all kinds", *(f"{group} hazards" for group in GROUPS)}

    def code(found: re.Match[str]) -> str:
        uri = known.get(found[1] or "", "")
        return f'<a href="{pages[uri]}">{found[0]}</a>' if uri in pages and _ID.search(found[1]) else found[0]

    def kind(found: re.Match[str]) -> str:
        uri = kinds.get(found[2], "")
        return f'{found[1]}<a href="{pages[uri]}">{found[2]}</a></td>' if uri in pages else found[0]

    text = re.sub(r"(<!-- measured: ([\w -]+) -->\s*<table)", unsearched, text)
    return re.sub(r"(<tr>\s*<td>)([^<]+)</td>", kind, _CODE.sub(code, text))


# What is a link, a block of code or a heading stays as it is.
_CODE = re.compile(r"<a\b[^>]*\bhref\b.*?</a>|<pre\b.*?</pre>|<h\d\b.*?</h\d>|<code>([\w.-]+)</code>", re.DOTALL)
_ID = re.compile(r"-|\d.*\d.*\d")  # an id like `left` may well be another word on a page
