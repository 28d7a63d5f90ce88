"""What only the text of a revision's SQL shows: the findings of squawk, a linter of SQL for PostgreSQL.

::

    found = lint([evidence, …], root)    # revision → findings; None where squawk is not installed

One process reads the upgrades of all revisions. It is told what the rehearsal knows: the major version, and what ran
outside of a transaction. All else stands in the project's own ``.squawk.toml``, which squawk finds from ``root`` on.

Measured beats text. A rule that a hazard of the catalogue names is left out, whether that hazard was found or not.
What remains are warnings, and notes where ``NOTES`` says why; they change no verdict and no exit code.

Not here: rules about text, which are squawk's; waivers (``rules``). Part of no evidence: told when that is read.
"""

from __future__ import annotations

import glob
import os
import re
import shutil
import subprocess
import sysconfig
import textwrap
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import msgspec

from backout.errors import BackoutError, ConfigurationError
from backout.evidence import Evidence
from backout.postgres.cluster import run_folder
from backout.rules import TEXT, Finding, Hazard, Severity, measured_rules

DOCUMENTATION = "https://squawkhq.com/docs"

_MODEL = "The model's choice, not the revision's. Another type is rehearsed when it comes."
_SESSION = "env.py, the role or the database may set it, which the revision's SQL does not show."
NOTES: Mapping[str, str] = MappingProxyType(
    {
        "prefer-bigint-over-int": _MODEL,
        "prefer-bigint-over-smallint": _MODEL,
        "prefer-text-field": _MODEL,
        "prefer-identity": "Alembic writes SERIAL for every integer key that does not ask for more.",
        "prefer-robust-stmts": "Outside of a transaction IF NOT EXISTS takes an invalid index for a good one. "
        "What a failure on data leaves behind is measured.",
        "require-lock-timeout": _SESSION,
        "require-statement-timeout": _SESSION,
    }
)

_UNREADABLE = "syntax-error"  # reported like a rule, and none that an option takes
_PARAMETER = re.compile(r"%(?:\([^)\n]*\))?[sbt]")  # of psycopg's
_LONGEST = 120  # characters of a statement that a message shows


@dataclass(frozen=True)
class _Violation:
    """What squawk's JSON has of a finding.

    :param line: counted from 0.
    """

    file: str
    line: int
    rule_name: str
    message: str
    help: str | None


def lint(
    revisions: Collection[Evidence], root: Path, catalogue: Mapping[str, Hazard] | None = None
) -> Mapping[str, tuple[Finding, ...]] | None:
    """What squawk says of the upgrades, by revision, or None where it is not installed.

    :param revisions: measured on one major version.
    :param root: the project's directory.
    :param catalogue: whose hazards are measured; by default the package's own.
    :raises BackoutError: squawk failed, or printed something else than its report.
    """
    program = _program()
    if program is None:
        return None
    texts = [_Text(one) for one in revisions if one.upgrade.statements]
    asked = texts
    while asked:
        _ask(program, asked, root)
        asked = [text for text in asked if text.leave_out_unreadable()]
    measured = measured_rules(catalogue)
    return {text.revision: text.findings(measured) for text in texts}


def explain(rule: str) -> str:
    """Where squawk documents a rule, and what backout makes of it.

    :raises ConfigurationError: squawk is installed, and has no such rule.
    """
    program, hazards = _program(), measured_rules().get(rule)
    if program is not None and not hazards and not _knows(program, rule):
        raise ConfigurationError(f"squawk has no rule {rule!r}; {DOCUMENTATION}/rules lists them")
    if hazards:
        title, text = "Measured", f"What these find stands in its place: {', '.join(hazards)}."
    elif rule in NOTES:
        title, text = "Only a note", NOTES[rule]
    else:
        title, text = "Only the text shows it", "It changes no verdict and no exit code."
    indented = textwrap.fill(text, 78, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)
    return f"{TEXT}{rule}: a rule of squawk, which reads the SQL text\n\nRule\n  {_link(rule)}\n\n{title}\n{indented}"


class _Text:
    """The statements of an upgrade as one file, in which every line knows its statement.

    :ivar violations: squawk's last answer.
    """

    def __init__(self, evidence: Evidence) -> None:
        self.revision, self.major = evidence.revision, evidence.postgres
        self.violations: list[_Violation] = []
        self._unreadable: dict[str, str] = {}
        self._lines = [
            (statement.sql, line)
            for statement in evidence.upgrade.statements or ()
            for line in f"{statement.sql}\n;".split("\n")  # a comment may end the statement
        ]
        if evidence.upgrade.transactional is False:
            self._lines.append(("", "-- squawk-disable-assume-in-transaction"))

    @property
    def sql(self) -> str:
        """The file; what squawk cannot read are empty lines."""
        text = "\n".join("" if sql in self._unreadable else line for sql, line in self._lines)
        return _PARAMETER.sub("$1", text)

    def leave_out_unreadable(self) -> bool:
        """Whether there are more statements that squawk cannot read: because of one it says nothing of all others."""
        before = len(self._unreadable)
        for one in self.violations:
            if one.rule_name == _UNREADABLE:
                self._unreadable.setdefault(self._lines[one.line][0], one.message)
        return len(self._unreadable) > before

    def findings(self, measured: Collection[str]) -> tuple[Finding, ...]:
        """Each once, without those of rules whose danger is measured."""
        found = [
            _finding(_UNREADABLE, _shown(sql), f"squawk cannot read it, so it was not checked: {message}.")
            for sql, message in self._unreadable.items()
        ]
        for one in self.violations:
            if one.rule_name not in measured:
                sql, line = map(_shown, self._lines[one.line])
                where = sql if line in sql else f"{sql}, at {line}"
                found.append(_finding(one.rule_name, where, " ".join(_sentences(one.message, one.help))))
        return tuple(dict.fromkeys(found))


def _finding(rule: str, where: str, message: str) -> Finding:
    severity: Severity = "note" if rule in NOTES else "warning"
    return Finding(f"{TEXT}{rule}", severity, where, f"{where}: {message}", link=_link(rule))


def _program() -> str | None:
    """The one beside the interpreter that runs, else the first on PATH."""
    places = [sysconfig.get_path("scripts"), os.environ.get("PATH", os.defpath)]
    return shutil.which("squawk", path=os.pathsep.join(places))


def _ask(program: str, texts: Sequence[_Text], root: Path) -> None:
    """Let one process read them all."""
    options = ["--reporter", "json", "--pg-version", str(texts[0].major), "--assume-in-transaction"]
    options += ["--exclude-path", ""]  # what a project leaves out are files of its own, none of these
    with ExitStack() as stack:
        folder = run_folder(stack)
        for number, text in enumerate(texts):
            text.violations = []
            (folder / f"{number}.sql").write_bytes(text.sql.encode())
        done = _run(program, [*options, f"{glob.escape(str(folder))}/*.sql"], root)
    try:
        violations = msgspec.json.decode(done.stdout, type=list[_Violation])
    except msgspec.MsgspecError:
        violations = None
    if violations is None or done.returncode != bool(violations):
        printed = "\n".join(f"    {line}" for line in (done.stdout + done.stderr).strip().splitlines()[-15:])
        raise BackoutError(
            f"squawk ({program}) failed in {root} with exit status {done.returncode}; it printed\n{printed}\n"
            "mend what it names; backout needs squawk 2.70 or newer: pip install 'backout[text]'"
        )
    for one in violations:
        texts[int(Path(one.file).stem)].violations.append(one)


def _knows(program: str, rule: str) -> bool:
    return rule == _UNREADABLE or _run(program, ["--exclude", rule], Path.cwd()).returncode != 2


def _run(program: str, arguments: Sequence[str], root: Path) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            [program, *arguments],
            cwd=root,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise BackoutError(
            f"squawk ({program}) could not be started: {error.strerror}; install it again: pip install 'backout[text]'"
        ) from error


def _link(rule: str) -> str:
    return f"{DOCUMENTATION}/{rule}"


def _shown(sql: str) -> str:
    return textwrap.shorten(sql.strip(" \t\n,;"), _LONGEST, placeholder=" …")


def _sentences(*texts: str | None) -> Iterator[str]:
    for text in texts:
        if text:
            yield text if text.endswith(".") else f"{text}."
