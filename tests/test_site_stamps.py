"""backout.site.stamps: what is said at the end of a page."""

from dataclasses import replace
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from backout.evidence import Evidence, from_json
from backout.pages import parse_page
from backout.record import PageRecord, StepRecord, text_hash
from backout.site.stamps import (
    Subject,
    evidence_stamp_html,
    notice_html,
    stamp_html,
    stamp_of,
    state_of,
    subject_of,
)

ROOT = Path(__file__).parents[1]
TEXT = "# T\n\n```bash\ntrue\n```\n"
SUBJECT = Subject(TEXT)
PASSED = StepRecord("t.1", 3, "bash", "run", "passed")
FAILED = StepRecord("before.2", 34, "bash", "run", "failed", "a.md:35: it broke\nand more")


def record(*steps: StepRecord, source: str = TEXT, postgres: str = "18.6", commit: str = "abc1234") -> PageRecord:
    return PageRecord("f", text_hash(source), "2026-01-13T09:14:05+00:00", commit, postgres, 4.25, steps or (PASSED,))


def words(html: str) -> str:
    return " ".join(BeautifulSoup(html, "html.parser").get_text().split())


def told(*records: PageRecord, under_way: bool = False, subject: Subject = SUBJECT) -> str:
    by_major = {int(one.postgres.partition(".")[0]): one for one in records}
    return words(stamp_html(stamp_of(subject, by_major, under_way=under_way)))


def test_a_page_that_was_run() -> None:
    steps = (
        *(StepRecord(f"t.{number}", number, "bash", "run", "passed") for number in range(1, 4)),
        StepRecord("q.1", 9, "text", "quoted", "passed"),
        StepRecord("v.1", 10, "yaml", "validated", "passed"),
        StepRecord("t.1.sabotage", 1, "bash", "sabotage", "passed"),
        StepRecord("incident", 1, "bash", "incident", "passed"),
        StepRecord("n.1", 12, "bash", "not run", "not run", "needs a cluster"),
        StepRecord("names", 1, "", "names", "passed"),
    )
    assert told(record(*steps), record(commit="", postgres="15.14")) == (
        "Verified: this page held when it was run, but for 1 block that is not run. "
        "PostgreSQL 18.6: 3 blocks run, 1 quoted, 1 parsed, 2 proved, 1 not run. "
        "2026-01-13 09:14 UTC, commit abc1234, 4.25 s. "
        "PostgreSQL 15.14: 1 block run. 2026-01-13 09:14 UTC, outside git, 4.25 s."
    )
    quoted = record(StepRecord("q.1", 9, "text", "quoted", "passed"), StepRecord("names", 1, "", "names", "passed"))
    assert "PostgreSQL 18.6: 1 quoted. 2026" in told(quoted)
    assert "PostgreSQL 18.6: 0 blocks run. 2026" in told(record(StepRecord("names", 1, "", "names", "passed")))
    assert "commit abc1234 and what was not committed" in told(record(commit="abc1234+"))


def test_a_page_that_was_changed_since() -> None:
    assert told(record(source="older")) == (
        "Not verified: changed since it was run. "
        "PostgreSQL 18.6: run on another text than this, 1 block run. "
        "2026-01-13 09:14 UTC, commit abc1234, 4.25 s."
    )
    assert told(record(), record(source="older", postgres="15.14")).startswith(
        "Not verified: changed since it was run, but on PostgreSQL 18.6. PostgreSQL 18.6: 1 block run."
    )


def test_a_page_that_fails_says_what() -> None:
    names = StepRecord("names", 1, "", "names", "failed", "a.md:3: `nothing` names nothing")
    text = told(record(PASSED, FAILED, names, StepRecord("t.9", 40, "bash", "run", "not reached", "not reached")))
    assert text == (
        "2 failed: this page does not hold. "
        "PostgreSQL 18.6: 1 block run, 2 failed, 1 not reached. 2026-01-13 09:14 UTC, commit abc1234, 4.25 s. "
        "Failed: before.2, line 34, on PostgreSQL 18.6: a.md:35: it broke "
        "names, on PostgreSQL 18.6a.md:3: `nothing` names nothing"
    )
    page = BeautifulSoup(stamp_html(stamp_of(SUBJECT, {18: record(FAILED)})), "html.parser")
    assert [link["href"] for link in page.find_all("a")] == ["#block-before-2"]


def test_a_proof_that_fails_leads_to_its_block() -> None:
    block = StepRecord("when.1", 20, "bash", "run", "passed")
    back = StepRecord("pause.way-back", 40, "sql", "way back", "failed", "a.md:41: rows differ")
    kinds = {"incident": "incident", "when.1.sabotage": "sabotage", "pause.again": "again"}
    proofs = [StepRecord(name, 20, "bash", kind, "failed", "a.md:20: it holds") for name, kind in kinds.items()]
    page = BeautifulSoup(stamp_html(stamp_of(SUBJECT, {18: record(block, *proofs, back)})), "html.parser")
    assert [(link.get_text(), link["href"]) for link in page.find_all("a")] == [
        ("incident", "#block-when-1"),
        ("when.1.sabotage", "#block-when-1"),
        ("pause.again", "#block-when-1"),
        ("pause.way-back", "#block-pause-way-back"),
    ]


def test_the_worst_version_decides() -> None:
    both = {18: record(), 15: record(FAILED, postgres="15.14")}
    assert stamp_of(SUBJECT, both).state == "failed"
    both = {18: record(source="older"), 15: record(FAILED, postgres="15.14")}
    assert stamp_of(SUBJECT, both).state == "failed"
    assert stamp_of(SUBJECT, {18: record(), 15: record(source="x")}).state == "changed"
    unreached = record(StepRecord("t.1", 3, "bash", "run", "not reached", "x"))
    assert stamp_of(SUBJECT, {18: unreached}).title == "Not all was reached: this page does not hold"


def test_a_page_that_nobody_ran_and_one_with_nothing_to_run() -> None:
    assert told() == "Not verified: this page was not run."
    assert told(under_way=True) == "Not verified: this page was not run. It is being run now."
    prose = subject_of(parse_page("# T\n\nWords.\n", "a.md"))
    assert told(subject=prose) == "Nothing on this page is run."
    assert told(record(), subject=prose, under_way=True) == "Nothing on this page is run."
    assert subject_of(parse_page("# T\n\n`alembic`\n", "a.md")).runnable


@pytest.mark.parametrize(
    ("one", "state"),
    [(None, "not verified"), (record(), "passed"), (record(FAILED), "failed"), (record(source="x"), "changed")],
)
def test_states(one: PageRecord | None, state: str) -> None:
    assert state_of(SUBJECT, one) == state
    assert state_of(replace(SUBJECT, runnable=False), one) == "nothing to run"


def test_who_writes_is_told_at_the_top_what_does_not_hold() -> None:
    assert notice_html(stamp_of(SUBJECT, {18: record()})) == ""
    assert notice_html(stamp_of(replace(SUBJECT, runnable=False), {})) == ""
    assert words(notice_html(stamp_of(SUBJECT, {18: record()}, under_way=True))) == (
        "Verified: this page held when it was run. It is being run now. Its stamp"
    )
    page = BeautifulSoup(notice_html(stamp_of(SUBJECT, {18: record(FAILED)})), "html.parser")
    assert words(str(page)) == "1 failed: this page does not hold. before.2 Its stamp"
    assert [link["href"] for link in page.find_all("a")] == ["#block-before-2", "#stamp"]


def test_pages_of_evidence_say_what_it_is_of() -> None:
    paths = sorted((ROOT / "alembic/evidence").glob("*.json"))
    every: list[Evidence] = [from_json(path.read_bytes(), str(path)) for path in paths[:3]]
    plain = [replace(one, postgres=18, also={}) for one in every]
    assert words(evidence_stamp_html(plain)) == (
        "Measured on PostgreSQL 18. The evidence of each is of its files as they stand. "
        "Evidence has no date: it holds until a file changes."
    )
    assert words(evidence_stamp_html([replace(plain[0], also={"15": {}})])) == (
        "Measured on PostgreSQL 18. The evidence is of the migration's files as they stand. It differs in part on 15. "
        "Evidence has no date: it holds until a file changes."
    )
    assert words(evidence_stamp_html([*plain, None])) == (
        "Measured in part: 3 of 4 migrations, on PostgreSQL 18. "
        "The evidence of those is of its files as they stand. Evidence has no date: it holds until a file changes. "
        "A migration without evidence, or with evidence of other files, shows nothing that was measured: "
        "backout rehearse"
    )
    assert words(evidence_stamp_html([None])).startswith(
        "Not verified: there is no evidence of this migration as it stands."
    )
    assert words(evidence_stamp_html([])) == "Nothing on this page was measured."
