"""The linters, each as one test that shows what it said. ``make lint`` runs this file."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from backout.repository import repository_files

ROOT = Path(__file__).parents[1]
TOOLS = Path(sys.executable).parent

# Right as they are: a kind of index, and a surname.
WORDS = "brin,whit"


def run(tool: str, *arguments: str | Path) -> None:
    done = subprocess.run(
        [TOOLS / tool, *arguments],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.fail(f"{tool} ended with {done.returncode} and said\n{done.stdout}", pytrace=False)


def text_files() -> Iterator[Path]:
    """What was written here: no lock files, nothing that others made, nothing that is no text."""
    for path in repository_files(ROOT):
        foreign = path.name in ("requirements.txt", "package-lock.json") or "vendor" in path.parts
        if not foreign and b"\0" not in (ROOT / path).read_bytes()[:8192]:
            yield path


def shell_scripts() -> list[Path]:
    return [path for path in text_files() if (ROOT / path).read_bytes().startswith(b"#!/usr/bin/env bash\n")]


def test_ruff() -> None:
    run("ruff", "check", "--quiet", "--output-format=concise")


def test_mypy() -> None:
    run("mypy", "--no-error-summary")


def test_codespell() -> None:
    """Of all but the tests, which misspell on purpose."""
    paths = [path for path in text_files() if path.parts[0] != "tests"]
    run("codespell", "--check-hidden", f"--ignore-words-list={WORDS}", *paths)


def test_shellcheck() -> None:
    scripts = shell_scripts()
    assert {str(path) for path in scripts} >= {".ci/run", "scripts/migrate_production.sh"}
    assert {path for path in text_files() if path.suffix == ".sh"} <= set(scripts)
    run("shellcheck", *scripts)


def test_zizmor() -> None:
    run("zizmor", "--offline", "--no-progress", "--quiet", "--persona=pedantic", ".github")
