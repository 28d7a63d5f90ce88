"""Which revision this release expects, and whether a database is there.

Reads the migration chain from the project's ``alembic.ini``; migrates nothing. Used by the health
endpoint and before sample rows are loaded.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection


class ChainNotFoundError(RuntimeError):
    """There is no ``alembic.ini``."""


@dataclass(frozen=True)
class Chain:
    """The revisions that this release brings along."""

    heads: tuple[str, ...]
    revisions: frozenset[str]

    @property
    def head(self) -> str | None:
        """The head, or None when there is none or more than one."""
        return self.heads[0] if len(self.heads) == 1 else None

    def problem(self, current: Sequence[str]) -> str | None:
        """What is wrong with a database that is at ``current``, and what to do. None: it is at head."""
        if len(self.heads) != 1:
            return f"the chain has {len(self.heads)} heads ({', '.join(self.heads)}): run alembic merge heads"
        if unknown := [revision for revision in current if revision not in self.revisions]:
            return (
                f"the database is at {', '.join(unknown)}, which this release does not know "
                f"(its head is {self.head}): deploy the release that brought it"
            )
        if not current:
            return f"the database is at no revision, head is {self.head}: run alembic upgrade head"
        if tuple(current) != self.heads:
            return f"the database is behind, at {', '.join(current)}, head is {self.head}: run alembic upgrade head"
        return None


def chain() -> Chain:
    """The chain of the ``alembic.ini`` in the working directory, else of the one above this package.

    Read once for each file; the revision files are imported for it.

    :raises ChainNotFoundError: neither exists.
    """
    for folder in (Path.cwd(), *Path(__file__).resolve().parents):
        if (ini := folder / "alembic.ini").is_file():
            return _read(ini)
    raise ChainNotFoundError("alembic.ini was not found: start in the folder that holds it")


def current_revisions(connection: Connection) -> tuple[str, ...]:
    """What ``alembic_version`` says, sorted. Empty for a database that was never migrated."""
    return tuple(sorted(MigrationContext.configure(connection).get_current_heads()))


@cache
def _read(ini: Path) -> Chain:
    script = ScriptDirectory.from_config(Config(str(ini)))
    return Chain(
        heads=tuple(sorted(script.get_heads())),
        revisions=frozenset(revision.revision for revision in script.walk_revisions()),
    )
