"""backout.site.source: a page's text as Python-Markdown must get it."""

from pathlib import Path

import markdown
import pytest
from bs4 import BeautifulSoup

from backout.configuration import load_project
from backout.pages import read_page
from backout.site.source import for_python_markdown

ROOT = Path(__file__).parents[1]
EXTENSIONS = ["pymdownx.superfences", "pymdownx.tasklist", "tables", "attr_list"]


@pytest.mark.parametrize(
    ("written", "taken"),
    [
        pytest.param("a\n<!-- timeout: 3 -->\n```bash\nx\n```\nb\n", "a\n\n```bash\nx\n```\n\nb\n", id="annotation"),
        pytest.param(
            "```bash\nx\n```\n<!-- output -->\n```text\ny\n```\n", "```bash\nx\n```\n\n```text\ny\n```\n", id="output"
        ),
        pytest.param("<!-- what people say -->\na\n", "<!-- what people say -->\na\n", id="another comment"),
        pytest.param(
            "````markdown\n<!-- output -->\n- [ ] a\n  b\n````\n",
            "````markdown\n<!-- output -->\n- [ ] a\n  b\n````\n",
            id="within a fence",
        ),
        pytest.param(
            "- [ ] a\n  b\n  ```bash\n  x\n\n    y\n  ```\n  <!-- sabotage: rm x -->\n- [ ] c\n\nd\n",
            "- [ ] a\n    b\n\n    ```bash\n    x\n\n      y\n    ```\n\n- [ ] c\n\nd\n",
            id="item",
        ),
        pytest.param("- [ ] a\n    b\n", "- [ ] a\n    b\n", id="indented already"),
        pytest.param("1. [ ] a\n   b\n", "1. [ ] a\n    b\n", id="numbered"),
        pytest.param("- [ ] a\n  - [ ] b\n    c\n", "- [ ] a\n    - [ ] b\n        c\n", id="nested"),
        pytest.param("- a\n  b\n", "- a\n  b\n", id="no checklist"),
        pytest.param("a\n\n    - [ ] code\n", "a\n\n    - [ ] code\n", id="code"),
        pytest.param("a\fb\n```sh\n- [ ] x\n  y\n```\n", "a\fb\n\n```sh\n- [ ] x\n  y\n```\n", id="a form feed"),
        pytest.param("a", "a", id="without a line's end"),
    ],
)
def test_text(written: str, taken: str) -> None:
    assert for_python_markdown(written) == taken
    assert for_python_markdown(taken) == taken


PAGES = [path.relative_to(ROOT).as_posix() for path in load_project(ROOT).page_paths()]


@pytest.mark.parametrize("path", PAGES)
def test_every_block_of_an_item_is_within_it(path: str) -> None:
    page = read_page(ROOT / path, ROOT)
    html = markdown.markdown(for_python_markdown(page.source.partition("\n# ")[2]), extensions=EXTENSIONS)
    soup = BeautifulSoup(html, "html.parser")
    items = soup.select("li.task-list-item")
    assert len(items) == len(page.items)
    by_id = {step.id: step for step in page.steps}
    for item, shown in zip(page.items, items, strict=True):
        steps = [by_id[name] for name in item.steps]
        outputs = sum(command.expected is not None for step in steps if step.language != "console"
                      for command in step.commands)  # fmt: skip
        assert len(shown.select("pre")) == len(steps) + outputs, item.text
    assert not soup.select("p pre, p div")
