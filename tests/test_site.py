"""The built site: built strictly, executing nothing, asking nobody; and its pictures, in a real browser."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from bs4 import BeautifulSoup

from backout.configuration import load_project
from backout.pages import parse_page, read_page
from backout.record import PageRecord, StepRecord, add_runs, read_runs, text_hash
from backout.repository import copy_repository
from backout.rules import load_catalogue
from backout.site import coverage
from backout.site.words import block_anchor

ROOT = Path(__file__).parents[1]
PROJECT = load_project(ROOT)


@pytest.fixture(scope="module")
def site(built_site: Path) -> Path:
    """The site, built once for all modules."""
    return built_site


def test_building_imports_nothing_that_reaches_a_database(tmp_path: Path) -> None:
    code = (
        "import sys; from mkdocs.__main__ import cli\n"
        "try: cli(['build', '--quiet', '--site-dir', sys.argv[1]])\n"
        "except SystemExit as ended: assert not ended.code, ended.code\n"
        "print(sorted({'sqlalchemy', 'alembic', 'psycopg', 'backout.postgres'} & set(sys.modules)))"
    )
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "DISABLE_MKDOCS_2_WARNING": "true"}
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_every_page_of_the_repository_is_on_the_site(site: Path) -> None:
    sources = [path.relative_to(ROOT) for path in PROJECT.page_paths()]
    wanted = {
        path.with_suffix("").as_posix().removeprefix("docs/")
        for path in sources
        if path.parts[0] in ("docs", "runbooks")
    }
    # Beside them: what is new, and how to contribute; README.md is for those who read the repository.
    wanted |= {path.stem.lower() for path in sources if len(path.parts) == 1 and path.name != "README.md"}
    assert {"changelog", "contributing"} <= wanted
    built = {path.parent.relative_to(site).as_posix() for path in site.rglob("index.html")}
    names = {re.sub(r"(^|/)(index|README)$", "", name) or "." for name in wanted}
    assert names <= built


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    fetched = {
        f"{path.relative_to(site)}: {element.get('src') or element.get('href')}"
        for path in site.rglob("*.html")
        for element in BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser").find_all(
            ["script", "link", "img", "iframe"]
        )
        if re.match(r"(https?:)?//", element.get("src") or element.get("href") or "")
        and "canonical" not in (element.get("rel") or [])
    }
    assert fetched == set()


def test_the_coverage_page_tells_each_state() -> None:
    def page(name: str, text: str = "# T\n\n```bash\ntrue\n```\n"):
        return parse_page(text, name)

    def record(steps: tuple[StepRecord, ...], source: str = "# T\n\n```bash\ntrue\n```\n") -> PageRecord:
        return PageRecord("f", text_hash(source), "2026-01-13T09:14:00+00:00", "abc1234", "18.6", 1.5, steps)

    passed = StepRecord("t.1", 3, "bash", "run", "passed")
    failed = StepRecord("t.1", 3, "bash", "run", "failed", "b.md:4: it broke")
    unreached = StepRecord("t.2", 9, "bash", "run", "not reached", "not reached")
    excused = page("e.md", "# T\n\n<!-- not run: needs a cluster -->\n```bash\nkubectl apply\n```\n")
    pages = [page("a.md"), page("b.md"), page("c.md"), page("d.md"), excused, page("f.md", "# T\n")]
    runs = {
        "a.md": {18: record((passed,)), 15: record((passed,))},
        "b.md": {18: record((failed, unreached))},
        "c.md": {18: record((passed,), source="older")},
    }
    assert coverage(pages, runs, {"a.md": "../a.md"}).splitlines() == [
        "PostgreSQL 18.6: last run 2026-01-13 09:14 UTC at abc1234.",
        "",
        "PostgreSQL 18.6: last run 2026-01-13 09:14 UTC at abc1234.",
        "",
        "",
        "| Page | PostgreSQL 18 | PostgreSQL 15 | Run | Quoted | Parsed | Sabotaged | Not run |",
        "| --- | --- | --- | ---: | ---: | ---: | ---: | ---: |",
        "| [a.md](../a.md) | passed, 1.5&nbsp;s | passed, 1.5&nbsp;s | 1 | 0 | 0 | 0 | 0 |",
        "| b.md | **1 failed**, 1 not reached | **not verified** | 1 | 0 | 0 | 0 | 0 |",
        "| c.md | **changed since it was run** | **not verified** | 1 | 0 | 0 | 0 | 0 |",
        "| d.md | **not verified** | **not verified** | 1 | 0 | 0 | 0 | 0 |",
        "| e.md | **not verified** | **not verified** | 0 | 0 | 0 | 0 | 1 |",
        "| f.md | nothing to run | nothing to run | 0 | 0 | 0 | 0 | 0 |",
        "",
        "## Failures {#failures}",
        "",
        "**b.md**, t.1, on PostgreSQL 18",
        "",
        "````text",
        "b.md:4: it broke",
        "````",
        "",
        "",
        "## Blocks that are not run {#not-run}",
        "",
        "- e.md, line 4: needs a cluster",
    ]  # fmt: skip


def test_the_coverage_stands_on_its_own_page_only(site: Path) -> None:
    pages = [path for path in site.rglob("*.html") if 'id="not-run">' in path.read_text(encoding="utf-8")]
    assert [path.relative_to(site).as_posix() for path in pages] == ["reference/coverage/index.html"]
    table = BeautifulSoup(pages[0].read_text(encoding="utf-8"), "html.parser").article.table  # type: ignore[union-attr]
    links = {link.get_text(): link["href"] for link in table.select("td > a")}  # type: ignore[union-attr]
    assert links["docs/db-migrations.md"] == "../../db-migrations/"
    assert links["docs/index.md"] == "../../"
    assert links["runbooks/schema-drift.md"] == "../../runbooks/schema-drift/"
    assert links["docs/onboarding/first-migration.ipynb"] == "../../onboarding/first-migration/"
    assert "README.md" not in links


def test_a_page_without_results_is_not_verified() -> None:
    text = coverage([parse_page("# T\n\n```bash\ntrue\n```\n", "a.md")], {}, {})
    assert "**Not verified.** No test run has left its results in `build/run.json`." in text


def test_links_of_the_repository_become_links_of_the_site(site: Path) -> None:
    runbook = BeautifulSoup((site / "runbooks/roll-back-one-revision/index.html").read_text(), "html.parser")
    targets = {str(link["href"]) for link in runbook.article.find_all("a", href=True)}  # type: ignore[union-attr]
    assert "../../migration-rollback/#when" in targets
    home = BeautifulSoup((site / "index.html").read_text(), "html.parser")
    assert "runbooks/" in {str(link["href"]) for link in home.article.find_all("a", href=True)}  # type: ignore[union-attr]


def test_every_hazard_has_an_address(site: Path) -> None:
    page = BeautifulSoup((site / "reference/catalogue/index.html").read_text(), "html.parser").article
    assert page is not None
    addresses = [str(anchor["id"]) for anchor in page.select("td a[id]")]
    assert sorted(addresses) == sorted(load_catalogue())
    assert sorted(element["id"] for element in page.find_all(id=True)) == sorted(
        {element["id"] for element in page.find_all(id=True)}
    )


def test_definitions_are_lists(site: Path) -> None:
    page = BeautifulSoup((site / "glossary/index.html").read_text(), "html.parser").article
    assert page is not None
    assert {"Revision", "Rollback", "Sabotage"} <= {term.get_text() for term in page.select("dl > dt")}


def test_annotations_do_not_show(site: Path) -> None:
    shown = BeautifulSoup((site / "migration-rollback/index.html").read_text(), "html.parser").article
    assert shown is not None
    assert not [text for text in ("<!-- output -->", "sabotage:", "fails:") if text in shown.get_text()]


def test_every_block_is_found_on_the_site(site: Path) -> None:
    """By its address; the copy button of a transcript takes its commands, and that of an output is not there."""
    for path in PROJECT.page_paths():
        page = read_page(path, ROOT)
        if not page.path.startswith(("docs/", "runbooks/")):
            continue
        uri = re.sub(r"(^|/)(index|README)$", "", page.path.removeprefix("docs/").rpartition(".")[0])
        shown = BeautifulSoup((site / uri / "index.html").read_text(encoding="utf-8"), "html.parser").article
        assert shown is not None
        drawn = [step for step in page.steps if step.language != "mermaid"]
        assert [block["id"] for block in shown.select("div.highlight[id]")] == [block_anchor(one.id) for one in drawn]
        console = [step for step in drawn if step.language == "console" and step.kind == "run"]
        assert [block["data-copy"] for block in shown.select("[data-copy]")] == [
            "\n".join(command.text.rstrip("\n") for command in step.commands) for step in console
        ]
        outputs = [step for step in drawn if step not in console and any(one.expected for one in step.commands)]
        assert len(shown.select(".bo-output.no-copy")) == len(outputs)
        assert shown.select("footer#stamp") == shown.find_all("footer")
        if page.runbook:
            assert shown.select(".bo-briefing dl") != []
            assert len(shown.select("h3 + .bo-step")) == len(page.runbook.steps)


def test_serve_shows_what_the_pages_did(tmp_path: Path, backout_server) -> None:
    """``make serve`` on a copy with two pages: one holds, one fails; then one is changed, fails, and is mended."""
    project = tmp_path / "project"
    copy_repository(ROOT, project)
    for path in [
        *project.glob("docs/*.md"),
        *project.glob("*.md"),
        *project.glob("runbooks/*.md"),
        *project.glob("docs/decisions/*"),
    ]:
        path.unlink()
    (project / "docs/index.md").write_text("# Holds\n\n```console\n$ echo one\none\n```\n")
    (project / "docs/broken.md").write_text("# Broken\n\n```bash\nfalse\n```\n")
    (project / "docs/reference/pages.md").unlink()
    configuration = (project / "mkdocs.yml").read_text()
    (project / "mkdocs.yml").write_text(configuration.partition("\nnav:")[0].replace("strict: true", "strict: false"))
    port = _free_port()
    environment = {**os.environ, "BACKOUT_POSTGRES": backout_server.url, "PYTHONPATH": str(ROOT / "src")}
    environment.pop("PYTEST_XDIST_WORKER", None)
    command = [sys.executable, "-m", "backout", "serve", "--address", f"127.0.0.1:{port}"]
    with subprocess.Popen(command, cwd=project, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            printed = []
            for line in process.stdout:
                printed.append(line)
                if "the whole record" in line:
                    break
            text = "".join(printed)
            assert "docs/broken.md:4: 'false' ended with 1, not with 0; it printed nothing" in text
            assert re.search(r"^  docs/broken.md .*PostgreSQL \d+: 2 passed, 1 failed", text, re.MULTILINE), text
            assert (
                f"Some pages do not hold: see above; the whole record: http://127.0.0.1:{port}/reference/coverage/"
                in text
            )
            site = f"http://127.0.0.1:{port}"
            page = _eventually(f"{site}/reference/coverage/", "1 failed")
            assert "docs/broken.md:4" in page
            broken = BeautifulSoup(_eventually(f"{site}/broken/", "bo-failure"), "html.parser")
            assert "'false' ended with 1, not with 0; it printed nothing" in str(broken.select_one(".bo-failure"))
            _eventually(f"{site}/", "Verified: this page held when it was run", without="bo-notice")
            searched = _search(site)
            assert {"", "broken/", "reference/coverage/", "hazards/plain-index/"} <= searched.keys()

            source = project / "docs/index.md"
            source.write_text("# Holds\n\nFreshly written.\n\n```console\n$ echo two\none\n```\n")
            page = _eventually(f"{site}/", "Freshly written.")
            assert "Not verified: changed since it was run" in page or "1 failed" in page
            failed = "1 failed: this page does not hold"
            home = BeautifulSoup(_eventually(f"{site}/", failed, without="It is being run now"), "html.parser")
            notice = home.select_one(".bo-notice")
            assert notice is not None
            assert notice.find_next("h1") is not None
            assert [link["href"] for link in notice.find_all("a")] == ["#block-holds-1", "#stamp"]
            failure = home.select_one("#block-holds-1 + .bo-failure")
            assert failure is not None
            assert [line.get_text() for line in failure.select(".bo-lines > div")] == ["\N{MINUS SIGN}one", "+two"]
            # What was not made again is still found, under the same words.
            now = _search(site)
            assert "Freshly written." in now.pop("")
            assert now.items() >= {name: text for name, text in searched.items() if name.startswith("hazards/")}.items()
            assert now.keys() == searched.keys() - {""}

            source.write_text("# Holds\n\nFreshly written.\n\n```console\n$ echo two\ntwo\n```\n")
            page = _eventually(f"{site}/", "Verified: this page held when it was run", without="bo-notice")
            assert "bo-failure" not in page
        finally:
            started = psutil.Process(process.pid).children(recursive=True)
            process.terminate()
            assert process.wait(timeout=30) == 0
            assert [one for one in started if one.is_running()] == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_ended_while_the_site_is_being_built_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    project = Path(shutil.copytree(ROOT / "tests/samples/procedures", tmp_path / "project"))
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    command = [sys.executable, "-m", "backout", "serve", "--address", f"127.0.0.1:{_free_port()}"]
    with subprocess.Popen(command, cwd=project, env={**os.environ, "TMPDIR": str(temporary)}) as process:
        until = time.monotonic() + 60
        while not list(temporary.glob("*/mkdocs_*")):
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.01)
        started = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(number)
        assert process.wait(timeout=30) == 0
    assert [one for one in started if one.is_running()] == []
    assert list(temporary.iterdir()) == []


@pytest.fixture(scope="module")
def address(site: Path, serving: Any) -> Iterator[str]:
    with serving(site) as address:
        yield address.rstrip("/")


def test_every_picture_is_drawn_and_no_request_leaves_the_site(address: str, browser: Any) -> None:
    wanted = {
        path.relative_to(ROOT).as_posix(): sum(step.language == "mermaid" for step in read_page(path, ROOT).steps)
        for path in PROJECT.page_paths()
    }
    drawn, requests, problems = {}, set(), []
    page = browser.new_page()
    page.on("request", lambda request: requests.add(request.url))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    for name, pictures in wanted.items():
        if pictures and name.startswith(("docs/", "runbooks/")):
            url = re.sub(r"(^|/)(index|README)$", "", name.removeprefix("docs/").removesuffix(".md"))
            page.goto(f"{address}/{url}/" if url else f"{address}/")
            # Material puts each picture into a closed shadow root below a div of this class.
            page.wait_for_function(
                "wanted => document.querySelectorAll('div.mermaid').length == wanted"
                " && !document.querySelector('pre.mermaid')",
                arg=pictures,
            )
            heights = page.eval_on_selector_all("div.mermaid", "all => all.map(one => one.clientHeight)")
            drawn[name] = [height for height in heights if height > 40]
    page.close()
    assert problems == []
    assert {name: len(heights) for name, heights in drawn.items()} == {
        name: count for name, count in wanted.items() if count and name.startswith(("docs/", "runbooks/"))
    }
    assert {url for url in requests if not url.startswith((address, "data:", "blob:"))} == set()


def test_mermaid_refuses_what_is_no_picture(address: str, browser: Any) -> None:
    """The renderer that the test above relies on does tell right from wrong."""
    blocks = [
        (f"{path.relative_to(ROOT)}:{step.line}", step.text)
        for path in PROJECT.page_paths()
        for step in read_page(path, ROOT).steps
        if step.language == "mermaid"
    ]
    assert blocks
    page = browser.new_page()
    page.goto(f"{address}/rehearsal/")
    parse = "async text => { try { await mermaid.parse(text); return null } catch (error) { return error.message } }"
    wrong = {where: problem for where, text in blocks if (problem := page.evaluate(parse, text))}
    refused = page.evaluate(parse, "flowchart TD\n  A[open --> B\n")
    page.close()
    assert wrong == {}
    assert "Parse error" in refused


def test_run_json_is_merged_and_forgets_pages_that_are_gone(tmp_path: Path) -> None:
    path = tmp_path / "build" / "run.json"
    record = PageRecord("f", "s", "2026-01-13T09:14:00+00:00", "abc", "18.6", 1.0, ())
    add_runs(path, {"a.md": record, "gone.md": record}, major=18, known=["a.md", "gone.md"])
    add_runs(path, {"a.md": record}, major=15, known=["a.md"])
    assert read_runs(path) == {"a.md": {15: record, 18: record}}
    assert json.loads(path.read_text())["format"] == "backout/run"


def _free_port() -> int:
    import socket  # noqa: PLC0415

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _search(site: str) -> dict[str, str]:
    """What the search knows of each page."""
    import urllib.request  # noqa: PLC0415

    with urllib.request.urlopen(f"{site}/search/search_index.json") as answer:
        entries = json.loads(answer.read())["docs"]
    found: dict[str, str] = {}
    for entry in entries:
        page = entry["location"].partition("#")[0]
        found[page] = f"{found.get(page, '')} {entry['title']} {entry['text']}"
    return found


def _eventually(url: str, text: str, without: str = "\0") -> str:
    """The page once it has been built with that text and without another; it is built again when the record changes."""
    import time  # noqa: PLC0415
    import urllib.request  # noqa: PLC0415

    deadline = time.monotonic() + 60
    while True:
        with urllib.request.urlopen(url) as answer:
            page: str = answer.read().decode()
        if (text in page and without not in page) or time.monotonic() > deadline:
            assert text in page
            assert without not in page
            return page
        time.sleep(0.1)
