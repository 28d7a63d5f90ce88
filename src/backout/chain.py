"""A project's chain on a disposable database: its schema at a revision, and its sample rows.

The chain is run by the project's own ``alembic`` command in a process of its own. Only databases
that backout created get here.
"""

import os
import subprocess
import sys
from collections.abc import Mapping

from backout.configuration import Project
from backout.errors import BackoutError, ConfigurationError
from backout.postgres import Database, Server
from backout.repository import code_hash


def database_at(server: Server, project: Project, revision: str = "base", rows: str = "none") -> Database:
    """A new disposable database with the chain's schema at a revision.

    The chain is run once for each revision and server; every further database is a clone.

    :param revision: anything that ``alembic upgrade`` takes; ``base`` is an empty database.
    :param rows: ``sample`` also loads the project's sample rows, which takes ``revision`` at head.
    :raises BackoutError: the chain or the loading of the rows failed; says where and shows what they printed.
    """
    if revision == "base" and rows == "none":
        return server.create()

    def build(database: Database) -> None:
        environment = {**os.environ, **server.environment(database), **project_environment(project)}
        if revision != "base":
            command = [sys.executable, "-m", "alembic", "upgrade", revision]
            _run(command, f"alembic upgrade {revision}", project, environment)
        if rows == "sample":
            if project.sample is None:
                raise ConfigurationError(
                    "sample rows were asked for, and [tool.backout] in pyproject.toml names no sample command; "
                    'add sample = "COMMAND"'
                )
            _run(["bash", "-o", "pipefail", "-c", project.sample], project.sample, project, environment)

    # By content, not by place: the working copies of pages share what the same code has built.
    return server.clone(server.template(f"{code_hash(project.root)}:{revision}:{rows}:{project.sample}", build))


def project_environment(project: Project) -> dict[str, str]:
    """Variables under which a project's own code is found where it lies, installed or not."""
    source = project.root / "src"
    paths = [str(source)] if source.is_dir() else []
    inherited = os.environ.get("PYTHONPATH")
    return {"PYTHONPATH": os.pathsep.join([*paths, *([inherited] if inherited else [])])}


def _run(command: list[str], name: str, project: Project, environment: Mapping[str, str]) -> None:
    # The interpreter's own directory first: `python` and `alembic` are the project's, not the system's.
    path = os.pathsep.join([os.path.dirname(sys.executable), environment.get("PATH", os.defpath)])  # noqa: PTH120
    done = subprocess.run(
        command,
        cwd=project.root,
        env={**environment, "PATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        printed = (done.stdout + done.stderr).strip().splitlines()[-15:]
        raise BackoutError(
            f"{name} failed in {project.root} with exit status {done.returncode}; it printed\n"
            + "\n".join(f"    {line}" for line in printed)
        )
