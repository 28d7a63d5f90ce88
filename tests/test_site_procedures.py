"""What the site adds to pages that people follow, on a project whose pages have every state: as built by MkDocs, and in
a real browser."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup, Tag

from backout.pages import parse_page, read_page
from backout.record import PageRecord, StepRecord, add_runs, text_hash
from backout.site.blocks import with_blocks
from backout.site.procedures import with_procedure

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "tests/samples/procedures"
SCREENSHOTS = ROOT / "build/screenshots"  # kept by CI
QUIET = {"NO_MKDOCS_2_WARNING": "1", "DISABLE_MKDOCS_2_WARNING": "true"}
PAGES = {"holds": "", "fails": "failed/", "changed": "changed/", "unrun": "unrun/", "prose": "prose/",
         "runbook": "runbooks/pause-jobs/"}  # fmt: skip
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 360, "height": 740}
PAPER = {"width": 680, "height": 1009}  # A4 within its margins, in CSS pixels


def passed(project: Path, path: str, **more: Any) -> PageRecord:
    """The record of a page of which everything passed, or what ``more`` says of it."""
    page = read_page(project / path, project)
    steps = tuple(StepRecord(step.id, step.line, step.language, step.kind, "passed") for step in page.steps)
    values = {"source": text_hash(page.source), "steps": steps, **more}
    return PageRecord("f", when="2026-01-13T09:14:05+00:00", commit="abc1234", postgres="18.6", seconds=4.2, **values)


def failed(project: Path) -> PageRecord:
    """That of the page of which the first block prints something else."""
    message = (
        "docs/failed.md:10: 'echo two' printed something else than the page says\n--- docs/failed.md:11 (expected)\n"
        "+++ (printed)\n@@ -1 +1 @@\n-one\n+two"
    )
    steps = (
        StepRecord("first.1", 9, "console", "run", "failed", message),
        StepRecord("second.1", 16, "bash", "run", "not reached", "not reached: the page stopped"),
    )
    return passed(project, "docs/failed.md", steps=steps)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("procedures")
    project = Path(shutil.copytree(SAMPLE, folder / "project"))
    records = {
        "docs/index.md": passed(project, "docs/index.md"),
        "docs/failed.md": failed(project),
        "docs/changed.md": passed(project, "docs/changed.md", source=text_hash("what it was")),
        "runbooks/pause-jobs.md": passed(project, "runbooks/pause-jobs.md"),
    }
    add_runs(project / "build/run.json", records, major=18, known=records)
    build(project, folder / "site")
    return folder / "site"


def build(project: Path, target: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", target],
        cwd=project,
        env={**os.environ, **QUIET},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr


def article(site: Path, page: str) -> Tag:
    found = BeautifulSoup((site / page / "index.html").read_text(encoding="utf-8"), "html.parser").article
    assert found is not None
    return found


def text_of(element: Tag | None) -> str:
    assert element is not None
    return " ".join(element.get_text(" ").split())


# -- as built ---------------------------------------------------------------------------------------------------------


def test_every_page_ends_with_its_stamp(site: Path) -> None:
    stamps = {name: article(site, page).select("#stamp") for name, page in PAGES.items()}
    assert {name: text_of(found[0].select_one(".bo-title")) for name, found in stamps.items()} == {
        "holds": "Verified: this page held when it was run.",
        "fails": "1 failed: this page does not hold.",
        "changed": "Not verified: changed since it was run.",
        "unrun": "Not verified: this page was not run.",
        "prose": "Nothing on this page is run.",
        "runbook": "Verified: this page held when it was run.",
    }
    for name, page in PAGES.items():
        last = article(site, page).find_all(["footer", "p", "pre", "h2", "ul"], recursive=False)[-1]
        assert last["id"] == "stamp", name
    generated = text_of(article(site, "hazards/plain-index").select_one("#stamp"))
    assert generated.startswith("Measured on PostgreSQL")
    assert "not verified" not in (site / "index.html").read_text().split("<article")[1].partition("</article>")[0]


def test_without_a_run_no_page_is_verified(tmp_path: Path) -> None:
    shutil.copytree(SAMPLE, tmp_path / "project")
    build(tmp_path / "project", tmp_path / "site")
    titles = [text_of(article(tmp_path / "site", page).select_one("#stamp .bo-title")) for page in PAGES.values()]
    assert sorted(set(titles)) == ["Not verified: this page was not run.", "Nothing on this page is run."]


def test_copied_is_what_is_typed(site: Path) -> None:
    page = article(site, "")
    console = page.select_one("#block-console-1")
    assert console is not None
    assert console["data-copy"] == ("echo one; echo two\ncat <<'END'\nfirst \"line\"\n  second & <last>\nEND")
    assert page.select_one("#block-output-1:not([data-copy])") is not None
    output = page.select_one("#block-output-1 + .bo-output")
    assert output is not None
    assert "no-copy" in (output["class"] or [])
    assert [one["id"] for one in page.select("div.highlight[id]")] == [
        "block-console-1", "block-output-1", "block-checklist-1",
    ]  # fmt: skip


def test_a_failed_block_says_so_where_it_stands(site: Path) -> None:
    page = article(site, "failed")
    failure = page.select_one("#block-first-1 + .bo-failure.bo-high")
    assert text_of(failure) == (
        "Failed, on PostgreSQL 18.6 docs/failed.md:10: 'echo two' printed something else than the page says "
        "\N{MINUS SIGN} expected, + printed \N{MINUS SIGN} one + two"
    )
    assert len(page.select(".bo-failure")) == 1
    assert page.select_one('#stamp a[href="#block-first-1"]') is not None
    assert page.select_one(".bo-notice") is None  # nobody is writing


def test_a_failure_of_an_older_text_is_told_as_such() -> None:
    text = "# T\n\n```bash\nfalse\n```\n"
    steps = (
        StepRecord("t.1", 9, "bash", "run", "passed"),
        StepRecord("t.1.sabotage", 9, "bash", "sabotage", "failed", "a.md:9: the check holds after its sabotage"),
    )
    older = PageRecord("f", "older", "2026-01-13T09:14:05+00:00", "", "15.14", 1.0, steps)
    html = '<div class="highlight"><pre><span></span><code>false\n</code></pre></div>'
    shown = BeautifulSoup(with_blocks(html, parse_page(text, "a.md"), {15: older}), "html.parser")
    assert text_of(shown.select_one("#block-t-1 + .bo-failure.bo-unproven")) == (
        "Failed before the page was changed, on PostgreSQL 15.14 (sabotage) a.md:9: the check holds after its sabotage"
    )


@pytest.mark.parametrize(
    ("annotations", "told"),
    [
        ("<!-- not run: needs a `cluster` -->", "bo-unmeasured Not verified: this block is not run. Needs a cluster ."),
        ("<!-- way back -->\n<!-- destroys: rows -->",
         "bo-high Way back. It undoes the step; it is no part of it. Destroys rows."),
        ("<!-- changes: a -->\n<!-- destroys: b -->", "bo-high Destroys b; changes a."),
        ("<!-- changes: a -->", "bo-medium Changes a."),
    ],
)  # fmt: skip
def test_what_is_said_above_a_block(annotations: str, told: str) -> None:
    page = parse_page(f"# T\n\n{annotations}\n```bash\ntrue\n```\n", "a.md")
    html = '<div class="highlight"><pre><code>true</code></pre></div>'
    shown = BeautifulSoup(with_blocks(html, page, {}), "html.parser").p
    assert shown is not None
    assert f"{shown['class'][1]} {text_of(shown)}" == told


def test_blocks_that_the_renderer_changed_or_left_out_disturb_no_other() -> None:
    page = parse_page("# T\n\n```bash\nfirst\n```\n\n```bash\n\tsecond\n```\n\n```bash\nthird\n```\n", "a.md")
    html = "".join(
        f'<div class="language-bash highlight"><pre id="x"><span></span><code>{code}</code></pre></div>'
        for code in ("foreign", "    <span>sec</span>ond\n", "third")
    )
    found = BeautifulSoup(with_blocks(html, page, {}), "html.parser").select("div")
    assert [one.get("id") for one in found] == [None, "block-t-2", "block-t-3"]
    assert with_blocks(html, parse_page("# T\n", "a.md"), {}) == html


def test_a_runbook_says_at_its_top_what_it_is(site: Path) -> None:
    page = article(site, "runbooks/pause-jobs")
    glance = {text_of(one.dt): text_of(one.dd) for one in page.select(".bo-briefing dl > div")}
    assert glance == {
        "When": "Jobs fail, and every new one makes it worse",
        "Who": "Whoever is on call",
        "How long": "About 2.5 min",
        "Where": "staging, production",
        "What it needs": "DATABASE_URL , psql",
        "What it may destroy": "The jobs that wait",
    }
    assert [text_of(one) for one in page.select(".bo-briefing pre code")] == [
        "backout run pause-jobs --env staging",
        "backout run pause-jobs --env production",
    ]
    assert [(text_of(one), one.a["href"]) for one in page.select(".bo-steps li")] == [  # type: ignore[index]
        ("Take no more jobs changes", "#pause"),
        ("Throw away what waits destroys", "#throw-away"),
        ("Look reads", "#look"),
    ]
    title = page.h1
    assert title is not None
    assert title.find_next_sibling()["class"] == ["bo-briefing"]  # type: ignore[index]


def test_a_runbook_that_lies_elsewhere_is_named_by_its_path() -> None:
    page = parse_page((SAMPLE / "runbooks/pause-jobs.md").read_text(encoding="utf-8"), "ops/pause.md")
    shown = BeautifulSoup(with_procedure('<h1 id="x">Pause</h1><h3 id="look">3. Look</h3>', page), "html.parser")
    assert text_of(shown.select_one(".bo-briefing pre code")) == "backout run ops/pause.md --env staging"
    assert [text_of(one) for one in shown.select("h3 + .bo-step label")] == ["Step 3 is done"]


def test_what_a_block_destroys_is_marked_by_word_shape_and_colour(site: Path) -> None:
    page = article(site, "runbooks/pause-jobs")
    effects = {}
    for one in page.select(".bo-effect"):
        block = one.find_next_sibling("div")
        assert isinstance(block, Tag)
        assert one.svg is not None
        effects[str(block["id"])] = (one["class"][1], text_of(one))  # type: ignore[index]
    assert effects == {
        "block-pause-1": ("bo-medium", "Changes settings.taken in the database."),
        "block-pause-way-back": ("bo-moment", "Way back. It undoes the step; it is no part of it."),
        "block-throw-away-1": (
            "bo-high",
            "Destroys the jobs that wait; changes the table jobs . No way back: nobody needs them.",
        ),
    }
    tools = {text_of(one.label): text_of(one.select_one(".bo-chip")) for one in page.select(".bo-step")}
    assert tools == {"Step 1 is done": "changes", "Step 2 is done": "destroys", "Step 3 is done": "reads"}


def test_boxes_have_names_and_blocks_stand_below_their_item(site: Path) -> None:
    page = article(site, "")
    boxes = page.select("input[type=checkbox]")
    assert [box["id"] for box in boxes] == ["item-1", "item-2"]
    assert all(box.has_attr("disabled") for box in boxes)  # until a script keeps what is ticked
    labels = {str(label["for"]): text_of(label) for label in page.select("label")}
    assert labels == {
        "item-1": "The file is there, and so is its reason",
        "item-2": "The team knows (manual: only people can tell)",
    }
    assert page.select_one('label[for=item-1] a[href="failed/"]') is not None
    assert page.select_one("li.task-list-item #block-checklist-1") is not None
    bar = page.select_one(".bo-progress[hidden]")
    assert bar is not None
    assert bar["data-boxes"] == "2"
    assert article(site, "failed").select_one(".bo-progress") is None


def test_other_renderers_boxes_are_found_too() -> None:
    page = parse_page("# T\n\n- [ ] a (manual: b)\n", "a.md")
    plain = '<h1>T</h1><ul><li class="x"><input type="checkbox" disabled="disabled" /> a <b>b</b></li></ul>'
    found = BeautifulSoup(with_procedure(plain, page), "html.parser").select_one("li")
    assert found is not None
    assert str(found.label) == '<label for="item-1">a <b>b</b></label>'


def test_the_search_knows_the_page_and_not_what_stands_on_every_one(site: Path) -> None:
    entries = json.loads((site / "search/search_index.json").read_text())["docs"]
    text = " ".join(one["title"] + " " + one["text"] for one in entries)
    assert "More than one job has failed" in text
    assert "abc1234" not in text
    assert "Step 1 is done" not in text


# -- in a browser -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def address(site: Path, serving: Any) -> Iterator[str]:
    with serving(site) as address:
        yield address


@pytest.fixture
def opened(browser: Any, address: str) -> Iterator[Callable[..., Any]]:
    """Opens a page; whatever it complains of, or asks of another host, fails the test."""
    contexts: list[Any] = []
    problems: list[str] = []

    def open_page(path: str, context: Any = None, **options: Any) -> Any:
        if context is None:
            context = browser.new_context(**{"viewport": DESK, **options})
            contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on(
            "request",
            lambda asked: None if asked.url.startswith((address, "data:", "blob:")) else problems.append(asked.url),
        )
        page.goto(address + path, wait_until="load")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert problems == []


@pytest.mark.parametrize(
    ("size", "scheme"), [("desk", "light"), ("desk", "dark"), ("phone", "light"), ("phone", "dark")]
)
@pytest.mark.parametrize("kind", PAGES)
def test_a_page_of_each_state(kind: str, size: str, scheme: str, opened: Any) -> None:
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415

    page = opened(PAGES[kind], viewport=DESK if size == "desk" else PHONE, color_scheme=scheme)
    page.wait_for_function("!document.querySelector('nav.md-code__nav:not([role])')")
    # What stands around it is Material's; test_site_browser looks at that of this project.
    faults = Axe().run(page, context="article").response["violations"]
    assert [(one["id"], one["nodes"][0]["html"][:200], one["nodes"][0]["failureSummary"]) for one in faults] == []
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"followed-{kind}-{size}-{scheme}.png", full_page=True)


def test_the_copy_button_takes_commands_and_nothing_else(opened: Any) -> None:
    page = opened(PAGES["holds"], permissions=["clipboard-read", "clipboard-write"])
    button = page.locator("#block-console-1 button.md-code__button[data-md-type=copy]")
    button.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(".md-dialog--active")
    assert page.evaluate("navigator.clipboard.readText()") == (
        "echo one; echo two\ncat <<'END'\nfirst \"line\"\n  second & <last>\nEND"
    )
    page.locator("#block-output-1 button.md-code__button").click()
    page.wait_for_function("navigator.clipboard.readText().then(text => text.startsWith('echo \"'))")
    assert page.evaluate("navigator.clipboard.readText()") == "echo \"$(printf '%s\\n' a b)\""
    assert page.locator(".bo-output button").count() == 0
    assert page.locator("li #block-checklist-1 button").count() == 1
    page = opened(PAGES["runbook"], permissions=["clipboard-read", "clipboard-write"])
    page.locator(".bo-briefing button.md-code__button").nth(1).click()
    page.wait_for_function("navigator.clipboard.readText().then(text => text.startsWith('backout'))")
    assert page.evaluate("navigator.clipboard.readText()") == "backout run pause-jobs --env production"


def test_boxes_remember_until_they_are_emptied(opened: Any) -> None:
    page = opened(PAGES["runbook"])
    told = page.locator(".bo-progress output")
    assert told.inner_text() == "0 of 6 ticked"
    page.locator("#item-2").focus()
    page.keyboard.press("Space")
    page.get_by_text("Step 2 is done").click()
    assert told.inner_text() == "2 of 6 ticked"
    beside = opened(PAGES["runbook"], context=page.context)
    assert beside.locator("#item-2").is_checked()
    beside.locator("#done-look").check()
    page.wait_for_function("document.querySelector('#done-look').checked")
    assert told.inner_text() == "3 of 6 ticked"
    page.reload()
    ticked = "all => all.filter(one => one.checked).map(one => one.id)"
    assert page.eval_on_selector_all("input.bo-box", ticked) == ["item-2", "done-throw-away", "done-look"]
    other = opened(PAGES["holds"], context=page.context)
    assert other.locator(".bo-progress output").inner_text() == "0 of 2 ticked"
    page.get_by_role("button", name="Empty all boxes").focus()
    page.keyboard.press("Enter")
    assert told.inner_text() == "0 of 6 ticked"
    page.reload()
    assert page.eval_on_selector_all("input.bo-box", ticked) == []
    assert page.evaluate("Object.keys(localStorage).filter(one => one.startsWith('backout '))") == []


def test_boxes_remember_in_a_copy_that_is_opened_from_a_folder(browser: Any, site: Path) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto((site / PAGES["runbook"] / "index.html").as_uri())
    page.locator("#item-2").check()
    page.reload()
    assert page.locator("#item-2").is_checked()
    assert page.locator(".bo-progress output").inner_text() == "1 of 6 ticked"
    context.close()


def test_boxes_of_another_text_are_emptied_and_it_is_told(opened: Any) -> None:
    page = opened(PAGES["runbook"])
    page.locator("#item-1").check()
    page.evaluate(
        "() => { const name = Object.keys(localStorage).find(one => one.startsWith('backout '));"
        " localStorage.setItem(name.replace(/ [^ ]+$/, ' 0123456789abcdef'), localStorage.getItem(name));"
        " localStorage.removeItem(name) }"
    )
    page.reload()
    assert not page.locator("#item-1").is_checked()
    assert page.locator(".bo-progress output").inner_text() == (
        "0 of 6 ticked. This page was changed since you ticked its boxes; they were emptied"
    )
    page.reload()
    assert page.locator(".bo-progress output").inner_text() == "0 of 6 ticked"


def test_boxes_work_where_nothing_can_be_kept(opened: Any, browser: Any) -> None:
    context = browser.new_context()
    context.add_init_script(
        "for (const name of ['getItem', 'setItem', 'removeItem']) { const usual = Storage.prototype[name];"
        " Storage.prototype[name] = function (key, ...more) {"
        " if (key.startsWith('backout ')) throw new DOMException('denied', 'SecurityError');"
        " return usual.call(this, key, ...more) } }"
    )
    try:
        page = opened(PAGES["holds"], context=context)
        page.locator("#item-1").check()
        assert page.locator(".bo-progress output").inner_text() == "1 of 2 ticked"
    finally:
        context.close()


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_a_link_opens_at_a_step(viewport: dict[str, int], opened: Any, address: str) -> None:
    page = opened(
        f"{PAGES['runbook']}#throw-away", viewport=viewport, permissions=["clipboard-read", "clipboard-write"]
    )
    page.wait_for_function("document.querySelector('#throw-away').getBoundingClientRect().top < innerHeight / 2")
    bar = page.locator(".bo-progress").bounding_box()
    heading = page.locator("#throw-away").bounding_box()
    assert bar["y"] + bar["height"] <= heading["y"] + 1  # nothing lies over it
    assert heading["y"] < viewport["height"] / 2
    assert "rgba(0, 0, 0, 0)" != page.evaluate(  # noqa: SIM300
        "getComputedStyle(document.querySelector('#throw-away')).backgroundColor"
    )
    link = page.locator(".bo-step .bo-link").first
    link.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(".md-dialog--active")
    assert page.evaluate("navigator.clipboard.readText()") == f"{address}{PAGES['runbook']}#pause"
    assert page.url.endswith("#pause")


@pytest.mark.parametrize("kind", PAGES)
def test_printed_it_fits_the_paper(kind: str, opened: Any, tmp_path: Path) -> None:
    page = opened(PAGES[kind], viewport=PAPER, color_scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    cut = page.eval_on_selector_all(
        "pre code, pre.bo-told, .bo-lines",
        "all => all.filter(one => one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).display !== 'inline'"
        " || one.getBoundingClientRect().right > innerWidth).map(one => one.textContent)",
    )
    assert cut == []
    for gone in (".md-header", ".md-sidebar", ".md-footer", ".bo-progress", ".bo-link", ".md-code__nav"):
        assert not page.locator(gone).first.is_visible(), gone
    assert page.locator("#stamp").is_visible()
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"followed-{kind}-printed.png", full_page=True)
    page.pdf(path=tmp_path / "page.pdf", format="A4")
    pdf = (tmp_path / "page.pdf").read_bytes()
    boxes = re.findall(rb"/MediaBox\s*\[0 0 ([\d.]+) ([\d.]+)\]", pdf)
    assert boxes
    height = page.evaluate("document.documentElement.scrollHeight")
    assert 1 <= len(re.findall(rb"/Type\s*/Page\b", pdf)) <= -(-height // PAPER["height"]) + 1
    assert {(595, 842)} == {(round(float(width) - 0.5), round(float(height) - 0.5)) for width, height in boxes}


def test_printed_boxes_are_there_for_a_pen(opened: Any, tmp_path: Path) -> None:
    page = opened(PAGES["runbook"], viewport=PAPER)
    page.locator("#item-1").check()
    page.emulate_media(media="print")
    boxes = page.eval_on_selector_all(
        "input.bo-box",
        "all => all.map(one => { const box = one.getBoundingClientRect(), style = getComputedStyle(one);"
        " return [box.left >= 0 && box.width > 12, style.appearance, style.borderTopColor] })",
    )
    assert boxes == [[True, "none", "rgb(0, 0, 0)"]] * 6
    ticked = "one => getComputedStyle(one, '::before').content"
    assert page.eval_on_selector("#item-1", ticked) == '"✓"'
    assert page.eval_on_selector("#item-2", ticked) == "none"
    link = page.locator('a[href^="https://www.postgresql.org"]')
    assert "sql-update.html" in link.evaluate("one => getComputedStyle(one, '::after').content")


def test_without_javascript_all_of_it_is_there(opened: Any) -> None:
    page = opened(PAGES["runbook"], java_script_enabled=False, viewport=PHONE)
    assert page.locator(".bo-briefing").is_visible()
    assert page.locator(".bo-progress").is_hidden()
    boxes = page.locator("input.bo-box")
    assert boxes.count() == 6
    assert all(box.is_visible() and box.is_disabled() for box in boxes.all())
    page.locator(".bo-step .bo-link").nth(1).click()
    assert page.url.endswith("#throw-away")
    assert page.locator("#stamp").is_visible()


def test_everything_is_reached_with_the_keyboard_alone(opened: Any) -> None:
    page = opened(PAGES["runbook"])
    reached = []
    for _ in range(200):
        page.keyboard.press("Tab")
        one = page.evaluate(
            "() => { const one = document.activeElement, box = one.getBoundingClientRect();"
            " const classes = [...one.classList].filter(one => one !== 'focus-visible');"
            " return one === document.body ? null : [one.id || classes[0] || one.textContent.trim(),"
            " box.top >= 0 && box.bottom <= innerHeight] }"
        )
        if one is None:
            break
        reached.append(one)
    names = [name for name, _ in reached]
    assert [name for name in names if name.startswith(("item-", "done-"))] == [
        "item-1", "item-2", "done-pause", "done-throw-away", "done-look", "item-3",
    ]  # fmt: skip
    assert names.count("bo-link") == 3
    assert "Empty all boxes" in names
    assert len([name for name in names if "md-code__button" in name]) == 2 + 8
    assert [name for name, seen in reached if not seen and name.startswith(("item-", "done-"))] == []


def test_who_writes_sees_the_page_change_and_fail(browser: Any, tmp_path: Path) -> None:
    project = Path(shutil.copytree(SAMPLE, tmp_path / "project"))
    (project / "build").mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "mkdocs", "serve", "--quiet", "--no-strict", "--dev-addr", f"127.0.0.1:{port}"]
    environment = {**os.environ, **QUIET, "TMPDIR": str(tmp_path)}  # MkDocs, ended, leaves the site there
    with subprocess.Popen(command, cwd=project, env=environment) as server:
        try:
            while server.poll() is None:
                with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                    break
                time.sleep(0.05)
            context = browser.new_context(viewport=DESK)
            page = context.new_page()
            page.goto(f"http://127.0.0.1:{port}/failed/")
            assert page.locator(".bo-notice").inner_text() == "Not verified: this page was not run. Its stamp"
            source = project / "docs/failed.md"
            source.write_text(source.read_text() + "\nWritten while somebody looks.\n")
            page.get_by_text("Written while somebody looks.").wait_for()
            add_runs(
                project / "build/run.json", {"docs/failed.md": failed(project)}, major=18, known=["docs/failed.md"]
            )
            page.locator("#block-first-1 + .bo-failure").wait_for()
            assert page.locator(".bo-notice").inner_text() == "1 failed: this page does not hold. first.1 Its stamp"
            page.locator(".bo-notice a").first.click()
            assert page.url.endswith("/failed/#block-first-1")
            SCREENSHOTS.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=SCREENSHOTS / "followed-writing-desk-light.png", full_page=True)
            context.close()
        finally:
            server.terminate()
