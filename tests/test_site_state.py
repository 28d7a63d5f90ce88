"""What the home page tells of the project as it stands, for this project, for another one, and without a test run."""

import shutil
from pathlib import Path

import pytest
from bs4 import BeautifulSoup, Tag

from backout.pages import Page, parse_page
from backout.record import PageRecord, Runs, StepRecord, text_hash
from backout.site import project_state
from backout.site.measured import read_measured_chain
from backout.site.state import riskiest, verified

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "tests/samples/site"
TEXT = "# T\n\n```bash\ntrue\n```\n\n```json\n{}\n```\n\n<!-- not run: no -->\n```bash\nkubectl apply\n```\n"


def page(name: str, text: str = TEXT) -> Page:
    return parse_page(text, name)


def record(
    *outcomes: str, source: str = TEXT, when: str = "2026-01-13T09:14:00+00:00", postgres: str = "18.6"
) -> PageRecord:
    blocks = tuple(StepRecord(f"t.{n}", n, "bash", "run", outcome) for n, outcome in enumerate(outcomes))  # type: ignore[arg-type]
    proofs = (StepRecord("names", 1, "", "names", "passed"), StepRecord("t.9", 9, "bash", "not run", "not run"))
    return PageRecord("f", text_hash(source), when, "abc1234", postgres, 1.5, (*blocks, *proofs))


def told(runs: Runs, *pages: Page, configuration: Path | None = None) -> dict[str, str]:
    """The cells by their name."""
    html = BeautifulSoup(project_state(configuration, "alembic", pages, runs), "html.parser")
    return {text_of(cell.dt): text_of(cell.dd) for cell in html.select("dl > div")}


def text_of(element: Tag | None) -> str:
    assert element is not None
    return " ".join(element.get_text(" ").split())


# -- what was run -----------------------------------------------------------------------------------------------------


def test_blocks_that_passed_on_pages_as_they_are_are_verified() -> None:
    runs = {
        "a.md": {18: record("passed", "passed")},
        "b.md": {18: record("passed", "passed", when="2026-02-01T10:00:00+00:00")},
    }
    assert told(runs, page("a.md"), page("b.md")) == {
        "Blocks verified": "4 of 4",
        "PostgreSQL": "18.6",
        "When": "2026-02-01 10:00 UTC at abc1234",
    }


def test_a_page_that_was_changed_since_or_never_run_is_not_verified() -> None:
    runs = {"a.md": {18: record("passed", "passed")}, "b.md": {18: record("passed", "passed", source="older")}}
    assert told(runs, page("a.md"), page("b.md"), page("c.md"))["Blocks verified"] == (
        "2 of 6 2 pages not verified as they stand"
    )


def test_a_page_without_blocks_is_nothing_to_be_verified() -> None:
    (found,) = verified([page("a.md"), page("b.md", "# T\n")], {"a.md": {18: record("passed", "passed")}})
    assert (found.held, found.blocks, found.pages) == (2, 2, 0)


def test_what_failed_is_said() -> None:
    assert told({"a.md": {18: record("failed", "not reached")}}, page("a.md"))["Blocks verified"] == (
        "0 of 2 2 did not hold, or were not reached"
    )


def test_a_picture_is_verified_elsewhere_and_what_a_machine_lacks_is_not() -> None:
    (found,) = verified([page("a.md")], {"a.md": {18: record("elsewhere", "not run")}})
    assert (found.held, found.failed, found.blocks) == (0, 0, 1)


def test_each_major_version_is_told() -> None:
    runs = {"a.md": {18: record("passed", "passed"), 15: record("passed", "failed", postgres="15.14")}}
    cells = told(runs, page("a.md"))
    assert cells["Blocks verified"] == "2 of 2 on 18 1 of 2 on 15 1 did not hold, or were not reached"
    assert cells["PostgreSQL"] == "18.6, 15.14"
    assert cells["When"] == "2026-01-13 09:14 UTC at abc1234 , on 18.6 2026-01-13 09:14 UTC at abc1234 , on 15.14"


def test_without_a_run_nothing_is_verified() -> None:
    assert told({}, page("a.md")) == {"Blocks verified": "Not verified No test run has left its results."}
    assert told({"gone.md": {18: record("passed")}}, page("a.md")) == told({}, page("a.md"))


# -- the chain --------------------------------------------------------------------------------------------------------


def test_this_project_s_chain() -> None:
    cells = told({}, configuration=ROOT / "alembic.ini")
    assert cells["Head"] == "7f544264830f index the queue of content jobs"
    assert cells["Revisions"] == "28 3 high 2 medium 23 low"
    assert (
        cells["The riskiest"]
        == "drop newsletter_signups High risk. Rollback: no. Lost: 39 of 39 rows of newsletter_signups"
    )


def test_another_project_s_chain_with_all_that_can_be_wrong() -> None:
    cells = told({}, configuration=SAMPLE / "alembic.ini")
    assert cells["Head"].endswith("Several heads: alembic upgrade head refuses to choose.")
    assert cells["Revisions"] == "10 1 high 1 medium 1 unproven 2 not measured 5 low"
    assert cells["The riskiest"].startswith(
        "drop customers.note High risk. Rollback: no. Lost: 11 of 11 values of customers.note"
    )


def test_where_nothing_was_measured_no_revision_is_called_harmless(tmp_path: Path) -> None:
    project = Path(shutil.copytree(SAMPLE, tmp_path / "project"))
    for path in project.rglob("evidence/*.json"):
        path.unlink()
    assert riskiest(read_measured_chain(project / "alembic.ini", "alembic").revisions) is None
    cells = told({}, configuration=project / "alembic.ini")
    assert cells["Revisions"] == "10 10 not measured"
    assert cells["The riskiest"] == "None is known to be of more than low risk."


def test_a_project_without_a_chain_has_the_rest() -> None:
    assert list(told({}, page("a.md"))) == ["Blocks verified"]


# -- on the site ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["built_site", "offline_site"])
def test_the_home_page_has_it_with_links_that_arrive(name: str, request: pytest.FixtureRequest) -> None:
    site: Path = request.getfixturevalue(name)
    text = (site / "index.html").read_text(encoding="utf-8")
    assert "backout: state" not in text
    box = BeautifulSoup(text[text.index('<div class="bo-page bo-now">') :], "html.parser").div
    assert box is not None
    links = {str(link["href"]) for link in box.find_all("a")}
    end = "/" if name == "built_site" else ".html"
    assert links == {
        f"migrations/7f544264830f{end}",
        "migrations/" if end == "/" else "migrations/index.html",
        f"migrations/76f0ddcb0970{end}",
    }
    assert {str(dt.get_text()) for dt in box.find_all("dt")} >= {"Head", "Revisions", "The riskiest", "Blocks verified"}
