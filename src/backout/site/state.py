"""The project as it stands, for its home page: the chain and its riskiest revision, and what of the pages was run.

A block counts while the record is of the page as it stands: a page that was changed since is not verified. What no
test run has told is said so, never left out.

Not here: how it is written (``state.html``); the coverage page, which tells it page by page (``mkdocs_plugin``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from backout.pages import Page
from backout.record import PageRecord, Runs
from backout.site.measured import Measured, read_measured_chain
from backout.site.migration_pages import INDEX, address
from backout.site.model import render

# Worst first. What is not known may be worse than what is known to be low.
_RANKS = ("high", "medium", "unproven", None, "low")
_ROLLBACKS = ("no", "risky", "unproven", None, "yes if unused", "yes")
_BLOCKS = ("run", "quoted", "validated")


@dataclass(frozen=True)
class Verified:
    """What the last runs of the pages prove on one major version of PostgreSQL.

    :param postgres: the version of the newest run, ``18.6``.
    :param held: blocks that passed, on pages that are as they were then.
    :param failed: blocks that did not, on such pages; those that were not reached included.
    :param blocks: how many there are, but for those that are excused with a reason.
    :param pages: how many pages no run has seen as they stand.
    :param when: start of the newest run, ISO 8601 in UTC.
    :param commit: of that run; empty outside git.
    """

    postgres: str
    held: int
    failed: int
    blocks: int
    pages: int
    when: str
    commit: str


def verified(pages: Iterable[Page], runs: Runs) -> tuple[Verified, ...]:
    """One for each major version that any page was run on, the newest first."""
    pages = tuple(pages)
    majors = sorted({major for page in pages for major in runs.get(page.path, {})}, reverse=True)
    return tuple(_verified(pages, runs, major) for major in majors)


def _verified(pages: tuple[Page, ...], runs: Runs, major: int) -> Verified:
    records = {page.path: runs[page.path][major] for page in pages if major in runs.get(page.path, {})}
    newest = max(records.values(), key=lambda record: record.when)
    current = {page.path: records[page.path] for page in pages if _is_current(page, records.get(page.path))}
    outcomes = Counter(step.outcome for record in current.values() for step in record.steps if step.kind in _BLOCKS)
    counted = {page.path: sum(step.kind in _BLOCKS for step in page.steps) for page in pages}
    elsewhere = outcomes["elsewhere"]  # pictures, which a test draws in a browser
    return Verified(
        postgres=newest.postgres,
        held=outcomes["passed"],
        failed=outcomes["failed"] + outcomes["not reached"],
        blocks=sum(counted.values()) - elsewhere,
        pages=sum(counted[page.path] > 0 and page.path not in current for page in pages),
        when=newest.when,
        commit=newest.commit,
    )


def _is_current(page: Page, record: PageRecord | None) -> bool:
    return record is not None and record.is_of(page.source)


def riskiest(revisions: Iterable[Measured]) -> Measured | None:
    """The revision to think about before a rollback: of the highest risk, which loses most; of equals the newest.

    None where there are none, or none is known to be of any risk but a low one.
    """
    worst = min(reversed(tuple(revisions)), key=_rank, default=None)
    return None if worst is None or worst.evidence is None or worst.evidence.risk == "low" else worst


def _rank(one: Measured) -> tuple[int, int, int]:
    if one.evidence is None:
        return _RANKS.index(None), _ROLLBACKS.index(None), 0
    lost = sum(loss.lost for loss in one.evidence.loss.untouched or ())
    return _RANKS.index(one.evidence.risk), _ROLLBACKS.index(one.evidence.rollback), -lost


def project_state(configuration: Path | None, section: str, pages: Iterable[Page], runs: Runs) -> str:
    """All of it as HTML, with links as ``site:<uri>``.

    :param configuration: ``alembic.ini``; None: the project has no chain.
    :param pages: every page under the contract.
    :param runs: what their last runs left behind.
    :raises ConfigurationError: the chain, its evidence or a waiver cannot be read.
    """
    chain = None if configuration is None else read_measured_chain(configuration, section)
    revisions = chain.revisions if chain else ()
    risks: Counter[str | None] = Counter(one.evidence.risk if one.evidence else None for one in revisions)
    return render(
        "state.html",
        chain=chain,
        by_id={one.id: one for one in revisions},
        risks=[(risk, risks[risk]) for risk in _RANKS if risks[risk]],
        worst=riskiest(revisions),
        verified=verified(pages, runs),
        address=address,
        index=INDEX,
    )
