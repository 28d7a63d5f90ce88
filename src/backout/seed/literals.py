"""Values for a column out of constants: the literals of a revision, and those in the column's own constraints.

Proposals, of which the server picks those that it accepts.

Not here: finding the literals (``literals``) and the constants (``seed.expressions``). Pure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from backout.seed.expressions import constants
from backout.seed.patterns import matching_like, matching_regex, matching_similar
from backout.seed.values import INTEGERS, TEXTS, fits_numeric, fresh, in_array, length_of, quoted
from backout.tables import Type

_MOMENTS = {"date", "timestamp", "timestamptz"}
_FORMATS = (
    "abc", "ABC", "Abc", "12345", "a", "A", "1", "0", "ann@example.org", "a-b-c", "a_b", "https://example.org/a?b=c#d",
    "example.org", "+15551234567", "en", "de", "EN", "USD", "EUR", "en-US", "#a0b1c2", "1.2.3", "2024-02-29",
    "2024-02", "10:11", "6ba7b811-9dad-41d1-80b4-00c04fd430c8", "192.0.2.1", "{}", "[]", "/a/b", "a.b", "a:b", "a b",
    "Europe/Berlin", "image/png", "true", "x",
)  # fmt: skip
_REGEX = re.compile(r"[\^$\[\]{}\\+*?|]")


def takes(of: Type, typed: str, text: str) -> bool | None:
    """Whether a type takes a literal; None: ask the server. Never one that reads the clock."""
    if of.kind == "domain":
        assert of.of is not None
        return takes(of.of, of.of_type, text)
    if of.kind == "enum":
        return text in of.labels
    if of.kind != "base":
        return None if text[:1] in ("{", "[", "(") else False
    kind = of.catalogue_name
    if kind in TEXTS:
        length = length_of(of, typed)
        return length is None or len(text) <= length
    if kind in INTEGERS:
        return re.fullmatch(r"[-+]?\d{1,19}", text) is not None and abs(int(text)) < 2 ** (INTEGERS[kind] - 1)
    if kind in ("numeric", "float4", "float8"):
        return re.fullmatch(r"[-+]?\d{1,30}(\.\d{1,30})?", text) is not None and fits_numeric(typed, Decimal(text))
    if kind == "uuid":
        return re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", text) is not None
    if kind in _MOMENTS:
        return _moment(text) is not None
    if kind in ("json", "jsonb"):
        return None if _is_document(text) else False
    if kind == "bool":
        return text.lower() in ("t", "f", "true", "false")
    return None if 0 < len(text) <= 200 and re.search(r"[^a-zA-Z ]", text) else False


def holding(of: Type, typed: str, literals: Sequence[str]) -> tuple[str, ...]:
    """Arrays and documents that hold literals, one by one and all together."""
    if of.kind == "array" and of.of is not None:
        parts = [in_array(text) for text in literals if takes(of.of, typed[:-2], text)]
        return _unique([*("{" + part + "}" for part in parts), *(["{" + ",".join(parts) + "}"] if parts else [])])
    short = [text for text in literals if 0 < len(text) <= 60][:12]
    turns = [{key: short[(place + turn) % len(short)] for place, key in enumerate(short)} for turn in range(len(short))]
    if of.catalogue_name in ("json", "jsonb"):
        return tuple(json.dumps(turn, ensure_ascii=False) for turn in turns)
    if of.catalogue_name == "hstore":
        return tuple(",".join(f"{quoted(key)}=>{quoted(value)}" for key, value in turn.items()) for turn in turns)
    return ()


def satisfying(of: Type, typed: str, expressions: Iterable[str]) -> tuple[str, ...]:
    """Values that conditions may ask for: their constants and those next to them, and strings that match patterns."""
    while of.kind == "domain":
        assert of.of is not None
        of, typed = of.of, of.of_type
    strings: dict[str, None] = {}
    numbers: dict[str, None] = {}
    for expression in expressions:
        found = constants(expression)
        strings.update(dict.fromkeys(found.strings))
        numbers.update(dict.fromkeys(found.numbers))
    numbers.update(dict.fromkeys(text for text in strings if re.fullmatch(r"-?\d+(\.\d+)?", text)))
    kind = of.catalogue_name
    if of.kind == "array":
        return _unique(_arrays(of, typed, list(strings), list(numbers)))
    if of.kind in ("range", "multirange"):
        return _unique(_ranges(of, list(strings), list(numbers)))
    if kind in TEXTS:
        length = length_of(of, typed)
        texts = _texts(list(strings), _lengths(numbers))
        return _unique(text for text in texts if length is None or len(text) <= length)
    if kind in INTEGERS or kind in ("numeric", "float4", "float8", "money"):
        return _unique(text for text in _numbers(numbers, whole=kind in INTEGERS) if takes(of, typed, text))
    if kind in _MOMENTS:
        return _unique(_moments(strings, day=kind == "date"))
    if kind == "bytea":
        return _unique("\\x" + ("00c3a9ff" * length)[: 2 * length] for length in _lengths(numbers))
    if kind in ("json", "jsonb"):
        return _unique(_documents(list(strings)))
    if kind == "hstore":
        words = [quoted(text) for text in strings]
        return _unique(
            [*strings, ",".join(f'{word}=>"Alpha"' for word in words), ",".join(f"{w}=>NULL" for w in words)]
        )
    if kind == "interval":
        return _unique([*strings, "1 day", "1 hour", "30 days"])
    return _unique(strings)


def supplies(of: Type, typed: str, expressions: Iterable[str], start: int, count: int) -> tuple[tuple[str, ...], ...]:
    """Several series of different values, each ascending: conditions may take one and refuse another.

    :param of: no domain.
    :param start: number of values to leave out.
    """
    numbers = range(start, start + count)
    usual = tuple(text for number in numbers if (text := fresh(of, typed, number)) is not None)
    wanted = tuple(expressions)
    if not wanted or of.kind != "base":
        return (usual,)
    kind = of.catalogue_name
    strings = [text for expression in wanted for text in constants(expression).strings]
    if kind in TEXTS:
        length = length_of(of, typed)
        series = [tuple(form.format(number) for number in numbers) for form in _SERIES]
        series += [matching_regex(text, count, start) for text in strings if _REGEX.search(text)]
        series += [tuple(_like(text, number) for number in numbers) for text in strings if "%" in text]
        lengths = _lengths(number for expression in wanted for number in constants(expression).numbers)
        for digits in lengths[:6]:
            series.append(tuple(f"{number:0{digits}d}" for number in numbers))
            series.append(tuple(f"a{number:0{max(digits - 1, 1)}d}" for number in numbers))
        series = [tuple(text for text in texts if length is None or len(text) <= length) for texts in series]
    elif kind in INTEGERS:
        series = [tuple(str(number + 1) for number in numbers), tuple(str(-number - 1) for number in reversed(numbers))]
    elif kind in ("numeric", "float4", "float8"):
        series = [tuple(f"{(number + 1) / step}" for number in numbers) for step in (1, 100, 10_000)]
        series = [tuple(text for text in texts if takes(of, typed, text)) for texts in series]
    elif kind in _MOMENTS:
        moments = [moment for text in strings if (moment := _moment(text)) is not None]
        step = timedelta(days=1) if kind == "date" else timedelta(hours=1)
        series = [
            tuple((moment + step * (number + 1)).isoformat(" ") for number in numbers)
            for moment in moments
            if moment.year < 9000
        ]
    else:
        series = []
    return (usual, *(texts for texts in series if texts))


def _like(pattern: str, number: int) -> str:
    """A string that ``LIKE pattern`` matches, with a number in it."""
    return (
        pattern.replace("%", f"{number:04d}", 1)
        .replace("%", "")
        .replace("\\_", "\0")
        .replace("_", "x")
        .replace("\0", "_")
    )


_SERIES = (
    "fresh{:04d}", "FRESH{:04d}", "{:04d}", "fresh-{:04d}@example.org", "https://example.org/fresh/{:04d}", "f{}",
    "F{}", "{}", "fresh-{:04d}.example.org", "+1555{:07d}", "/fresh/{:04d}", "#{:06x}", "1.0.{}",
)  # fmt: skip


def _texts(strings: list[str], lengths: list[int]) -> Iterator[str]:
    yield from strings
    for text in strings:
        if "%" in text or "_" in text:
            yield from matching_like(text)
            yield from matching_similar(text, 3) if _REGEX.search(text) else ()
    for text in strings:
        if _REGEX.search(text):
            yield from matching_regex(text, 24)
    starts = [one for text in strings[:6] for one in matching_like(text)[1:2]]
    for length in lengths[:8]:
        for piece in ("aB3 ", "a", "A", "7"):
            yield (piece * length)[:length]
        for start in starts:
            yield (start + "0" * length)[:length]
            yield (start + "x" * length)[:length]
        yield "a" * (length + 1)
        yield "a" * (length - 1)
    for text in strings:
        if len(text) <= 3 and not text.isalnum():
            yield f"a{text}b"
            yield f"a{text}b.example"
    yield from _FORMATS


def _lengths(numbers: Iterable[str]) -> list[int]:
    return [int(text) for text in numbers if re.fullmatch(r"\d{1,4}", text) and 0 < int(text) <= 5000]


def _numbers(numbers: Iterable[str], *, whole: bool) -> Iterator[str]:
    values = [Decimal(text) for text in numbers]
    if whole:
        values = [value.to_integral_value() for value in values]
    steps = ["0", "1", "-1"] if whole else ["0", "0.01", "-0.01", "1", "-1"]
    for step in steps:
        for value in values:
            yield f"{value + Decimal(step):f}"
    for value in values:
        half = value / 2
        yield f"{(half.to_integral_value() if whole else half):f}"
        yield f"{value * 2:f}"
    yield from (f"{a + b:f}" for a in values[:4] for b in values[:4])
    yield from ("0", "1", "2", "3", "10", "100")
    yield from () if whole else ("0.5", "0.25", "0.1")


def _moments(strings: Iterable[str], *, day: bool) -> Iterator[str]:
    moments = [moment for text in strings if (moment := _moment(text)) is not None]
    steps = [timedelta(0), timedelta(days=1), timedelta(days=-1), timedelta(days=10)]
    if not day:
        steps[1:1] = [timedelta(hours=1), timedelta(microseconds=-1)]
    for step in steps:
        for moment in moments:
            try:
                yield (moment + step).date().isoformat() if day else (moment + step).isoformat(" ")
            except OverflowError:
                continue
    yield from (
        ("2024-02-01", "2024-01-01", "2024-05-06") if day else ("2024-02-01 00:00:00+00", "2024-01-01 00:00:00+00")
    )


def _documents(strings: list[str]) -> Iterator[str]:
    words = [text for text in strings if re.fullmatch(r"[\w .-]{1,40}", text)][:8]
    yield from ("{}", "[]")
    for value in ("Alpha", 1, [], {}, True, *words):
        yield json.dumps(dict.fromkeys(words, value), ensure_ascii=False)
    for text in strings:
        if _is_document(text):
            yield text
    yield from ('"Alpha"', "1", "true", "[1, 2]", '["Alpha"]', json.dumps(words, ensure_ascii=False))


def _arrays(of: Type, typed: str, strings: list[str], numbers: list[str]) -> Iterator[str]:
    assert of.of is not None
    element, element_typed = of.of, typed[:-2]
    fit = [in_array(text) for text in [*strings, *numbers] if takes(element, element_typed, text)]
    yield from ("{" + one + "}" for one in fit)
    yield "{" + ",".join(fit) + "}"
    for text in strings:
        if text.startswith("{"):
            yield text
            yield from ("{" + one + "}" for one in text.strip("{}").split(",") if one)
    supply = [in_array(one) for number in range(100) if (one := fresh(element, element_typed, number)) is not None]
    if element.kind == "enum":
        supply = [in_array(label) for label in element.labels]
    for length in _lengths(numbers):
        if length <= len(supply):
            yield "{" + ",".join(supply[:length]) + "}"
            yield "{" + ",".join(supply[: length - 1]) + "}"


def _ranges(of: Type, strings: list[str], numbers: list[str]) -> Iterator[str]:
    for text in strings:
        if text[:1] in ("[", "(", "{") or text == "empty":
            yield text
    points = [in_array(text) for text in [*strings, *numbers] if re.match(r"-?\d", text)]
    ranges = [f"[{low},{high})" for low in points for high in points if low != high]
    ranges += [f"[{point},{point}]" for point in points]
    yield from ("{" + text + "}" for text in ranges) if of.kind == "multirange" else ranges


def _moment(text: str) -> datetime | None:
    if re.fullmatch(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d{1,6})?)?([+-]\d\d(:?\d\d)?|Z)?)?", text) is None:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _is_document(text: str) -> bool:
    if text.lstrip()[:1] not in ("{", "["):
        return False  # a number is a document too, but not what is looked for
    try:
        json.loads(text)
    except ValueError:
        return False
    return "\\u0000" not in text


def _unique(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))
