"""backout rehearse --python: one project by the interpreters of several, and by what is none."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from backout.postgres import Server

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="NOT CHECKED: inherited sockets are POSIX's")

ROOT = Path(__file__).parents[1]
SAMPLES = Path(__file__).parent / "samples"
LIBRARY = SAMPLES / "projects" / "library"
BACKOUT = Path(sys.executable).parent / "backout"
ENVIRONMENTS = Path(sys.prefix) / "environments"
NAME_IT = "name the interpreter that the project's packages are installed in: --python .venv/bin/python"

# Such that what an interpreter has installed is all that it can import, and no run is led astray.
ENVIRON = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith(("PG", "PYTHON")) and name not in ("DATABASE_URL", "BACKOUT_POSTGRES")
}


@dataclass(frozen=True)
class Run:
    """A rehearsal of the sample project.

    :param evidence: file name → content.
    """

    status: int
    printed: str
    complaints: str
    evidence: Mapping[str, bytes]


class Started:
    """A rehearsal of a copy of the sample project, begun."""

    def __init__(self, root: Path, *options: str, python: str, environ: Mapping[str, str] = ENVIRON) -> None:
        self.root = Path(shutil.copytree(LIBRARY, root, ignore=shutil.ignore_patterns("__pycache__")))
        self._process = subprocess.Popen(
            [BACKOUT, "rehearse", "--jobs", "2", "--python", python, *options],
            cwd=root, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def end(self) -> Run:
        printed, complaints = self._process.communicate()
        files = (self.root / "migrations" / "evidence").glob("*")
        return Run(self._process.returncode, printed, complaints, {path.name: path.read_bytes() for path in files})


def python_of(name: str) -> str:
    python = ENVIRONMENTS / name / "bin" / "python"
    if not python.exists():
        pytest.skip(f"NOT CHECKED: the environment {name} is not installed in {ENVIRONMENTS}; run make test")
    return str(python)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Run]:
    """The same project: by the older interpreters, and by the current one with the drivers that those have."""
    folder = tmp_path_factory.mktemp("library")
    importable = ["--set", "prepend_sys_path=src"]
    alone = [*importable, "--hooks", "alone.py"]
    psycopg2 = ["--set", "sqlalchemy.url=postgresql+psycopg2://library@db.example/library"]
    started = {
        "1.4, psycopg2": Started(folder / "14", *alone, python=python_of("sqlalchemy14")),
        "2.0, psycopg": Started(folder / "20", *alone, python=python_of("sqlalchemy20")),
        "2.1, psycopg2": Started(folder / "21-psycopg2", *importable, *psycopg2, python=sys.executable),
        "2.1, psycopg": Started(folder / "21", *importable, python=sys.executable),
    }
    return {name: one.end() for name, one in started.items()}


def test_the_environments_have_what_their_locks_say_and_not_backout() -> None:
    for name in ("sqlalchemy14", "sqlalchemy20"):
        script = "import alembic, sqlalchemy; print(alembic.__version__, sqlalchemy.__version__); import backout"
        done = subprocess.run([python_of(name), "-c", script], env=ENVIRON, check=False, capture_output=True, text=True)
        locked = dict(
            re.findall(r"^(\w+)==(\S+)", (ROOT / "tests" / "environments" / f"{name}.txt").read_text(), re.MULTILINE)
        )
        assert done.stdout.split() == [locked["alembic"], locked["sqlalchemy"]]
        assert done.stderr.splitlines()[-1] == "ModuleNotFoundError: No module named 'backout'"


def test_every_interpreter_measures_the_same_to_the_last_byte(runs: Mapping[str, Run]) -> None:
    for run in runs.values():
        assert run.status == 1, run.complaints  # what the project's revisions lose, nobody has accepted
        assert [line.split()[:2] for line in run.printed.splitlines() if not line.startswith(" ")][:4] == [
            ["authors", "low"], ["published", "high"], ["models", "high"], ["bound", "high"]
        ]  # fmt: skip
        assert run.evidence.keys() == {"authors.json", "published.json", "models.json", "bound.json"}
        assert b'"unproven": []' in run.evidence["models.json"]
    for name in ("authors.json", "published.json", "models.json"):
        assert len({run.evidence[name] for run in runs.values()}) == 1, name
    assert runs["2.0, psycopg"].evidence == runs["2.1, psycopg"].evidence


def test_only_the_text_of_bound_values_depends_on_driver_and_sqlalchemy(runs: Mapping[str, Run]) -> None:
    """It is what SQLAlchemy gives to the driver: psycopg gets casts, psycopg2 on 2.x one statement for many rows."""
    texts = {name: run.evidence["bound.json"] for name, run in runs.items()}
    assert b"isbn=%(isbn)s::VARCHAR WHERE books.price < %(price_1)s::INTEGER" in texts["2.1, psycopg"]
    assert b"VALUES (%(id__0)s, %(name__0)s), (%(id__1)s, %(name__1)s)" in texts["2.1, psycopg2"]
    without_casts = (re.sub(rb"(%\(\w+\)s)::(VARCHAR|INTEGER)", rb"\1", text) for text in texts.values())
    row = re.compile(rb"VALUES \(%\(id__0\)s, %\(name__0\)s\), \(%\(id__1\)s, %\(name__1\)s\)")
    assert {row.sub(b"VALUES (%(id)s, %(name)s)", text) for text in without_casts} == {texts["1.4, psycopg2"]}


def test_where_backout_can_be_imported_the_hook_says_so(tmp_path: Path) -> None:
    """So that what the older interpreters run could fail."""
    options = ["--set", "prepend_sys_path=src", "--hooks", "alone.py"]
    run = Started(tmp_path / "library", *options, python=sys.executable).end()
    assert (run.status, run.evidence) == (2, {})
    assert run.complaints == (
        "error: alone.py:11: no revision can be run: RuntimeError: backout is in this interpreter: not imported; "
        "mend it, or give it what it needs: --python, --env, --set, -x or --hooks\n"
    )


# An application that is installed


def made(folder: Path, *importable: Path | str) -> str:
    """An interpreter without any package, but with those of some directories; its path."""
    venv.create(folder, symlinks=True)
    packages = sysconfig.get_path("purelib", "venv", {"base": str(folder), "platbase": str(folder)})
    Path(packages, "project.pth").write_text("".join(f"{path}\n" for path in importable))
    return str(folder / "bin" / "python")


def test_an_application_is_imported_from_where_the_projects_packages_are(tmp_path: Path) -> None:
    packages = Path(python_of("sqlalchemy14")).parents[1] / "lib"
    (site,) = packages.glob("python*/site-packages")
    application = shutil.copytree(LIBRARY / "src", tmp_path / "installed", ignore=shutil.ignore_patterns("__pycache__"))
    project = tmp_path / "project"
    run = Started(project, "authors", "--hooks", "alone.py", python=made(tmp_path / "own", site, application)).end()
    assert (run.status, run.evidence.keys()) == (0, {"authors.json"}), run.complaints
    run = Started(tmp_path / "other", "authors", python=sys.executable).end()
    assert (run.status, run.evidence) == (2, {})
    assert run.complaints == (
        f"error: migrations/versions/models.py:5: the chain of {tmp_path}/other/alembic.ini could not be loaded "
        f"by {sys.executable}: ModuleNotFoundError: No module named 'library'; {NAME_IT}\n"
    )


# What no chain can be run by


@pytest.mark.parametrize(
    ("python", "message"),
    [
        ("/no/such/python", "/no/such/python could not be started: No such file or directory"),
        ("migrations/env.py", "{root}/migrations/env.py could not be started: Permission denied"),
        ("./migrations", "{root}/migrations could not be started: Permission denied"),
        ("/bin/true", "/bin/true is no Python interpreter"),
        ("{samples}/python2.7", "{samples}/python2.7 is Python 2.7, and backout needs 3.8 or later there"),
    ],
)
def test_what_is_no_interpreter(python: str, message: str, tmp_path: Path, backout_server: Server) -> None:
    root, samples = tmp_path / "library", SAMPLES / "interpreters"
    environ = {**ENVIRON, "BACKOUT_POSTGRES": backout_server.handle()}
    run = Started(root, python=python.format(samples=samples), environ=environ).end()
    told = message.format(root=root, samples=samples)
    assert (run.status, run.printed, run.complaints, run.evidence) == (2, "", f"error: {told}; {NAME_IT}\n", {})


@pytest.mark.parametrize(
    ("packages", "why"),
    [
        (None, "it has no Alembic and no SQLAlchemy"),
        ("old_alembic", "it has Alembic 1.7.7, and backout needs 1.8 or later"),
        ("old_sqlalchemy", "it has SQLAlchemy 1.4.26, and backout needs 1.4.27 or later"),
    ],
)
def test_an_interpreter_without_what_is_needed(
    packages: str | None, why: str, tmp_path: Path, backout_server: Server
) -> None:
    python = made(tmp_path / "interpreter", *([SAMPLES / "interpreters" / packages] if packages else []))
    environ = {**ENVIRON, "BACKOUT_POSTGRES": backout_server.handle()}
    run = Started(tmp_path / "library", python=python, environ=environ).end()
    assert (run.status, run.printed, run.complaints, run.evidence) == (
        2,
        "",
        f"error: the chain of {tmp_path}/library/alembic.ini could not be loaded by {python}: {why}; {NAME_IT}\n",
        {},
    )
