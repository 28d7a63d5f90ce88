"""A chain with its evidence, and the real database that it is deployed to.

::

    with open_deployment(target, database_url(), masking) as deployment:
        current = deployment.current()
        for revision in deployment.pending(current): …

Everything is read here, nothing changed. The rest of the package starts from a :class:`Deployment`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import conninfo, sql

from backout import schema
from backout.errors import BackoutError, ConfigurationError, PostgresError, Refused
from backout.evidence import Evidence, on_major
from backout.evidence_files import EvidenceFiles, is_stale
from backout.masking import Masking
from backout.postgres import RealDatabase, real_database
from backout.schema import PRISTINE, Key
from backout.worker import Chain, Revision, Target, Worker

READ_ONLY = "25006"  # read_only_sql_transaction


@dataclass(frozen=True)
class Deployment:
    """A chain with its evidence, and the real database that it is deployed to.

    :param worker: runs the chain's code, on this database only.
    :param evidence: of the revisions whose evidence is there and is of their present files, as it was measured on the
        server's major version; where that was not measured, on the newest.
    :param stale: revisions whose evidence is of other files.
    :param version_tables: quoted, with their schema.
    """

    real: RealDatabase
    worker: Worker
    chain: Chain
    evidence: Mapping[str, Evidence]
    stale: frozenset[str]
    version_tables: frozenset[str]
    masking: Masking

    def connect(self, purpose: str, **settings: str) -> psycopg.Connection[Any]:
        """A session of our own, in autocommit mode."""
        return self.real.connect(purpose, **settings)

    def current(self) -> tuple[str, ...]:
        """What the database says it is at, sorted; empty for one that was never migrated.

        :raises PostgresError: it does not answer, or does not let this role read it.
        """
        found: set[str] = set()
        try:
            with self.connect("look") as connection:
                for name in self.version_tables:
                    if connection.execute("SELECT to_regclass(%s)", [name]).fetchone() != (None,):
                        query = sql.SQL("SELECT version_num FROM {}").format(sql.SQL(name))
                        found |= {str(row[0]) for row in connection.execute(query)}
        except psycopg.Error as error:
            said = f"{error.sqlstate or type(error).__name__} {error.diag.message_primary or str(error).strip()}"
            raise PostgresError(
                f"{self.real.description} does not say which revision it is at: {said}; "
                f"see that it runs, and use a role that may read {', '.join(sorted(self.version_tables))}"
            ) from error
        return tuple(sorted(found))

    def revision(self, name: str) -> Revision:
        """One of the chain.

        :param name: its id, or an unambiguous beginning of it.
        :raises ConfigurationError: there is no such revision.
        """
        found = [one for one in self.chain.revisions if one.id == name]
        found = found or [one for one in self.chain.revisions if one.id.startswith(name)]
        if len(found) != 1:
            seen = f"{len(found)} start so" if found else "none starts so"
            raise ConfigurationError(f"{name!r} is no revision of the chain: {seen}; alembic history lists them")
        return found[0]

    def unknown(self, current: Collection[str]) -> tuple[str, ...]:
        """Of the revisions that a database is at, those without a file."""
        known = {one.id for one in self.chain.revisions}
        return tuple(name for name in current if name not in known)

    def applied(self, current: Collection[str]) -> tuple[Revision, ...]:
        """What a database at these revisions has gone through, in the chain's order."""
        reached = self._below(current)
        return tuple(one for one in self.chain.revisions if one.id in reached)

    def pending(self, current: Collection[str], to: str | None = None) -> tuple[Revision, ...]:
        """What is still to be applied, in order.

        :param to: a revision; None: all heads.
        """
        wanted = self._below([self.revision(to).id] if to is not None else self.chain.heads)
        reached = self._below(current)
        return tuple(one for one in self.chain.revisions if one.id in wanted - reached)

    def undone(self, current: Collection[str], to: str = "-1") -> tuple[Revision, ...]:
        """What a rollback undoes, the newest first.

        :param to: ``-1``: the last revision; ``base``: all; a revision: what was built on it, which it stays at.
        :raises Refused: nothing to undo, or which one is the last is not clear.
        """
        unknown = self.unknown(current)
        if unknown:
            raise Refused(
                f"the database is at {', '.join(unknown)}, and no file of the chain has it; "
                "check out the code that was deployed; runbook: missing-revision-file"
            )
        applied = self.applied(current)
        if not applied:
            raise Refused("the database has no revision; there is nothing to roll back")
        if to == "base":
            return applied[::-1]
        if to == "-1":
            if len(current) > 1:
                raise Refused(
                    f"the database is at {len(current)} heads ({', '.join(current)}); "
                    "name the revision to stay at: --to REVISION"
                )
            last = applied[-1]
            if len(last.parents) > 1:
                raise Refused(
                    f"{last.id} merges {' and '.join(last.parents)}; rolling back a merge leaves two heads, "
                    "so name the revision to stay at: --to REVISION"
                )
            return (last,)
        stay = self.revision(to).id
        if stay not in {one.id for one in applied}:
            raise Refused(f"the database is at {', '.join(current)}, which {stay} is not below; it was not applied")
        found = tuple(one for one in applied[::-1] if one.id != stay and stay in self._below([one.id]))
        if not found:
            raise Refused(f"the database is at {stay} already; there is nothing to roll back")
        return found

    def built_on(self, revisions: Collection[Revision], current: Collection[str]) -> tuple[str, ...]:
        """What of the applied needs one of these, and is none of them."""
        names = {one.id for one in revisions}
        return tuple(one.id for one in self.applied(current) if one.id not in names and names & self._below([one.id]))

    def expected(self, revisions: Collection[Revision]) -> dict[Key, str] | None:
        """The schema that these revisions make, by their evidence; None where that of one is missing."""
        steps = [self.evidence.get(one.id) for one in self.chain.revisions if one in revisions]
        changes = [one.schema.changes for one in steps if one is not None and one.schema.changes is not None]
        return schema.fold(changes, PRISTINE) if len(changes) == len(steps) else None

    def _below(self, names: Collection[str]) -> set[str]:
        """These revisions and all that they need."""
        needs = {one.id: (*one.parents, *one.dependencies) for one in self.chain.revisions}
        reached: set[str] = set()
        waiting = [name for name in names if name in needs]
        while waiting:
            name = waiting.pop()
            if name not in reached:
                reached.add(name)
                waiting += needs[name]
        return reached


@contextmanager
def open_deployment(target: Target, url: str, masking: Masking, *, read_only: bool = True) -> Iterator[Deployment]:
    """Load the chain, its evidence, and reach the database.

    :param url: libpq's form, see :func:`database_url`.
    :param read_only: an ``env.py`` that writes before it comes to its migrations is an error; it would write again
        with each step.
    :raises ConfigurationError: the chain cannot be loaded, a file is no evidence.
    :raises PostgresError: the database does not answer.
    :raises Refused: a connection pooler does.
    """
    with ExitStack() as stack:
        real = stack.enter_context(real_database(url))
        _require_direct(real)
        worker = stack.enter_context(Worker(target, real))
        chain = worker.load(real.database)
        files = EvidenceFiles(chain.env.parent)
        kept, prints = files.read(), files.fingerprints(chain.revisions)
        fresh = {name: kept[name] for name, now in prints.items() if not is_stale(kept.get(name), now)}
        yield Deployment(
            real=real,
            worker=worker,
            chain=chain,
            evidence={name: on_major(one, real.major) for name, one in fresh.items()},
            stale=frozenset(name for name in prints if name in kept and name not in fresh),
            version_tables=_version_tables(worker, real, read_only),
            masking=masking,
        )


def database_url(environment: Mapping[str, str] = os.environ) -> str:
    """``DATABASE_URL`` in libpq's form.

    :raises ConfigurationError: it is not set, or is no URL; the message quotes none of it, for it may hold a password.
    """
    url = environment.get("DATABASE_URL", "").strip()
    if not url:
        raise ConfigurationError(
            "DATABASE_URL is not set: set it to postgresql://user@host:port/database, "
            "or, for a disposable one: backout postgres --revision head --sample"
        )
    plain = re.sub(r"^postgres(ql)?\+\w+://", "postgresql://", url)
    try:
        conninfo.conninfo_to_dict(plain)
    except psycopg.Error:
        raise ConfigurationError(
            "DATABASE_URL cannot be read; write postgresql://user@host:port/database, "
            "with special characters percent-encoded (manual, section Connection URIs)"
        ) from None
    return plain


def _require_direct(real: RealDatabase) -> None:
    """A pooler gives its own number for a session, and the server another one."""
    with real.connect("look") as connection:
        if connection.execute("SELECT pg_backend_pid()").fetchone() != (connection.info.backend_pid,):
            raise Refused(
                f"{real.description} is reached through a connection pooler, where locks and settings belong to "
                "nobody; name the server itself in DATABASE_URL"
            )


def _version_tables(worker: Worker, real: RealDatabase, read_only: bool) -> frozenset[str]:
    """Where Alembic keeps its revision, which only ``env.py`` knows."""
    report = worker.look(real.database, settings={"default_transaction_read_only": "on"})
    if report.failure is not None and report.failure.sqlstate == READ_ONLY and not read_only:
        report = worker.look(real.database)
    if report.failure is not None:
        where = f"{report.failure.where}: " if report.failure.where else ""
        raise BackoutError(
            f"{where}env.py failed on {real.description}, asked for no revision{', read-only' if read_only else ''}: "
            f"{report.failure.told}; mend it, or give it what it needs: --python, --env, --set, -x or --hooks"
        )
    if not report.version_table_names:
        raise BackoutError("env.py came to its end and had not asked for any migrations; see that it runs them")
    return report.version_table_names
