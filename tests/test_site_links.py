"""The built site as a whole: every address in it leads somewhere, every page can be reached, has a title and says what
it is; the same of the copy that opens from a folder. Pages of every kind, whoever made them."""

from __future__ import annotations

import gzip
import posixpath
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from mkdocs.config import load_config

ROOT = Path(__file__).parents[1]

# Where HTML names another file: attribute by element; None: any other.
ADDRESSES: Mapping[str, tuple[str, ...]] = {
    "a": ("href", "xlink:href"),
    "link": ("href",),
    "use": ("href", "xlink:href"),
    "image": ("href", "xlink:href"),
    "object": ("data",),
    "form": ("action",),
    "video": ("src", "poster"),
}


@dataclass
class Document:
    """What one HTML file holds."""

    ids: Counter[str] = field(default_factory=Counter)
    addresses: list[str] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)
    title: str = ""
    description: str = ""
    moved: str | None = None


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found = Document()
        self._in_title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if "id" in values:
            self.found.ids[values["id"]] += 1
        self._in_title = tag == "title" and not self.found.title
        if tag == "meta" and values.get("name") == "description":
            self.found.description = values.get("content", "")
        if tag == "meta" and values.get("http-equiv") == "refresh":
            self.found.moved = values["content"].partition("url=")[2]
        if tag == "link" and values.get("rel") == "canonical":
            return  # where the page is published
        if values.get("rel") == "stylesheet" or (tag == "script" and "src" in values):
            self.found.fetched.append(values.get("href") or values["src"])
        names = ADDRESSES.get(tag, ("src",))
        self.found.addresses += [values[name] for name in names if name in values]
        self.found.addresses += [one.split()[0] for one in values.get("srcset", "").split(",") if one.strip()]

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.found.title += data

    def handle_endtag(self, tag: str) -> None:
        self._in_title = False


def read(path: Path) -> Document:
    reader = _Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    reader.close()
    return reader.found


class Site:
    """A built site in a folder.

    :param base: path below which it is published; only a page for what is not found may start an address with it.
    :param general: the site's own description, which is none of a page.
    """

    def __init__(self, root: Path, base: str = "/", general: str = "") -> None:
        self.root, self.base, self.general = root, base, general
        files = {path.relative_to(root).as_posix(): path for path in sorted(root.rglob("*")) if path.is_file()}
        self.files = frozenset(files)
        self.pages = {name: read(path) for name, path in files.items() if name.endswith(".html")}

    def target(self, page: str, address: str) -> tuple[str, str] | None:
        """The file and the anchor that an address means; None: it is outside, or none of a file.

        A file that is not there is told as the path that was looked for.
        """
        parts = urlsplit(address)
        if parts.scheme or parts.netloc:
            return None
        path = unquote(parts.path)
        if not path:
            path = page
        elif page == "404.html" and path.startswith(self.base):
            path = path.removeprefix(self.base)
        elif not path.startswith("/"):
            path = posixpath.normpath(posixpath.join(posixpath.dirname(page), path))
        index = posixpath.join(path, "index.html").removeprefix("./")
        path = index if path not in self.files and index in self.files else path
        return path, unquote(parts.fragment)

    def faults(self) -> Iterator[str]:
        """What is wrong, each with its page."""
        for name, page in self.pages.items():
            for address in sorted({*page.addresses, *([page.moved] if page.moved is not None else [])}):
                yield from (f"{name}: {address}: {fault}" for fault in self._fault(name, address))
            if not page.title.strip():
                yield f"{name}: no title"
            if page.moved is not None:
                continue
            if not page.description or (page.description == self.general and name != "404.html"):
                yield f"{name}: no description"
            for one, number in page.ids.items():
                if number > 1:
                    yield f"{name}: the id {one!r} is there {number} times"
        for name in sorted(self.pages.keys() - self.reached()):
            if name != "404.html" and self.pages[name].moved is None:
                yield f"{name}: no page leads to it"

    def _fault(self, name: str, address: str) -> Iterator[str]:
        found = self.target(name, address)
        if found is None:
            return
        path, anchor = found
        if path not in self.files:
            yield "there is no such file"
        elif anchor and path in self.pages and anchor not in self.pages[path].ids:
            yield "there is no such place on the page"
        elif path in self.pages and self.pages[path].moved is not None:
            yield "the page has moved"

    def reached(self) -> set[str]:
        """The pages to which links lead from the home page, from page to page."""
        seen, todo = {"index.html"}, ["index.html"]
        while todo:
            name = todo.pop()
            for address in self.pages[name].addresses:
                found = self.target(name, address)
                if found is not None and found[0] in self.pages and found[0] not in seen:
                    seen.add(found[0])
                    todo.append(found[0])
        return seen


@pytest.fixture(scope="module")
def general() -> str:
    return str(load_config(str(ROOT / "mkdocs.yml")).site_description)


@pytest.fixture(scope="module")
def site(built_site: Path, general: str) -> Site:
    return Site(built_site, "/below/", general)


@pytest.fixture(scope="module")
def offline(offline_site: Path, general: str) -> Site:
    return Site(offline_site, general=general)


def test_the_site_has_no_fault(site: Site) -> None:
    assert len(site.pages) > 250
    assert list(site.faults()) == []


def test_the_copy_for_a_folder_has_no_fault(offline: Site, site: Site) -> None:
    assert list(offline.faults()) == []
    assert {one.description for one in offline.pages.values()} == {one.description for one in site.pages.values()}


def test_in_a_folder_an_address_is_a_file(offline: Site) -> None:
    """A browser shows the address of a folder as a list of files."""
    folders = [
        f"{name}: {address}"
        for name, page in offline.pages.items()
        for address in page.addresses
        if name != "404.html" and not urlsplit(address).scheme and urlsplit(address).path.endswith(("/", "."))
    ]
    assert folders == []


def test_what_is_not_found_is_answered_with_links_that_hold_at_any_address(site: Site) -> None:
    page = site.pages["404.html"]
    assert page.title == "Not found - Content Creation Crew migrations"
    inside = [one for one in page.addresses if not urlsplit(one).scheme and not one.startswith("#")]
    assert [one for one in inside if not one.startswith("/below/")] == []
    assert {"/below/", "/below/runbooks/", "/below/db-migrations/", "/below/migrations/"} <= {
        one.removesuffix(".") for one in inside
    }


def test_a_moved_page_leads_to_where_it_is(site: Site, offline: Site) -> None:
    plugin = load_config(str(ROOT / "mkdocs.yml")).plugins["redirects"]
    maps = plugin.config["redirect_maps"]
    assert maps
    moved = {name: page.moved for name, page in site.pages.items() if page.moved is not None}
    assert {name.removesuffix("/index.html") + ".md" for name in moved} == set(maps)
    for source, target in maps.items():
        assert not (ROOT / "docs" / source).exists(), f"{source} is a page, and its redirect takes its place"
        assert (ROOT / "docs" / target.partition("#")[0]).is_file()
        wanted = target.partition("#")[0].removesuffix(".md")
        address = moved[source.removesuffix(".md") + "/index.html"]
        assert address is not None
        assert site.target(source.removesuffix(".md") + "/index.html", address) == (f"{wanted}/index.html", "")
        address = offline.pages[source.removesuffix(".md") + ".html"].moved
        assert address is not None
        assert offline.target(source.removesuffix(".md") + ".html", address) == (f"{wanted}.html", "")


def test_a_page_is_light_on_the_wire(site: Site) -> None:
    """Compressed, with its styles and scripts; without images, and Mermaid, which only some pages fetch."""
    sizes = {
        name: len(gzip.compress((site.root / name).read_bytes(), 6))
        for name in site.files
        if name.endswith((".html", ".css", ".js"))
    }
    heavy = {}
    for name, page in site.pages.items():
        fetched = {name, *(found[0] for one in page.fetched if (found := site.target(name, one)) is not None)}
        weight = sum(sizes[one] for one in fetched if "mermaid" not in one)
        if weight > (800_000 if name.startswith("onboarding/") else 500_000):
            heavy[name] = weight
    assert heavy == {}
    assert any(len(page.fetched) >= 5 for page in site.pages.values())


# -- that it would notice ---------------------------------------------------------------------------------------------

GOOD = '<title>T</title><meta name="description" content="what it is">'


@pytest.mark.parametrize(
    ("page", "text", "fault"),
    [
        ("a.html", GOOD + '<a href="gone/">x</a>', "a.html: gone/: there is no such file"),
        ("a.html", GOOD + '<a href="b/#no">x</a>', "a.html: b/#no: there is no such place on the page"),
        ("a.html", GOOD + '<a href="#no">x</a>', "a.html: #no: there is no such place on the page"),
        ("a.html", GOOD + '<img src="p.png">', "a.html: p.png: there is no such file"),
        ("a.html", GOOD + '<img srcset="p.png 2x, q.svg">', "a.html: p.png: there is no such file"),
        ("a.html", GOOD + '<script src="b/no.js"></script>', "a.html: b/no.js: there is no such file"),
        ("a.html", GOOD + '<svg><a xlink:href="no"></a></svg>', "a.html: no: there is no such file"),
        ("a.html", GOOD + '<a href="/b/">x</a>', "a.html: /b/: there is no such file"),
        ("a.html", GOOD + '<a href="old/">x</a>', "a.html: old/: the page has moved"),
        ("a.html", GOOD + '<p id="x"><p id="x">', "a.html: the id 'x' is there 2 times"),
        ("a.html", '<meta name="description" content="what it is">', "a.html: no title"),
        ("a.html", "<title>T</title>", "a.html: no description"),
        ("a.html", '<title>T</title><meta name="description" content="the site">', "a.html: no description"),
        ("c.html", GOOD, "c.html: no page leads to it"),
        ("old/index.html", '<title>T</title><meta http-equiv="refresh" content="0; url=../no/">',
         "old/index.html: ../no/: there is no such file"),
    ],
)  # fmt: skip
def test_each_fault_is_found(page: str, text: str, fault: str, tmp_path: Path) -> None:
    files = {
        "index.html": GOOD + '<a href="a.html">x</a><a href="./b/#here">x</a><a href="https://example.com/no">x</a>',
        "b/index.html": GOOD + '<p id="here"><a href="..">x</a><a href="../q.svg?x#y">x</a>',
        "a.html": GOOD + '<a href=".">x</a><img src="q.svg">',
        "old/index.html": '<title>T</title><meta http-equiv="refresh" content="0; url=../b/#here">',
        "404.html": '<title>T</title><meta name="description" content="the site"><a href="/below/b/">x</a>',
        "q.svg": "<svg/>",
    }
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    assert list(Site(tmp_path, "/below/", "the site").faults()) == []
    (tmp_path / page).write_text(text)
    assert list(Site(tmp_path, "/below/", "the site").faults()) == [fault]
