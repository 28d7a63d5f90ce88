"""Every type of page in a real browser: a desk and a phone, light and dark, keyboard, print."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]

# One of each type of page.
PAGES = {
    "chain": "migrations/",
    "revision": "migrations/3263c0e46dff/",
    "revision not seen": "migrations/411cf211891c/",
    "schema": "migrations/schema/",
    "matrix": "risk/",
    "kind": "risk/add-column/",
    "hazards": "hazards/",
    "hazard": "hazards/not-null-scans/",
    "guide": "migration-rollback/",
    "coverage": "reference/coverage/",
    "runbook": "runbooks/roll-back-without-losing-data/",
}
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 360, "height": 740}
SCREENSHOTS = ROOT / "build/screenshots"  # kept by CI


@pytest.fixture
def page_at(opened: Any, served: str) -> Callable[..., Any]:
    """Opens a page of the site: ``page_at("risk/", viewport=PHONE, color_scheme="dark")``."""
    return lambda path, **options: opened(served + path, **options)


# Colours do not depend on the size, nor sizes on colours.
@pytest.mark.parametrize(("size", "scheme"), [("desk", "light"), ("phone", "dark")])
@pytest.mark.parametrize("kind", PAGES)
def test_a_page_of_each_type(kind: str, size: str, scheme: str, page_at: Any, served: str) -> None:
    one = page_at(PAGES[kind], viewport=DESK if size == "desk" else PHONE, color_scheme=scheme)
    page = one.page
    page.wait_for_function("!document.querySelector('nav.md-code__nav:not([role])')")
    assert (
        page.evaluate("document.body.getAttribute('data-md-color-scheme')")
        == {"light": "default", "dark": "slate"}[scheme]
    )
    assert one.faults() == []
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    assert one.problems == []
    assert one.outside(served) == set()
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{kind.replace(' ', '-')}-{size}-{scheme}.png", full_page=True)


def test_what_is_drawn_is_there(page_at: Any) -> None:
    """A pattern that is not found fills nothing, and a bar without width says nothing."""
    page = page_at(PAGES["revision"]).page
    bars = page.eval_on_selector_all(
        ".bo-timeline rect.bo-bar-high", "all => all.map(one => one.getBoundingClientRect().width)"
    )
    assert bars
    assert min(bars) > 100
    assert page.evaluate("!!document.querySelector('pattern#bo-fill-high')")
    page = page_at(PAGES["chain"]).page
    nodes = page.eval_on_selector_all(".bo-chain a", "all => all.map(one => one.getBoundingClientRect().height)")
    assert len(nodes) == 28
    assert min(nodes) >= 24  # target size, WCAG 2.2, 2.5.8


def unfiltered(page: Any) -> None:
    """Reset the filter, and wait until all rows are shown."""
    page.click("form.bo-filter button[type=reset]")
    page.wait_for_function(r"/^(\d+) of \1$/.test(document.querySelector('.bo-count').textContent)")


def test_the_matrix_is_filtered_and_the_address_says_how(page_at: Any) -> None:
    page = page_at(PAGES["matrix"]).page
    shown = "table.bo-matrix tbody tr:not(.bo-kind):not([hidden])"
    every = page.locator(shown).count()
    assert page.locator(".bo-count").inner_text() == f"{every} of {every}"
    page.select_option("select[name=risk]", "high")
    high = page.locator(shown).count()
    assert 0 < high < every
    assert page.locator(f"{shown}[data-risk=high]").count() == high
    page.select_option("select[name=blocks]", "writes")
    assert page.locator(f'{shown}[data-blocks="writes"]').count() == page.locator(shown).count() < high
    assert page.url.endswith("?risk=high&blocks=writes")
    page.fill("input[name=text]", "nothing that is there")
    assert page.locator(shown).count() == 0
    assert page.locator("table.bo-matrix .bo-kind:not([hidden])").count() == 0
    unfiltered(page)
    assert page.locator(".bo-count").inner_text() == f"{every} of {every}"
    page = page_at("migrations/?risk=high").page
    assert page.locator("#bo-revisions tbody tr:not([hidden])").count() == 3


def test_hazards_are_filtered_by_group_severity_and_detector(page_at: Any) -> None:
    page = page_at(PAGES["hazards"]).page
    shown = "#bo-hazards tbody tr:not(.bo-kind):not([hidden])"
    for name, value in (("group", "locks"), ("severity", "error"), ("detector", "nobody")):
        unfiltered(page)
        page.select_option(f"select[name={name}]", value)
        assert page.locator(shown).count() > 0
        assert page.locator(f'{shown}[data-{name}="{value}"]').count() == page.locator(shown).count()
    unfiltered(page)
    page.select_option("select[name=detector]", "squawk")
    assert page.locator(f'{shown}:has-text("plain-index")').count() > 0


def test_without_javascript_everything_is_shown(page_at: Any) -> None:
    page = page_at(PAGES["matrix"], java_script_enabled=False).page
    assert page.locator("form.bo-filter").is_hidden()
    assert page.locator("#bo-matrix tbody tr").count() == page.locator("#bo-matrix tbody tr:visible").count() > 150
    page = page_at(PAGES["revision"], java_script_enabled=False).page
    assert page.locator(".bo-glance").first.is_visible()
    assert page.locator("svg.bo-timeline").count() == 2


def test_with_the_keyboard_alone(page_at: Any) -> None:
    page = page_at(PAGES["chain"]).page
    page.locator(".bo-chain a").first.focus()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('svg')?.classList.contains('bo-chain')")
    page.keyboard.press("Enter")
    page.wait_for_url("**/migrations/76f0ddcb0970/")
    page.locator("details.bo-details > summary").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("ol.bo-statements").first.is_visible()
    page = page_at(PAGES["schema"], viewport=PHONE).page
    page.locator(".bo-scroll").first.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.querySelector('.bo-scroll').scrollLeft > 0")


def test_printed_all_of_it_is_there(page_at: Any) -> None:
    page = page_at(PAGES["revision"], viewport={"width": 740, "height": 1040}, color_scheme="dark").page
    page.emulate_media(media="print", color_scheme="dark")
    assert page.locator("ol.bo-statements").first.is_visible()
    assert (
        page.evaluate("getComputedStyle(document.querySelector('.bo-page')).getPropertyValue('--bo-page').trim()")
        == "#fff"
    )
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    page = page_at(PAGES["matrix"]).page
    page.emulate_media(media="print")
    assert page.locator("form.bo-filter").is_hidden()


def test_every_page_fits_on_paper(page_at: Any, served: str) -> None:
    """A4 within its margins is 680 pixels wide; nothing is cut that has a place on the page."""
    page = page_at("", viewport={"width": 680, "height": 1009}).page
    page.emulate_media(media="print")
    parts = {"migrations/": 28, "runbooks/": 20, "reference/": 10}
    links = page.eval_on_selector_all(".md-nav--primary a[href]", "all => all.map(one => one.href.split('#')[0])")
    page.goto(f"{served}migrations/")
    links += page.eval_on_selector_all("#bo-revisions a[href]", "all => all.map(one => one.href.split('#')[0])")
    every = sorted({link for link in links if link.startswith(served)})
    found = {part: sum(link.startswith(served + part) for link in every) for part in parts}
    assert all(found[part] >= least for part, least in parts.items()), found
    wide = {}
    for link in every:
        page.goto(link)
        wide[link.removeprefix(served)] = page.evaluate(
            "() => [document.documentElement.scrollWidth - document.documentElement.clientWidth,"
            " ...Array.from(document.querySelectorAll('article *')).filter(one => !one.closest('svg')"
            " && one.getClientRects().length && one.getBoundingClientRect().right > innerWidth + 1)"
            ".map(one => one.outerHTML.slice(0, 80))]"
        )
    assert {link: told for link, told in wide.items() if told != [0]} == {}
