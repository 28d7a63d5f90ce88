"""Watches a migrating session: what it locks, rewrites and scans, statement by statement.

::

    baseline = read_baseline(connection)        # before a step: only relations that exist now count
    probe(baseline)                             # SQL, which the migrating session runs after each statement
    statements(baseline, watched)               # what the probes say

A transaction keeps its locks to its end, so that the session itself can read them after each statement. One
outside a transaction has lost them by then. Two more sources see that:

* an event trigger (:func:`install`, for superusers) runs within every DDL command, at its start and its end. It
  also tells what a command in a function or a ``DO`` block did, and DDL's scans from those of queries.
* a second session (:func:`hold`) takes locks that the statement must wait for, and reads its locks meanwhile:
  ``CONCURRENTLY``, and what fires no event (``TRUNCATE``, ``CLUSTER``, ``VACUUM``, ``REINDEX`` before 17).

What none of them caught is None. Time is no evidence here: on a toy table it says nothing.

Not here: what counts, and what the answers mean (``observe.answers``); running the statements (``worker``); judging
(``rules``). ``bench`` imports it, and finds the names of ``observe.answers`` here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from backout.observe.answers import Baseline, Held, Relation, Text, Watched, read_text, statements

__all__ = [
    "TRIGGER", "Baseline", "Held", "Hold", "Relation", "Watched",
    "hold", "install", "must_hold", "probe", "read_baseline", "statements", "uninstall",
]  # fmt: skip

TRIGGER = "_backout_observe"  # the function in pg_catalog; the event triggers' names start with it

HOLD_SECONDS = 30.0  # how long a statement may neither wait for the holding session nor end
END_SECONDS = 5.0  # how long it may go on once it was let go
LOCK_SECONDS = 2  # how long the holding session waits for locks of others

_EVERY = 4294967295

# Of the session itself, on relations up to the OID ``last``: OID, mode, number of scans in this transaction, and where
# the lock is so strong that its holder may have given the relation a new file: that, and its indexes with theirs.
_STATE: LiteralString = """
    SELECT pg_catalog.jsonb_build_object(
      'xact', pg_catalog.max(virtualtransaction),
      'locks', COALESCE(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_array(
        relation::pg_catalog.int8, mode, pg_catalog.pg_stat_get_xact_numscans(relation),
        CASE WHEN strong THEN pg_catalog.pg_relation_filenode(relation)::pg_catalog.int8 END,
        CASE WHEN strong THEN (
          SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_array(
            indexrelid::pg_catalog.int8, indexrelid::pg_catalog.regclass::pg_catalog.text,
            pg_catalog.pg_relation_filenode(indexrelid)::pg_catalog.int8))
          FROM pg_catalog.pg_index WHERE indrelid OPERATOR(pg_catalog.=) relation) END))
        FILTER (WHERE relation OPERATOR(pg_catalog.>=) 16384 AND relation OPERATOR(pg_catalog.<=) <last>), '[]'))
    FROM (
      SELECT relation, mode, virtualtransaction, mode OPERATOR(pg_catalog.=) ANY (
               '{ShareLock,ShareRowExclusiveLock,ExclusiveLock,AccessExclusiveLock}') AS strong
      FROM pg_catalog.pg_locks WHERE pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid()) AS own
"""

# The counters of scans that a session has not passed on yet would go on into its next transaction: they are passed on
# when this one ends. The arguments are evaluated in their order.
_PROBE: LiteralString = """SELECT ((<state>) || pg_catalog.jsonb_build_object(
    'seen', NULLIF(pg_catalog.current_setting('backout.seen', true), '')::pg_catalog.jsonb,
    'cleared', pg_catalog.set_config('backout.seen', '', false),
    'last', pg_catalog.set_config('backout.last', '<last>', false),
    'installed', EXISTS (
      SELECT FROM pg_catalog.pg_event_trigger
      WHERE evtname OPERATOR(pg_catalog.=) '<trigger>_end' AND evtenabled OPERATOR(pg_catalog.=) 'A'
        AND COALESCE(pg_catalog.current_setting('event_triggers', true), 'on') OPERATOR(pg_catalog.=) 'on'),
    'flushed', pg_catalog.pg_stat_force_next_flush()::pg_catalog.text))::pg_catalog.text
"""

# What it saw in one statement of the client: `locks` at the last command's end, by transaction; `commands` in their
# order, each with those locks (and files) that were not so before, and what it scanned. One without a tag is what
# happened before a command, by what fires no event; looked for unless the command is all that the client sent.
# Commands nest, hence `open`. It is kept in a setting, which outlives a commit.
_FUNCTION: LiteralString = r"""
CREATE OR REPLACE FUNCTION pg_catalog.<trigger>() RETURNS event_trigger LANGUAGE plpgsql
SET search_path = pg_catalog AS $function$
DECLARE
  seen jsonb := nullif(current_setting('backout.seen', true), '')::jsonb;
  last bigint := coalesce(nullif(current_setting('backout.last', true), ''), '4294967295')::bigint;
  at text := extract(epoch FROM statement_timestamp())::text;
  begins boolean := tg_event = 'ddl_command_start';
  state jsonb;
  scans jsonb;
  changed jsonb;
BEGIN
  IF seen IS NULL OR seen->>'at' <> at THEN
    seen := '{"xact": "", "locks": {}, "commands": [], "open": []}'::jsonb || jsonb_build_object('at', at);
  END IF;
  IF tg_tag IN ('CREATE INDEX', 'REINDEX') THEN  -- CONCURRENTLY has given its locks back at its end
    SELECT coalesce(jsonb_agg(jsonb_build_array(oid::int8, pg_stat_get_xact_numscans(oid))), '[]') INTO scans
    FROM pg_class
    WHERE oid BETWEEN 16384 AND last AND relkind IN ('r', 'm') AND pg_stat_get_xact_numscans(oid) > 0;
  ELSE
    SELECT coalesce(jsonb_agg(DISTINCT jsonb_build_array(relation::int8, pg_stat_get_xact_numscans(relation))), '[]')
    INTO scans FROM pg_locks
    WHERE pid = pg_backend_pid() AND relation BETWEEN 16384 AND last AND pg_stat_get_xact_numscans(relation) > 0;
  END IF;
  IF NOT begins OR seen->'commands' <> '[]' OR seen->'open' <> '[]'
     OR current_query() !~* ('^\s*' || split_part(tg_tag, ' ', 1) || '\M[^;]*;?\s*$') THEN
    state := (<state>);
    SELECT coalesce(jsonb_agg(one), '[]') INTO changed FROM (
      SELECT jsonb_array_elements(state->'locks')
      EXCEPT SELECT jsonb_array_elements(seen->'locks'->(seen->>'xact'))) AS now(one);
    seen := seen || jsonb_build_object(
      'xact', state->'xact', 'locks', (seen->'locks') || jsonb_build_object(state->>'xact', state->'locks'));
    IF begins AND changed <> '[]' THEN
      seen := jsonb_set(seen, '{commands}', (seen->'commands') || jsonb_build_object('locks', changed));
    END IF;
  END IF;
  IF begins THEN
    seen := jsonb_set(seen, '{open}', (seen->'open') || jsonb_build_array(scans));
  ELSE
    SELECT coalesce(jsonb_agg(one), '[]') INTO scans FROM (
      SELECT jsonb_array_elements(scans) EXCEPT SELECT jsonb_array_elements(seen->'open'->-1)) AS now(one);
    seen := seen || jsonb_build_object(
      'open', (seen->'open') - -1,
      'commands', (seen->'commands') || jsonb_build_object('tag', tg_tag, 'locks', changed, 'scans', scans));
  END IF;
  PERFORM set_config('backout.seen', seen::text, false);
END
$function$
"""


def probe(baseline: Baseline | None = None) -> str:
    """One SELECT of one text, for the migrating session to run after each of its statements.

    It takes 0.3 ms, and 12 µs more for each table that is locked by then.

    It locks no relation of the user. In a transaction it tells what is held; outside one, what :func:`install` left.

    :param baseline: leaves out what the step created itself, which keeps the answer short.
    """
    number: LiteralString = str(baseline.last if baseline else _EVERY)
    return _filled(_PROBE, state=_filled(_STATE, last=number), last=number, trigger=TRIGGER)


def read_baseline(connection: psycopg.Connection[Any], ignored: frozenset[str] = frozenset()) -> Baseline:
    """The relations that exist now.

    :param ignored: qualified names of tables, which are left out with all that belongs to them.
    """
    rows = connection.execute(_filled(_RELATIONS, user=_USER)).fetchall()
    apart = {oid for oid, name, *_ in rows if name in ignored}
    return Baseline(
        {
            oid: Relation(oid, name, kind, file, of)
            for oid, name, kind, file, of in rows
            if oid not in apart and of not in apart
        }
    )


def install(connection: psycopg.Connection[Any]) -> bool:
    """Have an event trigger watch DDL in this database; clones of it have it too.

    The trigger is an object that a schema snapshot must leave out, like all whose name starts with :data:`TRIGGER`;
    its function is in ``pg_catalog``.

    :return: False when the role is no superuser; DDL outside transactions then remains unseen.
    """
    body = _filled(_FUNCTION, state=_filled(_STATE, last="last"), trigger=TRIGGER)
    try:
        with connection.transaction():
            connection.execute(body)
            for event in ("start", "end"):
                name = sql.Identifier(f"{TRIGGER}_{event}")
                connection.execute(sql.SQL("DROP EVENT TRIGGER IF EXISTS {}").format(name))
                connection.execute(
                    sql.SQL("CREATE EVENT TRIGGER {} ON {} EXECUTE FUNCTION pg_catalog.{}()").format(
                        name, sql.SQL(f"ddl_command_{event}"), sql.Identifier(TRIGGER)
                    )
                )
                connection.execute(sql.SQL("ALTER EVENT TRIGGER {} ENABLE ALWAYS").format(name))
    except psycopg.errors.InsufficientPrivilege:
        return False
    return True


def uninstall(connection: psycopg.Connection[Any]) -> None:
    """Undo :func:`install`."""
    with connection.transaction():
        for event in ("start", "end"):
            name = sql.Identifier(f"{TRIGGER}_{event}")
            connection.execute(sql.SQL("DROP EVENT TRIGGER IF EXISTS {}").format(name))
        connection.execute(sql.SQL("DROP FUNCTION IF EXISTS pg_catalog.{}()").format(sql.Identifier(TRIGGER)))


def must_hold(text: str, *, autocommit: bool) -> bool:
    """Whether only :func:`hold` can see what a statement locks."""
    parsed = read_text(text)
    return autocommit and (parsed.concurrently or "eventless" in parsed.kinds)


@contextmanager
def hold(connection: psycopg.Connection[Any], text: str) -> Iterator[Hold]:
    """Keep a statement outside a transaction from ending, until its locks are read.

    ::

        with hold(connection, text) as held:        # before it starts
            worker.go_on()
            held.wait(pid, worker.has_answered)     # until its locks are read, and it is over
        watched.held = held.read()

    ``CONCURRENTLY`` takes its locks, which stop nobody, and then waits for all that may write: the session that
    holds it up locks in ROW EXCLUSIVE mode, as a writer does. The others wait for their first lock, and the files
    that they leave tell the rest. Of those only one that names one table is sure to be seen whole.

    No deadlock: the statement has not begun when the locks are taken, none is taken later, and they are given back
    as soon as it waits.

    :param connection: of the parent, which may lock every table; in autocommit mode, and used for nothing else.
    """
    held = Hold(connection, read_text(text))
    try:
        yield held
    finally:
        held.release()


class Hold:
    """The locks that keep one statement from ending; made by :func:`hold`."""

    def __init__(self, connection: psycopg.Connection[Any], text: Text) -> None:
        self._connection = connection
        self._seen: Held | None = None
        present = connection.execute(_filled(_LOCKABLE, user=_USER)).fetchall()
        named = [row for row in present if row[3] in text.names or not text.names.isdisjoint(row[4])]
        single = len(named) == 1 and named[0][2] != "p"
        in_one_go = text.concurrently and "REINDEX" not in text.firsts
        self._whole = len(text.statements) == 1 and (in_one_go or single)
        chosen = named or present
        self._all_are_held = text.concurrently and not named
        self._taken = bool(chosen) and self._take(chosen, "ROW EXCLUSIVE" if text.concurrently else _NEXT)

    def wait(self, pid: int, ended: Callable[[], bool], seconds: float = HOLD_SECONDS) -> None:
        """Wait until the session is held up, give the locks back, and wait for its statement's end.

        :param pid: of the migrating session.
        :param ended: tells, without waiting, that the statement is over.
        :param seconds: after which the statement is let go, and nothing was seen of it.
        """
        deadline = time.monotonic() + seconds
        locks = None
        while not ended() and time.monotonic() < deadline:
            if self._taken and self._connection.execute(_IS_HELD, [pid]).fetchone() == (True,):
                locks = self._connection.execute(_LOCKS_OF, [pid]).fetchall()
                self.release()
                deadline = time.monotonic() + END_SECONDS
            time.sleep(0.0005)
        idle = locks is None and self._all_are_held and self._taken and ended()
        self.release()
        if idle:
            self._seen = Held((), (), idle=True)
        elif locks is not None and self._whole and ended():
            tables = self._connection.execute(_filled(_TABLES, user=_USER)).fetchall()
            after = tuple((oid, file, tuple(map(tuple, indexes))) for oid, file, indexes in tables)
            self._seen = Held(tuple((oid, mode) for oid, mode in locks), after)

    def read(self) -> Held | None:
        """What the statement locked, as it was when it ended; None when that was not seen, or not all of it."""
        return self._seen

    def release(self) -> None:
        """Give the locks back."""
        if self._taken:
            self._connection.execute("ROLLBACK")
            self._taken = False

    def _take(self, relations: Collection[tuple[Any, ...]], mode: LiteralString) -> bool:
        tables = [sql.SQL(name) for _, name, kind, *_ in relations if kind != "m"]
        views = [sql.SQL(name) for _, name, kind, *_ in relations if kind == "m"]
        connection = self._connection
        connection.execute("BEGIN")
        try:
            connection.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(f"{LOCK_SECONDS}s"))
            if tables:
                connection.execute(
                    sql.SQL("LOCK TABLE {} IN {} MODE").format(sql.SQL(", ").join(tables), sql.SQL(mode))
                )
            for view in views:  # LOCK takes none; this takes SHARE UPDATE EXCLUSIVE, and is undone
                connection.execute(sql.SQL("COMMENT ON MATERIALIZED VIEW {} IS NULL").format(view))
        except psycopg.Error:  # in somebody's way, or not allowed: then nothing is seen
            connection.execute("ROLLBACK")
            return False
        return True


_NEXT: LiteralString = "SHARE UPDATE EXCLUSIVE"  # the weakest that VACUUM and ANALYZE wait for

_USER: LiteralString = """
  c.oid >= 16384 AND c.relpersistence <> 't' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND n.nspname !~ '^pg_(toast|temp)'
  AND c.oid NOT IN (SELECT d.objid FROM pg_catalog.pg_depend d
                    WHERE d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.deptype = 'e'
                      AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass)
"""

_RELATIONS: LiteralString = """
  SELECT c.oid::int8, format('%I.%I', n.nspname, c.relname), c.relkind::text, pg_relation_filenode(c.oid)::int8,
         CASE c.relkind WHEN 'S' THEN (
           SELECT d.refobjid FROM pg_depend d
           WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refclassid = 'pg_class'::regclass
             AND d.deptype IN ('a', 'i')) ELSE i.indrelid END::int8
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_index i ON i.indexrelid = c.oid
  WHERE c.relkind IN ('r', 'p', 'm', 'v', 'f', 'S', 'i', 'I') AND <user>
"""

_LOCKABLE: LiteralString = """
  SELECT c.oid::int8, format('%I.%I', n.nspname, c.relname), c.relkind::text, c.relname::text,
         ARRAY(SELECT x.relname::text FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid WHERE i.indrelid = c.oid)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'm') AND <user>
  ORDER BY c.oid
"""

_TABLES: LiteralString = """
  SELECT c.oid::int8, pg_relation_filenode(c.oid)::int8,
         coalesce((SELECT json_agg(json_build_array(
                            x.oid::int8, format('%I.%I', m.nspname, x.relname), pg_relation_filenode(x.oid)::int8))
                   FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_namespace m ON m.oid = x.relnamespace
                   WHERE i.indrelid = c.oid), '[]')
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'm') AND <user>
"""

_IS_HELD: LiteralString = "SELECT pg_backend_pid() = ANY (pg_blocking_pids(%s))"

_LOCKS_OF: LiteralString = """
  SELECT relation::int8, mode FROM pg_locks
  WHERE pid = %s AND relation >= 16384
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


def _filled(text: LiteralString, **parts: LiteralString) -> LiteralString:
    """The text with ``<name>`` replaced."""
    for name, part in parts.items():
        text = text.replace(f"<{name}>", part)
    return text
