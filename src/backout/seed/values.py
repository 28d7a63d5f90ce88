"""Values meant to hurt, and values that should not, for every data type; as text that the type's input takes.

What hurts, and what is tame, ``seed.plain`` says; here are the types with parts (arrays, composite types, ranges,
domains) and with modifiers, ``numeric(10,2)``.

Not here: which constraints a column has, and which value goes into which row. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal

from backout.seed.plain import FRESH, GUESSES, PLAIN, TAME_NUMBERS, TAME_TEXTS, Values, numbers
from backout.tables import Type

Domains = Mapping[str, Sequence[str]]  # the name of a domain → values that it takes

TEXTS = frozenset({"text", "varchar", "bpchar", "name", "citext"})
INTEGERS = {"int2": 16, "int4": 32, "int8": 64}  # in bits


def values_of(of: Type, typed: str, *, name: str = "", default: str | None = None, domains: Domains) -> Values:
    """Values of a type.

    :param typed: the type with its modifier.
    :param name: of the column: one that seems to hold e-mail addresses gets some.
    :param default: of the column: a document is of the same shape.
    :param domains: what the domains in it take, as far as is known.
    """
    if of.kind == "enum":
        return Values(of.labels, of.labels)
    if of.kind == "domain":
        if of.name in domains:
            return Values(tuple(domains[of.name]), tuple(domains[of.name]))
        assert of.of is not None
        return values_of(of.of, of.of_type, name=name, default=default, domains=domains)
    if of.kind == "array":
        return _arrays(of, typed, domains)
    if of.kind == "composite":
        return _composites(of, domains)
    if of.kind in ("range", "multirange"):
        return _ranges(of)
    kind = of.catalogue_name
    if kind in TEXTS:
        return _texts(of, typed, mail=re.search(r"e?mail(_?addr(ess)?)?$", name, re.IGNORECASE) is not None)
    if kind in ("json", "jsonb"):
        return _documents(default or "")
    if kind in _MODIFIED:
        return _MODIFIED[kind](kind, typed)
    return PLAIN.get(kind) or Values(GUESSES, GUESSES, sure=False)


def fresh(of: Type, typed: str, number: int) -> str | None:
    """A value that no other number gives; None where the type has no endless supply. Ordered like the numbers.

    :param number: from 0 on, below 10,000.
    """
    if of.kind == "domain":
        assert of.of is not None
        return fresh(of.of, of.of_type, number)
    if of.kind == "array":
        assert of.of is not None
        element = fresh(of.of, typed[:-2], number)
        return element and "{" + in_array(element) + "}"
    if of.kind == "composite":
        parts = [fresh(part, part_typed, number) for _, part_typed, part in of.fields]
        return _row(parts) if any(parts) else None
    if of.kind == "range":
        assert of.of is not None
        low, high = fresh(of.of, of.of.name, 2 * number), fresh(of.of, of.of.name, 2 * number + 1)
        return low and high and f"[{in_array(low)},{in_array(high)})"
    if of.kind == "multirange":
        assert of.of is not None
        one = fresh(of.of, of.of.name, number)
        return one and "{" + one + "}"
    if of.kind == "enum":
        return None
    kind = of.catalogue_name
    if kind in TEXTS:
        return _fresh_text(length_of(of, typed), number)
    if kind in INTEGERS:
        return str(1000 + number)
    if kind == "numeric":
        return _fresh_numeric(typed, number)
    if kind in ("bit", "varbit"):
        length = _bits(kind, typed)
        return f"{number:0{length}b}" if number < 2**length else None
    if kind in ("vector", "halfvec"):
        return "[" + ",".join([str(number + 1), *["0.5"] * (_dimensions(typed) - 1)]) + "]"
    return FRESH[kind](number) if kind in FRESH else None


# -- by type --------------------------------------------------------------------------------------------

_LOREM = "Lörem Ipsum dolor sit AMET, Straße 7; "
_TEXTS = (
    "Anna Maria Søndergård",
    "Trailing  Spaces  ",
    "",  # stands for the longest
    "MiXeD.Case@Example.ORG",
    "mixed.case@example.org",
    "Zoe\u0308 Cafe\u0301 \u1e9b\u0323",
    "",
    "00042",
    'O\'Brien "x" \\ 50%_\t\n\U0001f600',
)
_MAILS = (
    "MiXeD.Case@Example.ORG",
    "mixed.case@example.org",
    "",  # stands for the longest
    "Zoe\u0308@example.org",
    " two  spaces @example.org ",
    "anna.maria+tag@sub.example.org",
    "O'Brien@example.org",
)
_TAME_MAILS = tuple(f"{word}@example.org" for word in ("Alpha.One", "Beta.Two", "Gamma", "Delta", "Epsilon", "Zeta"))


def _texts(of: Type, typed: str, *, mail: bool) -> Values:
    length = length_of(of, typed)
    longest = min(length or 300, 20_000)
    texts = []
    for place, text in enumerate(_MAILS if mail else _TEXTS):
        if text == "" and place == 2:
            end = "@example.org" if mail and longest > 20 else "Z"
            filler = "Long.Name" if mail else _LOREM
            texts.append((filler * (longest // len(filler) + 1))[: longest - len(end)] + end if longest else "")
        else:
            texts.append(text)
    tame = _TAME_MAILS if mail else TAME_TEXTS
    if length is not None:
        texts = [text[:length] for text in texts]
        tame = tuple(text[:length] for text in tame)
    if of.catalogue_name == "name":  # in bytes
        texts = [text.encode()[:63].decode(errors="ignore") for text in texts]
    return Values(_unique(*texts), _unique(*tame))


def length_of(of: Type, typed: str) -> int | None:
    """In characters; None: any."""
    if of.catalogue_name == "name":
        return 63
    modifiers = _modifiers(typed)
    if modifiers:
        return modifiers[0]
    return 1 if typed == "character" else None


def _fresh_text(length: int | None, number: int) -> str | None:
    text = f"Fresh {number:04d}"
    if length is None or length >= len(text):
        return text
    digits, rest = "", number
    while rest or not digits:
        digits, rest = "0123456789abcdefghijklmnopqrstuvwxyz"[rest % 36] + digits, rest // 36
    return digits.rjust(min(length, 4), "q") if len(digits) <= length else None


def _integers(kind: str, _typed: str) -> Values:
    top = 2 ** (INTEGERS[kind] - 1)
    more: dict[str, tuple[int, ...]] = {
        "int2": (), "int4": (1_000_003, -40_000), "int8": (2**53 + 1, 2**31, -(2**40)),
    }  # fmt: skip
    return Values(numbers(top - 1, -1, 0, -top, 1, 42, *more[kind]), numbers(7, 3, 5, 11, 2, 9))


def _numerics(_kind: str, typed: str) -> Values:
    modifiers = _modifiers(typed)
    if not modifiers:
        hurting: tuple[str, ...] = (
            "12345678901234567890.123456789012345678901", "-0.000000000000000000001", "1.10", "0", "2.5", "-3.5",
            "19.99",
        )  # fmt: skip
        return Values(hurting, TAME_NUMBERS)
    precision, scale = _digits(modifiers)
    unit = Decimal(1).scaleb(-scale)
    top = Decimal(10**precision - 1) * unit
    varied = Decimal(("1234567890" * (precision // 10 + 1))[:precision]) * unit
    numbers = (top, -top, unit, varied, Decimal(0), Decimal("19.99"), Decimal("2.5"), Decimal("-3.5"))
    hurting = _unique(*(f"{one:f}" for one in numbers if fits_numeric(typed, one)))
    steps = (f"{unit * step:f}" for step in range(1, 7) if fits_numeric(typed, unit * step))
    tame = (text for text in TAME_NUMBERS if fits_numeric(typed, Decimal(text)))
    return Values(hurting, _unique(*tame, *steps))


def _digits(modifiers: tuple[int, ...]) -> tuple[int, int]:
    return modifiers[0], modifiers[1] if len(modifiers) > 1 else 0


def fits_numeric(typed: str, number: Decimal) -> bool:
    """Whether a type takes that number; yes for others than numeric."""
    modifiers = _modifiers(typed)
    if not modifiers or not typed.startswith("numeric"):
        return True
    precision, scale = _digits(modifiers)
    return bool(abs(round(number.scaleb(scale))) < 10**precision)


def _fresh_numeric(typed: str, number: int) -> str | None:
    modifiers = _modifiers(typed)
    if not modifiers:
        return f"{1000 + number}.5"
    precision, scale = _digits(modifiers)
    value = Decimal(number + 1).scaleb(-scale) if precision - scale < 4 or scale < 0 else Decimal(1000 + number)
    return f"{value:f}" if fits_numeric(typed, value) else None


def _documents(default: str) -> Values:
    """JSON; objects, unless the default says that the column holds arrays."""
    if re.match(r"'\s*\[", default):
        hurting: tuple[str, ...] = (
            '[1,  2 , 2, null]', '[{"b": 1,  "a":2, "a":3}]', '[]', '["MiXeD", "\\u00e9", ""]', '[[1.10], {"x": []}]',
        )  # fmt: skip
        return Values(hurting, ('[1,  "Alpha"]', '["Beta", {"b": 1, "a": 2}]', '["Gamma"]', "[4]", "[5]", "[6]"))
    hurting = (
        '{"b": 1,  "a":2, "a":3}',
        '{"name" : "MiXeD  Case ", "nested": {"list": [1, null, {"x": 1.10}], "empty": {}}, "none": null}',
        "{}",
        '{"\\u00e9": "\\u0065\\u0301", "n": 12345678901234567890.123, "t": true}',
        '[1,  2 , {"b":null}]',
    )
    return Values(hurting, tuple(f'{{"name":  "{text}", "n": {number}}}' for number, text in enumerate(TAME_TEXTS, 1)))


def _bit_strings(kind: str, typed: str) -> Values:
    length = _bits(kind, typed)
    alternating = ("10" * length)[:length]
    return Values(_unique(alternating, "1" * length, "0" * length), _unique(alternating, "0" * length))


def _bits(kind: str, typed: str) -> int:
    modifiers = _modifiers(typed)
    if modifiers:
        return modifiers[0]
    return 1 if kind == "bit" else 12


def _vectors(kind: str, typed: str) -> Values:
    count = _dimensions(typed)
    if kind == "sparsevec":
        return Values((f"{{1:1.5,{count}:-2}}/{count}", f"{{}}/{count}"), (f"{{1:1.5}}/{count}",), sure=False)
    parts = (["0.1", "-3.25e-7", "16384"], ["1", "0", "-1"], ["0.33333334"])
    texts = ["[" + ",".join((list(those) * count)[:count]) + "]" for those in parts]
    return Values(tuple(texts), ("[" + ",".join((["1.5", "2"] * count)[:count]) + "]", texts[1]), sure=False)


def _dimensions(typed: str) -> int:
    modifiers = _modifiers(typed)
    return modifiers[0] if modifiers else 3


_MODIFIED: Mapping[str, Callable[[str, str], Values]] = {
    **dict.fromkeys(INTEGERS, _integers),
    **dict.fromkeys(("bit", "varbit"), _bit_strings),
    **dict.fromkeys(("vector", "halfvec", "sparsevec"), _vectors),
    "numeric": _numerics,
}


def _arrays(of: Type, typed: str, domains: Domains) -> Values:
    assert of.of is not None
    elements = values_of(of.of, typed[:-2], domains=domains)
    first = [in_array(text) for text in elements.hurting[:5]]
    tame = [in_array(text) for text in elements.tame]
    if not first:
        return Values(("{}",), ("{}",))
    hurting = [
        "{" + ",".join([*first, first[0]]) + "}",
        "{" + ",".join([first[-1], "NULL", first[0]]) + "}",
        "{}",
        "{NULL}",
        f"{{{{{first[0]},{first[-1]}}},{{{first[-1]},NULL}}}}",
        f"[0:1]={{{first[-1]},{first[0]}}}",
        "{" + first[0] + "}",
    ]
    singles = ["{" + ",".join(dict.fromkeys([one, tame[0]])) + "}" for one in tame] or ["{" + first[0] + "}"]
    return Values(_unique(*hurting), _unique(*singles), sure=elements.sure and of.of.kind != "domain")


def _composites(of: Type, domains: Domains) -> Values:
    parts = [values_of(part, typed, name=name, domains=domains) for name, typed, part in of.fields]
    sure = all(part.sure for part in parts) and all(part.kind != "domain" for _, _, part in of.fields)
    hurting = [
        _row(part.hurting[place % len(part.hurting)] if part.hurting else None for part in parts) for place in range(4)
    ]
    half = _row(part.hurting[0] if part.hurting and place % 2 else None for place, part in enumerate(parts))
    tame = [_row(part.tame[place % len(part.tame)] if part.tame else None for part in parts) for place in range(6)]
    return Values(_unique(*hurting[:2], half, *hurting[2:]), _unique(*tame), sure=sure)


_BOUNDS = {
    "int4": ("-5", "2147483646"), "int8": ("-5", "9223372036854775806"),
    "numeric": ("-1.5", "12345678901234567890.125"),
    "date": ("1969-12-31", "2024-02-29"), "timestamp": ("1969-12-31 23:59:59.999999", "2024-02-29 12:34:56.789012"),
    "timestamptz": ("1969-12-31 23:59:59.999999+05:45", "2024-02-29 12:34:56.789012-03:30"),
    "float8": ("-1.5", "0.30000000000000004"), "text": ("Aa", "zZ  "), "time": ("00:00:00", "23:59:59.999999"),
    "inet": ("10.0.0.1", "192.0.2.1"),
}  # fmt: skip


def _ranges(of: Type) -> Values:
    one = of if of.kind == "range" else of.of
    assert one is not None
    assert one.of is not None
    subtype = one.of
    while subtype.kind == "domain" and subtype.of is not None:
        subtype = subtype.of
    bounds = _BOUNDS.get(subtype.catalogue_name)
    apart = [fresh(subtype, subtype.name, number) for number in range(12)]
    if bounds is None or None in apart:
        return Values(("{(,)}", "{}") if of.kind == "multirange" else ("(,)", "empty"), (), sure=False)
    low, high = (in_array(bound) for bound in bounds)
    points = [in_array(point) for point in apart if point is not None]
    hurting = [f"[{low},{high})", f"({low},{high}]", "empty", f"[{low},)", f"(,{high}]", "(,)"]
    tame = [f"[{points[place]},{points[place + 1]})" for place in range(0, 12, 2)]
    if of.kind == "multirange":
        several = "{" + ", ".join(tame[:3]) + "}"
        return Values((several, "{}", "{(,)}", f"{{{hurting[0]}}}"), tuple("{" + text + "}" for text in tame))
    return Values(tuple(hurting), tuple(tame))


# -- texts of compound values ---------------------------------------------------------------------------


def _modifiers(typed: str) -> tuple[int, ...]:
    """``numeric(10,2)`` → 10, 2."""
    found = re.search(r"\((-?\d+(?:,-?\d+)*)\)", typed)
    return tuple(int(number) for number in found[1].split(",")) if found else ()


def quoted(text: str) -> str:
    """Within quotation marks, as arrays, composite values and hstore write it."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def in_array(text: str) -> str:
    """An element of an array, or a bound of a range."""
    plain = re.fullmatch(r"[\w.+-]+", text, re.ASCII) is not None and text.upper() != "NULL"
    return text if plain else quoted(text)


def _row(parts: Iterable[str | None]) -> str:
    return "(" + ",".join("" if part is None else quoted(part) for part in parts) + ")"


def _unique(*texts: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))
