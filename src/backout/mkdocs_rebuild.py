"""What of a served site need not be made again: a page whose sources are as they were is copied as it was made.

MkDocs makes every page at each change, which takes longer than people wait. Its own way out, ``--dirty``, forgets the
other pages in the navigation and in the search. Here all of them stay pages that others lead to; only their Markdown
and their frame are not made once more.

Knows MkDocs, and nothing of backout's pages. For ``mkdocs_plugin``.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinja2.bccache import Bucket, BytecodeCache
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.livereload import LiveReloadServer
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page
from watchdog.observers.polling import PollingObserver

LOOK_SECONDS = 0.2
_INDEX = Path("search/search_index.json")


@dataclass
class _Made:
    """A page as it was made.

    :param key: what it was made from.
    :param found: its entries in the search index; set at the end of the build.
    """

    key: object
    output: str
    title: str | None
    anchors: set[str] | None
    url: str
    found: list[Mapping[str, Any]] = field(default_factory=list)


class _Kept(File):
    """A page that is as it was: there for links and navigation, and copied like a picture."""

    def is_documentation_page(self) -> bool:
        return False


class _Templates(BytecodeCache):
    """Compiled templates, for as long as the site is served."""

    def __init__(self) -> None:
        self._code: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._code:
            bucket.bytecode_from_string(self._code[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._code[bucket.key] = bucket.bytecode_to_string()


def watch_closely(server: LiveReloadServer, config: MkDocsConfig) -> None:
    """Look for changes more often than MkDocs does; before anything else is watched."""
    usual = [path for path in (config.docs_dir, config.config_file_path) if path]
    for path in usual:
        server.unwatch(path)
    server.observer = PollingObserver(timeout=LOOK_SECONDS)
    for path in usual:
        server.watch(path)


class Rebuild:
    """Remembers pages from one build to the next.

    :ivar templates: for Jinja.
    """

    def __init__(self) -> None:
        self.templates = _Templates()
        self._made: dict[str, _Made] = {}
        self._keys: dict[str, object] = {}
        self._kept: set[str] = set()
        self._whole: object = None

    def begin(self, files: Files, config: MkDocsConfig, key: Callable[[File], object]) -> None:
        """Take out the pages that need not be made.

        :param key: all that a page is made from beside what every page has; None: it is made each time.
        """
        pages = [file for file in files if file.is_documentation_page()]
        whole = (_stamp(config.config_file_path), *_theme(config), tuple(sorted(file.src_uri for file in pages)))
        if whole != self._whole:
            self._made.clear()
        self._whole = whole
        self._keys = {file.src_uri: key(file) for file in pages}
        self._kept = set()
        for file in pages:
            made = self._made.get(file.src_uri)
            # Without a list of its own, the navigation is made of the pages that are left.
            listed = config.nav is not None or file.inclusion is InclusionLevel.NOT_IN_NAV
            if made is None or not listed or made.key != self._keys[file.src_uri]:
                self._made.pop(file.src_uri, None)
                continue
            kept = _Kept(
                file.src_uri, None, file.dest_dir, file.use_directory_urls, dest_uri=file.dest_uri,
                inclusion=file.inclusion,
            )  # fmt: skip
            kept.content_string = made.output
            files.remove(file)
            files.append(kept)
            self._kept.add(file.src_uri)

    def name(self, files: Files) -> None:
        """Give the pages that are not made their titles, and the anchors that links to them may name."""
        for uri in self._kept:
            file = files.get_file_from_path(uri)
            if file is not None and file.page is not None:
                made = self._made[uri]
                if file.page.title is None and made.title is not None:
                    file.page.title = made.title
                file.page.present_anchor_ids = made.anchors

    def keep(self, page: Page, output: str) -> None:
        """Remember a page that was made."""
        uri = page.file.src_uri
        key = self._keys.get(uri)
        if key is not None:
            self._made[uri] = _Made(key, output, page.title, page.present_anchor_ids, page.url)

    def end(self, config: MkDocsConfig) -> None:
        """Put the pages that were not made back into the search index."""
        path = Path(config.site_dir) / _INDEX
        if not path.is_file():
            return
        index = json.loads(path.read_text(encoding="utf-8"))
        by_page: dict[str, list[Mapping[str, Any]]] = {}
        for entry in index["docs"]:
            by_page.setdefault(entry["location"].partition("#")[0], []).append(entry)
        for uri, made in self._made.items():
            if uri not in self._kept:
                made.found = by_page.get(made.url, [])
        index["docs"] += [entry for uri in sorted(self._kept) for entry in self._made[uri].found]
        path.write_text(json.dumps(index, separators=(",", ":")), encoding="utf-8")


def _theme(config: MkDocsConfig) -> tuple[object, ...]:
    """What stands around each page: the project's own templates, and the files that each page loads."""
    folder = config.theme.custom_dir
    templates = sorted(Path(folder).rglob("*")) if folder else []
    return tuple(_stamp(path) for path in templates)


def _stamp(path: str | Path | None) -> object:
    if path is None:
        return None
    state = Path(path).stat()
    return str(path), state.st_mtime_ns, state.st_size
