"""Strings that match a pattern: a regular expression of PostgreSQL, LIKE, SIMILAR TO.

The same pattern gives the same strings, always. They are proposals: what a look-ahead asks for is not honoured,
and the server has the last word.

Not here: finding patterns in constraints (``seed.expressions``). Pure.
"""

import re
import string
import warnings
from collections.abc import Callable, Iterator
from functools import lru_cache
from re import _constants, _parser  # type: ignore[attr-defined]  # there is no public way to a pattern's parts
from typing import Any

_LONGEST = 200  # characters that an open-ended repetition may give
_WORD = string.ascii_lowercase + string.digits + string.ascii_uppercase + "_"
_PRINTABLE = _WORD + " -.,:;!?#@%&/()+*='\"éÄ"
_POSIX = {
    "alpha": "a-zA-Z", "digit": "0-9", "alnum": "a-zA-Z0-9", "upper": "A-Z", "lower": "a-z", "space": r"\s",
    "blank": r" \t", "xdigit": "0-9A-Fa-f", "punct": r"!-/:-@\[-`{-~", "word": r"\w", "print": " -~", "graph": "!-~",
    "cntrl": r"\x01-\x1f",
}  # fmt: skip
_CATEGORIES = {
    _constants.CATEGORY_DIGIT: string.digits,
    _constants.CATEGORY_SPACE: " \t",
    _constants.CATEGORY_WORD: _WORD,
    _constants.CATEGORY_NOT_DIGIT: string.ascii_letters,
    _constants.CATEGORY_NOT_SPACE: _WORD,
    _constants.CATEGORY_NOT_WORD: " -.,",
}


@lru_cache(1000)
def matching_regex(pattern: str, count: int, start: int = 0) -> tuple[str, ...]:
    """Up to ``count`` different strings that an advanced regular expression matches; none if it cannot be read.

    The first is short, the second long; the others lie between them.

    :param start: number of strings to leave out.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # PostgreSQL's [[ is a set within a set, perhaps, to Python
            parsed = _parser.parse(_as_python(pattern))
    except (re.error, OverflowError, RecursionError):
        return ()
    found: dict[str, None] = {}
    for variant in range(start, start + count * 3):
        found.setdefault("".join(_Walk(variant).of(parsed)))
        if len(found) == count:
            break
    return tuple(found)


def matching_like(pattern: str) -> tuple[str, ...]:
    """Strings that ``LIKE pattern`` matches."""
    parts = re.findall(r"\\(.)|(.)", pattern, re.DOTALL)
    return tuple(
        dict.fromkeys(
            "".join(escaped or stands.get(plain, plain) for escaped, plain in parts)
            for stands in ({"%": "x", "_": "x"}, {"%": "", "_": "0"}, {"%": "Some Thing", "_": "Z"})
        )
    )


def matching_similar(pattern: str, count: int) -> tuple[str, ...]:
    """Strings that ``SIMILAR TO pattern`` matches."""
    as_regex = re.sub(r"(\\.)|%|_", lambda match: match[1] or (".*" if match[0] == "%" else "."), pattern)
    return matching_regex(as_regex, count)


def _as_python(pattern: str) -> str:
    """The pattern as Python's parser takes it: POSIX classes as ranges, and Tcl's word boundaries."""
    pattern = re.sub(r"^\*\*\*:|\(\?[a-z]+\)", "", pattern)
    pattern = re.sub(r"\[:(\w+):\]", lambda match: _POSIX.get(match[1], match[0]), pattern)
    pattern = re.sub(r"\[\[([.=])(.)\1\]\]", lambda match: re.escape(match[2]), pattern)
    return re.sub(r"(\\\\)|\\[mMyYAZ]", lambda match: match[1] or "", pattern)


class _Walk:
    """One string: in every place where there is a choice, the variant's number decides."""

    def __init__(self, variant: int) -> None:
        self._variant = variant
        self._place = 0
        self._groups: dict[int, str] = {}

    def of(self, parts: Any) -> Iterator[str]:
        for operation, argument in parts:
            yield from self._part(operation, argument)

    def _part(self, operation: Any, argument: Any) -> Iterator[str]:
        names: dict[Any, Callable[[Any], Iterator[str]]] = {
            _constants.LITERAL: lambda code: iter(chr(code)),
            _constants.NOT_LITERAL: lambda code: iter(self._choose([one for one in _PRINTABLE if ord(one) != code])),
            _constants.ANY: lambda _: iter(self._choose(_PRINTABLE)),
            _constants.IN: lambda items: iter(self._choose(_members(tuple(items)))),
            _constants.BRANCH: lambda branches: self.of(branches[1][self._number(len(branches[1]))]),
            _constants.SUBPATTERN: self._group,
            _constants.ATOMIC_GROUP: self.of,
            _constants.GROUPREF: lambda number: iter(self._groups.get(number, "")),
            _constants.MAX_REPEAT: self._repeat,
            _constants.MIN_REPEAT: self._repeat,
            _constants.POSSESSIVE_REPEAT: self._repeat,
        }
        return names.get(operation, lambda _: iter(()))(argument)  # anchors and assertions add nothing

    def _group(self, argument: tuple[int | None, int, int, Any]) -> Iterator[str]:
        number, _, _, parts = argument
        text = "".join(self.of(parts))
        if number is not None:
            self._groups[number] = text
        yield text

    def _repeat(self, argument: tuple[int, int, Any]) -> Iterator[str]:
        least, most, parts = argument
        most = max(least, min(most, _LONGEST))
        if self._variant == 0:
            times = max(least, min(most, 1))
        elif self._variant == 1:
            times = most
        else:
            times = least + (self._variant * 3 + self._place) % (min(most - least, 12) + 1)
        for _ in range(times):
            yield from self.of(parts)

    def _choose(self, members: Any) -> str:
        return members[self._number(len(members))] if members else ""

    def _number(self, choices: int) -> int:
        """Small and regular steps, so that two variants differ and a long string has many characters."""
        self._place += 1
        return (self._variant + self._place * (1 + self._variant // choices)) % choices


@lru_cache(1000)
def _members(items: tuple[Any, ...]) -> list[str]:
    negated = False
    members: list[str] = []
    for operation, argument in items:
        if operation is _constants.NEGATE:
            negated = True
        elif operation is _constants.LITERAL:
            members.append(chr(argument))
        elif operation is _constants.RANGE:
            members += [chr(code) for code in range(argument[0], min(argument[1], argument[0] + 300) + 1)]
        elif operation is _constants.CATEGORY:
            members += _CATEGORIES.get(argument, "")
    return [one for one in _PRINTABLE if one not in members] if negated else members
