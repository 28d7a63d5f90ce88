"""What evidence says, arranged for rules: statements by what they do, definitions by what they consist of.

A rule asks here "which tables did the upgrade rewrite, and who could use them meanwhile", "which columns changed
their type", "was that a rename". The text of a statement only tells *why* something happened; *that* it happened was
measured. So a statement that cannot be read (a ``DO`` block) loses its cause, never its effect.

Not here: which hazard it is (``rules.locks`` and its like). Pure; ``site`` reads definitions with it, too.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal, TypeVar

from backout.evidence import Evidence, Lock, SchemaChange, Statement, Step

Findings = Iterable[Mapping[str, str]]

_LONGEST = 60  # characters of a value, or of a definition, that a message shows
_CONTROL = str.maketrans({"\n": "\\n", "\r": "\\r", "\t": "\\t"})
_SQL = re.compile(
    r"""
      (?P<space>    \s+ | --[^\n]* | /\*.*?\*/ )
    | (?P<string>   \b[eEbBxXnN]'(?:[^'\\]|''|\\.)*' | '(?:[^']|'')*' | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$ )
    | (?P<quoted>   "(?:[^"]|"")*" )
    | (?P<word>     [^\W\d][\w$]* )
    | (?P<other>    . )
    """,
    re.VERBOSE | re.DOTALL,
)
_COLUMN = re.compile(
    r"""
    (?P<type>.+?)
    (?:\ COLLATE\ (?P<collation>\S+))?
    (?:\ GENERATED\ (?P<identity>ALWAYS|BY\ DEFAULT)\ AS\ IDENTITY\ \([^)]*\))?
    (?P<not_null>\ (?:CONSTRAINT\ (?:"(?:[^"]|"")+"|\S+)\ )?NOT\ NULL(?:\ NO\ INHERIT)?(?:\ NOT\ VALID)?)?
    (?:\ (?:DEFAULT\ (?P<default>.+?)|GENERATED\ ALWAYS\ AS\ \((?P<generated>.+)\)\ (?:STORED|VIRTUAL)))?
    (?P<rest>(?:\ (?:STORAGE|COMPRESSION|STATISTICS)\ \S+|\ WITH\ \(.*\)|\ OPTIONS\ \(.*\)|\ INHERITED)*)
    """,
    re.VERBOSE | re.DOTALL,
)
NAME = r'(?:"(?:[^"]|"")*"|[^\W\d][\w$]*)'
_REFERENCES = re.compile(rf"^FOREIGN KEY \(.*?\) REFERENCES ({NAME}(?:\.{NAME})?)")


Result = TypeVar("Result")


def once(function: Callable[[Evidence], Result]) -> Callable[[Evidence], Result]:
    """The function, computed once for an evidence that many rules ask about one after the other."""
    last: tuple[Evidence, Result] | None = None

    def remembering(evidence: Evidence) -> Result:
        nonlocal last
        known = last  # another thread may put its own there
        if known is None or known[0] is not evidence:
            last = known = (evidence, function(evidence))
        return known[1]

    return remembering


# Statements


@lru_cache(maxsize=512)
def shape(sql: str) -> str:
    """SQL with its words in upper case, one space between tokens, comments gone and every literal as ``''``.

    Quoted names stay as they are. The body of a function or ``DO`` block is a literal, too.
    """
    tokens = []
    for token in _SQL.finditer(sql):
        if token["word"]:
            tokens.append(token["word"].upper())
        elif token["string"]:
            tokens.append("''")
        elif not token["space"]:
            tokens.append(token[0])
    return re.sub(r" ?\. ?", ".", " ".join(tokens))


def says(statement: Statement, pattern: str) -> bool:
    """Whether the statement's shape has the pattern, at the boundaries of words."""
    return re.search(rf"(?<![\w$\"]){pattern}", shape(statement.sql)) is not None


def mentions(statement: Statement, name: str, *, after: str = "") -> bool:
    """Whether the statement names this object, with or without its schema; right behind these words, if given."""
    last = parts(name)[-1]
    spellings = [last] if last.startswith('"') else [last.upper(), f'"{last}"']
    names = "|".join(map(re.escape, spellings))
    return says(statement, rf"{after}(?:{NAME}\.)*(?:{names})(?![\w$\"])")


def one_line(sql: str) -> str:
    """A statement for a message: in one line, shortened."""
    return shortened(" ".join(sql.split()), 2 * _LONGEST)


def parts(name: str) -> list[str]:
    """A name in its quoted parts: ``public."a.b".id`` has three."""
    return re.findall(NAME, name)


def parent_of(name: str) -> str:
    """The name without its last part: the table of a column, of a constraint."""
    return ".".join(parts(name)[:-1])


def short(name: str) -> str:
    """The last part of a name."""
    return parts(name)[-1]


@dataclass(frozen=True)
class Work:
    """Work on all of a table that exists: it takes as long as the table is large.

    :param kind: the most that was done: written anew, its indexes rebuilt, or read from end to end.
    :param blocked: what nobody else could do meanwhile.
    :param inherited: reads were blocked by an earlier statement of the same transaction, not by this one.
    """

    statement: Statement
    table: str
    kind: Literal["rewrite", "rebuild", "scan"]
    blocked: frozenset[str]
    inherited: bool


def work_of(step: Step) -> Iterator[Work]:
    """What the statements of a step did to whole tables, where others had to wait for it."""
    for statement in step.statements or ():
        rewrites, scans = statement.rewrites or (), statement.scans or ()
        for table in sorted({*rewrites, *scans}):
            locks = [lock for lock in statement.locks or () if lock.relation == table]
            blocked = frozenset(what for lock in locks for what in lock.blocks)
            if not blocked:
                continue
            inherited = all(not lock.acquired for lock in locks if "reads" in lock.blocks)
            kind: Literal["rewrite", "rebuild", "scan"] = "scan"
            if table in rewrites:
                kind = "rewrite"
            elif statement.indexes:
                kind = "rebuild"
            yield Work(statement, table, kind, blocked, inherited and "reads" in blocked)


def locks_of(step: Step, blocks: str, *, acquired: bool | None = None) -> Iterator[tuple[Statement, Lock]]:
    """Locks that block ``reads`` or ``writes``, with their statements."""
    for statement in step.statements or ():
        for lock in statement.locks or ():
            if blocks in lock.blocks and acquired in (None, lock.acquired):
                yield statement, lock


# Definitions


@dataclass(frozen=True)
class Column:
    """What the definition of a column consists of; None: it has no such part."""

    type: str
    collation: str | None
    identity: str | None
    not_null: bool
    default: str | None
    generated: str | None
    rest: str


@lru_cache(maxsize=512)
def column(definition: str) -> Column:
    """Read the canonical definition of a column."""
    match = _COLUMN.fullmatch(definition)
    if match is None:
        return Column(definition, None, None, False, None, None, "")
    return Column(
        type=match["type"],
        collation=match["collation"],
        identity=match["identity"],
        not_null=match["not_null"] is not None,
        default=match["default"],
        generated=match["generated"],
        rest=match["rest"],
    )


def labels(definition: str) -> tuple[str, ...] | None:
    """The labels of an enum's definition; None for what is no enum."""
    if not definition.startswith("ENUM ("):
        return None
    return tuple(label.replace("''", "'") for label in re.findall(r"'((?:[^']|'')*)'", definition))


def referenced(definition: str | None) -> str | None:
    """The table that a foreign key refers to; None for other constraints."""
    match = _REFERENCES.match(definition or "")
    return match[1] if match else None


class Changes:
    """The changes of a schema, by what they mean."""

    def __init__(self, changes: Iterable[SchemaChange] | None, statements: Iterable[Statement] = ()) -> None:
        self.all = tuple(changes or ())
        self._renames = any(says(statement, r"RENAME\b") for statement in statements)
        self._moves = any(says(statement, r"SET SCHEMA\b") for statement in statements)

    def of(self, *kinds: str) -> list[SchemaChange]:
        """Those of these kinds."""
        return [change for change in self.all if change.kind in kinds]

    def added(self, *kinds: str) -> list[SchemaChange]:
        """Those that created something."""
        return [change for change in self.of(*kinds) if change.before is None]

    def removed(self, *kinds: str) -> list[SchemaChange]:
        """Those that dropped something."""
        return [change for change in self.of(*kinds) if change.after is None]

    def altered(self, *kinds: str) -> list[tuple[SchemaChange, str, str]]:
        """Those that changed something, with its definitions before and afterwards."""
        return [
            (change, change.before, change.after)
            for change in self.of(*kinds)
            if change.before is not None and change.after is not None
        ]

    @cached_property
    def removed_tables(self) -> frozenset[str]:
        """Names of the tables that were dropped."""
        return frozenset(change.name for change in self.removed("table"))

    @cached_property
    def added_tables(self) -> frozenset[str]:
        """Names of the tables that were created."""
        return frozenset(change.name for change in self.added("table"))

    @cached_property
    def removed_columns(self) -> Mapping[str, str]:
        """Columns that were dropped from tables that stayed, with their definitions."""
        return {
            change.name: change.before or ""
            for change in self.removed("column")
            if parent_of(change.name) not in self.removed_tables
        }

    @cached_property
    def added_columns(self) -> Mapping[str, str]:
        """Columns that were added to tables that stayed, with their definitions."""
        return {
            change.name: change.after or ""
            for change in self.added("column")
            if parent_of(change.name) not in self.added_tables
        }

    @cached_property
    def retyped(self) -> Mapping[str, tuple[str, str]]:
        """Columns whose type or collation changed: before, after."""
        found = {}
        for change, before, after in self.altered("column"):
            was, now = column(before), column(after)
            if (was.type, was.collation) != (now.type, now.collation):
                found[change.name] = (_typed(was), _typed(now))
        return found

    @cached_property
    def renamed_columns(self) -> Mapping[str, str]:
        """Columns that were renamed: old name → new name."""
        if not self._renames:
            return {}
        alike: dict[tuple[str, str], list[str]] = defaultdict(list)
        for name, definition in self.added_columns.items():
            alike[parent_of(name), _unnamed(definition)].append(name)
        found = {name: alike[parent_of(name), _unnamed(old)] for name, old in self.removed_columns.items()}
        return {name: same[0] for name, same in found.items() if len(same) == 1}

    @cached_property
    def renamed_tables(self) -> Mapping[str, str]:
        """Tables that were renamed within their schema: old name → new name."""
        return self._tables_in_new_places(same_schema=True) if self._renames else {}

    @cached_property
    def moved_tables(self) -> Mapping[str, str]:
        """Tables that went to another schema: old name → new name."""
        return self._tables_in_new_places(same_schema=False) if self._moves or self._renames else {}

    def _tables_in_new_places(self, *, same_schema: bool) -> Mapping[str, str]:
        alike: dict[frozenset[tuple[str, str]], list[str]] = defaultdict(list)
        for table, columns in _columns_by_table(self.added("column")).items():
            if table in self.added_tables:
                alike[columns].append(table)
        found = {}
        for old, columns in _columns_by_table(self.removed("column")).items():
            candidates = [
                new
                for new in alike[columns]
                if (parent_of(old) == parent_of(new)) == same_schema and (same_schema or short(old) == short(new))
            ]
            if old in self.removed_tables and len(candidates) == 1:
                found[old] = candidates[0]
        return found


def _columns_by_table(changes: Iterable[SchemaChange]) -> Mapping[str, frozenset[tuple[str, str]]]:
    """Of each table the names and types of its columns."""
    found: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for change in changes:
        definition = change.before if change.after is None else change.after
        found[parent_of(change.name)].add((short(change.name), column(definition or "").type))
    return {table: frozenset(columns) for table, columns in found.items()}


@once
def changes_of(evidence: Evidence) -> Changes:
    """What the upgrade changes."""
    return Changes(evidence.schema.changes, evidence.upgrade.statements or ())


def _typed(one: Column) -> str:
    return one.type if one.collation is None else f"{one.type} COLLATE {one.collation}"


def _unnamed(definition: str) -> str:
    """Without the name that a NOT NULL constraint keeps when its column is renamed."""
    return re.sub(rf" CONSTRAINT {NAME} NOT NULL", " NOT NULL", definition)


# Words for messages


def value(text: str | None) -> str:
    """A value, as a message shows it: in one line."""
    if text is None:
        return "NULL"
    return f"'{shortened(text.translate(_CONTROL))}'"


def example(pair: tuple[str | None, str | None]) -> str:
    """A value before, and what stands in its place."""
    return f"{value(pair[0])} → {value(pair[1])}"


def defined(definition: str | None, absent: str = "missing") -> str:
    """A definition in a message."""
    return absent if definition is None else one_line(definition)


def shortened(text: str, longest: int = _LONGEST) -> str:
    """Text of at most that many characters."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


def listed(names: Sequence[str]) -> str:
    """Names for a sentence, the first three of many."""
    shown = ", ".join(names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"


def python(text: str) -> str:
    """SQL as a literal of Python's, however it is quoted."""
    if "\n" not in text and "\\" not in text and '"' not in text:
        return f'"{text}"'
    if "\\" not in text and '"""' not in text and not text.endswith('"'):
        return f'"""{text}"""'
    return repr(text)


def executes(*statements: str) -> str:
    """Lines of a migration's body that run these statements."""
    return "\n    ".join(f"op.execute({python(statement)})" for statement in statements)


def code_of(error: str | None) -> str:
    """SQLSTATE of an error as evidence has it, or an empty string."""
    match = re.match(r"([0-9A-Z]{5}) ", (error or "") + " ")
    return match[1] if match else ""


def is_invalid_index(error: str) -> bool:
    """Whether an index that was built concurrently is left invalid by that error."""
    return error.startswith("23505 could not create unique index")


# Rules


@dataclass(frozen=True)
class Rule:
    """How a hazard is recognised.

    :param judge: a pure function: evidence → for each finding the values of its message, and ``subject``.
    :param gives: the names of those values.
    """

    judge: Callable[[Evidence], Findings]
    gives: frozenset[str]


def rule(judge: Callable[[Evidence], Findings], gives: str) -> Rule:
    """A rule; ``gives`` are names with spaces between them."""
    return Rule(judge, frozenset(gives.split()))
