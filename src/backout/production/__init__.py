"""Changes the revision of a database that people use: apply what is pending, roll one revision back.

Asks nobody and prints nothing: it describes, refuses, and acts when told to; the command line asks.
Alembic itself takes no lock, so that two runners at once collide; here one waits for the other.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from alembic.config import Config
from alembic.script import Script, ScriptDirectory

from backout.chain import project_environment
from backout.configuration import Project
from backout.docstrings import section
from backout.errors import BackoutError, ConfigurationError, Refused
from backout.production.deployment import Deployment, database_url, open_deployment
from backout.production.preview import Preview, preview
from backout.production.salvage import SCHEMA as SALVAGE_SCHEMA
from backout.production.salvage import Plan as SalvagePlan
from backout.production.salvage import Restoration, Salvage
from backout.production.salvage import contents as salvage_contents
from backout.production.salvage import drop as drop_salvage
from backout.production.salvage import plan as plan_salvage
from backout.production.salvage import restoration as plan_restoration
from backout.production.sentences import conclusion, details, size_of
from backout.production.sentences import to_builtins as preview_values

__all__ = [
    "SALVAGE_SCHEMA", "Deployment", "Preview", "Restoration", "Salvage", "SalvagePlan", "conclusion", "database_url",
    "details", "drop_salvage", "open_deployment", "plan_restoration", "plan_salvage", "preview", "preview_values",
    "salvage_contents", "size_of",
]  # fmt: skip

# Any number that nobody else takes for an advisory lock of this database; "backout" in ASCII, read as hexadecimal.
MIGRATION_LOCK = 0x6261636B6F7574


@dataclass(frozen=True)
class Rollback:
    """What rolling back one revision means, in the words of its docstring.

    :param revision: the database's current one, which would be undone.
    :param parent: where the database would stand then; ``base`` for none.
    :param losses: the lines of the docstring's *Data loss* section; empty where it has none.
    :param plan: the lines of its *Rollback plan* section, which says what becomes of what was written since.
    """

    revision: str
    parent: str
    message: str
    losses: tuple[str, ...]
    plan: tuple[str, ...]


def current_revisions(url: str) -> tuple[str, ...]:
    """What ``alembic_version`` holds, sorted; empty for a database that was never migrated.

    :raises BackoutError: the database does not answer.
    """
    with _connected(url, "backout") as connection:
        if connection.execute("SELECT to_regclass('alembic_version')").fetchone() == (None,):
            return ()
        return tuple(sorted(row[0] for row in connection.execute("SELECT version_num FROM alembic_version")))


def script_directory(project: Project) -> ScriptDirectory:
    """The project's chain, as Alembic reads it.

    :raises ConfigurationError: no ``alembic.ini``.
    """
    path = project.root / "alembic.ini"
    if not path.is_file():
        raise ConfigurationError(f"{path} does not exist; run backout in the directory of alembic.ini")
    return ScriptDirectory.from_config(Config(path))


def describe_rollback(project: Project, url: str) -> Rollback:
    """What rolling back the database's current revision means.

    :raises Refused: nothing to roll back, several current revisions, a merge, or a revision without a file.
    """
    current = current_revisions(url)
    if not current:
        raise Refused("the database has no revision; there is nothing to roll back")
    if len(current) > 1:
        raise Refused(
            f"the database is at {len(current)} heads ({', '.join(current)}); name the one to roll back: "
            "alembic downgrade REVISION@-1"
        )
    revision = current[0]
    directory = script_directory(project)
    script = directory.revision_map.get_revisions(revision)[0] if _knows(directory, revision) else None
    if not isinstance(script, Script):
        raise Refused(
            f"the database is at {revision}, and no file in {directory.versions} has it; "
            "check out the code that was deployed, then roll back"
        )
    parents = script._versioned_down_revisions  # down_revision, always as a tuple
    if len(parents) > 1:
        raise Refused(
            f"{revision} merges {' and '.join(parents)}; rolling back a merge is ambiguous, "
            "so name the revision to stay at: alembic downgrade REVISION"
        )
    return Rollback(
        revision=revision,
        parent=parents[0] if parents else "base",
        message=script.doc,
        losses=section(script.longdoc, "Data loss"),
        plan=section(script.longdoc, "Rollback plan"),
    )


def roll_back(project: Project, url: str, rollback: Rollback) -> None:
    """Undo exactly the revision that was described, under the migration lock.

    :raises Refused: the database has moved since it was described.
    """
    with migration_lock(url):
        current = current_revisions(url)
        if current != (rollback.revision,):
            raise Refused(
                f"the database was at {rollback.revision} and is at {', '.join(current) or 'base'} now; "
                "somebody else migrates it: look again"
            )
        run_alembic(project, "downgrade", f"{rollback.revision}@-1")


def apply_pending(project: Project, url: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Upgrade the database to head, under the migration lock.

    :return: the revisions that it was at once the lock was held, and those that it is at now.
    :raises Refused: the chain has several heads.
    :raises BackoutError: ``alembic upgrade`` failed, or did not arrive at head.
    """
    heads = tuple(script_directory(project).get_heads())
    if len(heads) != 1:
        raise Refused(f"the chain has {len(heads)} heads ({', '.join(heads)}); merge them: alembic merge heads")
    with migration_lock(url):
        before = current_revisions(url)
        run_alembic(project, "upgrade", "head")
        current = current_revisions(url)
        if current != heads:
            raise BackoutError(
                f"the database is at {', '.join(current) or 'base'} after alembic upgrade head, not at {heads[0]}; "
                "see that alembic/env.py migrates the database that DATABASE_URL names"
            )
    return before, current


@contextmanager
def migration_lock(url: str, *, wait: float = 60.0) -> Iterator[None]:
    """Hold the lock that keeps a second runner out, on a connection of its own.

    Tries again and again instead of waiting in the server: a statement that waits for a lock is a running
    transaction, and ``CREATE INDEX CONCURRENTLY`` waits for every transaction, so that both would wait for ever.

    :param wait: seconds.
    :raises Refused: another runner still holds it then.
    :raises BackoutError: the database does not answer.
    """
    name = "backout migration lock"
    with _connected(url, name) as connection:
        deadline = time.monotonic() + wait
        while connection.execute("SELECT pg_try_advisory_lock(%s)", [MIGRATION_LOCK]).fetchone() != (True,):
            if time.monotonic() > deadline:
                raise Refused(
                    f"another runner has held the migration lock for {wait:g} s; wait until it has finished, "
                    f"or look for it in pg_stat_activity: application_name {name!r}"
                )
            time.sleep(0.1)
        yield


def run_alembic(project: Project, *arguments: str, quiet: bool = False) -> None:
    """Run the project's alembic on ``DATABASE_URL``; what it prints goes to the terminal as it comes.

    :param quiet: show what it prints only when it fails.
    :raises BackoutError: it failed.
    """
    done = subprocess.run(
        [sys.executable, "-m", "alembic", *arguments],
        cwd=project.root,
        env={**os.environ, **project_environment(project)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if quiet else None,
        stderr=subprocess.STDOUT if quiet else None,
        text=True,
        check=False,
    )
    if done.returncode:
        printed = f":\n{done.stdout.rstrip()}" if quiet else "; what it printed above says why"
        raise BackoutError(f"alembic {' '.join(arguments)} failed with exit status {done.returncode}{printed}")


@contextmanager
def _connected(url: str, name: str) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    try:
        connection = psycopg.connect(url, autocommit=True, connect_timeout=10, application_name=name)
    except psycopg.OperationalError as error:
        raise BackoutError(f"the database does not answer: {str(error).strip()}; check DATABASE_URL") from error
    with connection:
        yield connection


def _knows(directory: ScriptDirectory, revision: str) -> bool:
    return any(script.revision == revision for script in directory.walk_revisions())
