"""Reads expressions as PostgreSQL prints them (``pg_get_expr``): columns, constants, conditions joined by AND.

PostgreSQL prints every operand in parentheses, keywords in capitals, and names in quotation marks where they need
some, which is why so little is needed here. What is read wrongly costs a better proposal, never a wrong row: the
server evaluates the expressions themselves.

Not here: values made from what is found (``seed.values``). Pure.
"""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

_TOKEN = re.compile(
    r"""
      (?P<string>   '(?:[^']|'')*' )
    | (?P<quoted>   "(?:[^"]|"")*" )
    | (?P<name>     [^\W\d][\w$]* )
    | (?P<number>   \d+(?:\.\d+)?(?:[eE][+-]?\d+)? )
    | (?P<cast>     :: )
    | (?P<space>    \s+ )
    | (?P<operator> [-+*/<>=~!@\#%^&|`?]+ )
    | (?P<other>    . )
    """,
    re.VERBOSE | re.DOTALL,
)
_RANGE = re.compile(r"""\b(?:int4|int8|num|ts|tstz|date)range\(("(?:[^"]|"")+"|\w+), ("(?:[^"]|"")+"|\w+)[,)]""")
_CALL = re.compile(r"""((?:"(?:[^"]|"")+"|[a-z_]\w*)\.(?:"(?:[^"]|"")+"|\w+))\(""")
_CONSTANT = re.compile(
    r"(?:(?:'(?:[^']|'')*'|\(?-?[\d.]+\)?|true|false|NULL|ARRAY\[[^()]*\])(?:::[\w .\"]+(?:\([\d,]+\))?(?:\[\])*)*)"
)


@dataclass(frozen=True)
class Constants:
    """What an expression compares with."""

    strings: tuple[str, ...]
    numbers: tuple[str, ...]


def constants(expression: str) -> Constants:
    """The constants of an expression, in their order, each once.

    A negative number is a string: ``'-5'::integer``.
    """
    strings: dict[str, None] = {}
    numbers: dict[str, None] = {}
    for kind, text in _tokens(expression):
        if kind == "string":
            strings.setdefault(text[1:-1].replace("''", "'"))
        elif kind == "number":
            numbers.setdefault(text)
    return Constants(tuple(strings), tuple(numbers))


def references(expression: str, columns: Collection[str]) -> frozenset[str]:
    """Those of these columns that an expression names.

    :param columns: raw names.
    """
    found = set()
    in_type = False
    before = ""
    tokens = [*_tokens(expression), ("other", "")]
    for (kind, text), (_, following) in pairwise(tokens):
        if kind == "cast":
            in_type = True
        elif kind in ("name", "quoted"):
            name = text[1:-1].replace('""', '"') if kind == "quoted" else text
            in_type = in_type and not name.isupper()
            if not in_type and before != "." and following != "(" and name in columns:
                found.add(name)
        elif text != ".":
            in_type = False
        before = text
    return frozenset(found)


def conjuncts(expression: str) -> tuple[str, ...]:
    """The conditions that must all hold for the expression to hold."""
    inner = _bare(expression)
    parts = _split(inner, lambda kind, text: kind == "name" and text == "AND")
    if len(parts) == 1:
        return (expression.strip(),)
    return tuple(one for part in parts for one in conjuncts(part))


def definition(condition: str, columns: Collection[str]) -> tuple[str, str] | None:
    """Of ``a = b + c``, the column ``a`` and what it must be; None where a condition is no such equation.

    :param columns: raw names.
    """
    sides = _split(_bare(condition), lambda kind, _: kind == "operator")
    equals = [text for kind, text in _tokens(_bare(condition), depth=0) if kind == "operator"]
    if len(sides) != 2 or equals != ["="]:
        return None
    for one, other in (sides, sides[::-1]):
        name = re.sub(r"^\((.*)\)(::[\w ]+)?$", r"\1", one.strip())
        named = references(name, columns)
        of = references(other, columns)
        if len(named) == 1 and name.strip('"').replace('""', '"') in named and of and not named & of:
            return next(iter(named)), other.strip()
    return None


def ordered_bounds(expression: str) -> tuple[str, ...]:
    """Conditions without which a range cannot be made of two columns, of an expression that makes one."""
    return tuple(f"({low} <= {high})" for low, high in _RANGE.findall(expression))


def functions(expression: str) -> tuple[str, ...]:
    """The functions with a schema that an expression calls, so none that is built in."""
    return tuple(dict.fromkeys(_CALL.findall(expression)))


def is_constant(default: str) -> bool:
    """Whether a default is a constant, which gives the same value tomorrow."""
    return _CONSTANT.fullmatch(default.strip()) is not None


@lru_cache(2000)
def _tokens(expression: str, depth: int | None = None) -> tuple[tuple[str, str], ...]:
    """Kind and text of each token but white space; only those within that many brackets."""
    found, level = [], 0
    for match in _TOKEN.finditer(expression):
        kind, text = str(match.lastgroup), match[0]
        if text in (")", "]"):
            level -= 1
        if kind != "space" and (depth is None or level == depth):
            found.append((kind, text))
        if text in ("(", "["):
            level += 1
    return tuple(found)


def _bare(expression: str) -> str:
    """Without the parentheses around the whole."""
    text = expression.strip()
    while text.startswith("(") and text.endswith(")"):
        if len(_tokens(text, depth=0)) != 2:  # those that open and close it are outside everything
            break
        text = text[1:-1].strip()
    return text


def _split(expression: str, at: Callable[[str, str], bool]) -> list[str]:
    parts, start, level = [], 0, 0
    for match in _TOKEN.finditer(expression):
        text = match[0]
        if text in (")", "]"):
            level -= 1
        elif text in ("(", "["):
            level += 1
        elif level == 0 and at(str(match.lastgroup), text):
            parts.append(expression[start : match.start()])
            start = match.end()
    return [*parts, expression[start:]]
