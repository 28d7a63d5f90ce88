"""Inline code must name something that exists: a file, a make target, a command and its options, a
revision, a table or column, an SQL word, a name in the repository's code, or what a block of the page shows.

The first kind that a span looks like decides: ``make tset`` is a wrong target and nothing else. What looks
like no kind in particular must occur, as a whole, in a block of the page or in a file of the repository
that is not prose.
"""

import argparse
import ast
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import alembic.config
import psycopg.errors

from backout.pages import CodeSpan, Page

# Programs whose --help says which options they know; the others are only looked up on PATH.
_DOCUMENTED = (
    "psql", "pg_dump", "pg_restore", "pg_dumpall", "pg_basebackup", "createdb", "dropdb",
    "pytest", "mkdocs", "pip", "uvicorn",
)  # fmt: skip
_PATH_SUFFIXES = (
    ".py",
    ".md",
    ".sh",
    ".ps1",
    ".toml",
    ".ini",
    ".yml",
    ".yaml",
    ".json",
    ".mako",
    ".txt",
    ".ipynb",
    ".sql",
)
_PROSE_SUFFIXES = (".md", ".ipynb")


@dataclass(frozen=True)
class Surroundings:
    """Where inline code is looked up.

    :param root: working copy of the repository, as the page leaves it.
    :param files: its files, relative.
    :param query: runs a query on the page's database and returns its first column as text.
    :param path: the page's PATH, where commands are looked up.
    """

    root: Path
    files: tuple[Path, ...]
    query: Callable[[str], Iterable[str]]
    path: str


def unresolved(page: Page, surroundings: Surroundings) -> list[str]:
    """The inline code of a page that names nothing, each as ``page.md:line: message``."""
    lookup = _Lookup(page, surroundings)
    return [
        f"{page.path}:{span.line}: `{span.text}` {problem}"
        for span in page.spans
        if (problem := lookup.problem(span)) is not None
    ]


class _Lookup:
    def __init__(self, page: Page, surroundings: Surroundings) -> None:
        self.page = page
        self.at = surroundings

    def problem(self, span: CodeSpan) -> str | None:
        """Why the span names nothing, or None."""
        text = span.text
        if text in self.page.front.names or any(text == step.id for step in self.page.steps):
            return None
        words = _words(text)
        if words[0] == "make" and len(words) > 1:
            return self._make(words[1:])
        if words[0] == "alembic" and len(words) > 1:
            return self._alembic(words[1:])
        if words[0] == "backout" and len(words) > 1:
            return self._backout(words[1:])
        if words[0] in _DOCUMENTED and len(words) > 1:
            return self._options(words[0], words[1:])
        if words[0] == "git" and len(words) > 1 and not words[1].startswith("-"):
            return None if words[1] in _git_commands() else f"is no command of git: {words[1]}"
        if words[0] == "source" and len(words) == 2:
            return None if self._file(words[1]) else f"names {words[1]}, which is no file of the repository"
        if re.fullmatch(r"[0-9a-f]{12}", text):
            return None if text in self._revisions or self._on_page(text) else "is no revision of the chain"
        if self._on_page(text):
            return None
        if ("/" in text or text.endswith(_PATH_SUFFIXES)) and " " not in text:
            return None if self._file(text) else "is no file or directory of the repository"
        if re.fullmatch(r"--?[\w-]+(=\S*)?", text):
            return None if self._any_option(text.split("=")[0]) else "is no option of a command that this site uses"
        if self._database_name(text) or self._sql(text) or self._in_repository(text) or self._on_path(text):
            return None
        return (
            "names nothing: no block of the page shows it, no file of the repository has it, it is no SQL word, "
            "command or database object; mend it, or give the reason under `names:` in the front matter"
        )

    # -- kinds --------------------------------------------------------------------------------------

    def _make(self, words: list[str]) -> str | None:
        for word in words:
            name, assigned, _ = word.partition("=")
            if _is_placeholder(word) or word.startswith("-"):
                continue
            if assigned and not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", self._makefile):
                return f"sets {name}, which the Makefile does not use"
            if not assigned and name not in self._targets:
                return f"names no target of the Makefile: there is no {name}"
        return None

    def _alembic(self, words: list[str]) -> str | None:
        parsers = _alembic_commands()
        index = _first_argument(words, _alembic_parser())
        if index is None:
            return _unknown_option("alembic", words, _alembic_options())
        command = words[index]
        if command not in parsers:
            return f"is no command of alembic; it knows {', '.join(sorted(parsers))}"
        parser = parsers[command]
        problem = _unknown_option(f"alembic {command}", words, _options_of(parser) | _alembic_options())
        first = _first_argument(words[index + 1 :], parser)
        takes_revisions = any(action.dest.startswith("rev") for action in parser._get_positional_actions())
        if problem or first is None or not takes_revisions:
            return problem
        revisions = [word for word in words[index + 1 + first :] if not word.startswith("-") or _is_step(word)]
        wrong = next((word for word in revisions if not self._revision(word)), None)
        return f"names {wrong}, which is no revision of the chain" if wrong else None

    def _revision(self, text: str) -> bool:
        """Whether ``alembic`` would take it for revisions: ``head``, ``REV:REV``, ``branch@REV``, ``REV-1``, ``-1``."""
        if _is_placeholder(text) or self._on_page(text):
            return True
        for part in text.split(":"):
            name = re.sub(r"[+-]\d+$", "", part.rpartition("@")[2])
            known = name in ("", "head", "heads", "base", "current") or self._on_page(name)
            if not known and not (len(name) >= 4 and any(each.startswith(name) for each in self._revisions)):
                return False
        return True

    def _backout(self, words: list[str]) -> str | None:
        command = words[0]
        if not command.startswith("-") and _help("backout", self.at.path, command) is None:
            return f"is no command of backout: {command}"
        words = words[: words.index("--")] if "--" in words else words
        if command == "run" and len(words) > 1 and not words[1].startswith("-"):
            named = words[1] if words[1].endswith(".md") else f"runbooks/{words[1]}.md"
            if not _is_placeholder(words[1]) and not self._file(named):
                return f"names no runbook of the repository: {words[1]}"
            if "--env" not in words:
                return "does not say where: backout run takes --env NAME"
        return self._options("backout", words, *(() if command.startswith("-") else (command,)))

    def _options(self, program: str, words: list[str], *subcommand: str) -> str | None:
        text = _help(program, self.at.path, *subcommand)
        if text is None:
            return f"names {program}, which is not on PATH"
        for word in words:
            option = word.split("=")[0]
            if re.fullmatch(r"--[\w-]+|-\w", option) and not _has_option(text, option):
                return f"has an option that {program} does not know: {option}"
        return self._paths(words)

    def _paths(self, words: list[str]) -> str | None:
        """The first word of a command that looks like a file of the repository and is none."""
        for word in words:
            name = word.partition("::")[0]
            if name.startswith("-") or not name.endswith(_PATH_SUFFIXES):
                continue
            if not self._on_page(name) and not self._file(name):
                return f"names {name}, which is no file of the repository"
        return None

    def _file(self, text: str) -> bool:
        name = re.sub(r"<[^>]*>|…|\.\.\.", "*", text.split("#", maxsplit=1)[0]).rstrip("/")
        if re.match(r"^\w+://|^[/~$]", name):
            return False
        if f"{name.split('/')[0]}/" in _read(self.at.root / ".gitignore").splitlines():
            return True  # made here, never committed
        bases = (self.at.root, (self.at.root / self.page.path).parent)
        with suppress(ValueError):  # not a pattern: empty, or ** within a word
            if any(True for base in bases for _ in base.glob(name.removeprefix("./"))):
                return True
        return name != "" and "/" not in name and any(path.match(name) for path in self.at.files)

    def _any_option(self, option: str) -> bool:
        known = {name for parser in _alembic_commands().values() for name in parser._option_string_actions}
        if option in known | _alembic_options() or self._in_repository(option):
            return True
        texts = (_help(program, self.at.path) or "" for program in _DOCUMENTED)
        return any(_has_option(text, option) for text in texts)

    def _database_name(self, text: str) -> bool:
        name = text.replace('"', "")
        # Also what an older revision has and head has not.
        return name in self._objects or name in self._former_columns

    def _sql(self, text: str) -> bool:
        if re.fullmatch(r"[0-9A-Z]{5}", text):
            try:
                psycopg.errors.lookup(text)
            except KeyError:
                pass
            else:
                return True
        plain = re.sub(r"'[^']*'|<[^>]*>", " ", text)
        words = re.findall(r"[A-Za-z_][\w$]*", plain)
        if not words or re.fullmatch(r"[\w.]*\.[\w.]*", text) or not self._columns_and_tables(plain):
            return False
        return all(
            word.lower() in self._sql_words or (word != word.upper() and (word in self._objects or self._on_page(word)))
            for word in words
        )

    def _columns_and_tables(self, sql: str) -> bool:
        """Whether what stands where a table must stand is one, and each ``table.column`` exists."""
        for table, column in re.findall(r"\b([a-z_]\w*)\.([a-z_]\w*)", sql):
            if table in self._objects and not self._database_name(f"{table}.{column}") and not self._on_page(column):
                return False
        tables = [name for name in _TABLE.findall(sql) if name != name.upper()]
        return all(name in self._relations or self._on_page(name) for name in tables)

    def _in_repository(self, text: str) -> bool:
        bare = text.removesuffix("()").removeprefix("$")
        return any(_has(source, bare) for source in self._sources)

    def _on_page(self, text: str) -> bool:
        return _has(self._blocks, text)

    def _on_path(self, text: str) -> bool:
        return re.fullmatch(r"[\w.-]+", text) is not None and shutil.which(text, path=self.at.path) is not None

    # -- what is known, each read once --------------------------------------------------------------

    @cached_property
    def _blocks(self) -> str:
        parts = [step.text for step in self.page.steps]
        parts += [command.expected.text for step in self.page.steps for command in step.commands if command.expected]
        return "\n".join(parts)

    @cached_property
    def _makefile(self) -> str:
        path = self.at.root / "Makefile"
        return path.read_text(encoding="utf-8") if path.is_file() else ""

    @cached_property
    def _targets(self) -> set[str]:
        rules = re.findall(r"^([A-Za-z][^:=\n]*):(?!=)", self._makefile, re.MULTILINE)
        return {target for names in rules for target in names.split()}

    @cached_property
    def _revisions(self) -> set[str]:
        pattern = re.compile(r"""^revision(?:\s*:[^=\n]*)?\s*=\s*["']([^"'\n]+)["']""", re.MULTILINE)
        return {match for source in self._chain_sources for match in pattern.findall(source)}

    @cached_property
    def _former_columns(self) -> set[str]:
        return {name for source in self._chain_sources for name in _named_columns(source)}

    @cached_property
    def _relations(self) -> set[str]:
        return set(self.at.query(_RELATIONS)) | {name.split(".")[0] for name in self._former_columns}

    @cached_property
    def _chain_sources(self) -> list[str]:
        return [_read(self.at.root / path) for path in self.at.files if path.match("alembic/versions/*.py")]

    @cached_property
    def _sources(self) -> list[str]:
        return [
            _read(self.at.root / path)
            for path in self.at.files
            if path.suffix not in _PROSE_SUFFIXES
            and path.parts[0] not in ("tests", "requirements.txt")
            and "vendor" not in path.parts  # other people's, and large enough to hold any word
        ]

    @cached_property
    def _objects(self) -> set[str]:
        return set(self.at.query(_OBJECTS))

    @cached_property
    def _sql_words(self) -> set[str]:
        return set(self.at.query(_SQL_WORDS))


def _has(source: str, text: str) -> bool:
    """Whether a text occurs as a whole: not within a longer word."""
    start = source.find(text)
    while start >= 0:
        end = start + len(text)
        before, after = source[start - 1 : start], source[end : end + 1]
        if not (_wordy(before) and _wordy(text[0])) and not (_wordy(after) and _wordy(text[-1])):
            return True
        start = source.find(text, start + 1)
    return False


def _wordy(character: str) -> bool:
    return character.isalnum() or character == "_"


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text) or [text]
    except ValueError:
        return text.split() or [text]


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (UnicodeDecodeError, FileNotFoundError):
        return ""


def _has_option(help_text: str, option: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", help_text) is not None


def _is_placeholder(text: str) -> bool:
    """``REVISION``, ``<name>``, ``…``: what a reader puts something else for."""
    return re.fullmatch(r"<[^>]*>|\[[^]]*\]|…|\.\.\.|[A-Z][A-Z_]+", text) is not None


def _is_step(word: str) -> bool:
    return re.fullmatch(r"[+-]\d+", word) is not None


def _unknown_option(command: str, words: Iterable[str], known: set[str]) -> str | None:
    for word in words:
        if word == "--":
            break
        if word.startswith("-") and not _is_step(word) and word.split("=")[0] not in known:
            return f"has an option that {command} does not know: {word.split('=')[0]}"
    return None


def _first_argument(words: list[str], parser: argparse.ArgumentParser) -> int | None:
    """Index of the first word that is neither an option nor the value of one."""
    options = parser._option_string_actions
    skip = False
    for index, word in enumerate(words):
        if skip or (word.startswith("-") and not _is_step(word)):
            action = options.get(word)
            skip = not skip and action is not None and action.nargs != 0
        else:
            return index
    return None


def _named_columns(source: str) -> Iterator[str]:
    """``table.column`` for each column that a revision names: in the calls of ``op``, and in its SQL."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return
    batches: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.withitem) and isinstance(node.optional_vars, ast.Name):
            first = _text(node.context_expr.args[:1]) if isinstance(node.context_expr, ast.Call) else []
            for table in first:
                batches[node.optional_vars.id] = table
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        owner = node.func.value.id if isinstance(node.func.value, ast.Name) else ""
        texts = _text(node.args)
        names = [batches[owner], *texts] if owner in batches else texts
        columns = [
            name
            for call in ast.walk(node)
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "Column"
            for name in _text(call.args[:1])
        ]
        if names and node.func.attr in _COLUMN_CALLS:
            yield from (f"{names[0]}.{column}" for column in (*names[1:2], *columns))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            for table in _TABLE.findall(node.value):
                yield from (f"{table}.{word}" for word in re.findall(r"[a-z_]\w*", node.value))


def _text(nodes: Iterable[ast.expr]) -> list[str]:
    return [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]


_COLUMN_CALLS = ("create_table", "add_column", "drop_column", "alter_column", "table")
_TABLE = re.compile(
    r"""(?<!distinct\s)(?<!for\s)(?<!on\s)\b(?:from|join|into|update|references|(?:alter|drop|truncate|lock|create)\s+table)\s+
    (?:if\s+(?:not\s+)?exists\s+)?(?:only\s+)?(?:public\.)?([A-Za-z_]\w*)\b(?!\.)""",
    re.IGNORECASE | re.VERBOSE,
)


@cache
def _alembic_parser() -> argparse.ArgumentParser:
    return alembic.config.CommandLine().parser


@cache
def _alembic_commands() -> Mapping[str, argparse.ArgumentParser]:
    for action in _alembic_parser()._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    raise AssertionError("alembic's parser has no commands")


def _alembic_options() -> set[str]:
    return _options_of(_alembic_parser())


def _options_of(parser: argparse.ArgumentParser) -> set[str]:
    return set(parser._option_string_actions)


@cache
def _git_commands() -> set[str]:
    listed = subprocess.run(["git", "--list-cmds=main,others"], capture_output=True, text=True, check=True)
    return set(listed.stdout.split())


@cache
def _help(program: str, path: str, *subcommand: str) -> str | None:
    """What ``program --help`` prints; None when there is no such program or subcommand."""
    found = shutil.which(program, path=path)
    if found is None:
        return None
    done = subprocess.run(
        [found, *subcommand, "--help"],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        env={"PATH": path},
    )
    return done.stdout + done.stderr if done.returncode == 0 or not subcommand else None


_OBJECTS = """
    SELECT relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname !~ '^pg_toast'
    UNION SELECT relname || '.' || attname FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
        JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname !~ '^pg_toast' AND NOT attisdropped
    UNION SELECT attname FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
        JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname !~ '^(pg_|information_schema)'
    UNION SELECT nspname || '.' || relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
    UNION SELECT conname FROM pg_constraint
    UNION SELECT typname FROM pg_type
    UNION SELECT enumlabel FROM pg_enum
    UNION SELECT nspname FROM pg_namespace
    UNION SELECT proname FROM pg_proc
"""

_RELATIONS = "SELECT relname FROM pg_class UNION SELECT proname FROM pg_proc"

_SQL_WORDS = """
    SELECT word FROM pg_get_keywords()
    UNION SELECT lower(proname) FROM pg_proc
    UNION SELECT lower(typname) FROM pg_type
    UNION SELECT lower(name) FROM pg_settings
    UNION SELECT lower(relname) FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
        WHERE nspname IN ('pg_catalog', 'information_schema')
    UNION SELECT unnest(ARRAY['timestamptz', 'bigserial', 'serial', 'concurrently'])
"""
