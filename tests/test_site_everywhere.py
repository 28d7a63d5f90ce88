"""Pages that people wrote, the home page, the search and what is not found, in a real browser.

At a desk and on a phone, light and dark, below a path, and opened from a folder.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup

ROOT = Path(__file__).parents[1]

# One of each type of page.
PAGES = {
    "home": "",
    "guide": "rehearsal/",
    "runbooks": "runbooks/",
    "reference": "reference/configuration/",
    "commands": "reference/commands/",
    "api": "reference/api/",
    "coverage": "reference/coverage/",
    "glossary": "glossary/",
    "decision": "decisions/0007-the-site/",
    "changelog": "changelog/",
    "not found": "no/such/page/",
}
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 360, "height": 740}
SCREENSHOTS = ROOT / "build/screenshots"  # kept by CI


def overflow(page: Any) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


# Colours do not depend on the size, nor sizes on colours.
@pytest.mark.parametrize(("size", "scheme"), [("desk", "light"), ("phone", "dark")])
@pytest.mark.parametrize("kind", PAGES)
def test_a_page_of_each_type(kind: str, size: str, scheme: str, opened: Any, served: str) -> None:
    one = opened(served + PAGES[kind], viewport=DESK if size == "desk" else PHONE, color_scheme=scheme)
    one.page.wait_for_function("!document.querySelector('pre.mermaid, nav.md-code__nav:not([role])')")
    assert one.faults() == []
    assert overflow(one.page) == 0
    assert [one for one in one.problems if "404" not in one or kind != "not found"] == []
    assert one.outside(served) == set()
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    one.page.screenshot(path=SCREENSHOTS / f"{kind.replace(' ', '-')}-{size}-{scheme}.png", full_page=True)


@pytest.mark.parametrize("size", ["desk", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_search_with_its_results(size: str, scheme: str, opened: Any, served: str) -> None:
    one = opened(served, viewport=DESK if size == "desk" else PHONE, color_scheme=scheme)
    one.page.keyboard.press("/")
    one.page.locator("[data-md-component=search-query]").press_sequentially("lock timeout")
    one.page.wait_for_selector(".md-search-result__item")
    one.page.wait_for_timeout(400)  # until it has faded in
    assert one.faults() == []
    assert overflow(one.page) == 0
    assert one.problems == []
    one.page.screenshot(path=SCREENSHOTS / f"search-{size}-{scheme}.png")
    one.page.keyboard.press("ArrowDown")
    one.page.keyboard.press("Enter")
    one.page.wait_for_url(re.compile(r"\?h="))
    assert one.outside(served) == set()


# -- the home page ----------------------------------------------------------------------------------------------------


def leaves(page: Any) -> list[str]:
    """Where the answers of the charts lead."""
    return list(page.eval_on_selector_all(".bo-chart li li a", "all => all.map(one => one.href)"))


def test_each_answer_of_a_chart_leads_to_a_guide_or_a_runbook(opened: Any, served: str, built_site: Path) -> None:
    one = opened(served)
    addresses = leaves(one.page)
    assert len(addresses) == len(set(addresses)) >= 14
    for address in addresses:
        place, _, anchor = address.removeprefix(served).partition("#")
        assert place.startswith(("runbooks/", "db-migrations/", "migration-rollback/"))
        article = BeautifulSoup((built_site / place / "index.html").read_text(encoding="utf-8"), "html.parser")
        assert not anchor or article.find(id=anchor) is not None
    one.page.get_by_role("link", name="Roll back without losing data").first.click()
    one.page.wait_for_url("**/runbooks/roll-back-without-losing-data/")


def test_a_chart_is_read_as_a_list_and_drawn_as_one_of_boxes(opened: Any, served: str) -> None:
    page = opened(served).page
    boxes = page.eval_on_selector_all(
        ".bo-chart p",
        "all => all.map(one => one.getBoundingClientRect()).map(one => [one.x, one.y, one.right, one.bottom])",
    )
    assert len(boxes) >= 20
    overlapping = [
        (one, other)
        for number, one in enumerate(boxes)
        for other in boxes[:number]
        if one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
    ]
    assert overlapping == []
    # The questions from left to right; on a phone below one another.
    questions = ".bo-chart >> nth=0 >> p:has(strong)"
    assert len({round(page.locator(questions).nth(number).bounding_box()["x"]) for number in range(3)}) == 3
    page = opened(served, viewport=PHONE).page
    heights = [page.locator(questions).nth(number).bounding_box()["y"] for number in range(3)]
    assert heights == sorted(set(heights))
    small = page.eval_on_selector_all(".bo-chart a, .bo-doors strong > a", "all => all.map(one => one.offsetHeight)")
    assert min(small) >= 14
    assert page.eval_on_selector_all(".bo-chart > ul", "all => all.length") == 2


def test_the_home_page_needs_no_script_and_prints(opened: Any, served: str) -> None:
    page = opened(served, java_script_enabled=False).page
    assert page.locator(".bo-chart li li a").first.is_visible()
    assert page.locator(".bo-now").is_visible()
    page = opened(served, viewport={"width": 740, "height": 1040}).page
    page.emulate_media(media="print")
    assert overflow(page) == 0


def test_with_the_keyboard_the_doors_come_first(opened: Any, served: str) -> None:
    page = opened(served).page
    page.locator("article h1").evaluate("one => { one.tabIndex = -1; one.focus() }")
    reached = []
    for _ in range(4):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.textContent"))
    assert reached[-3:] == ["Something is wrong", "Go back", "Change the schema"] or reached[:3] == [
        "Something is wrong",
        "Go back",
        "Change the schema",
    ]


# -- from a folder ----------------------------------------------------------------------------------------------------


def test_from_a_folder_pages_lead_to_pages_and_the_search_finds(opened: Any, offline_site: Path) -> None:
    base = offline_site.as_uri() + "/"
    one = opened(base + "index.html")
    page = one.page
    page.get_by_role("link", name="When a rollback is safe").click()
    page.wait_for_url("**/migration-rollback.html#when")
    page.wait_for_function("!document.querySelector('pre.mermaid')")
    page.locator("[data-md-component=search-query]").click()
    page.locator("[data-md-component=search-query]").press_sequentially("canceling statement due to lock timeout")
    page.wait_for_selector(".md-search-result__item")
    page.locator(".md-search-result__link[href*='db-migrations.html?h=canceling']").first.click()
    page.wait_for_url("**/db-migrations.html?h=canceling*")
    assert page.locator("article mark").count() > 0
    page.goto(base + "migrations/index.html")
    page.locator(".bo-chain a").first.click()
    page.wait_for_url("**/migrations/7f544264830f.html")
    assert one.problems == []
    assert one.outside(base) == set()


@pytest.mark.parametrize("place", ["decisions/0006-the-site.html", "decisions/0006-the-site.html#x"])
def test_from_a_folder_a_moved_page_leads_to_where_it_is(place: str, opened: Any, offline_site: Path) -> None:
    one = opened(f"{offline_site.as_uri()}/{place}")
    one.page.wait_for_url("**/decisions/0007-the-site.html" + "".join(place.partition("#")[1:]))
    assert one.outside(offline_site.as_uri()) == set()


def test_from_a_folder_filters_and_the_phone_work(opened: Any, offline_site: Path) -> None:
    page = opened(offline_site.as_uri() + "/risk/index.html", viewport=PHONE).page
    page.select_option("select[name=risk]", "high")
    assert page.locator("table.bo-matrix tbody tr:not(.bo-kind):not([hidden])").count() > 0
    assert overflow(page) == 0


# -- below a path -----------------------------------------------------------------------------------------------------


def test_below_a_path_a_moved_page_leads_to_where_it_is(opened: Any, served: str) -> None:
    one = opened(served + "decisions/0006-the-site/#pages")
    one.page.wait_for_url("**/below/decisions/0007-the-site/#pages")
    assert one.outside(served) == set()


def test_what_is_not_found_says_where_to_go_on(opened: Any, served: str) -> None:
    page = opened(served + "no/such/page/").page
    assert page.locator("h1").inner_text() == "This page does not exist"
    page.get_by_role("main").get_by_role("link", name="What do you need to do?").click()
    page.wait_for_url("**/below/")
    page = opened(served + "no/such/page/").page
    page.locator("[data-md-component=search-query]").click()
    page.locator("[data-md-component=search-query]").press_sequentially("rollback")
    page.wait_for_selector(".md-search-result__item")
