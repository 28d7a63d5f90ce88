"""The page of the Python API: every name exists, says what it is for, and is found without importing anything."""

import importlib
import inspect
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from bs4 import BeautifulSoup

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/reference/api.md").read_text(encoding="utf-8")
LISTED = {
    name: yaml.safe_load(options)["options"]["members"] if options else []
    for name, options in re.findall(r"^::: ([\w.]+)\n((?:    .*\n)*)", PAGE, re.MULTILINE)
}


def named(name: str) -> Any:
    module, _, attribute = name.rpartition(".")
    return getattr(importlib.import_module(module), attribute)


def test_the_page_lists_something() -> None:
    assert {"backout.postgres.open_server", "backout.evidence.Evidence", "backout.rules.judge"} <= LISTED.keys()


@pytest.mark.parametrize("name", LISTED)
def test_a_listed_name_exists_and_has_a_docstring(name: str) -> None:
    thing = named(name)
    assert inspect.getdoc(thing), name
    for member in LISTED[name]:
        assert inspect.getdoc(inspect.getattr_static(thing, member)), f"{name}.{member}"


def test_an_exported_name_of_a_listed_package_is_really_there() -> None:
    """A package says in ``__all__`` what others may import; what the page lists of it is in there."""
    for name in LISTED:
        module, _, attribute = name.rpartition(".")
        exported = getattr(importlib.import_module(module), "__all__", None)
        assert exported is None or attribute in exported, name


def test_the_built_page_shows_each_with_what_it_takes(built_site: Path) -> None:
    text = (built_site / "reference/api/index.html").read_text(encoding="utf-8")
    page = BeautifulSoup(text.partition("<article")[2], "html.parser")
    shown = {str(heading["id"]) for heading in page.select(".doc-heading[id]")}
    assert shown == {*LISTED, *(f"{name}.{member}" for name, members in LISTED.items() for member in members)}
    for name in LISTED:
        thing = named(name)
        signature = page.find(id=name).find_next(class_="doc-signature")  # type: ignore[union-attr]
        if inspect.isfunction(thing) and not name.startswith("backout.pytest_plugin"):
            assert signature is not None
            told = signature.get_text()
            assert [one for one in inspect.signature(thing).parameters if one not in told] == []
    assert ":param" not in text
    assert ":class:" not in text
    assert ":meth:" not in text
