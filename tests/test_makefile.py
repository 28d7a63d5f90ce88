"""The targets of the Makefile, called as people call them; those that install or serve are left to CI."""

import os
import pty
import re
import shlex
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psycopg
import pytest

from backout.postgres import Database, Server

ROOT = Path(__file__).parents[1]
HEAD, PARENT = "7f544264830f", "76f0ddcb0970"

Make = Callable[..., Database]
Run = subprocess.CompletedProcess[str]


@pytest.fixture
def make(environment: dict[str, str], backout_server: Server) -> Callable[..., Run]:
    """Run make in a directory, by default the repository's, with a database or without one."""

    def make(
        *arguments: str,
        root: Path = ROOT,
        database: Database | None = None,
        variables: Mapping[str, str] | None = None,
        stdin: int = subprocess.DEVNULL,
    ) -> Run:
        chosen = backout_server.environment(database) if database else {}
        return subprocess.run(
            ["make", "--no-print-directory", *arguments],
            cwd=root,
            env={**environment, **chosen, **(variables or {})},
            stdin=stdin,
            capture_output=True,
            text=True,
            check=False,
        )

    return make


def without_make(stderr: str) -> str:
    """What a recipe printed, without make's own last line."""
    return re.sub(r"make(\[\d+\])?: \*\*\* \[\S+: [\w-]+\] Error \d+\n", "", stderr)


# -- help -------------------------------------------------------------------------------------------


def test_help_describes_every_target(make: Callable[..., Run]) -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    described = dict(re.findall(r"^  ([a-z-]+) +(\S.*)$", make("help").stdout, re.MULTILINE))
    rules = set(re.findall(r"^([a-z-]+):", text, re.MULTILINE))
    assert described.keys() == rules - {"need-database"}
    assert make().stdout == make("help").stdout


def test_no_target_is_mistaken_for_a_file() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = {name for names in re.findall(r"^\.PHONY: (.*)$", text, re.MULTILINE) for name in names.split()}
    rules = set(re.findall(r"^([^\s:#]+):(?!=)", text, re.MULTILINE))
    assert rules - phony == {
        ".PHONY",
        ".DELETE_ON_ERROR",
        "$(VENV)/.complete",
        "$(VENV)/environments/.complete",
    }
    assert phony <= rules


# -- a database is needed ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "target", ["migrate-up", "migrate-down-one", "migrate-current", "migrate-create", "migrate-test", "sample"]
)
def test_a_database_must_be_named(make: Callable[..., Run], target: str) -> None:
    done = make(target)
    assert (done.returncode, done.stdout) == (2, "")
    assert without_make(done.stderr) == (
        "error: DATABASE_URL is not set: set it to postgresql://user@host:port/database, or use a disposable one:\n"
        f"  backout postgres --revision head --sample -- make {target}\n"
    )


# -- migrate ----------------------------------------------------------------------------------------


def test_migrate_here_applies_what_is_pending(
    make: Callable[..., Run], working_copy: Any, disposable: Make, current_revisions: Callable[[str], tuple[str, ...]]
) -> None:
    database = disposable(revision=PARENT)
    done = make("migrate", root=working_copy.root, database=database)
    assert (done.returncode, done.stdout) == (0, ".venv/bin/alembic upgrade head\n"), done.stderr
    assert current_revisions(database.url) == (HEAD,)


@pytest.mark.parametrize("status", [0, 7])
def test_migrate_in_a_service_runs_alembic_there(make: Callable[..., Run], tmp_path: Path, status: int) -> None:
    """In a running container, without a terminal; its failure is make's."""
    docker = tmp_path / "docker"
    docker.write_text(f"#!/bin/sh\nprintf '%s\\n' \"$@\" >{shlex.quote(str(tmp_path / 'arguments'))}\nexit {status}\n")
    docker.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    done = make("migrate", "MIGRATE_IN=api", variables={"PATH": path})
    assert done.returncode == (2 if status else 0)
    arguments = (tmp_path / "arguments").read_text().splitlines()
    assert arguments == ["compose", "exec", "-T", "api", "alembic", "upgrade", "head"]


# -- migrate-down-one -------------------------------------------------------------------------------

PLAN = (
    f"Rollback plan of {HEAD}, by its docstring:\n  Drops the index, concurrently as well. Nothing is lost but speed.\n"
)
QUESTION = f"Type the revision to roll it back ({HEAD}): "


def answered(make: Callable[..., Run], answer: str, root: Path, database: Database) -> Run:
    """Call ``make migrate-down-one`` with a terminal on which the answer has been typed."""
    ours, theirs = pty.openpty()
    try:
        os.write(ours, answer.encode())
        return make("migrate-down-one", root=root, database=database, stdin=theirs)
    finally:
        os.close(ours)
        os.close(theirs)


def has_index(database: Database) -> bool:
    with psycopg.connect(database.url) as connection:
        return connection.execute("SELECT to_regclass('ix_content_jobs_queue') IS NOT NULL").fetchone() == (True,)


def where(database: Database) -> tuple[str, bool]:
    """The revision that the version table tells, and whether what it made is there."""
    with psycopg.connect(database.url) as connection:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        assert row is not None
        return row[0], has_index(database)


def test_nothing_is_rolled_back_when_nobody_can_be_asked(
    make: Callable[..., Run], working_copy: Any, disposable: Make
) -> None:
    database = disposable(revision="head")
    done = make("migrate-down-one", root=working_copy.root, database=database)
    assert done.returncode == 2
    assert done.stdout.endswith(PLAN)
    assert without_make(done.stderr).splitlines()[-1] == (
        "error: nobody can be asked: standard input is no terminal; for scripts: "
        f"--confirm {HEAD}, or CONFIRM={HEAD} with make"
    )
    assert "migrate-down-one] Error 3\n" in done.stderr
    assert where(database) == (HEAD, True)


@pytest.mark.parametrize("answer", ["y", "no", PARENT])
def test_who_names_another_revision_keeps_the_database(
    make: Callable[..., Run], working_copy: Any, disposable: Make, answer: str
) -> None:
    database = disposable(revision="head")
    done = answered(make, f"{answer}\n", working_copy.root, database)
    assert done.returncode == 2
    assert done.stdout.endswith(PLAN + QUESTION)
    assert without_make(done.stderr).splitlines()[-1] == (
        f"error: {answer!r} is not {HEAD}, which would be rolled back; nothing was changed"
    )
    assert where(database) == (HEAD, True)


def test_who_names_the_revision_rolls_it_back(make: Callable[..., Run], working_copy: Any, disposable: Make) -> None:
    database = disposable(revision="head")
    done = answered(make, f"{HEAD}\n", working_copy.root, database)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(PLAN + QUESTION + f"now at {PARENT}\n")
    assert where(database) == (PARENT, False)


@pytest.mark.parametrize(("confirm", "status"), [(HEAD, 0), ("yes", 2)])
def test_scripts_confirm_beforehand(
    make: Callable[..., Run], working_copy: Any, disposable: Make, confirm: str, status: int
) -> None:
    database = disposable(revision="head")
    done = make("migrate-down-one", f"CONFIRM={confirm}", root=working_copy.root, database=database)
    assert done.returncode == status
    assert done.stdout.endswith(PLAN if status else f"{PLAN}now at {PARENT}\n")
    assert where(database) == ((HEAD, True) if status else (PARENT, False))


def test_a_reason_is_accepted(make: Callable[..., Run], working_copy: Any, disposable: Make) -> None:
    """With rows in it, a database wants a backup."""
    database = disposable(revision="head", rows="sample")
    refused = make("migrate-down-one", f"CONFIRM={HEAD}", root=working_copy.root, database=database)
    assert refused.returncode == 2
    assert "\n  backup: there is no receipt of a backup of this database in " in refused.stderr
    done = make(
        "migrate-down-one", f"CONFIRM={HEAD}", "ACCEPT=backup=a desk", root=working_copy.root, database=database
    )
    assert (done.returncode, where(database)) == (0, (PARENT, False)), done.stderr


# -- migrate-current, migrate-create, sample --------------------------------------------------------


def test_the_current_revision_is_shown(make: Callable[..., Run], working_copy: Any, disposable: Make) -> None:
    done = make("migrate-current", root=working_copy.root, database=disposable(revision="head"))
    assert (done.returncode, done.stdout) == (0, f"{HEAD} (head)\n")


def test_a_new_migration_needs_a_message(make: Callable[..., Run], disposable: Make) -> None:
    done = make("migrate-create", database=disposable())
    assert (done.returncode, done.stdout) == (2, "")
    assert without_make(done.stderr) == (
        'error: MESSAGE is not set; for example: make migrate-create MESSAGE="add users.nickname"\n'
    )


def test_a_new_migration_is_made_from_the_models(make: Callable[..., Run], working_copy: Any, disposable: Make) -> None:
    """Whatever the message holds, it is a message and nothing else."""
    model = working_copy.root / "src/content_creation_crew/db/models/user.py"
    text = model.read_text(encoding="utf-8")
    model.write_text(
        re.sub(r"^    display_name\b", "    nickname: Mapped[str | None]\n    display_name", text, flags=re.MULTILINE),
        encoding="utf-8",
    )
    versions = working_copy.root / "alembic" / "versions"
    before = set(versions.iterdir())
    message = """add users' "nickname"; touch `pwd`/x"""
    database = disposable(revision="head")
    done = make("migrate-create", f"MESSAGE={message}", root=working_copy.root, database=database)
    assert done.returncode == 0, done.stderr
    (new,) = {path for path in versions.iterdir() if path.suffix == ".py"} - before
    assert done.stdout == (
        f"Generating {new} ...  done\n"
        "Next: read the new file, fill in its docstring, then: make migrate-up migrate-test rehearse\n"
    )
    assert not (working_copy.root / "x").exists()
    written = new.read_text(encoding="utf-8")
    assert written.startswith(f'"""{message}\n')
    assert f"down_revision = '{HEAD}'\n" in written
    assert re.findall(r"op\.\w+\(.*\)", written) == [
        "op.add_column('users', sa.Column('nickname', sa.Text(), nullable=True))",
        "op.drop_column('users', 'nickname')",
    ]


def test_sample_rows_are_loaded(make: Callable[..., Run], working_copy: Any, disposable: Make) -> None:
    done = make("sample", root=working_copy.root, database=disposable(revision="head"))
    assert (done.returncode, done.stdout[:16]) == (0, "369 sample rows:")


# -- setup, clean -----------------------------------------------------------------------------------


def test_setup_is_done_once(make: Callable[..., Run], working_copy: Any) -> None:
    done = make("setup", root=working_copy.root)
    assert (done.returncode, done.stdout, done.stderr) == (0, "make: Nothing to be done for 'setup'.\n", "")
    assert make("--question", "setup", root=working_copy.root).returncode == 0
    (working_copy.root / ".venv" / ".complete").unlink()
    assert make("--question", "setup", root=working_copy.root).returncode == 1


def test_setup_needs_a_new_python(make: Callable[..., Run], tmp_path: Path) -> None:
    for name in ("Makefile", "requirements.txt", "pyproject.toml"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    done = make("setup", "PYTHON=", root=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[0] == (
        "error: Python 3.11 or newer is not on PATH; install it, or: make PYTHON=/path/to/python3"
    )
    assert not (tmp_path / ".venv").exists()


def test_clean_leaves_what_git_tracks(make: Callable[..., Run], working_copy: Any) -> None:
    for name in ("build", "site"):
        (working_copy.root / name).mkdir()
    assert make("clean", root=working_copy.root).returncode == 0
    left = subprocess.run(
        ["git", "status", "--porcelain", "--ignored"], cwd=working_copy.root, capture_output=True, text=True, check=True
    )
    assert left.stdout == ""


# -- test -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("installed", "required", "status", "said"),
    [
        (True, "", 0, "pytest on the default\npytest on system:15\n"),
        (True, "1", 0, "pytest on the default\npytest on system:15\n"),
        (
            False,
            "",
            0,
            (
                "pytest on the default\n"
                "NOT CHECKED: everything on PostgreSQL 15, which is not installed here (Debian: postgresql-15)\n"
            ),
        ),
        (False, "1", 2, "pytest on the default\n"),
    ],
)
def test_everything_is_tested_on_both_ends_of_the_supported_range(
    make: Callable[..., Run], tmp_path: Path, installed: bool, required: str, status: int, said: str
) -> None:
    tools = tmp_path / ".venv" / "bin"
    tools.mkdir(parents=True)
    answers = {
        "python": '[ "$*" = "-m pytest -n 2" ] && echo "pytest on ${BACKOUT_POSTGRES:-the default}"',
        "backout": f'[ "$*" = "postgres --postgres system:15 -- true" ] && exit {0 if installed else 1}',
    }
    for name, script in answers.items():
        (tools / name).write_text(f"#!/bin/sh\n{script}\n")
        (tools / name).chmod(0o755)
    environments = [f"tests/environments/{name}.txt" for name in ("sqlalchemy14", "sqlalchemy20")]
    stamps = [".venv/.complete", ".venv/environments/.complete"]
    for name in ("requirements.txt", "pyproject.toml", *environments, *stamps):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "Makefile").write_bytes((ROOT / "Makefile").read_bytes())
    done = make("--silent", "test", root=tmp_path, variables={"BACKOUT_REQUIRE_ALL": required})
    assert (done.returncode, done.stdout) == (status, said)
    assert without_make(done.stderr) == (
        "error: BACKOUT_REQUIRE_ALL=1, and PostgreSQL 15 is not installed\n" if status else ""
    )


def test_the_copy_of_the_site_is_built_for_a_folder_where_the_workflow_takes_it(make: Callable[..., Run]) -> None:
    commands = make("--dry-run", "site-offline").stdout.splitlines()
    assert commands[-1].startswith("OFFLINE=true ")
    folder = commands[-1].partition("mkdocs build --strict --site-dir ")[2]
    assert f"path: {folder}/\n" in (ROOT / ".github/workflows/docs.yml").read_text(encoding="utf-8")
