"""The commands about measured risk: ``backout rehearse``, ``check`` and ``explain``. Thin.

``cli`` adds them to its group.
"""

from __future__ import annotations

import difflib
import json
import textwrap
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from backout import __version__
from backout.cli.options import POSTGRES, target_of, target_options
from backout.errors import BackoutError, ConfigurationError


@click.command(epilog="Example:  backout rehearse --new --markdown build/risk.md")
@click.argument("revisions", nargs=-1, metavar="[REVISION]...")
@click.option("--new", is_flag=True, help="only revisions whose evidence is missing or stale")
@click.option("-j", "--jobs", metavar="N", default=1, show_default=True, type=click.IntRange(1, 16))
@click.option(
    "--timeout", metavar="SECONDS", default=60.0, show_default=True, type=click.FloatRange(1), help="of one step"
)
@click.option("--json", "json_path", metavar="PATH", type=click.Path(path_type=Path), help="write everything as JSON")
@click.option("--markdown", "markdown_path", metavar="PATH", type=click.Path(path_type=Path), help="write the table")
@click.option("--sarif", "sarif_path", metavar="PATH", type=click.Path(path_type=Path), help="write the findings")
@target_options
@POSTGRES
def rehearse(
    revisions: Sequence[str],
    new: bool,
    jobs: int,
    timeout: float,
    json_path: Path | None,
    markdown_path: Path | None,
    sarif_path: Path | None,
    choice: str | None,
    **target: Any,
) -> None:
    """Measure what each revision's rollback loses and what it blocks, on disposable databases.

    Walks the whole chain, or the REVISIONs named, and writes alembic/evidence/. Ends with 1 when a finding of
    severity error has no waiver.
    """
    from backout.campaign import Campaign  # noqa: PLC0415
    from backout.cli.progress import Progress, print_report  # noqa: PLC0415
    from backout.evidence_files import merged  # noqa: PLC0415
    from backout.formats import evidence_set, markdown, sarif  # noqa: PLC0415 - imports that --help need not pay
    from backout.rules import load_catalogue  # noqa: PLC0415

    with ExitStack() as stack:
        campaign = stack.enter_context(Campaign(target_of(**target), choice, step_seconds=timeout, jobs=jobs))
        click.echo(f"backout: {campaign.server.description}", err=True)
        chosen = campaign.choose(revisions, only_new=new)
        if not chosen:
            click.echo(
                f"nothing to rehearse: the evidence of {len(campaign.choose(revisions))} revisions is up to date"
            )
            return
        with Progress(len(chosen)) as progress:
            results = []
            kept = campaign.files.read_what_can_be_read()
            for result in campaign.measure(chosen):
                campaign.files.write(merged(kept.get(result.evidence.revision), result.evidence))
                results.append(result)
                progress.tell(result.evidence.revision)
        done = campaign.report(results)
    if json_path is not None:
        _write_json(json_path, evidence_set(done))
    if markdown_path is not None:
        markdown_path.write_text(markdown(done), encoding="utf-8")
    if sarif_path is not None:
        names = {name: hazard.name for name, hazard in load_catalogue().items()}
        _write_json(sarif_path, sarif(done, names, __version__))
    print_report(done)
    number = sum(finding.severity == "error" and not finding.waiver for one in done for finding in one.findings)
    if number:
        these, it = (
            ("1 finding of severity error is", "it")
            if number == 1
            else (f"{number} findings of severity error are", "one")
        )
        raise BackoutError(
            f"{these} not accepted; mend the revision, or accept {it} with a comment in its file: "
            "# backout: accept HAZARD: reason"
        )


@click.command(epilog="Example:  backout check --jobs 2")
@click.argument("revisions", nargs=-1, metavar="[REVISION]...")
@click.option("-j", "--jobs", metavar="N", default=1, show_default=True, type=click.IntRange(1, 16))
@click.option(
    "--timeout", metavar="SECONDS", default=60.0, show_default=True, type=click.FloatRange(1), help="of one step"
)
@click.option("--update", is_flag=True, help="rewrite the measured tables of the pages first")
@target_options
@POSTGRES
def check(revisions: Sequence[str], jobs: int, timeout: float, update: bool, choice: str | None, **target: Any) -> None:
    """Measure again, and fail where evidence, docstrings, waivers or measured tables are not true.

    What continuous integration runs. Writes nothing. Ends with 1 and tells every fault.
    """
    from backout.campaign import Campaign, documentation_faults, evidence_faults, matrix_faults  # noqa: PLC0415
    from backout.cli.progress import Progress  # noqa: PLC0415
    from backout.configuration import load_project  # noqa: PLC0415
    from backout.formats import unchecked  # noqa: PLC0415
    from backout.rules import UNUSED  # noqa: PLC0415

    with Campaign(target_of(**target), choice, step_seconds=timeout, jobs=jobs) as campaign:
        click.echo(f"backout: {campaign.server.description}", err=True)
        chosen = campaign.choose(revisions)
        with Progress(len(chosen)) as progress:
            results = []
            for result in campaign.measure(chosen):
                results.append(result)
                progress.tell(result.evidence.revision)
        reported = campaign.report(results)
        faults = [*evidence_faults(campaign, results), *documentation_faults(campaign, reported)]
    faults += [
        finding.message if finding.hazard == UNUSED else f"{one.evidence.path}: {finding.hazard}: {finding.message}"
        for one in reported
        for finding in one.findings
        if finding.severity == "error" and not finding.waiver
    ]
    faults += matrix_faults(load_project(Path.cwd()), update=update)
    for text in unchecked(reported):
        click.echo(text)
    for fault in faults:
        click.echo(fault)
    if faults:
        raise BackoutError(f"{len(faults)} faults in {len(chosen)} revisions; each is told above")
    click.echo(f"{len(chosen)} revisions: the evidence is what was measured, and the docstrings say it")


@click.command(epilog="Example:  backout explain dropped-column-comes-back-empty")
@click.argument("hazard", required=False)
def explain(hazard: str | None) -> None:
    """Tell what HAZARD is, when it strikes, and the safer way; without one, list the catalogue.

    Of squawk:RULE it tells where squawk documents it, and what stands in its place.
    """
    from backout import squawk  # noqa: PLC0415
    from backout.rules import TEXT, load_catalogue  # noqa: PLC0415

    if hazard is not None and hazard.startswith(TEXT):
        click.echo(squawk.explain(hazard.removeprefix(TEXT)))
        return
    catalogue = load_catalogue()
    if hazard is None:
        width = max(map(len, catalogue))
        click.echo("\n".join(f"{name:{width}}  {one.severity:7}  {one.name}" for name, one in catalogue.items()))
        return
    if hazard not in catalogue:
        close = difflib.get_close_matches(hazard, catalogue, n=3)
        meant = f"did you mean {' or '.join(close)}?" if close else "backout explain lists all"
        raise ConfigurationError(f"{hazard!r} is no hazard of the catalogue; {meant}")
    one = catalogue[hazard]
    parts = [f"{one.id} ({one.severity}): {one.name}"]
    for title, text in (("When", one.condition), ("Effect", one.effect), ("Safer way", one.safer_way)):
        paragraphs = (_wrapped(part) for part in text.split("\n\n"))
        parts.append(f"{title}\n" + "\n\n".join(paragraphs))
    for title, path in (("Unsafe", one.unsafe[-1]), *(("Safer", path) for path in one.safer[1:])):
        code = path.read_text(encoding="utf-8")
        parts.append(f"{title}\n{textwrap.indent(code[code.index('def upgrade') :].strip(), '  ')}")
    click.echo("\n\n".join(parts))  # at once: who reads may stop reading


def _wrapped(paragraph: str) -> str:
    return textwrap.fill(paragraph, 78, initial_indent="  ", subsequent_indent="  ")


def _write_json(path: Path, values: dict[str, Any]) -> None:
    path.write_text(json.dumps(values, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
