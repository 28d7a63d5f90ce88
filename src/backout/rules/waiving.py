"""Waivers: findings that somebody has accepted, in a comment of the revision file, with a reason.

::

    # backout: accept plain-index: the table has forty rows, and will have fifty

One comment accepts one hazard for the whole revision. A waiver that accepts nothing is an error: it would accept the
hazard silently when it comes. What squawk finds is accepted by ``squawk:<rule>``.

Not here: what a finding is (``rules``). Pure.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Collection
from dataclasses import dataclass

from backout.errors import ConfigurationError

_OURS = re.compile(r"#\s*backout\b\s*:?\s*(?P<order>.*)", re.IGNORECASE)
TEXT = "squawk:"  # before a rule of squawk, where others have a hazard

_HAZARD = rf"(?P<hazard>(?:{TEXT})?[^\s:]+)"
_ACCEPT = re.compile(rf"accept\s+{_HAZARD}\s*:\s*(?P<reason>\S.*)")
_REASONLESS = re.compile(rf"accept\s+{_HAZARD}\s*:?")
_FORM = "# backout: accept HAZARD: REASON"


@dataclass(frozen=True)
class Waiver:
    """A hazard that is accepted.

    :param path: of the revision file.
    :param line: of the comment, counted from 1.
    """

    hazard: str
    reason: str
    path: str
    line: int


def waivers(text: str, path: str, known: Collection[str]) -> tuple[Waiver, ...]:
    """The waivers of a revision file, in its order.

    :param text: Python; only its comments are looked at.
    :param path: what errors call it.
    :param known: hazards that may be accepted.
    :raises ConfigurationError: one has another form, no reason, an unknown hazard, or stands twice.
    """
    found: dict[str, Waiver] = {}
    for line, comment in _comments(text, path):
        ours = _OURS.fullmatch(comment.strip())
        if ours is None:
            continue
        where = f"{path}:{line}"
        order = ours["order"].strip()
        lacks, accept = _REASONLESS.fullmatch(order), _ACCEPT.fullmatch(order)
        if lacks or accept is None:
            problem = "gives no reason" if lacks else "is no waiver"
            raise ConfigurationError(f"{where}: the comment {comment.strip()!r} {problem}; write {_FORM}")
        hazard = accept["hazard"]
        if hazard not in known and not hazard.startswith(TEXT):
            raise ConfigurationError(
                f"{where}: {hazard} is no hazard of the catalogue; backout explain lists them, or remove the waiver"
            )
        if hazard in found:
            raise ConfigurationError(
                f"{where}: {hazard} is accepted already in line {found[hazard].line}; join the two reasons"
            )
        found[hazard] = Waiver(hazard, accept["reason"], path, line)
    return tuple(found.values())


def _comments(text: str, path: str) -> list[tuple[int, str]]:
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    except (tokenize.TokenError, SyntaxError) as error:
        raise ConfigurationError(f"{path} is not Python: {error}; mend it") from error
    return [(token.start[0], token.string) for token in tokens if token.type == tokenize.COMMENT]
