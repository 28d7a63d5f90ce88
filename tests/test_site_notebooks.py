"""Notebooks on the site: shown as they were executed, or said not to be; their links; and in a real browser."""

import base64
import gzip
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup, Tag

from backout import executed
from backout.record import PageRecord, StepRecord, add_runs, text_hash
from backout.repository import copy_repository
from backout.site.notebooks import mended

ROOT = Path(__file__).parents[1]
SHOWN, CHANGED, FAILED, NEVER = (
    "rename-without-downtime", "what-a-rollback-loses", "read-a-rehearsal", "first-migration",
)  # fmt: skip
PRINTED = "one < two\n" + "a long line of what a cell printed " * 8
WEIGHT = 800_000  # bytes on the wire, of a notebook's page
SCREENSHOTS = ROOT / "build/screenshots"  # kept by CI


def _picture() -> dict[str, str]:
    """A figure, as a notebook shows it."""
    from matplotlib import pyplot  # noqa: PLC0415 - slow

    from backout import notebooks  # noqa: PLC0415

    shown: list[dict[str, str]] = []
    figure, axes = pyplot.subplots()
    axes.bar([1, 2], [3, 4], color="#0072b2", hatch="//")
    axes.set_xlabel("words of the picture")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("IPython.display.display", lambda data, **_: shown.append(data))
        notebooks.show(figure, "Two bars, 3 and 4.")
    return shown[0]


def _execute(project: Path, name: str, *, outcome: str = "passed", source: str | None = None) -> None:
    """Leave in a project what a test run would have left of a notebook: text and a picture behind each code cell."""
    page = f"docs/onboarding/{name}.ipynb"
    text = (project / page).read_text(encoding="utf-8")
    notebook = json.loads(text)
    outputs = [
        {"output_type": "stream", "name": "stdout", "text": PRINTED},
        {"output_type": "display_data", "data": _picture(), "metadata": {}},
    ]
    for number, cell in enumerate([cell for cell in notebook["cells"] if cell["cell_type"] == "code"], start=1):
        cell |= {"execution_count": number, "outputs": outputs if number < 4 else []}
    executed.keep(json.dumps(notebook), executed.place(project, 18, page), source or text)
    step = StepRecord(f"{name}.1", 1, "python", "run", outcome)  # type: ignore[arg-type]
    record = PageRecord("f", text_hash(source or text), "2026-01-13T09:14:00+00:00", "abc1234", "18.6", 1.0, (step,))
    known = [f"docs/onboarding/{one}.ipynb" for one in (SHOWN, CHANGED, FAILED)]
    add_runs(project / "build/run.json", {page: record}, major=18, known=known)


def _build(project: Path, target: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--site-dir", target, *options],
        cwd=project,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1", "DISABLE_MKDOCS_2_WARNING": "true"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, with a notebook that was executed, one changed since, one that failed, and one that never was run."""
    folder = tmp_path_factory.mktemp("site")
    copy_repository(ROOT, folder / "project")
    _execute(folder / "project", SHOWN)
    _execute(folder / "project", CHANGED, source="{}")
    _execute(folder / "project", FAILED, outcome="failed")
    done = _build(folder / "project", folder / "served" / "below", "--strict")
    assert done.returncode == 0, done.stderr
    return folder / "served" / "below"


def page_of(site: Path, name: str) -> Tag:
    text = (site / "onboarding" / name / "index.html").read_text(encoding="utf-8")
    article = BeautifulSoup(text, "html.parser").article
    assert article is not None
    return article


# -- what is shown ------------------------------------------------------------------------------------


def test_an_executed_notebook_shows_what_its_cells_did(site: Path) -> None:
    article = page_of(site, SHOWN)
    source = json.loads((ROOT / f"docs/onboarding/{SHOWN}.ipynb").read_text(encoding="utf-8"))
    code = ["".join(cell["source"]) for cell in source["cells"] if cell["cell_type"] == "code"]
    assert [cell.get_text().rstrip("\n") for cell in article.select(".bo-cell code")] == code
    assert [printed.get_text() for printed in article.select(".bo-printed code")] == [PRINTED.rstrip()] * 3
    assert len(article.select("figure.bo-figure > svg[role=img]")) == 3
    assert len(article.select("details.bo-fold .bo-cell")) == 3
    assert "Not verified" not in article.get_text()


@pytest.mark.parametrize(
    ("name", "title", "told"),
    [
        (NEVER, "Not verified", "No test run has executed this notebook."),
        (CHANGED, "Not verified", "This notebook was changed since it was executed, on 2026-01-13 at abc1234."),
        (FAILED, "It failed", "This notebook failed when it was executed, on 2026-01-13."),
    ],
)
def test_what_was_not_executed_as_it_stands_says_so(site: Path, name: str, title: str, told: str) -> None:
    article = page_of(site, name)
    box = article.select_one(".admonition.warning")
    assert box is not None
    assert [part.get_text() for part in box.select("p")] == [
        title, f"{told} So only its source is shown, without what it prints."
    ]  # fmt: skip
    assert article.select(".bo-cell")
    assert not article.select(".bo-printed, .bo-figure")


def test_a_notebook_is_a_page_like_the_others(site: Path) -> None:
    whole = (site / "onboarding" / SHOWN / "index.html").read_text(encoding="utf-8")
    other = (site / "glossary" / "index.html").read_text(encoding="utf-8")
    soup, plain = BeautifulSoup(whole, "html.parser"), BeautifulSoup(other, "html.parser")
    assert len(soup.select("style, script")) == len(plain.select("style, script"))
    assert not soup.select("[class*='jp-'], clipboard-copy, a.anchor-link")
    described = soup.select_one("meta[name=description]")
    assert described is not None
    assert str(described["content"]).startswith("Why a plain rename breaks")
    assert soup.title is not None
    assert soup.title.get_text().startswith("Rename")
    assert [link.get_text(strip=True) for link in soup.select(".md-nav--secondary .md-nav__link")][:2] == [
        "A release at work", "The plain rename"
    ]  # fmt: skip
    assert [heading["id"] for heading in page_of(site, SHOWN).select("h2")][:2] == [
        "a-release-at-work", "the-plain-rename"
    ]  # fmt: skip


def test_links_are_right_on_the_site(site: Path) -> None:
    targets = {str(link["href"]) for link in page_of(site, SHOWN).select("a[href]:not(.headerlink)")}
    assert {"../../runbooks/rename-a-column/", "../read-a-rehearsal/"} <= targets
    for name in (SHOWN, CHANGED, FAILED, NEVER):
        for link in page_of(site, name).select("a[href]:not(.headerlink)"):
            path, _, anchor = str(link["href"]).partition("#")
            page = (site / "onboarding" / name / path / "index.html").resolve()
            assert page.is_file(), link
            assert not anchor or f'id="{anchor}"' in page.read_text(encoding="utf-8"), link


def test_the_search_knows_what_is_said_and_not_what_is_drawn(site: Path) -> None:
    found = json.loads((site / "search/search_index.json").read_text(encoding="utf-8"))["docs"]
    texts = [entry["text"] for entry in found if entry["location"].startswith(f"onboarding/{SHOWN}/")]
    assert any("Somebody renames the column" in text for text in texts)
    assert not any("words of the picture" in text for text in texts)


def test_broken_links_of_a_notebook_are_told(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "mkdocs.yml").write_text(
        "site_name: x\nplugins:\n  - backout\n"
        "  - mkdocs-jupyter: {include: ['*.ipynb'], ignore: ['*.md'], cache: false}\n"
        "validation: {links: {anchors: warn}}\n"
    )
    (tmp_path / "docs/index.md").write_text("# Home\n\n## There\n\n[good](x.ipynb#one) [bad](x.ipynb#two)\n")
    links = "[a](index.md#there) [b](index.md#nowhere) [c](gone.md) [d](#one) [e](#two) [f](https://x.org/#y)"
    text = f"# X\n\n## One\n\n{links}"
    cell = {"cell_type": "markdown", "id": "a", "metadata": {}, "source": text}
    (tmp_path / "docs/x.ipynb").write_text(
        json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    )
    done = _build(tmp_path, tmp_path / "site")
    assert done.returncode == 0, done.stderr
    nowhere = "but the doc 'index.md' does not contain an anchor '#nowhere'."
    assert sorted(line.partition("WARNING -  ")[2] for line in done.stderr.splitlines() if "WARNING" in line) == [
        "Doc file 'index.md' contains a link 'x.ipynb#two', but the doc 'x.ipynb' does not contain an anchor '#two'.",
        "Doc file 'x.ipynb' contains a link '#two', but there is no such anchor on this page.",
        f"Doc file 'x.ipynb' contains a link 'index.md#nowhere', {nowhere}",
        "Notebook 'x.ipynb' contains a link 'gone.md', and there is no such page.",
    ]
    assert _build(tmp_path, tmp_path / "site", "--strict").returncode == 1
    shown = BeautifulSoup((tmp_path / "site/x/index.html").read_text(encoding="utf-8"), "html.parser")
    hrefs = {link.get_text(): link["href"] for link in shown.select("p > a[href]")}
    assert (hrefs["a"], hrefs["d"], hrefs["f"]) == ("../#there", "#one", "https://x.org/#y")


def test_pictures_of_a_page_keep_apart_and_have_its_colours() -> None:
    svg = (
        '<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"><title>A &amp; B</title>'
        '<metadata>who drew it</metadata><defs><style>*{stroke: red}</style><path id="m1"/><clipPath id="c"/></defs>'
        '<use xlink:href="#m1" style="stroke: #000000; fill: #ffffff; clip-path: url(#c)"/></svg>'
    )
    image = f'<img src="data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"/>'
    output = f'<div class="jp-OutputArea-output">{image}</div>'
    cell = f'<div class="jp-Notebook-cell" id="x"><div class="clipboard-copy-txt">1</div>{output}{output}</div>'
    shown = BeautifulSoup(mended(cell, str), "html.parser")
    assert [picture["aria-labelledby"] for picture in shown.select("svg")] == ["p1-title", "p2-title"]
    assert [title.get_text() for title in shown.select("title")] == ["A & B"] * 2
    ids = [str(one["id"]) for one in shown.select("[id]")]
    assert len(ids) == len(set(ids)) == 6
    assert [use["xlink:href"] for use in shown.select("use")] == ["#p1-m1", "#p2-m1"]
    assert shown.select("use")[1]["style"] == "stroke: currentColor; fill: none; clip-path: url(#p2-c)"
    assert "who drew it" not in shown.get_text()
    assert not shown.select("style")


# -- in a browser -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def address(site: Path, serving: Any) -> Iterator[str]:
    with serving(site.parent) as address:
        yield f"{address}below/"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("name", [SHOWN, NEVER, ""])
def test_a_page_of_each_state(name: str, width: int, scheme: str, opened: Any, address: str) -> None:
    where = f"{address}onboarding/{name + '/' if name else ''}"
    one = opened(where, viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = one.page
    page.wait_for_function("!document.querySelector('nav.md-code__nav:not([role])')")
    assert one.faults() == []
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    assert one.problems == []
    assert one.outside(address) == set()
    if name == SHOWN:
        # Black on white, or the other way round: the picture has the colour of the text, and no ground of its own.
        label, text = (
            page.eval_on_selector(of, f"one => getComputedStyle(one).{what}")
            for of, what in ((".bo-figure text", "fill"), (".bo-figure svg", "color"))
        )
        assert label == text
        assert page.eval_on_selector(".bo-figure path", "one => getComputedStyle(one).fill") == "none"
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    size = "desk" if width > 1000 else "phone"
    page.screenshot(path=SCREENSHOTS / f"notebook-{name or 'list'}-{size}-{scheme}.png", full_page=True)


def test_cells_are_copied_and_what_they_printed_is_not(browser: Any, address: str) -> None:
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(f"{address}onboarding/{SHOWN}/")
    page.locator(".bo-cell .md-code__button").first.click()
    assert page.evaluate("navigator.clipboard.readText()").startswith("from backout.notebooks import begin, show\n")
    assert page.locator(".bo-printed .md-code__button").count() == 0
    context.close()


def test_without_javascript_and_on_paper_it_is_all_there(browser: Any, address: str) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 740, "height": 1040})
    page = context.new_page()
    page.goto(f"{address}onboarding/{SHOWN}/")
    assert page.locator(".bo-figure svg").first.is_visible()
    assert page.locator("details.bo-fold .bo-cell").first.is_hidden()
    page.locator("details.bo-fold > summary").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("details.bo-fold .bo-cell").first.is_visible()
    page.emulate_media(media="print")
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    printed = page.locator(".bo-printed code").first
    assert printed.evaluate("one => one.scrollWidth - one.clientWidth") <= 0
    context.close()


def test_a_page_is_light(browser: Any, address: str, site: Path) -> None:
    """On the wire, without images: the page and all that it loads, as a server sends it."""
    context = browser.new_context()
    page = context.new_page()
    loaded = set()
    page.on("request", lambda request: loaded.add(request.url.split("?")[0]))
    page.goto(f"{address}onboarding/{SHOWN}/", wait_until="networkidle")
    files = [url.removeprefix(address) for url in loaded if url.startswith(address)]
    paths = [site / file / "index.html" if file.endswith("/") else site / file for file in files]
    weight = sum(len(gzip.compress(path.read_bytes())) for path in paths if path.suffix not in (".png", ".svg"))
    assert weight < WEIGHT
    assert (site / "onboarding" / SHOWN / "index.html").stat().st_size < WEIGHT / 2
    context.close()
