"""backout.mkdocs_rebuild: while a site is served, only what changed is made again, and nothing else is lost by it."""

import json
import logging
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from mkdocs.commands.build import build as mkdocs_build
from mkdocs.config import load_config
from mkdocs.structure.pages import Page

from backout.record import UNDER_WAY, PageRecord, add_runs, text_hash, write_under_way

CONFIGURATION = """
site_name: Three
theme: {name: material, font: false, custom_dir: overrides}
plugins: [search, backout]
validation: {links: {anchors: warn}}
nav: [index.md, first.md, {Named: second.md}]
"""
Build = Callable[[], list[str]]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    for folder in ("docs", "build", "overrides"):
        (root / folder).mkdir(parents=True)
    (root / "mkdocs.yml").write_text(CONFIGURATION)
    (root / "pyproject.toml").write_text('[tool.backout]\npages = ["docs/*.md"]\n')
    (root / "docs/index.md").write_text("# Home\n\n[There](first.md#below)\n")
    (root / "docs/first.md").write_text("# First of all\n\n## Below\n\nSome words.\n\n```bash\ntrue\n```\n")
    (root / "docs/second.md").write_text("# Second\n\nOther words.\n")
    (root / "overrides/main.html").write_text('{% extends "base.html" %}')
    return root


@pytest.fixture
def build(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Build:
    """Builds the site once more, as it is done while it is served; returns the pages that were rendered."""
    monkeypatch.chdir(project)
    rendered: list[str] = []
    usual = Page.render

    def render(page: Page, *arguments: object) -> None:
        rendered.append(page.file.src_uri)
        usual(page, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Page, "render", render)
    monkeypatch.setattr("backout.mkdocs_plugin.site_pages", lambda *_: ())  # test_site_pages looks at those
    plugins = load_config(str(project / "mkdocs.yml")).plugins
    plugins.on_startup(command="serve", dirty=False)

    def once() -> list[str]:
        rendered.clear()
        config = load_config(str(project / "mkdocs.yml"), site_dir=str(tmp_path / "site"))
        # As MkDocs does it: a plugin that knows on_startup stays.
        config.plugins["backout"].rebuild = plugins["backout"].rebuild
        config.plugins["backout"].serving = True
        mkdocs_build(config, serve_url="http://127.0.0.1:8000/")
        return list(rendered)

    return once


def shown(tmp_path: Path, page: str) -> BeautifulSoup:
    return BeautifulSoup((tmp_path / "site" / page / "index.html").read_text(encoding="utf-8"), "html.parser")


def found(tmp_path: Path) -> set[tuple[str, str]]:
    entries = json.loads((tmp_path / "site/search/search_index.json").read_text(encoding="utf-8"))["docs"]
    return {(one["location"], one["text"]) for one in entries}


def save(path: Path, text: str) -> None:
    """Write, so that it is seen even within the clock's tick."""
    path.write_text(text)
    later = path.stat().st_mtime_ns + 1_000_000
    os.utime(path, ns=(later, later))


def test_only_the_page_that_changed_is_made(project: Path, build: Build, tmp_path: Path) -> None:
    assert sorted(build()) == ["first.md", "index.md", "second.md"]
    before, home = found(tmp_path), (tmp_path / "site/index.html").read_bytes()
    assert build() == []
    assert found(tmp_path) == before
    save(project / "docs/second.md", "# Second\n\nWritten anew.\n")
    assert build() == ["second.md"]
    assert (tmp_path / "site/index.html").read_bytes() == home
    assert found(tmp_path) - before == {("second/", "<p>Written anew.</p>")}
    assert before - found(tmp_path) == {("second/", "<p>Other words.</p>")}
    names = [link.get_text(strip=True) for link in shown(tmp_path, "second").select(".md-nav--primary a.md-nav__link")]
    assert [name for name in names if name in ("Home", "First of all", "Named")] == ["Home", "First of all", "Named"]


def test_links_to_pages_that_are_not_made_are_right_and_checked(
    project: Path, build: Build, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    build()
    caplog.clear()
    save(project / "docs/index.md", "# Home\n\n[There](first.md#below) [Nowhere](first.md#above)\n")
    with caplog.at_level(logging.WARNING, logger="mkdocs"):
        assert build() == ["index.md"]
    assert [link["href"] for link in shown(tmp_path, ".").select("article p a")][:2] == ["first/#below", "first/#above"]
    (record,) = caplog.records
    assert record.message == (
        "Doc file 'index.md' contains a link 'first.md#above', "
        "but the doc 'first.md' does not contain an anchor '#above'."
    )


@pytest.mark.parametrize("what", ["a new page", "the configuration", "the frame"])
def test_what_is_on_every_page_makes_every_page_anew(what: str, project: Path, build: Build) -> None:
    build()
    if what == "a new page":
        (project / "docs/third.md").write_text("# Third\n")
    elif what == "the configuration":
        save(project / "mkdocs.yml", CONFIGURATION.replace("Three", "Four"))
    else:
        save(project / "overrides/main.html", '{% extends "base.html" %}{# changed #}')
    assert {"first.md", "index.md", "second.md"} <= set(build())


def test_a_run_changes_the_page_that_was_run(
    project: Path, build: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(UNDER_WAY, str(project / "build/under-way.json"))
    build()
    assert "Not verified: this page was not run." in shown(tmp_path, "first").get_text()
    write_under_way(project / "build/under-way.json", ["docs/first.md"])
    assert build() == ["first.md"]
    assert "It is being run now." in shown(tmp_path, "first").select(".bo-notice")[0].get_text()
    text = (project / "docs/first.md").read_text()
    record = PageRecord("f", text_hash(text), "2026-01-13T09:14:05+00:00", "abc1234", "18.6", 1.0, ())
    add_runs(project / "build/run.json", {"docs/first.md": record}, major=18, known=["docs/first.md"])
    write_under_way(project / "build/under-way.json", [])
    assert build() == ["first.md"]
    assert "Verified: this page held when it was run." in shown(tmp_path, "first").get_text()
    assert shown(tmp_path, "first").select(".bo-notice") == []
    add_runs(
        project / "build/run.json", {"docs/first.md": replace(record, seconds=2.0)}, major=18, known=["docs/first.md"]
    )
    assert build() == ["first.md"]
    assert build() == []
