"""What each column may be: values that its type, its domain and its own conditions take, as the server says.

Proposals come from the type (``seed.values``), the revision's literals and the column's own constraints
(``seed.literals``). The server casts what is not certain, and evaluates the conditions.

Not here: columns that conditions tie to others (``seed.solver``).
"""

# ruff: noqa: S608 - statements are made of the catalogue's own names and expressions, on a disposable database

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import psycopg

from backout.seed.batch import Failure, Order, ask, run
from backout.seed.conditions import Conditions
from backout.seed.expressions import functions, is_constant, references
from backout.seed.literals import holding, satisfying, supplies, takes
from backout.seed.values import INTEGERS, TEXTS, values_of
from backout.tables import Column, Table, Type

_CERTAIN = TEXTS | INTEGERS.keys() | {"numeric", "float4", "float8", "date", "timestamp", "timestamptz", "bytea"}
SPARES = 60
_SHOWN = 24  # values that a column's own constraints propose, at most


@dataclass(frozen=True)
class Choice:
    """What a column may be; the most important values first.

    :param shown: values to show in rows, each once if there are rows enough.
    :param literals: of the revision; each is to be in a row.
    :param spares: further values, each different, in ascending order.
    :param tame: values that should not hurt, or what the constraints propose.
    :param asked: values that the table's conditions name.
    :param hinted: values that the source of a trigger names.
    :param other: further values, which a condition with other columns may need.
    :param expression: SQL of the one value that it has; nothing else is offered then.
    :param null: NULL is accepted.
    :param defaulted: the column has a default that is always the same.
    :param refused: why there is nothing to choose from.
    """

    column: Column
    shown: tuple[str, ...] = ()
    literals: tuple[str, ...] = ()
    spares: tuple[str, ...] = ()
    tame: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    hinted: tuple[str, ...] = ()
    other: tuple[str, ...] = ()
    expression: str | None = None
    null: bool = False
    defaulted: bool = False
    refused: str | None = None


def only_null(choice: Choice, expression: str | None = None) -> Choice:
    """Of a column the choice of NULL, or of what an expression gives."""
    return Choice(column=choice.column, null=choice.null, expression=expression)


@dataclass(frozen=True)
class Wish:
    """What is wanted of a table's values.

    :param literals: to be shown where a column takes them.
    :param wanted: the table itself was asked for, not only as a parent.
    :param tame: nothing that hurts.
    :param turn: 0 for the first rows, 1 for more rows: other spares.
    """

    literals: tuple[str, ...] = ()
    wanted: bool = True
    tame: bool = False
    turn: int = 0


@dataclass
class _Proposal:
    """The values proposed for a column, by their origin, until the server has said which it takes."""

    table: Table
    column: Column
    base: Type
    typed: str
    conditions: tuple[str, ...]
    origins: dict[str, tuple[str, ...]]
    unsure: set[str]
    null: bool
    tame: bool
    failed: str | None = None

    def texts(self) -> list[str]:
        return list(dict.fromkeys(text for texts in self.origins.values() for text in texts))

    def keep(self, accepted: Collection[str]) -> None:
        self.origins = {
            origin: tuple(text for text in texts if text in accepted) for origin, texts in self.origins.items()
        }


def choices_of(
    connection: psycopg.Connection[Any], tables: Mapping[str, tuple[Table, Conditions, Wish]]
) -> dict[str, dict[str, Choice]]:
    """By table, and raw name of a column that can be written, what the column may be.

    The same question is not asked twice: neither the table nor what its conditions call has changed.
    """
    version = connection.info.server_version
    found: dict[str, dict[str, Choice]] = {}
    keys: dict[str, Hashable] = {}
    for name, (table, conditions, wish) in tables.items():
        if not _asks_more(table, conditions):
            keys[name] = (version, replace(table, oid=0), wish)
            if keys[name] in _KNOWN:
                found[name] = _KNOWN[keys[name]]
    unknown = {name: those for name, those in tables.items() if name not in found}
    found.update(_ask_for(connection, unknown))
    if len(_KNOWN) > _REMEMBERED:
        _KNOWN.clear()
    _KNOWN.update({keys[name]: found[name] for name in unknown if name in keys})
    return {name: dict(choices) for name, choices in found.items()}


_KNOWN: dict[Hashable, dict[str, Choice]] = {}
_REMEMBERED = 500  # tables


def _asks_more(table: Table, conditions: Conditions) -> bool:
    """Whether the answer depends on more than the table: on functions of the user, or what triggers do."""
    if table.triggers or _calls(text for texts in conditions.mentioned.values() for text in texts):
        return True
    return any(_calls(base_of(column.of, column.type)[2]) for column in table.columns)


def _ask_for(
    connection: psycopg.Connection[Any], tables: Mapping[str, tuple[Table, Conditions, Wish]]
) -> dict[str, dict[str, Choice]]:
    sources = _sources(connection, [(table, conditions) for table, conditions, _ in tables.values()])
    domains = _domains(connection, [table for table, _, _ in tables.values()])
    proposals = [
        _proposal(table, column, conditions, wish, domains, sources)
        for table, conditions, wish in tables.values()
        for column in table.columns
        if not column.generated
    ]
    _cast(connection, proposals)
    _filter(connection, [one for one in proposals if one.conditions])
    found: dict[str, dict[str, Choice]] = {name: {} for name in tables}
    for one in proposals:
        found[one.table.qualified][one.column.name] = _choice(one)
    return found


def base_of(of: Type, typed: str) -> tuple[Type, str, tuple[str, ...]]:
    """A type without its domains, the same with its modifier, and the domains' checks."""
    checks: tuple[str, ...] = ()
    while of.kind == "domain":
        assert of.of is not None
        checks += of.checks
        of, typed = of.of, of.of_type
    return of, typed, checks


def quote(text: str | None) -> str:
    """A literal in SQL."""
    return "NULL" if text is None else "'" + text.replace("'", "''") + "'"


# -- proposals ------------------------------------------------------------------------------------------


def _proposal(
    table: Table,
    column: Column,
    conditions: Conditions,
    wish: Wish,
    domains: Mapping[str, Sequence[str]],
    sources: Mapping[str, str],
) -> _Proposal:
    base, typed, checks = base_of(column.of, column.type)
    values = values_of(base, typed, name=column.name, default=column.default, domains=domains)
    mentioned = [*checks, *conditions.mentioned.get(column.name, ())]
    mentioned += [source for function in _calls(mentioned) if (source := sources.get(function))]
    mentioned += [column.default] if column.default and is_constant(column.default) and mentioned else []
    told = [
        source
        for trigger in table.triggers
        if (source := sources.get(trigger.function)) and f"new.{column.name}".lower() in source.lower()
    ]
    asked = satisfying(base, typed, mentioned) if mentioned and base.catalogue_name != "bool" else ()
    hinted = satisfying(base, typed, told)[:40] if told else ()
    if base.kind == "enum":
        asked = hinted = ()
    literals = [text for text in wish.literals if takes(base, typed, text) is not False]
    literals += holding(base, typed, wish.literals)
    supply: tuple[tuple[str, ...], ...] = ()
    if _apart(table, column):
        supply = supplies(base, typed, mentioned, 400 * wish.turn, SPARES)
    origins = {
        "hurting": values.tame if wish.tame else values.hurting,
        "last": values.hurting if wish.tame else (),
        "asked": asked,
        "tame": values.tame,
        "literal": tuple(dict.fromkeys(literals)),
        "hinted": hinted,
        **{f"spare{number}": texts for number, texts in enumerate(supply)},
    }
    unsure = set() if values.sure else {*values.hurting, *values.tame}
    if base.catalogue_name not in _CERTAIN:
        unsure |= {*asked, *hinted}
    unsure |= {text for text in literals if takes(base, typed, text) is None or base.kind != "base"}
    if not column.sequence and base.catalogue_name in INTEGERS and table.key and column.name in table.key:
        # Batches walk over a key from its least to its greatest value.
        few = 0 if wish.turn == 0 else 100 * wish.turn
        origins["hurting"] = tuple(str(few + number) for number in range(1, 41))
    return _Proposal(
        table=table,
        column=column,
        base=base,
        typed=typed,
        conditions=(*checks, *conditions.single.get(column.name, ())),
        origins=origins,
        unsure=unsure,
        null=not column.not_null,
        tame=wish.tame,
    )


def _apart(table: Table, column: Column) -> bool:
    """Whether it takes many different values: it is part of a key, or chooses the partition."""
    names = [column.name for column in table.columns]
    expressions = [
        *(text for unique in table.uniques for text in unique.expressions),
        *(text for exclusion in table.exclusions for text in exclusion.expressions),
    ]
    generated = [one for one in table.columns if one.expression and references(one.expression, [column.name])]
    over = {name for text in expressions for name in references(text, names)}
    return column.name in over or any(one.name in over for one in generated) or table.bound is not None


def _calls(expressions: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(name for expression in expressions for name in functions(expression)))


def _sources(connection: psycopg.Connection[Any], tables: Sequence[tuple[Table, Conditions]]) -> dict[str, str]:
    """The text of the user's functions that conditions call, and of the triggers' functions."""
    names = {trigger.function for table, _ in tables for trigger in table.triggers}
    for table, conditions in tables:
        names.update(_calls(text for texts in conditions.mentioned.values() for text in texts))
        for column in table.columns:
            names.update(_calls(base_of(column.of, column.type)[2]))
    ordered = sorted(names)
    query = (
        "SELECT to_json(array_agg(p.prosrc)) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace "
        "WHERE quote_ident(n.nspname) || '.' || quote_ident(p.proname) = "
    )
    answers = run(connection, [ask(query + quote(name)) for name in ordered])
    return {name: "\n".join(texts) for name, texts in zip(ordered, answers, strict=True) if isinstance(texts, list)}


def _domains(connection: psycopg.Connection[Any], tables: Sequence[Table]) -> dict[str, list[str]]:
    """What domains take that stand within arrays and composite types; by the name of the domain."""
    nested = {
        part.name: part for table in tables for column in table.columns for part in _parts(column.of) if part.checks
    }
    proposals = []
    for name in sorted(nested):
        base, typed, checks = base_of(nested[name], "")
        values = values_of(base, typed, domains={})
        proposals.append((name, typed, checks, [*values.hurting, *satisfying(base, typed, checks), *values.tame]))
    orders = [_accepted("x", "value", typed, texts, checks, null=False) for _, typed, checks, texts in proposals]
    found = {}
    for (name, _, _, texts), answer in zip(proposals, run(connection, orders), strict=True):
        found[name] = [] if isinstance(answer, Failure) else [texts[place] for place in sorted(answer)]
    return found


def _parts(of: Type) -> Iterator[Type]:
    """The domains within a type; not the type itself."""
    below = [part for _, _, part in of.fields] + ([of.of] if of.of is not None else [])
    for part in below:
        if part.kind == "domain" and of.kind != "domain":
            yield part
        yield from _parts(part)


# -- what the server says -------------------------------------------------------------------------------


def _cast(connection: psycopg.Connection[Any], proposals: Sequence[_Proposal]) -> None:
    """Drop what a type's input refuses."""
    doubtful = {(one.typed, text): None for one in proposals for text in one.unsure}
    ordered = sorted(doubtful)
    orders = [ask(f"SELECT to_json(({quote(text)}::{typed}) IS NULL)") for typed, text in ordered]
    answers = run(connection, orders)
    failures = {
        key: answer.message for key, answer in zip(ordered, answers, strict=True) if isinstance(answer, Failure)
    }
    for one in proposals:
        texts = one.texts()
        bad = [text for text in texts if (one.typed, text) in failures]
        if bad:
            one.keep(set(texts).difference(bad))
            if not one.texts():
                one.failed = f"no value is known that {one.typed} takes: {failures[one.typed, bad[0]]}"


def _filter(connection: psycopg.Connection[Any], proposals: Sequence[_Proposal]) -> None:
    """Drop what a column's own conditions refuse."""
    orders = [
        _accepted(one.table.name, one.column.quoted, one.typed, one.texts(), one.conditions, null=one.null)
        for one in proposals
    ]
    failed = []
    for one, answer in zip(proposals, run(connection, orders), strict=True):
        if isinstance(answer, Failure):
            failed.append(one)
        else:
            _take(one, answer)
    singly = [(one, [None, *one.texts()] if one.null else one.texts()) for one in failed]
    orders = [
        _accepted(one.table.name, one.column.quoted, one.typed, [text], one.conditions, null=False)
        for one, texts in singly
        for text in texts
    ]
    answers = iter(run(connection, orders))
    for one, texts in singly:
        accepted = [text for text in texts if not isinstance(answer := next(answers), Failure) and answer]
        places = {text: place for place, text in enumerate(one.texts())}
        _take(one, [-1 if text is None else places[text] for text in accepted])


def _take(one: _Proposal, places: Collection[int]) -> None:
    texts = one.texts()
    accepted = {texts[place] for place in places if place >= 0}
    if not accepted and texts and _calls(one.conditions):
        return  # a function may ask for rows that are not there yet: trying will tell
    one.null = -1 in places
    one.keep(accepted)
    if texts and not accepted:
        one.failed = f"no value was found for which {' AND '.join(one.conditions)}"


def _accepted(
    alias: str, name: str, typed: str, texts: Sequence[str | None], conditions: Iterable[str], *, null: bool
) -> Order:
    """Asks for the places of the values that fulfil the conditions; that of NULL is -1."""
    values = [f"({place},{quote(text)}::{typed})" for place, text in enumerate(texts)]
    if null or not values:
        values.append(f"(-1,NULL::{typed})")
    named = "" if name == "value" else f", v AS {name}"
    where = " AND ".join(f"({condition}) IS NOT FALSE" for condition in conditions) or "true"
    table = '"' + alias.replace('"', '""') + '"'
    return ask(
        f"SELECT coalesce(json_agg(n), '[]') FROM (SELECT n, v AS value{named} "
        f"FROM (VALUES {','.join(values)}) AS proposed(n, v)) AS {table} WHERE {where}"
    )


# -- the outcome ----------------------------------------------------------------------------------------


def _choice(one: _Proposal) -> Choice:
    hurting, asked, tame = one.origins["hurting"], one.origins["asked"], one.origins["tame"]
    spares = max((texts for origin, texts in one.origins.items() if origin.startswith("spare")), key=len, default=())
    # What a constraint names is shown where little else is taken; else a few values, which are at its limits.
    shown = dict.fromkeys([*hurting, *asked[: 3 if len(hurting) >= 3 else _SHOWN]])
    if not shown:
        shown = dict.fromkeys([*tame, *one.origins["hinted"], *spares][:12])
    if one.tame:
        shown = dict.fromkeys([*hurting, *asked][:6] or list(shown))
    other = dict.fromkeys([*asked, *one.origins["hinted"], *tame, *one.origins["last"]])
    failed = one.failed
    if not shown and not one.null and failed is None:
        failed = f"no value is known that {one.typed} takes"
    return Choice(
        column=one.column,
        shown=tuple(shown),
        literals=one.origins["literal"],
        spares=tuple(text for text in spares if text not in shown),
        tame=tame or (*asked, *one.origins["hinted"])[:12] or tuple(shown),
        asked=asked,
        hinted=one.origins["hinted"],
        other=tuple(text for text in other if text not in shown),
        null=one.null,
        defaulted=one.column.default is not None and is_constant(one.column.default),
        refused=None if shown else failed,
    )
