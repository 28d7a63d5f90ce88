"""The files of a repository: which they are, a working copy of them, and hashes of what they hold.

Knows git and files, and nothing of what they mean.
"""

import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path

# Who commits in a working copy, whatever git on this machine is told.
GIT_IDENTITY = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Content Creation Crew",
    "GIT_AUTHOR_EMAIL": "crew@example.com",
    "GIT_COMMITTER_NAME": "Content Creation Crew",
    "GIT_COMMITTER_EMAIL": "crew@example.com",
}


def copy_repository(root: Path, target: Path) -> None:
    """A working copy of what git tracks or would track, committed, so that a page may change and commit.

    Outside git every file is copied but those that start with a dot or lie in ``build``, ``site`` or ``__pycache__``.
    """
    for path in repository_files(root):
        destination = target / path
        destination.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / path, destination, follow_symlinks=False)
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(target.parent),
        **GIT_IDENTITY,
    }
    for command in (
        ["git", "init", "--quiet", "--initial-branch=main", "--template="],
        ["git", "add", "--all"],
        ["git", "commit", "--quiet", "--message", "The repository as the page finds it"],
    ):
        subprocess.run(command, cwd=target, env=environment, check=True, stdin=subprocess.DEVNULL)


def repository_files(root: Path) -> Iterator[Path]:
    """Paths, relative to ``root``, of the files that belong to the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        capture_output=True,
        check=False,
    )
    if listed.returncode == 0:
        names = sorted(set(listed.stdout.decode().split("\0")) - {""})
        yield from (Path(name) for name in names if (root / name).is_file() or (root / name).is_symlink())
        return
    for path in sorted(root.rglob("*")):
        relative = path.relative_to(root)
        hidden = any(part == "__pycache__" or (part.startswith(".") and part != ".github") for part in relative.parts)
        if path.is_file() and not hidden and relative.parts[0] not in ("build", "site"):
            yield relative


def commit_of(root: Path) -> str:
    """Short hash of HEAD, ``+`` behind it where tracked files differ; empty outside git."""
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty=+", "--exclude=*"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip()


def is_apart(path: Path) -> bool:
    """Whether a file, relative, matters only to the pages that name it: prose and tests do."""
    return path.suffix in (".md", ".ipynb") or path.parts[0] == "tests"


def hash_of(root: Path, paths: Iterable[Path]) -> str:
    """Hash of the paths, kinds and contents of these files, relative to ``root``."""
    digest = sha256()
    for path in paths:
        full = root / path
        content = os.fsencode(full.readlink()) if full.is_symlink() else full.read_bytes()
        digest.update(f"{path.as_posix()}\0{full.lstat().st_mode:o}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def code_hash(root: Path) -> str:
    """Hash of all files of the repository but prose and tests."""
    return hash_of(root, (path for path in repository_files(root) if not is_apart(path)))
