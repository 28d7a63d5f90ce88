"""What becomes of a notebook's page: ``mkdocs-jupyter`` makes its HTML, and here it becomes one of this site's.

Of what comes in, text and outputs stay. Styles, scripts and everything that asks another host go: cells look like the
blocks of the other pages, headings have addresses, links are right, and pictures are part of the page, in its colours.

Knows nothing of MkDocs; takes HTML, gives HTML.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from markupsafe import escape
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import BashLexer, PythonLexer, SqlLexer

if TYPE_CHECKING:
    from bs4 import Tag

    from backout.record import PageRecord

# What a notebook's cell may be written in, by its first line.
_LEXERS = {"%%bash": BashLexer, "%%sh": BashLexer, "%%sql": SqlLexer}
# Of an SVG: what stands before it, who drew it, and rules that would hold for the whole page.
_FOREIGN = re.compile(r"\A.*?(?=<svg\b)|<metadata>.*?</metadata>|<style\b.*?</style>", re.DOTALL)
_FOLDED = "celltag_fold"  # of a cell with the tag "fold"
# matplotlib's own black and white are the page's.
_COLOURS = {"#000000": "currentColor", "#ffffff": "none"}


def mended(html: str, address: Callable[[str], str]) -> str:
    """A notebook's page.

    :param html: as ``mkdocs-jupyter`` makes it.
    :param address: makes the target of a link of the notebook one of the site.
    """
    from bs4 import BeautifulSoup  # noqa: PLC0415 - comes with mkdocs-jupyter; a site without notebooks need not have it

    soup = BeautifulSoup(html, "html.parser")
    parts = []
    pictures = 0
    # A code cell stands in another div of the same classes.
    for cell in soup.select("div.jp-Notebook-cell[id]"):
        text = cell.select_one(".jp-MarkdownOutput")
        if text is not None:
            parts.append(_text(text, address))
            continue
        parts.append(_code(cell))
        for output in cell.select(".jp-OutputArea-output"):
            pictures += bool(output.select_one("img[src^='data:image/svg+xml']"))
            parts.append(_output(output, pictures))
    return "\n".join(filter(None, parts))


def meta(source: str) -> dict[str, str]:
    """What a notebook says of itself in its metadata, where other pages have front matter.

    :param source: its text.
    """
    front = json.loads(source)["metadata"].get("backout", {})
    return {key: front[key] for key in ("title", "description") if key in front}


def not_shown(source: str, records: Mapping[int, PageRecord]) -> str:
    """Why a notebook is shown without its outputs.

    :param source: its text.
    :param records: of its runs; the newest PostgreSQL's counts.
    """
    record = records[max(records)] if records else None
    if record is None:
        title, told = "Not verified", "No test run has executed this notebook."
    elif not record.is_of(source):
        title = "Not verified"
        told = f"This notebook was changed since it was executed, on {record.when[:10]} at {record.commit}."
    elif record.failed:
        title, told = "It failed", f"This notebook failed when it was executed, on {record.when[:10]}."
    else:
        title, told = "Not verified", "What this notebook printed when it was executed is not there any more."
    return (
        f'<div class="admonition warning"><p class="admonition-title">{title}</p>'
        f"<p>{escape(told)} So only its source is shown, without what it prints.</p></div>\n"
    )


def _text(text: Tag, address: Callable[[str], str]) -> str:
    for link in text.find_all("a", href=True):
        if "anchor-link" in (link.get("class") or []):
            link["class"], link["title"] = "headerlink", "Permanent link"
        else:
            link["href"] = address(str(link["href"]))
    for image in text.find_all("img", src=True):
        image["src"] = address(str(image["src"]))
    for cell in text.find_all(["td", "th"], style=True):
        cell["style"] = str(cell["style"]).replace("text-align:", "text-align: ")
    return text.decode_contents().strip()


def _code(cell: Tag) -> str:
    source = cell.select_one(".clipboard-copy-txt")
    assert source is not None
    text = source.get_text()
    lexer = next((lexer for magic, lexer in _LEXERS.items() if text.startswith(magic)), PythonLexer)
    coloured = highlight(text, lexer(), HtmlFormatter(nowrap=True))
    block = f'<div class="highlight bo-cell"><pre><span></span><code>{coloured}</code></pre></div>'
    if _FOLDED not in (cell.get("class") or []):
        return block
    return f'<details class="bo-fold"><summary>The code of this cell</summary>{block}</details>'


def _output(output: Tag, number: int) -> str:
    """What a cell showed; copying it would be of no use."""
    picture = output.select_one("img[src^='data:image/svg+xml']")
    if picture is not None:
        return _picture(base64.b64decode(str(picture["src"]).partition(",")[2]).decode(), number)
    if (printed := output.find("pre")) is not None:
        return (
            '<div class="highlight no-copy bo-printed"><pre><code>'
            f"{escape(printed.get_text().rstrip())}</code></pre></div>"
        )
    return f'<div class="bo-shown">{output.decode_contents().strip()}</div>'


def _picture(svg: str, number: int) -> str:
    """A picture as part of the page: in its colours, with names that are distinct on it, read aloud by its title."""
    svg = _FOREIGN.sub("", svg)
    for theirs, ours in _COLOURS.items():
        svg = svg.replace(theirs, ours)
    svg = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>p{number}-", svg)
    svg = re.sub(
        r"<svg\b([^>]*)>\s*<title>",
        rf'<svg\1 role="img" fill="currentColor" aria-labelledby="p{number}-title"><title id="p{number}-title">',
        svg,
        count=1,
    )
    return f'<figure class="bo-figure" data-search-exclude>{svg.strip()}</figure>'


def ids(html: str) -> set[str]:
    """The anchors that links may lead to."""
    return set(re.findall(r'\bid="([^"]+)"', html))
