"""What the tests of the commands, scripts and workflows share: a copy of the repository that they may break."""

import os
import shutil
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from backout.configuration import Project, load_project
from backout.repository import copy_repository

ROOT = Path(__file__).parents[1]

# What a shell runs in the background ignores these, and so would everything that the tests start, and end with them.
for _signal in [getattr(signal, name) for name in ("SIGINT", "SIGQUIT", "SIGHUP") if hasattr(signal, name)]:
    if signal.getsignal(_signal) is signal.SIG_IGN:
        signal.signal(_signal, signal.default_int_handler if _signal is signal.SIGINT else signal.SIG_DFL)

# Of the caller's environment, what would lead a command astray: to another database, or as a child of `make test`.
ASTRAY = {"DATABASE_URL", "BACKOUT_POSTGRES", "BACKOUT_REQUIRE_ALL", "PYTEST_ARGS", "MESSAGE", "CONFIRM", "MIGRATE_IN"}
ASTRAY |= {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}

REVISION = '''"""{message}

{document}
Revision ID: {revision}
Revises: {parents}
"""

from alembic import op

revision = {revision!r}
down_revision = {down_revision!r}
branch_labels = None
depends_on = None


def upgrade() -> None:
    {upgrade}


def downgrade() -> None:
    {downgrade}
'''


@dataclass(frozen=True)
class Chain:
    """A project whose chain a test may extend."""

    root: Path

    @property
    def project(self) -> Project:
        return load_project(self.root)

    @property
    def heads(self) -> tuple[str, ...]:
        return tuple(ScriptDirectory.from_config(Config(self.root / "alembic.ini")).get_heads())

    def add(
        self,
        revision: str,
        upgrade: str = "pass",
        downgrade: str = "pass",
        *,
        parents: tuple[str, ...] | None = None,
        message: str = "a revision of the test",
        document: str = "",
    ) -> None:
        """Write a revision file, by default on top of the head."""
        parents = self.heads if parents is None else parents
        text = REVISION.format(
            message=message,
            document=document,
            revision=revision,
            parents=", ".join(parents),
            down_revision=parents[0] if len(parents) == 1 else parents or None,
            upgrade=upgrade.replace("\n", "\n    "),
            downgrade=downgrade.replace("\n", "\n    "),
        )
        (self.root / "alembic" / "versions" / f"{revision}.py").write_text(text, encoding="utf-8")


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository, copied; its ``.venv`` is the running environment, and complete, so that nothing is installed."""
    copy = tmp_path_factory.mktemp("pristine") / "copy"
    copy_repository(ROOT, copy)
    environment = copy / ".venv"
    environment.mkdir()
    for entry in Path(sys.prefix).iterdir():
        if entry.name != ".complete":
            (environment / entry.name).symlink_to(entry)
    (environment / ".complete").touch()
    return copy


@pytest.fixture
def working_copy(pristine: Path, tmp_path: Path) -> Chain:
    """A copy of the repository that a test may break."""
    return Chain(Path(shutil.copytree(pristine, tmp_path / "copy", symlinks=True)))


@pytest.fixture
def small_chain(tmp_path: Path) -> Chain:
    """A project with an empty chain and an ``env.py`` of few lines."""
    root = tmp_path / "small"
    (root / "alembic" / "versions").mkdir(parents=True)
    (root / "alembic.ini").write_text("[alembic]\nscript_location = %(here)s/alembic\npath_separator = os\n")
    (root / "alembic" / "env.py").write_text(
        "import os\n"
        "import sqlalchemy\n"
        "from alembic import context\n"
        "engine = sqlalchemy.create_engine(os.environ['DATABASE_URL'], poolclass=sqlalchemy.NullPool)\n"
        "with engine.connect() as connection:\n"
        "    context.configure(connection=connection)\n"
        "    with context.begin_transaction():\n"
        "        context.run_migrations()\n"
    )
    return Chain(root)


@pytest.fixture
def environment() -> dict[str, str]:
    """The environment for a command: the caller's, without what would lead it astray."""
    return {name: value for name, value in os.environ.items() if name not in ASTRAY}
