"""What the probes of a migrating session say: from their JSON to ``evidence.Statement``.

``observe`` asks the server; this is pure. ``observe`` builds on it, and gives its names to everybody above.

What is counted, and what is not:

* Only relations that existed before the step, under the names that they had then. Locks on new ones harm nobody.
* One lock a relation, the strongest; those that the statement acquired, and of those held since an earlier one only
  what others notice (``blocks``), so that a long transaction does not repeat itself. ACCESS SHARE is kept where it is
  the only one: it tells that a table was read.
* An index, or a sequence that a column owns, is left out where its table is locked as strongly; so are the indexes
  of ``CONCURRENTLY``, which locks them when nobody can use them any more.
* ``TRUNCATE`` gives a table a new file, and rewrites nothing.
* Scans are DDL's, also of DDL within a function or a ``DO`` block. A query's plan on a toy table says nothing about
  the real one, so neither DML counts nor DDL with a query in it (``CREATE TABLE AS``, ``REFRESH MATERIALIZED VIEW``).
  The check of a foreign key counts, however it was planned.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol

from backout.evidence import Lock, Statement

# Manual, "Table-Level Locks", by strength.
LEVELS: Mapping[str, int] = {
    "AccessShareLock": 1,
    "RowShareLock": 2,
    "RowExclusiveLock": 3,
    "ShareUpdateExclusiveLock": 4,
    "ShareLock": 5,
    "ShareRowExclusiveLock": 6,
    "ExclusiveLock": 7,
    "AccessExclusiveLock": 8,
}
_MODES = {level: mode for mode, level in LEVELS.items()}
_SHARE, _ACCESS_EXCLUSIVE = LEVELS["ShareLock"], LEVELS["AccessExclusiveLock"]

_WITH_QUERY = {"CREATE TABLE AS", "SELECT INTO", "CREATE MATERIALIZED VIEW", "REFRESH MATERIALIZED VIEW"}

Kind = Literal["control", "dml", "query", "opaque", "eventless", "ddl"]

_WORDS: Mapping[Kind, str] = {
    "control": "BEGIN START COMMIT END ROLLBACK ABORT SAVEPOINT RELEASE SET RESET SHOW DISCARD LISTEN UNLISTEN NOTIFY "
    "DEALLOCATE CHECKPOINT LOAD CLOSE",
    "dml": "INSERT UPDATE DELETE MERGE",
    "query": "SELECT VALUES TABLE DECLARE FETCH MOVE",
    "opaque": "DO CALL EXECUTE PREPARE",
    # No event trigger runs for them (REINDEX: before 17).
    "eventless": "TRUNCATE LOCK CLUSTER VACUUM ANALYZE ANALYSE REINDEX",
}
_KINDS: Mapping[str, Kind] = {word: kind for kind, words in _WORDS.items() for word in words.split()}
_REWRITING = {"CLUSTER", "VACUUM", "REINDEX"}

_TOKEN = re.compile(
    r"""
      --[^\n]* | /\*.*?\*/
    | \b[eE]'(?:[^'\\]|''|\\.)*' | '(?:[^']|'')*'
    | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$
    | "(?P<quoted>(?:[^"]|"")*)"
    | (?P<word>[^\W\d][\w$]*)
    | (?P<end>;)
    """,
    re.VERBOSE | re.DOTALL,
)


class Watched(Protocol):
    """What the worker tells of a statement that it executed, and what the parent saw of it.

    :ivar sql: the text, without bound values.
    :ivar probe: the answer to ``observe.probe`` right after it; None when there was none.
    :ivar autocommit: it ran outside a transaction.
    :ivar rowcount: as the driver tells it.
    :ivar held: what ``observe.hold`` read.
    """

    @property
    def sql(self) -> str: ...
    @property
    def probe(self) -> str | None: ...
    @property
    def autocommit(self) -> bool: ...
    @property
    def rowcount(self) -> int | None: ...
    @property
    def held(self) -> Held | None: ...


class Relation(NamedTuple):
    """A relation that existed before the step.

    :param name: quoted, with its schema.
    :param kind: ``pg_class.relkind``.
    :param file: its filenode; None where it has none, as a view.
    :param of: OID of the table of an index, or of the one whose column owns a sequence.
    """

    oid: int
    name: str
    kind: str
    file: int | None
    of: int | None


@dataclass(frozen=True)
class Baseline:
    """The relations of the user before a step, by OID; no TOAST, no temporary tables, nothing of extensions."""

    relations: Mapping[int, Relation]

    @property
    def last(self) -> int:
        """The greatest OID: those above it are new."""
        return max(self.relations, default=16383)


@dataclass(frozen=True)
class Held:
    """What a statement outside a transaction had locked, or waited for, while it was held up.

    :param locks: OID and mode.
    :param tables: after it: OID and file of every table, with OID, name and file of its indexes.
    :param idle: it waited for the writers of no table at all: it had nothing to do, as with IF EXISTS.
    """

    locks: tuple[tuple[int, str], ...]
    tables: tuple[tuple[int, int | None, tuple[tuple[int, str, int | None], ...]], ...]
    idle: bool = False


@dataclass(frozen=True)
class Text:
    """What a text of SQL looks like.

    :param statements: the words of each statement, in upper case, without literals and quoted names.
    :param names: everything that may be a name, as the server stores it.
    """

    statements: tuple[tuple[str, ...], ...]
    names: frozenset[str]

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Of each statement."""
        return tuple(_kind(words) for words in self.statements)

    @property
    def firsts(self) -> frozenset[str]:
        """The first words of the statements."""
        return frozenset(words[0] for words in self.statements)

    @property
    def concurrently(self) -> bool:
        """One of them is DDL that goes without blocking, in several transactions."""
        return any(
            kind in ("ddl", "eventless") and "CONCURRENTLY" in words and "REFRESH" not in words
            for kind, words in zip(self.kinds, self.statements, strict=True)
        )


def read_text(text: str) -> Text:
    """Split a text of SQL into its statements."""
    statements: list[list[str]] = [[]]
    names = set()
    for token in _TOKEN.finditer(text):
        if token["end"]:
            statements.append([])
        elif token["word"]:
            statements[-1].append(token["word"].upper())
            names.add(token["word"].lower())
        elif token["quoted"]:
            names.add(token["quoted"].replace('""', '"'))
    return Text(tuple(tuple(words) for words in statements if words), frozenset(names))


def _kind(words: Sequence[str]) -> Kind:
    if words[0] in ("WITH", "EXPLAIN"):
        return "dml" if {"INSERT", "UPDATE", "DELETE", "MERGE"} & set(words) else "query"
    if words[0] == "COPY":
        return "dml" if "FROM" in words else "query"
    return _KINDS.get(words[0], "ddl")


def statements(baseline: Baseline, watched: Iterable[Watched]) -> tuple[Statement, ...]:
    """What each statement of a step, in their order, locked, rewrote and scanned; sorted by name.

    None in a field: that was not seen.
    """
    reading = _Reading(baseline)
    return tuple(reading.read(one) for one in watched)


@dataclass(frozen=True)
class _Run:
    """One statement, and which sources there are for it.

    :param installed: the event trigger was there.
    :param seen: what it left, also of changes between commands; empty when it did not run.
    :param commands: of these the DDL commands.
    :param ended: its transaction was over before the probe.
    """

    text: Text
    held: Held | None
    installed: bool
    seen: Mapping[str, Any]
    commands: tuple[Mapping[str, Any], ...]
    ended: bool

    def only(self, *kinds: Kind) -> bool:
        return set(self.text.kinds) <= {"control", *kinds}


@dataclass(frozen=True)
class _Changed:
    """Tables with a new file, and indexes that were there before and have a new one: their table, OID and name."""

    tables: frozenset[int] = frozenset()
    indexes: frozenset[tuple[int, int, str]] = frozenset()

    def __or__(self, other: _Changed) -> _Changed:
        return _Changed(self.tables | other.tables, self.indexes | other.indexes)


class _Reading:
    """The statements of a step, as far as they have been read; usually of one session."""

    def __init__(self, baseline: Baseline) -> None:
        self._relations = baseline.relations
        # Of the tables that were looked at:
        self._files: dict[int, set[int | None]] = {}  # ever seen: one that comes back was rolled back to
        self._index_files: set[int] = set()
        self._indexes: dict[int, dict[str, int]] = {}  # of a table: name and OID, as last seen
        self._transactions: dict[str, tuple[dict[int, int], dict[int, int]]] = {}  # locks, and counts of scans

    def read(self, one: Watched) -> Statement:
        text = read_text(one.sql)
        countable = text.kinds == ("dml",) and one.rowcount is not None and one.rowcount >= 0
        rows = one.rowcount if countable else None
        if one.probe is None:
            return Statement(one.sql, rows_changed=rows)
        answer = json.loads(one.probe)
        seen = answer["seen"] or {"commands": [], "locks": {}}
        commands = tuple(command for command in seen["commands"] if "tag" in command)
        run = _Run(
            text=text,
            held=one.held,
            installed=answer["installed"] or bool(commands),
            seen=seen,
            commands=commands,
            ended=answer["xact"] not in seen["locks"] if commands else one.autocommit,
        )
        before, scanned_before = self._transactions.get(answer["xact"], ({}, {}))
        by_ddl, otherwise = self._changes(run, answer)
        changed = _rewritten(run, by_ddl, otherwise)
        locks = self._locks(run, answer, by_ddl | otherwise)
        scans = self._scanned(run, answer, scanned_before, changed, _stronger(locks, before))
        counted = scanned_before | {oid: count for oid, _, count, *_ in answer["locks"]}
        self._transactions[answer["xact"]] = self._levels(answer["locks"]), counted
        return Statement(
            one.sql,
            locks=None if locks is None else self._told(locks, before, text.concurrently),
            rewrites=None if changed is None else self._named(changed.tables),
            indexes=None if changed is None else tuple(sorted(name for *_, name in changed.indexes)),
            scans=None if scans is None else self._named(scans),
            rows_changed=rows,
        )

    def _levels(self, locks: Iterable[Sequence[Any]]) -> dict[int, int]:
        """The strongest of each relation that existed."""
        strongest: dict[int, int] = {}
        for oid, mode, *_ in locks:
            if oid in self._relations:
                strongest[oid] = max(strongest.get(oid, 0), LEVELS[mode])
        return strongest

    def _locks(self, run: _Run, answer: Mapping[str, Any], changed: _Changed) -> dict[int, int] | None:
        """What is locked at the statement's end, or for one whose transaction is over, was."""
        there = [lock for locks in run.seen["locks"].values() for lock in locks]
        if not run.ended:
            return self._levels([*there, *answer["locks"]])
        if run.only():
            return {}
        if run.held is not None and run.held.idle:
            return {}
        # Nobody gives a relation a new file without ACCESS EXCLUSIVE.
        if run.held is not None and (run.held.locks or there):
            indexes = () if run.text.concurrently else (index for _, index, _ in changed.indexes)
            new = [(oid, _MODES[_ACCESS_EXCLUSIVE]) for oid in (*changed.tables, *indexes)]
            return self._levels([*there, *run.held.locks, *new])
        if run.commands and run.only("ddl") and not run.text.concurrently:
            return self._levels(there)
        return None

    def _told(self, locks: Mapping[int, int], before: Mapping[int, int], concurrently: bool) -> tuple[Lock, ...]:
        told = []
        for oid, level in locks.items():
            table = self._relations[oid].of
            if table is not None and (concurrently or locks.get(table, 0) >= level):
                continue
            acquired = level > before.get(oid, 0)
            blocks = _blocked(level)
            if acquired or blocks:
                told.append(Lock(self._relations[oid].name, _MODES[level], blocks, acquired))
        return tuple(sorted(told, key=lambda lock: lock.relation))

    def _changes(self, run: _Run, answer: Mapping[str, Any]) -> tuple[_Changed, _Changed]:
        """What got new files from DDL commands, and what from something else."""
        by_ddl = otherwise = _Changed()
        for command in run.seen["commands"]:
            change = self._look(_files(command["locks"]))
            if "tag" in command:
                by_ddl |= change
            else:
                otherwise |= change
        otherwise |= self._look(_files(answer["locks"]))
        if run.held is not None:
            otherwise |= self._look(run.held.tables)
        return by_ddl, otherwise

    def _look(self, tables: Iterable[Sequence[Any]]) -> _Changed:
        changed, rebuilt = set(), set()
        for oid, file, indexes in tables:
            if oid not in self._relations or self._relations[oid].kind not in ("r", "m"):
                continue
            if oid not in self._files:
                self._begin(oid)
            known = self._files[oid]
            if file is not None and file not in known:
                changed.add(oid)
                known.add(file)
            present = self._indexes[oid]
            listed = {_last(name): (index, index_file) for index, name, index_file in indexes or ()}
            for name, (index, index_file) in listed.items():
                old = name in present or index in present.values() or index in self._relations
                if old and index_file is not None and index_file not in self._index_files:
                    rebuilt.add((oid, index, self._index_name(oid, index, name)))
                if index_file is not None:
                    self._index_files.add(index_file)
            self._indexes[oid] = {name: index for name, (index, _) in listed.items()}
        return _Changed(frozenset(changed), frozenset(rebuilt))

    def _begin(self, table: int) -> None:
        """What a table and its indexes were before the step."""
        indexes = [one for one in self._relations.values() if one.of == table and one.kind == "i"]
        self._files[table] = {self._relations[table].file}
        self._indexes[table] = {_last(one.name): one.oid for one in indexes}
        self._index_files.update(one.file for one in indexes if one.file is not None)

    def _index_name(self, table: int, index: int, name: str) -> str:
        """In full; an index is in the schema of its table."""
        if index in self._relations:
            return self._relations[index].name
        schema = self._relations[table].name.removesuffix(_last(self._relations[table].name))
        return schema + name

    def _scanned(
        self,
        run: _Run,
        answer: Mapping[str, Any],
        before: Mapping[int, int],
        changed: _Changed | None,
        acquired: int,
    ) -> set[int] | None:
        """Tables that DDL read from end to end."""
        by_commands = self._tables(
            oid
            for command in run.commands
            if command["tag"] not in _WITH_QUERY
            for oid, count in command["scans"]
            if count > before.get(oid, 0)  # else the scan was of something that was rolled back
        )
        in_all = self._tables(oid for oid, _, count, *_ in answer["locks"] if count > before.get(oid, 0))
        silent = run.text.firsts & _REWRITING - {command["tag"] for command in run.commands}
        if silent:
            if not run.ended and len(run.text.statements) == 1:
                return in_all
            if run.held is not None and changed is not None:  # who builds a file anew has read the old one
                return set(changed.tables) | {table for table, *_ in changed.indexes}
            return None
        if run.installed:
            return by_commands
        if run.only("dml", "query", "eventless"):
            return set() if acquired <= LEVELS["RowExclusiveLock"] or "eventless" in run.text.kinds else None
        if run.ended or run.text.kinds != ("ddl",):
            return None
        return set() if _with_query(run.text.statements[0]) else in_all

    def _tables(self, oids: Iterable[int]) -> set[int]:
        """Tables that existed, for indexes their tables."""
        there = (self._relations[oid] for oid in oids if oid in self._relations)
        return {one.of if one.kind == "i" and one.of is not None else one.oid for one in there}

    def _named(self, oids: Iterable[int]) -> tuple[str, ...]:
        return tuple(sorted(self._relations[oid].name for oid in oids))


def _last(name: str) -> str:
    """A quoted name without its schema."""
    found = re.search(r"""("(?:[^"]|"")*"|[^".]+)$""", name)
    return found[0] if found else name


def _files(locks: Iterable[Sequence[Any]]) -> Iterator[Sequence[Any]]:
    """OID, file and indexes of what may have got a new file."""
    return ((oid, file, indexes) for oid, _, _, file, indexes in locks if file is not None)


def _blocked(level: int) -> tuple[Literal["reads", "writes"], ...]:
    if level == _ACCESS_EXCLUSIVE:
        return ("reads", "writes")
    return ("writes",) if level >= _SHARE else ()


def _stronger(locks: Mapping[int, int] | None, before: Mapping[int, int]) -> int:
    """The strongest lock that was acquired."""
    return max((level for oid, level in (locks or {}).items() if level > before.get(oid, 0)), default=0)


def _rewritten(run: _Run, by_ddl: _Changed, otherwise: _Changed) -> _Changed | None:
    """Of what has new files, what was written anew; TRUNCATE only empties."""
    silent = run.text.firsts & _REWRITING - {command["tag"] for command in run.commands}
    if run.ended and run.held is None and (silent or run.text.concurrently):
        return None
    if run.installed or run.held is not None:
        return by_ddl | otherwise if silent or (run.held is not None and run.text.concurrently) else by_ddl
    if run.ended:
        return by_ddl if run.only("dml") or run.text.firsts == {"TRUNCATE"} else None
    if not (otherwise.tables or otherwise.indexes) or run.text.firsts == {"TRUNCATE"}:
        return by_ddl
    if "TRUNCATE" in run.text.firsts or not run.only("ddl", "dml", "eventless"):
        return None
    return otherwise


def _with_query(words: Sequence[str]) -> bool:
    return words[0] == "REFRESH" or (words[0] == "CREATE" and "AS" in words and bool({"TABLE", "VIEW"} & set(words)))
