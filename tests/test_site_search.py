"""The search in a real browser: it finds every error message that a page quotes, every revision and every hazard."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backout.configuration import load_project
from backout.pages import read_page
from backout.revisions import read_chain
from backout.rules import load_catalogue

ROOT = Path(__file__).parents[1]

# A message as programs print it: `ERROR:  …`, `error: …`, `psycopg.errors.QueryCanceled: …`, `curl: (22) …`.
MESSAGE = re.compile(
    r"^\s*(?:\d+ )?(?:(?:ERROR|FATAL|FAILED|error)(?: \[[\w.]+\])?:?"
    r"|[\w.]+\.(?:exc|errors)\.\w+:(?: \([\w.]+\))?|\w+: \(\d+\))\s+(?=\S)(.+)$"
)
FIRST = 10  # pages that are shown before anybody scrolls


def messages() -> Iterator[tuple[str, str]]:
    """Address of the page and message, for each that is quoted in what a block of a page on the site must print."""
    for path in load_project(ROOT).page_paths():
        name = path.relative_to(ROOT).as_posix()
        if not name.startswith(("docs/", "runbooks/")):
            continue
        address = re.sub(r"(^|/)(index|README)$", "", name.removeprefix("docs/").removesuffix(".md")) + "/"
        for step in read_page(path, ROOT).steps:
            expected = (command.expected.text for command in step.commands if command.expected is not None)
            for line in (line for text in expected for line in text.splitlines()):
                found = MESSAGE.match(line)
                # What stands for any text is another one each time; the longest part in between tells most.
                if found and (part := max(found[1].split("..."), key=len).strip()):
                    yield address, part


# The theme asks a worker at every key, without waiting for the answer before: what is shown may answer half of what was
# typed. The answers come in the order of the questions.
LISTEN = """
window.questions = {open: [], answered: null};
window.Worker = class extends Worker {
  constructor(...all) {
    super(...all);
    this.addEventListener("message", ({data}) => {
      if (data.type === 3) questions.answered = questions.open.shift();
    });
  }
  postMessage(message, ...all) {
    if (message.type === 2) questions.open.push(message.data);
    super.postMessage(message, ...all);
  }
};
"""


class Search:
    """The search of an opened page, into which ``LISTEN`` was put."""

    def __init__(self, page: Any, base: str) -> None:
        self.page, self.base = page, base
        self.field = page.locator("[data-md-component=search-query]")
        self.field.click()

    def answered(self) -> None:
        """Wait until what is shown answers all that the field holds."""
        self.page.wait_for_function(
            "field => questions.open.length === 0 && questions.answered === field.value",
            arg=self.field.element_handle(),
        )

    def empty(self) -> None:
        self.field.fill("")
        self.field.press("End")
        self.page.wait_for_function("!document.querySelector('.md-search-result__item')")

    def pages(self) -> list[str]:
        """The addresses of the pages that are shown, the best first."""
        self.answered()
        found = self.page.eval_on_selector_all(
            ".md-search-result__item > a, .md-search-result__item > article > a, .md-search-result__item a",
            "all => all.map(one => one.href)",
        )
        return list(dict.fromkeys(re.split("[?#]", one.removeprefix(self.base))[0] for one in found))

    def whole(self, wanted: str) -> list[str]:
        """Likewise, of all that is found as one scrolls down, as far as the wanted page."""
        found = self.pages()
        while wanted not in found:
            self.page.evaluate("document.querySelector('.md-search__scrollwrap').scrollTo(0, 1e9)")
            self.page.wait_for_timeout(100)
            more = self.pages()
            if more == found:
                break
            found = more
        return found

    def type(self, text: str) -> list[str]:
        self.empty()
        self.field.press_sequentially(text)
        return self.pages()

    def paste(self, text: str) -> list[str]:
        self.empty()
        self.page.evaluate("text => navigator.clipboard.writeText(text)", text)
        self.field.press("Control+v")
        return self.pages()


@pytest.fixture(scope="module")
def search(browser: Any, served: str) -> Iterator[Search]:
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.add_init_script(LISTEN)
    page.goto(served)
    yield Search(page, served)
    context.close()


def test_there_are_messages_of_each_kind() -> None:
    quoted = [message for _, message in messages()]
    assert len(set(quoted)) >= 30
    for part in (
        'relation "users" already exists',
        "canceling statement due to lock timeout",
        "DATABASE_URL is not set",
    ):
        assert [message for message in quoted if message.startswith(part)]


def test_a_message_that_is_pasted_leads_to_the_pages_that_quote_it(search: Search) -> None:
    """One of them is shown at once; each is among the results."""
    quoting: dict[str, set[str]] = defaultdict(set)
    for address, message in messages():
        quoting[message].add(address)
    lost = {}
    for message, pages in sorted(quoting.items()):
        shown = search.paste(message)[:FIRST]
        others = [page for page in pages if page not in shown and page not in search.whole(page)]
        if others or not pages & set(shown):
            lost[message] = (pages, shown)
    assert lost == {}


@pytest.mark.parametrize(
    ("text", "page"),
    [
        ("canceling statement due to lock timeout", "db-migrations/"),
        ("Can't locate revision", "db-migrations/"),
        ("value too long for type character varying", "migration-rollback/"),
        ("other objects depend on it", "migration-rollback/"),
        ("Multiple head revisions are present", "runbooks/multiple-heads/"),
        ("hangs", "runbooks/migration-hangs-behind-a-lock/"),
        ("salvage", "reference/preview-and-salvage/"),
        ("--salvage", "reference/commands/"),
        ("BACKOUT_POSTGRES", "reference/configuration/"),
        ("open_server", "reference/api/"),
        ("pg_terminate_backend", "db-migrations/"),
    ],
)
def test_what_people_type_leads_to_the_page(text: str, page: str, search: Search) -> None:
    assert page in search.type(text)[:FIRST]


def test_every_revision_is_found_by_its_id_and_by_what_it_does(search: Search) -> None:
    for one in read_chain(ROOT / "alembic.ini").revisions:
        for text in (one.id, one.summary):
            assert f"migrations/{one.id}/" in search.paste(text)[:FIRST], text


def test_every_hazard_is_found_by_its_name(search: Search) -> None:
    lost = [one for one in load_catalogue() if f"hazards/{one}/" not in search.paste(one)[:FIRST]]
    assert lost == [], search.paste(lost[0])[:14]


def test_nothing_is_found_twice(built_site: Path) -> None:
    documents = json.loads((built_site / "search/search_index.json").read_text())["docs"]
    places = [one["location"] for one in documents]
    assert len(places) == len(set(places))


def test_the_index_is_small(built_site: Path) -> None:
    """It is fetched when somebody begins to search."""
    assert (built_site / "search/search_index.json").stat().st_size < 700_000
