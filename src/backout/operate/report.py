"""A journal of an operator's run as Markdown, for the ticket of the incident.

Below ``operate``, which alone imports it.
"""

import re
from collections.abc import Iterator

from backout.errors import ConfigurationError
from backout.journal import Event, Record

_OUTCOMES = {"done": "came to its end", "failed": "failed", "refused": "was refused", "stopped": "was stopped"}


def report(record: Record) -> str:
    """The report; what the journal hides is hidden.

    :raises ConfigurationError: it is the journal of something else.
    """
    if "runbook" not in record.begin.facts:
        raise ConfigurationError(f"{record.path} is the journal of {record.begin.facts['subject']}, not of a runbook")
    return "\n".join(_lines(record)) + "\n"


def _lines(record: Record) -> Iterator[str]:
    begin = record.begin.facts
    database = begin["database"]
    place = f"{database['name']} at {database['host']}:{database['port']} as {database['user']}" if database else "none"
    yield f"# {begin['title']}: {begin['environment']}, {record.begin.at[:16].replace('T', ' ')} UTC"
    yield ""
    yield f"- Runbook: {begin['runbook']} at {begin['commit'] or 'no commit'}, sha256 {begin['sha256'][:12]}…"
    yield f"- Who: {begin['who']}"
    yield f"- Database: {place}"
    yield f"- backout: {begin['backout']}"
    yield f"- How it ended: {_end(record)}"
    yield ""
    yield "| Time (UTC) | What | Outcome | Seconds |"
    yield "| --- | --- | --- | ---: |"
    for event in record.events:
        yield from _row(event, record)
    yield ""
    for event in record.events:
        if event.name == "ended" and (event.facts["output"] or event.facts["message"]):
            yield from _output(event)


def _end(record: Record) -> str:
    if not record.is_ended:
        return "**cut off**: nobody wrote its end"
    facts = record.events[-1].facts
    reason = f": {_cell(facts['reason'])}" if facts.get("reason") else ""
    skipped = f", without {', '.join(facts['skipped'])}, which was skipped" if facts.get("skipped") else ""
    return f"it {_OUTCOMES[facts['outcome']]}{reason}{skipped}"


def _row(event: Event, record: Record) -> Iterator[str]:
    facts = event.facts
    at = event.at[11:19]
    if event.name == "ended":
        yield f"| {at} | {facts['id']} | {facts['outcome']} | {facts['seconds']:.1f} |"
    elif event.name == "begun" and not any(
        later.name == "ended" and later.facts["id"] == facts["id"] and later.number > event.number
        for later in record.events
    ):
        yield f"| {at} | {facts['id']} | **cut off** | |"
    elif event.name == "answered":
        yield f"| {at} | {_cell(facts['id'])} | answered {facts['answer']} ({facts['by']}) | |"
    elif event.name == "skipped":
        yield f"| {at} | {facts['id']} | skipped | |"
    elif event.name == "resume":
        yield f"| {at} | resumed by {facts['who']} | | |"
    elif event.name == "end":
        yield f"| {at} | end | {facts['outcome']} | |"


def _output(event: Event) -> Iterator[str]:
    facts = event.facts
    text = facts["message"] if facts["outcome"] != "passed" and facts["message"] else facts["output"]
    fence = "`" * max(3, *(len(run) + 1 for run in re.findall(r"`+", text)), 3)
    yield f"## {facts['id']}: {facts['outcome']}, {event.at[11:19]}"
    yield ""
    yield f"{fence}text"
    yield text.rstrip("\n")
    yield fence
    yield ""


def _cell(text: str) -> str:
    return " ".join(text.replace("|", r"\|").split())
