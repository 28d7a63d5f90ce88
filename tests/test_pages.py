"""What is checked across pages: the inventory, what the renderers see, and how much is excused.

Whether each block holds is tested by the pages themselves (``backout.pytest_plugin``), how they are
parsed in ``test_page_parser.py``.
"""

import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import markdown
import pytest
from bs4 import BeautifulSoup
from markdown_it import MarkdownIt
from mkdocs.config import load_config

from backout.configuration import load_project
from backout.pages import ALWAYS_RUN_COMMANDS, Page, read_page

ROOT = Path(__file__).parents[1]
PROJECT = load_project(ROOT)
# Notebooks are pages, too; what of this holds for them is tested in test_notebooks.py.
PAGES = [read_page(path, ROOT) for path in PROJECT.page_paths() if path.suffix == ".md"]
every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path)


def test_every_tracked_markdown_file_is_under_the_contract() -> None:
    """But those that are data: input of tests, and the catalogue of hazards and kinds, which has a form of its own."""
    data = [":!tests/samples", ":!src/backout/catalogue", ":!src/backout/kinds"]
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md", *data],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    assert sorted(path for path in listed if (ROOT / path).exists()) == sorted(page.path for page in PAGES)


@every_page
def test_the_site_renders_the_blocks_that_are_run(page: Page) -> None:
    """Taken from what the renderer sees: a fence that we miss would be shown and never run."""
    soup = BeautifulSoup(_render(_body(page)), "html.parser")
    rendered = [_plain(block.get_text()) for block in soup.find_all("pre")]
    assert [_plain(text) for text in _fences(page)] == rendered


@every_page
def test_the_forge_renders_the_blocks_that_are_run(page: Page) -> None:
    """CommonMark, as a forge shows the file; without what it cannot show, blocks within admonitions."""
    tokens = MarkdownIt("commonmark").enable("table").parse(_body(page))
    shown = [_plain(token.content) for token in tokens if token.type == "fence"]
    ours = [_plain(text) for text in _fences(page)]
    assert [text for text in ours if text in shown] == shown
    assert len(ours) - len(shown) <= page.source.count("!!! ") + page.source.count("??? ") + page.source.count('=== "')


@every_page
def test_inline_code_is_the_inline_code_that_is_rendered(page: Page) -> None:
    soup = BeautifulSoup(_render(_body(page)), "html.parser")
    for block in soup.find_all("pre"):
        block.decompose()
    rendered = sorted(" ".join(code.get_text().split()) for code in soup.find_all("code"))
    assert sorted(span.text for span in page.spans) == rendered


def test_at_most_one_block_in_twenty_is_not_run() -> None:
    blocks = [step for page in PAGES for step in page.steps]
    excused = [
        f"{page.path}:{step.line}: {step.reason}" for page in PAGES for step in page.steps if step.kind == "not run"
    ]
    assert len(excused) * 20 <= len(blocks), excused


@every_page
def test_no_block_of_the_tools_of_this_site_is_excused(page: Page) -> None:
    excused = [step for step in page.steps if step.kind == "not run"]
    assert [
        f"{page.path}:{step.line}: {command}"
        for step in excused
        for command in ALWAYS_RUN_COMMANDS
        if command in step.text.split()
    ] == []


@every_page
def test_at_most_one_checklist_item_in_four_is_manual(page: Page) -> None:
    manual = [f"{page.path}:{item.line}: {item.text}" for item in page.items if item.manual]
    assert len(manual) * 4 <= len(page.items), manual


@every_page
def test_every_page_of_the_site_says_what_it_is_about(page: Page) -> None:
    if page.path.startswith(("docs/", "runbooks/")):
        lines = page.source.split("---")[1]
        assert "title: " in lines
        assert "description: " in lines


@cache
def _extensions() -> tuple[list[str], dict[str, Any]]:
    config = load_config(str(ROOT / "mkdocs.yml"))
    return config.markdown_extensions, config.mdx_configs


def _render(text: str) -> str:
    extensions, configs = _extensions()
    return markdown.markdown(text, extensions=extensions, extension_configs=configs)


def _body(page: Page) -> str:
    """Without front matter, which no renderer gets."""
    return page.source.split("---\n", 2)[2] if page.source.startswith("---\n") else page.source


def _fences(page: Page) -> list[str]:
    """The text of every fence, output blocks included, in order."""
    blocks = [(step.line, step.text) for step in page.steps]
    blocks += [
        (command.expected.line, command.expected.text)
        for step in page.steps
        if step.language != "console"
        for command in step.commands
        if command.expected
    ]
    return [text for _, text in sorted(blocks)]


def _plain(text: str) -> list[str]:
    return [line.rstrip() for line in text.strip("\n").splitlines()]
