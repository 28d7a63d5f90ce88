"""What a worker tells of a step: the statements that SQLAlchemy sends, how transactions end, what went wrong.

Not here: what the statements locked or changed (the parent's probe asks that, this only passes it on).

Part of ``worker.child``, which loads it by its path: standard library and SQLAlchemy only, Python 3.8 or later.
"""
# ruff: noqa: PLC0415 - what the project has installed is imported when a project is there

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

LITERALS, LITERAL_LENGTH = 200, 2000
SQL_LENGTH = 100_000  # of what is told of a statement
DIAGNOSED = ("detail", "hint", "schema", "table", "column", "constraint")

# SQLAlchemy's event → the method of Statements that hears of it.
HEARD = {
    "before_cursor_execute": "before",
    "after_cursor_execute": "after",
    "handle_error": "failed",
    "commit": "committed",
    "rollback": "rolled_back",
}


class Statements:
    """The statements of one step.

    :param connections: the step's ``connections.Connections``.
    :param ask: tells the parent, and waits for its leave.
    :param probe: SQL with one text value, asked on the session after each of its statements.
    :param skip: patterns; a statement of the revision whose beginning matches one is not sent.
    :ivar own: the revision's own function is running.
    """

    def __init__(
        self,
        connections: Any,
        send: Callable[[dict[str, Any]], None],
        ask: Callable[[dict[str, Any]], None],
        probe: str | None,
        skip: Iterable[str],
    ) -> None:
        self.connections, self.send, self.ask, self.probe = connections, send, ask, probe
        self.own = False
        self.entered = 0
        self._skip = [re.compile(pattern, re.IGNORECASE) for pattern in skip]
        self._skipped = self._held = False
        self._commits = self._rollbacks = 0
        self._tables: list[list[str | None]] = []
        self._applied: list[tuple[Any, int, bool]] = []  # the version's statements: session, transaction, autocommit

    def enter(self, context: Any, schema_query: str) -> None:
        """Note the version table of a migration context, and in which transaction it is written."""
        self.entered += 1
        schema, connection = context.version_table_schema, context.connection
        if schema is None:
            opened, adapted = self.connections.below(connection)
            schema = opened.ask(adapted, schema_query) if opened else None
        self._tables.append([schema, context.version_table])

        def applied(**_facts: Any) -> None:
            opened, _ = self.connections.below(connection)
            number, alone = (opened.transaction, opened.autocommit) if opened is not None else (0, False)
            self._applied.append((opened, number, alone))

        context.on_version_apply_callbacks = (*context.on_version_apply_callbacks, applied)

    def watched(self, function: Callable[..., object]) -> Callable[..., None]:
        """The revision's function, during which statements are its own."""

        @functools.wraps(function)
        def run(*positional: Any, **named: Any) -> None:
            self.own = True
            try:
                function(*positional, **named)
            finally:
                self.own = False

        return run

    def before(self, connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        opened, adapted = self.connections.below(connection)
        self._skipped = self._held = False
        if opened is None:
            return
        if opened.used and not opened.autocommit and opened.state == "idle":  # it was ended through the driver
            self._ended(opened, True)
        opened.autocommit, opened.used = opened.is_alone(adapted), True
        if opened.autocommit and self.own:
            self._held = True  # its locks are gone when it has ended, so somebody may want to keep it from that
            self.ask({"is": "before", "pid": opened.pid, "sql": clean(statement[:SQL_LENGTH])})

    def skips(self, statement: str) -> bool:
        if not self._skip or not self.own:
            return False
        plain = " ".join(statement.split())
        self._skipped = any(pattern.match(plain) for pattern in self._skip)
        return self._skipped

    def after(self, connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        opened, adapted = self.connections.below(connection)
        if opened is None:
            return
        report = self._report(opened, statement, parameters, context, many)
        rows = getattr(cursor, "rowcount", -1)
        report["rows"] = rows if isinstance(rows, int) and rows >= 0 and not self._skipped else None
        state = opened.state
        if state == "idle" and not opened.autocommit and not self._skipped:  # it was itself a COMMIT or a ROLLBACK
            self._ended(opened, re.match(r"\s*(COMMIT|END)\b", statement, re.IGNORECASE) is not None)
        if self.probe is not None and state != "failed":
            try:
                report["probe"] = opened.ask(adapted, self.probe)
            except Exception as error:
                report["probe_error"] = clean(str(error))
        self.send(report)

    def failed(self, context: Any) -> None:
        opened, _ = self.connections.below(context.connection)
        if opened is not None and context.statement is not None:
            inner = context.execution_context
            report = self._report(opened, context.statement, context.parameters, inner, False)
            self.send({**report, "error": diagnosis(context.original_exception)})

    def committed(self, connection: Any) -> None:
        self._ended(self.connections.below(connection)[0], True)

    def rolled_back(self, connection: Any) -> None:
        self._ended(self.connections.below(connection)[0], False)

    def end(self) -> dict[str, Any]:
        """What the end tells. ``committed``: the version tables were certainly written for good."""
        known = [(opened, number, alone) for opened, number, alone in self._applied if opened is not None]
        sure = [alone or opened.committed.get(number, False) for opened, number, alone in known]
        return {
            "tables": self._tables,
            "applied": [[opened.pid, number, alone] for opened, number, alone in known],
            "committed": bool(sure) and len(sure) == len(self._applied) and all(sure),
            "commits": self._commits,
            "rollbacks": self._rollbacks,
        }

    def _ended(self, opened: Any, committed: bool) -> None:
        if opened is None or not opened.used:
            return
        opened.committed[opened.transaction] = committed
        opened.transaction += 1
        opened.used = False
        if self.own and not opened.autocommit:
            self._commits += committed
            self._rollbacks += not committed

    def _report(self, opened: Any, sql: str, parameters: Any, context: Any, many: bool) -> dict[str, Any]:
        """One statement, without what came of it."""
        if getattr(context, "compiled", None) is not None and context.dialect.paramstyle in ("format", "pyformat"):
            sql = sql.replace("%%", "%")
        rows = parameters if many else [parameters]
        return {
            "is": "statement",
            "sql": clean(sql[:SQL_LENGTH]),
            "literals": list(_scalars(rows))[:LITERALS],
            "own": self.own,
            "autocommit": opened.autocommit,
            "transaction": opened.transaction,
            "pid": opened.pid,
            "skipped": self._skipped,
            "held": self._held,
        }


def listen(current: Callable[[], Statements | None]) -> None:
    """Hear of the statements of every engine, those to come included.

    :param current: the statements of the step that runs; None while there is no step.
    """
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    def tell(method: str) -> Callable[..., None]:
        def heard(*facts: Any) -> None:
            statements = current()
            if statements is not None:
                getattr(statements, method)(*facts)

        return heard

    def do_execute(_cursor: Any, statement: str, _parameters: Any, _context: Any) -> bool | None:
        statements = current()
        return True if statements is not None and statements.skips(statement) else None

    def do_execute_no_params(_cursor: Any, statement: str, _context: Any) -> bool | None:
        statements = current()
        return True if statements is not None and statements.skips(statement) else None

    for name, method in HEARD.items():
        event.listen(Engine, name, tell(method))
    event.listen(Engine, "do_execute", do_execute)
    event.listen(Engine, "do_execute_no_params", do_execute_no_params)


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """The exception, the driver's in it (asyncpg's is the cause of its adapter's), and what it was raised from."""
    seen: list[BaseException] = []
    waiting = [error]
    while waiting:
        each = waiting.pop(0)
        if each is not None and each not in seen:
            seen.append(each)
            yield each
            waiting += [getattr(each, "orig", None), each.__cause__]


def diagnosis(error: BaseException) -> dict[str, str | None]:
    """What the server said, by whichever driver it came; else what Python says."""
    for each in causes(error):
        found, state = getattr(each, "diag", None), getattr(each, "sqlstate", None)
        if found is not None and found.sqlstate:  # psycopg, psycopg2
            values = [
                getattr(found, f"message_{name}", None) or getattr(found, f"{name}_name", None) for name in DIAGNOSED
            ]
            return _told(error, found.sqlstate, found.message_primary or str(each), values)
        if isinstance(state, str) and hasattr(each, "constraint_name"):  # asyncpg
            values = [getattr(each, name, None) or getattr(each, f"{name}_name", None) for name in DIAGNOSED]
            return _told(error, state, str(each.args[0]) if each.args else str(each), values)
    try:
        message = str(error.code if isinstance(error, SystemExit) else error)
    except Exception:  # somebody's __str__
        message = "an exception that cannot be printed"
    return _told(error, None, message, [None] * len(DIAGNOSED))


def clean(text: str) -> str:
    """Without passwords of URLs, and such that everybody can encode it."""
    text = re.sub(r"(://[^:/?#@\s]*):[^@\s/]*@", r"\1:***@", text)
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _told(error: BaseException, state: str | None, message: str, values: list[Any]) -> dict[str, str | None]:
    more = {name: None if value is None else clean(str(value)) for name, value in zip(DIAGNOSED, values)}  # noqa: B905
    return {"kind": type(error).__qualname__, "sqlstate": state, "message": clean(message), **more}


def _scalars(value: Any) -> Iterator[str | int | float | bool]:
    """The scalars among bound values; a date is the text that PostgreSQL reads."""
    if isinstance(value, dict):
        value = [value[name] for name in sorted(value, key=str)]  # their own order depends on chance
    if isinstance(value, (list, tuple)):
        for each in value[:LITERALS]:
            yield from _scalars(each)
    elif isinstance(value, (bool, int, float)):
        yield value
    elif value is not None and not isinstance(value, (bytes, bytearray, memoryview)):
        text = str(value)
        if len(text) <= LITERAL_LENGTH:
            yield clean(text)
