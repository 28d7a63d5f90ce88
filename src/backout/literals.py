"""The literals of a revision: values that its statements look for, which rows must have to be concerned.

``WHERE kind = 'old'`` is only measured by a row that is old. Found in the text of the revision, both ways at
once, and in the statements and bound values that a dry run showed.

Not here: which column takes which literal; ``seed`` tries. Pure.
"""

import ast
import re
from collections.abc import Iterable, Iterator

Literal = str | int | float | bool

LONGEST = 1000  # a longer text is content, not something that a predicate looks for

_SQL = re.compile(r"\b(select|insert|update|delete|merge|where|case|using|check|values|execute|begin)\b", re.IGNORECASE)
_TOKEN = re.compile(
    r"""
      (?P<comment>   --[^\n]* | /\*.*?\*/ )
    | (?P<escaped>   \b[eE]'(?:[^'\\]|''|\\.)*' )
    | (?P<string>    '(?:[^']|'')*' )
    | (?P<dollar>    \$(?P<tag>\w*)\$.*?\$(?P=tag)\$ )
    | (?P<name>      "(?:[^"]|"")*" | [^\W\d][\w$]* )
    | (?P<number>    (?<![\w.$:%]) -? (?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)? (?![\w.]) )
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}


def literals_of_revision(source: str) -> tuple[Literal, ...]:
    """What a revision file compares with, sets, or writes in SQL; sorted, each once.

    :param source: Python text; one that does not parse has none (Alembic will say why).
    """
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return ()
    prose = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return unique(literal for node in ast.walk(tree) if node not in prose for literal in _of_node(node))


def literals_of_sql(sql: str) -> tuple[Literal, ...]:
    """String and number literals of SQL, also those within a dollar-quoted body."""
    return unique(_of_sql(sql))


def unique(values: Iterable[object]) -> tuple[Literal, ...]:
    """Of these values those that a predicate may look for; sorted by type and value, each once."""
    kept = {(type(value).__name__, value): value for value in values if _may_be_looked_for(value)}
    return tuple(kept[key] for key in sorted(kept, key=lambda key: (key[0], str(key[1]))))  # type: ignore[misc]


def _may_be_looked_for(value: object) -> bool:
    if isinstance(value, str):
        return len(value) <= LONGEST and "\0" not in value
    return isinstance(value, int | float)


def _of_node(node: ast.AST) -> Iterator[Literal]:
    match node:
        case ast.Constant(value=str(text)) if _SQL.search(text):
            yield from _of_sql(text)
        case ast.JoinedStr(values=parts):
            text = "".join(part.value if _is_text(part) else " x " for part in parts)  # type: ignore[attr-defined]
            if _SQL.search(text):
                yield from _of_sql(text)
        case ast.Compare(left=left, comparators=others):
            yield from _constants([left, *others])
        case ast.Call(func=ast.Attribute(attr=name), args=arguments, keywords=keywords):
            # table.c.kind.in_(["old"]), .like("a%"), update().values(kind="old")
            if name in {"in_", "not_in", "notin_", "like", "ilike", "startswith", "endswith", "contains", "values"}:
                yield from _constants([*arguments, *(keyword.value for keyword in keywords)])
        case ast.Dict(values=values):  # bulk_insert(table, [{"kind": "old"}])
            yield from _constants(values)


def _constants(nodes: Iterable[ast.expr]) -> Iterator[Literal]:
    for node in nodes:
        match node:
            case ast.Constant(value=str() | int() | float() as value):
                yield value
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
                yield -value
            case ast.List(elts=elements) | ast.Tuple(elts=elements) | ast.Set(elts=elements):
                yield from _constants(elements)


def _is_text(part: ast.expr) -> bool:
    return isinstance(part, ast.Constant) and isinstance(part.value, str)


def _of_sql(sql: str) -> Iterator[Literal]:
    for token in _TOKEN.finditer(sql):
        text = token[0]
        match token.lastgroup:
            case "string":
                yield text[1:-1].replace("''", "'")
            case "escaped":
                yield re.sub(r"\\(.)|''", lambda m: _ESCAPES.get(m[1], m[1]) if m[1] else "'", text[2:-1], flags=re.S)
            case "dollar" | "tag":
                tag = len(token["tag"]) + 2
                yield from _of_sql(text[tag:-tag])
            case "number":
                yield float(text) if re.search(r"[.eE]", text) else int(text)
