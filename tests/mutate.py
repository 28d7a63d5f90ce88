"""Changes one thing at a time on a page, and lists the changes that no test notices.

    python tests/mutate.py                              both guides, 100 changes each
    python tests/mutate.py --sample 30 docs/glossary.md

A change is noticed when the page breaks the contract, or one of its tests fails. It is tried on the block alone
first, in the state that the blocks before it have left; only where that block still passes is the whole page run.
"""

import argparse
import random
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

import psycopg
from rich.console import Console
from rich.progress import Progress

from backout.chain import database_at
from backout.configuration import Project, load_project
from backout.execute import PageRun
from backout.languages import NotChecked, quoted_problem, validate
from backout.pages import Page, Step, parse_page, read_page
from backout.postgres import Server, open_server
from backout.references import Surroundings, unresolved
from backout.repository import repository_files

ROOT = Path(__file__).parents[1]
GUIDES = ("docs/db-migrations.md", "docs/migration-rollback.md")
WORD = re.compile(r"[A-Za-z_][\w-]*[A-Za-z0-9_]|\d+")
TIMEOUT = 20.0  # seconds; a changed word can make a loop endless
COMMENT = {"bash": "#", "console": "#", "sh": "#", "python": "#", "sql": "--"}


@dataclass(frozen=True)
class Mutation:
    """One change of a page's source.

    :param step: id of the block it is in, or None.
    """

    kind: str
    start: int
    end: int
    text: str
    step: str | None

    def apply(self, source: str) -> str:
        return source[: self.start] + self.text + source[self.end :]

    def describe(self, page: Page) -> str:
        line = page.source.count("\n", 0, self.start) + 1
        old = page.source[self.start : self.end].strip().splitlines()
        return f"{page.path}:{line}: {self.kind}: {old[0] if old else ''!r} → {self.text or 'nothing'!r}"


def mutations(page: Page) -> Iterator[Mutation]:
    """Every change that the harness knows."""
    offsets = [0]
    for line in page.source.splitlines(keepends=True):
        offsets.append(offsets[-1] + len(line))
    for step in page.steps:
        first = step.line  # the line behind the fence, counted from 0
        height = len(step.text.splitlines())
        spans = {"run": "command", "quoted": "quoted line"}
        if step.kind not in spans:
            continue
        outputs = [command.expected for command in step.commands if command.expected]
        for index in range(first, first + height):
            start, end = offsets[index], offsets[index + 1]
            in_output = any(expected.start <= start < expected.end for expected in outputs)
            kind = "output" if in_output else spans[step.kind]
            comment = None if in_output or step.kind == "quoted" else COMMENT.get(step.language)
            yield from _words(page.source, start, end, kind, step.id, comment)
        for expected in outputs:
            if step.language != "console":
                yield from _words(page.source, expected.start, expected.end, "output", step.id, None)
        if step.kind == "run":
            start = offsets[step.line - 1]
            end = max([offsets[first + height + 1], *(offsets[_closing(page, expected.end)] for expected in outputs)])
            yield Mutation("removed step", start, end, "", None)
    for span in page.spans:
        start = offsets[span.line - 1]
        found = page.source.find(f"`{span.text}`", start)
        if found >= 0:
            yield from _words(page.source, found, found + len(span.text) + 2, "inline code", None, None)


def _closing(page: Page, offset: int) -> int:
    return page.source.count("\n", 0, offset) + 1


def _words(source: str, start: int, end: int, kind: str, step: str | None, comment: str | None) -> Iterator[Mutation]:
    text = source[start:end]
    if comment and (found := re.search(rf"(^|\s){re.escape(comment)}\s", text)):
        text = text[: found.start()]
    for match in WORD.finditer(text):
        word = match[0]
        if re.fullmatch(r"[0-9a-f]{12}", word):
            changed = word[:-1] + ("0" if word[-1] != "0" else "1")
            kind_here = "revision"
        else:
            changed = str(int(word) + 1) if word.isdigit() else word + "x"
            kind_here = kind
        yield Mutation(kind_here, start + match.start(), start + match.end(), changed, step)


def survivors(
    page: Page, chosen: list[Mutation], project: Project, server: Server, progress: Progress
) -> list[Mutation]:
    """The changes that nothing notices."""
    task = progress.add_task(page.path, total=len(chosen))
    left: list[Mutation] = []
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        scratches = (Path(folder) / f"run{number}" for number in count())
        run = _start(page, project, server, next(scratches), stack)
        for step in page.steps:
            for mutation in [mutation for mutation in chosen if mutation.step == step.id]:
                noticed = _noticed_alone(page, mutation, step, run, server)
                if noticed is None:  # it ran into its time-out, which ends the shell: bring another one up to here
                    run = _start(page, project, server, next(scratches), stack)
                    _reach(run, page.steps[: page.steps.index(step)])
                if noticed is False:
                    left.append(mutation)
                progress.advance(task)
            _reach(run, [step])
    left += [mutation for mutation in chosen if mutation.step is None]
    lived = []
    for mutation in left:
        if not _noticed(parse_page(mutation.apply(page.source), page.path), project, server):
            lived.append(mutation)
        if mutation.step is None:
            progress.advance(task)
    return lived


def _start(page: Page, project: Project, server: Server, scratch: Path, stack: ExitStack) -> PageRun:
    stack.close()  # the run before
    scratch.mkdir()
    return stack.enter_context(PageRun(page, project, server, scratch=scratch))


def _reach(run: PageRun, steps: Sequence[Step]) -> None:
    for step in steps:
        if step in run.page.runnable and (result := run.reach(step)).outcome != "passed":
            raise SystemExit(f"the page does not hold as it is: {result.message}")


def _noticed_alone(page: Page, mutation: Mutation, step: Step, run: PageRun, server: Server) -> bool | None:
    """Whether the block alone fails; None when it was stopped by its time-out, which is a failure, too."""
    changed = parse_page(mutation.apply(page.source), page.path)
    if changed.problems:
        return True
    same = next((candidate for candidate in changed.steps if candidate.id == step.id), None)
    if same is None:
        return False
    if same.kind == "quoted":
        return quoted_problem(same.text, same.title or "", ROOT) is not None
    # A trial ends every session of the database, and cannot take back what Python has done.
    if same.language == "python" or same.way_back or _busy(run, server):
        return False
    result = run.trial(replace(same, timeout=min(same.timeout or TIMEOUT, TIMEOUT)))
    return None if "its time-out" in result.message else result.outcome == "failed"


def _busy(run: PageRun, server: Server) -> bool:
    with psycopg.connect(server.url) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND application_name NOT LIKE 'backout%%' "
            "AND state <> 'idle'",
            [run.database.name],
        ).fetchone()
    return row is None or row[0] > 0


def _noticed(page: Page, project: Project, server: Server) -> bool:
    """Whether any test of the page fails."""
    if page.problems:
        return True
    for step in page.steps:
        if step.kind == "quoted" and quoted_problem(step.text, step.title or "", ROOT):
            return True
        if step.kind == "validated":
            try:
                if validate(step.language, step.text):
                    return True
            except NotChecked:
                pass
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder) / "mutant"
        scratch.mkdir()
        with PageRun(page, project, server, scratch=scratch) as run:
            checks: dict[str, list[Step]] = {}
            for step in page.runnable:
                if step.sabotage is not None:
                    checks.setdefault(page.proof_point(step).id, []).append(step)
            undone = [one for one in (page.runbook.sections if page.runbook else ()) if one.way_back is not None]
            for step in page.runnable:
                proofs = [run.prove_way_back(section) for section in undone if step == section.blocks[0]]
                if any(result.outcome != "passed" for result in (*proofs, run.reach(step))):
                    return True
                if any(run.prove(check).outcome != "passed" for check in checks.get(step.id, ())):
                    return True
            if not page.spans:
                return False
            database = run.database if page.runnable else database_at(server, project, "head")
            root = run.work if page.runnable else ROOT
            with psycopg.connect(database.url, autocommit=True) as connection:
                surroundings = Surroundings(
                    root=root,
                    files=tuple(repository_files(root)),
                    query=lambda sql: [str(row[0]) for row in connection.execute(sql)],
                    path=run.environment["PATH"],
                )
                return bool(unresolved(page, surroundings))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", nargs="*", default=GUIDES, metavar="PAGE", help="default: the two guides")
    parser.add_argument("--sample", type=int, default=100, metavar="N", help="changes a page (default 100)")
    parser.add_argument("--seed", type=int, default=1, help="another sample of changes")
    parser.add_argument("--at-least", type=float, default=95.0, metavar="PERCENT", help="fail below (default 95)")
    options = parser.parse_args()
    project = load_project(ROOT)
    status = 0
    console = Console()
    with open_server() as server, Progress(console=console) as progress:
        console.print(server.description)
        for name in options.pages:
            page = read_page(ROOT / name, ROOT)
            every = list(mutations(page))
            chosen = random.Random(options.seed).sample(every, min(options.sample, len(every)))
            chosen.sort(key=lambda mutation: mutation.start)
            lived = survivors(page, chosen, project, server, progress)
            share = 100 * (1 - len(lived) / len(chosen))
            console.print(f"{page.path}: {len(chosen) - len(lived)} of {len(chosen)} changes noticed ({share:.0f} %)")
            for kind, number in sorted(Counter(mutation.kind for mutation in chosen).items()):
                missed = sum(mutation.kind == kind for mutation in lived)
                console.print(f"  {kind}: {number - missed} of {number}")
            for mutation in lived:
                console.print(f"  not noticed: {mutation.describe(page)}", markup=False, highlight=False)
            status |= share < options.at_least
    return int(status)


if __name__ == "__main__":
    sys.exit(main())
