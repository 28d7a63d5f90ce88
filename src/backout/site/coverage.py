"""The coverage page's tables: every page, what ran where, what failed, what is not run and why.

In Markdown, for they stand in a page that people wrote. Verdicts are those of the pages' stamps. Pure.
"""

from collections.abc import Iterable, Mapping

from backout.pages import Page
from backout.record import PageRecord, Runs, StepRecord
from backout.site.stamps import state_of, subject_of

COVERAGE = "<!-- backout: coverage -->"


def coverage(pages: Iterable[Page], runs: Runs, links: Mapping[str, str]) -> str:
    """The tables, to take the place of the comment ``COVERAGE``.

    :param links: to the pages that are on the site, by the path of the page in the repository.
    """
    pages = list(pages)
    majors = sorted({major for records in runs.values() for major in records}, reverse=True)
    lines = [_latest(major, runs) for major in majors]
    lines.append("")
    names = [*(f"PostgreSQL {major}" for major in majors), "Run", "Quoted", "Parsed", "Sabotaged", "Not run"]
    lines.append(f"| Page | {' | '.join(names)} |")
    lines.append("| --- |" + " --- |" * len(majors) + " ---: |" * 5)
    for page in pages:
        verdicts = [_verdict(page, runs.get(page.path, {}).get(major)) for major in majors]
        counts = [sum(step.kind == kind for step in page.steps) for kind in ("run", "quoted", "validated")]
        counts.append(sum(step.sabotage is not None for step in page.steps))
        counts.append(sum(step.kind == "not run" for step in page.steps))
        name = f"[{page.path}]({links[page.path]})" if page.path in links else page.path
        lines.append(f"| {name} | {' | '.join([*verdicts, *map(str, counts)])} |")
    if not majors:
        lines += ["", "**Not verified.** No test run has left its results in `build/run.json`."]
    lines += ["", "## Failures {#failures}", ""]
    failures = [
        (major, page, step)
        for page in pages
        for major, record in sorted(runs.get(page.path, {}).items())
        for step in record.steps
        if step.outcome == "failed"
    ]
    lines += [line for major, page, step in failures for line in _failure(major, page, step)] or ["None."]
    lines += ["", "## Blocks that are not run {#not-run}", ""]
    excused = [(page, step) for page in pages for step in page.steps if step.kind == "not run"]
    lines += [f"- {page.path}, line {step.line}: {step.reason}" for page, step in excused] or ["None."]
    missing = sorted(
        {
            step.detail
            for record in _records(runs)
            for step in record.steps
            if step.outcome == "not run" and "NOT CHECKED" in step.detail
        }
    )
    if missing:
        lines += ["", "## Not checked on the machine of the last run {#not-checked}", ""]
        lines += [f"- {detail.removeprefix('NOT CHECKED: ')}" for detail in missing]
    return "\n".join(lines)


def _records(runs: Runs) -> Iterable[PageRecord]:
    return (record for records in runs.values() for record in records.values())


def _verdict(page: Page, record: PageRecord | None) -> str:
    state = state_of(subject_of(page), record)
    if record is not None and state == "passed":
        return f"passed, {record.seconds:g}&nbsp;s"
    if record is not None and state == "failed":
        return f"**{record.count('failed')} failed**, {record.count('not reached')} not reached"
    return {"changed": "**changed since it was run**", "not verified": "**not verified**"}.get(state, state)


def _latest(major: int, runs: Runs) -> str:
    last = max((records[major] for records in runs.values() if major in records), key=lambda record: record.when)
    when = last.when[:16].replace("T", " ")
    return f"PostgreSQL {last.postgres}: last run {when} UTC at {last.commit or 'no commit'}.\n"


def _failure(major: int, page: Page, step: StepRecord) -> list[str]:
    fence = "````"
    return [f"**{page.path}**, {step.id}, on PostgreSQL {major}", "", f"{fence}text", step.detail, fence, ""]
