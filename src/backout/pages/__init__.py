"""Markdown text to pages, steps, checks and checklist items: the page contract, as a parser.

The same parse serves the test, the terminal and the site. It only reads text: nothing is run,
no file is opened but the page, and a page that breaks the contract is described by its
``problems`` before anything else happens. What a block *means* is decided here; whether it
*holds* is decided in ``execute``.

A notebook is a page, too: its code cells are blocks that are run. ``pages.notebook`` turns it into Markdown.

Pure; the names of ``pages.model`` are found here, and the shape of a runbook stands in ``pages.runbook``. Sybil holds
the document: each step is a region of it, evaluated by who runs the page.
"""

import difflib
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

import yaml
from sybil import Document, Region

from backout.errors import PageError
from backout.pages import notebook
from backout.pages.markup import FRONT_MATTER, Comment, Fence, Heading, blocks, line_of, lines_of, slug
from backout.pages.model import (
    ChecklistItem,
    CodeSpan,
    Command,
    Expected,
    FrontMatter,
    Page,
    Runbook,
    Section,
    Step,
)
from backout.pages.notebook import source_form
from backout.pages.runbook import Found, read_runbook

__all__ = [
    "ALWAYS_RUN_COMMANDS",
    "ChecklistItem",
    "CodeSpan",
    "Command",
    "Expected",
    "FrontMatter",
    "Page",
    "Runbook",
    "Section",
    "Step",
    "is_annotation",
    "parse_notebook",
    "parse_page",
    "read_page",
    "slug",
    "source_form",
]

RUN_LANGUAGES = ("bash", "sh", "console", "sql", "python")
VALIDATED_LANGUAGES = ("yaml", "toml", "ini", "json", "mermaid", "powershell", "markdown")
# A shell, SQL or Python block that uses one of these may not be excused from running.
ALWAYS_RUN_COMMANDS = ("alembic", "make", "psql", "pg_dump", "pg_restore", "curl")


def read_page(path: Path, root: Path) -> Page:
    """Read and parse a file, Markdown or a notebook; a byte order mark is ignored."""
    text, name = path.read_text(encoding="utf-8-sig"), path.relative_to(root).as_posix()
    return parse_notebook(text, name) if path.suffix == notebook.SUFFIX else parse_page(text, name)


def parse_page(text: str, path: str) -> Page:
    """Parse the text of a page.

    :param path: what the page is called in messages; relative to the project.
    :return: the page; where it breaks the contract, ``problems`` says so and the parse goes on.
    """
    return _Parser(text, path).page()


def is_annotation(comment: str) -> bool:
    """Whether the text of an HTML comment speaks to who runs the page, and not to who writes it."""
    return any(pattern.match(comment) for pattern in (_ANNOTATION, _SABOTAGE, _NO_WAY_BACK))


def parse_notebook(text: str, path: str) -> Page:
    """Parse the text of a notebook: its code cells are the steps, with the lines of the file.

    :return: the page; its ``source`` is the notebook's own text.
    """
    try:
        form = source_form(text)
    except ValueError as error:
        return replace(parse_page("", path), source=text, problems=(PageError(path, 1, f"{error}; mend it"),))
    found = [PageError(path, line, message) for line, message in notebook.problems(form)]
    if form != text:
        pairs = zip_longest(text.split("\n"), form.split("\n"))
        line = next(number for number, (ours, plain) in enumerate(pairs, start=1) if ours != plain)
        told = "from here on it is not in source form: it holds outputs, or what else a run has left"
        found.append(PageError(path, line, f"{told}; pytest {path} --update takes that out"))
    page = parse_page(notebook.markdown(form), path)
    problems = sorted([*found, *page.problems], key=lambda problem: problem.line)
    return replace(page, source=text, problems=tuple(problems))


@dataclass(frozen=True)
class _ListItem:
    start: int
    end: int
    line: int
    text: str


# Renderers see a fence here, but not the same one everywhere: behind a quotation mark or on a list item's own line.
_MISPLACED_FENCE = re.compile(r"^[ \t]*(?:(?:>|[-*+]|\d+[.)])[ \t]*)+(?:`{3,}(?=[^`\n]*$)|~{3,})", re.MULTILINE)
_HEADING = re.compile(
    r"^(?P<marks>#{1,6})[ \t]+(?P<text>.*?)(?:[ \t]*\{[^}]*?#(?P<id>[\w-]+)[^}]*\})?[ \t]*#*$",
    re.MULTILINE,
)
_LIST_ITEM = re.compile(r"^(?P<indent>[ \t]*)(?:[-*+]|\d+[.)])[ \t]+\[[ xX]\][ \t]+(?P<text>.*)$", re.MULTILINE)
_LIST_MARK = re.compile(r"^[ \t]*(?:[-*+]|\d+[.)])[ \t]+(?:\[[ xX]\][ \t]+)?", re.MULTILINE)
_CODE_SPAN = re.compile(r"(?<![`\\])(?P<ticks>`+)(?!`)(?P<text>(?:(?!\n[ \t]*\n).)+?)(?<!`)(?P=ticks)(?!`)", re.DOTALL)
_ATTRIBUTE = re.compile(r"""(?P<key>[\w-]+)=(?P<quote>["'])(?P<value>.*?)(?P=quote)""")
_BARE_INFO = re.compile(r"""(?P<language>[\w+#-]*)(?P<rest>(?:\s+[\w-]+=(?:"[^"]*"|'[^']*'))*)""")
_BRACE_INFO = re.compile(r"\{\s*(?P<rest>.*?)\s*\}\s*")
_ANNOTATION = re.compile(
    r"\s*(?P<name>output|not run|fails|timeout|changes|destroys|until|way back)\s*(?::\s*(?P<value>.*?))?\s*\Z",
    re.DOTALL,
)
_SABOTAGE = re.compile(r"\s*sabotage:\s*(?P<command>.*?)\s*\Z", re.DOTALL)
_NO_WAY_BACK = re.compile(r"\s*no way back\s*(?::\s*(?P<reason>.*?))?\s*\Z", re.DOTALL)
_OF_RUNBOOKS = ("changes", "destroys", "until", "way back")
_NAMES = ("output", "not run", "fails", "timeout", "sabotage", *_OF_RUNBOOKS, "no way back")
_STATUS = {"python": r"[A-Za-z_][\w.]*", "sql": r"[0-9A-Z]{5}|[1-9]\d?"}
_MANUAL = re.compile(r"\(manual:\s*(?P<reason>[^\s)][^)]*)\)", re.DOTALL)

# Front matter that belongs to the site's theme; it is passed through.
_THEME_KEYS = {"title", "description", "hide", "icon", "search", "status", "tags", "template"}


class _Parser:
    """One parse; state that the functions below would otherwise hand to each other."""

    def __init__(self, text: str, path: str) -> None:
        self.text = text
        self.path = path
        self.problems: list[PageError] = []
        self.blocks = list(blocks(text))
        self.prose = self._prose()
        self.headings = list(self._headings())
        self.list_items = list(self._list_items())
        self.counts: dict[str, int] = {}
        self.no_way_back: list[tuple[Comment, str]] = []
        self.front: dict[str, Any] = {}

    def page(self) -> Page:
        front = self._front_matter()
        steps: list[Step] = []
        fences: list[Fence] = []
        annotations: list[tuple[Comment, str, str | None]] = []
        unknown: list[Comment] = []
        previous_end = 0
        for block in self.blocks:
            between = self.text[previous_end : block.start].strip()
            if between:
                self._dangling(annotations)
                annotations, unknown = [], []
            previous_end = block.end
            if isinstance(block, Comment):
                if not self._comment(block, annotations, steps, behind=not between):
                    unknown.append(block)
                continue
            for comment in unknown:
                self._unknown(comment)
            unknown = []
            step = self._step(block, annotations, steps)
            annotations = []
            if step is not None:
                steps.append(step)
                fences.append(block)
        self._dangling(annotations)
        self._messages(steps)
        for match in _MISPLACED_FENCE.finditer(self.prose):
            self._problem(
                line_of(self.text, match.start()),
                "this fence stands behind a list or quotation mark, where it is not found; put it on a line of its own",
            )
        document = Document(self.text, self.path)
        for step, fence in zip(steps, fences, strict=True):
            document.add(Region(fence.start, fence.end, parsed=step, evaluator=_not_bound))
        items = tuple(self._checklist(steps, fences))
        spans = tuple(self._spans())
        runbook = read_runbook(
            Found(
                front=self.front,
                text=self.text,
                headings=tuple(self.headings),
                steps=tuple(steps),
                items=items,
                no_way_back=tuple(self.no_way_back),
                comments=tuple(block for block in self.blocks if isinstance(block, Comment)),
                spans=spans,
                problem=self._problem,
            )
        )
        return Page(
            path=self.path,
            source=self.text,
            front=front,
            steps=tuple(steps),
            items=items,
            spans=spans,
            problems=tuple(sorted(self.problems, key=lambda problem: problem.line)),
            title=str(self.front.get("title") or self.path),
            runbook=runbook,
            document=document,
        )

    def _problem(self, line: int, message: str) -> None:
        self.problems.append(PageError(self.path, line, message))

    # -- prose: everything outside fences, comments and front matter, same offsets ------------------

    def _prose(self) -> str:
        prose = self.text
        front = FRONT_MATTER.match(prose)
        spans = [(0, front.end())] if front else []
        spans += [(block.start, block.end) for block in self.blocks]
        for start, end in spans:
            prose = prose[:start] + re.sub(r"[^\n]", " ", prose[start:end]) + prose[end:]
        return prose

    def _headings(self) -> Iterator[Heading]:
        seen: dict[str, int] = {}
        for match in _HEADING.finditer(self.prose):
            anchor = match["id"] or slug(match["text"])
            number = seen[anchor] = seen.get(anchor, -1) + 1
            yield Heading(
                start=match.start(),
                end=match.end(),
                line=line_of(self.text, match.start()),
                level=len(match["marks"]),
                title=match["text"].strip(),
                anchor=f"{anchor}_{number}" if number else anchor,
                named=match["id"] is not None,
            )

    def _list_items(self) -> Iterator[_ListItem]:
        for match in _LIST_ITEM.finditer(self.prose):
            width = len(match["indent"].expandtabs(4))
            end = len(self.text)
            for line in re.finditer(r"^(?P<indent>[ \t]*)\S.*$", self.text[match.end() :], re.MULTILINE):
                if len(line["indent"].expandtabs(4)) <= width:
                    end = match.end() + line.start()
                    break
            text = self.prose[match.start("text") : end].split("\n\n")[0]
            yield _ListItem(match.start(), end, line_of(self.text, match.start()), " ".join(text.split()))

    def _spans(self) -> Iterator[CodeSpan]:
        for match in _CODE_SPAN.finditer(self.prose):
            yield CodeSpan(line_of(self.text, match.start()), " ".join(match["text"].split()))

    # -- front matter -------------------------------------------------------------------------------

    def _front_matter(self) -> FrontMatter:
        match = FRONT_MATTER.match(self.text)
        if match is None:
            return FrontMatter()
        try:
            values: Any = yaml.safe_load(match["yaml"]) or {}
        except yaml.YAMLError as error:
            self._problem(1, f"the front matter is not valid YAML: {error}; mend it")
            return FrontMatter()
        if not isinstance(values, dict):
            self._problem(1, "the front matter is not a table of keys; write key: value lines")
            return FrontMatter()
        self.front = values
        unknown = sorted(map(str, values.keys() - _THEME_KEYS - {"database", "services", "names", "runbook"}))
        if unknown:
            known = "database, names, runbook, services, title …"
            self._problem(1, f"unknown front matter {', '.join(unknown)}; known are {known}")
        database = values.get("database") or {}
        names = values.get("names") or {}
        if not isinstance(database, dict) or database.keys() - {"revision", "rows"}:
            self._problem(1, "front matter database: takes {revision: REVISION, rows: sample|none}")
            database = {}
        rows = str(database.get("rows", "none"))
        revision = database.get("revision", "base")
        if not isinstance(revision, str):
            self._problem(1, f"front matter revision: {revision!r} is not text for YAML; put it in quotes")
            revision = str(revision)
        if rows not in ("sample", "none"):
            self._problem(1, f"front matter rows: is {rows!r}; it is sample or none")
            rows = "none"
        if rows == "sample" and revision != "head":
            self._problem(1, f"front matter asks for sample rows at {revision}; they exist at head only")
        services = values.get("services") or []
        if not isinstance(services, list):
            self._problem(1, "front matter services: takes a list of names, [api]")
            services = []
        if not isinstance(names, dict) or not all(isinstance(reason, str) and reason for reason in names.values()):
            self._problem(1, "front matter names: takes NAME: reason lines")
            names = {}
        return FrontMatter(
            revision=revision,
            rows="sample" if rows == "sample" else "none",
            services=tuple(map(str, services)),
            names={str(name): reason for name, reason in names.items()},
        )

    # -- comments -----------------------------------------------------------------------------------

    def _comment(
        self,
        comment: Comment,
        annotations: list[tuple[Comment, str, str | None]],
        steps: list[Step],
        *,
        behind: bool,
    ) -> bool:
        """Take a comment for what it is; whether it is known, or reported already.

        :param behind: whether nothing but white space is between it and the block or comment before.
        """
        sabotage = _SABOTAGE.match(comment.text)
        if sabotage:
            if not behind or not steps or steps[-1].kind != "run" or steps[-1].way_back:
                self._problem(comment.line, "this sabotage follows no block that is run; put it right behind its check")
            elif steps[-1].sabotage is not None:
                self._problem(comment.line, f"the check {steps[-1].id} has a sabotage already; keep one")
            elif not sabotage["command"]:
                self._problem(comment.line, "sabotage: takes the shell command that must make the check fail")
            else:
                steps[-1] = replace(steps[-1], sabotage=sabotage["command"])
            return True
        no_way_back = _NO_WAY_BACK.match(comment.text)
        if no_way_back:
            if not no_way_back["reason"]:
                self._problem(comment.line, "no way back: takes the reason why nothing undoes the step")
            self.no_way_back.append((comment, " ".join((no_way_back["reason"] or "").split())))
            return True
        annotation = _ANNOTATION.match(comment.text)
        if annotation:
            if annotation["name"] in {name for _, name, _ in annotations}:
                self._problem(comment.line, f"the annotation '{annotation['name']}' stands here twice; keep one")
            if annotation["name"] in ("output", "way back") and annotation["value"]:
                name = annotation["name"]
                self._problem(comment.line, f"the annotation '{name}' takes no value; the text is the block below it")
            annotations.append((comment, annotation["name"], annotation["value"]))
            return True
        words = re.match(r"\s*([A-Za-z]+(?:[ _-][A-Za-z]+){0,2})\s*(?::|\Z)", comment.text)
        if words and difflib.get_close_matches(words[1].lower(), _NAMES, cutoff=0.75):
            self._unknown(comment)
            return True
        return False

    def _unknown(self, comment: Comment) -> None:
        self._problem(
            comment.line,
            f"unknown annotation {comment.text.strip()!r}; known are output, fails: …, timeout: … and not run: … "
            "right above a block, and sabotage: … behind a check; in a runbook also changes: …, destroys: …, until: … "
            "and way back, and no way back: … in a step",
        )

    def _dangling(self, annotations: list[tuple[Comment, str, str | None]]) -> None:
        for comment, name, _ in annotations:
            self._problem(comment.line, f"the annotation '{name}' stands before no block; put it right above its fence")

    # -- blocks -------------------------------------------------------------------------------------

    def _step(self, fence: Fence, annotations: list[tuple[Comment, str, str | None]], steps: list[Step]) -> Step | None:
        values = {name: (value or "").strip() for _, name, value in annotations}
        if fence.info == "\0":
            self._problem(fence.line, "this fence is never closed; close it with as many backticks as it opens with")
            return None
        language, attributes = self._info(fence)
        quoted = "title" in attributes and "not run" not in values
        for name in ("fails", "timeout", *_OF_RUNBOOKS):
            if name in values and (quoted or language not in RUN_LANGUAGES) and "output" not in values:
                self._problem(fence.line, f"the annotation '{name}' belongs above a block that is run")
        if "output" in values:
            self._output(fence, language, values, steps)
            return None
        step = Step(
            id=self._id(fence, "way back" in values),
            line=fence.line,
            language=language,
            text=fence.text,
            kind="run",
            timeout=self._timeout(fence, values),
            prose=self._prose_above(fence),
        )
        if "not run" in values:
            return self._not_run(step, values)
        if "title" in attributes or language in VALIDATED_LANGUAGES:
            title = attributes.get("title")
            return replace(step, kind="validated" if title is None else "quoted", title=title)
        if language in RUN_LANGUAGES:
            commands = self._transcript(fence) if language == "console" else [Command(fence.text, fence.line + 1, None)]
            return replace(
                step,
                fails=self._fails(fence, language, values),
                commands=tuple(commands),
                way_back="way back" in values,
                **self._of_runbooks(fence, values),
            )
        self._problem(
            fence.line,
            f"a fence of language {language!r} is in no class: run ({', '.join(RUN_LANGUAGES)}), "
            f'validated ({", ".join(VALIDATED_LANGUAGES)}), quoted (title="path"), the output of the block '
            "before (<!-- output -->) or not run (<!-- not run: reason -->)",
        )
        return None

    def _info(self, fence: Fence) -> tuple[str, dict[str, str]]:
        brace = _BRACE_INFO.fullmatch(fence.info)
        bare = _BARE_INFO.fullmatch(fence.info)
        if brace:
            words = re.findall(r"(?:^|\s)\.([\w+#-]+)", _ATTRIBUTE.sub("", brace["rest"]))
            language, rest = (words[0] if words else ""), brace["rest"]
        elif bare:
            language, rest = bare["language"], bare["rest"]
        else:
            self._problem(
                fence.line,
                f'the info line {fence.info!r} would not render; after the language only key="value" or '
                '{ .language key="value" } may stand',
            )
            return fence.info.split()[0] if fence.info.split() else "", {}
        return language, {match["key"]: match["value"] for match in _ATTRIBUTE.finditer(rest)}

    def _prose_above(self, fence: Fence) -> str:
        """What is said of a block: the paragraphs between it and the heading or block before."""
        starts = [block.end for block in self.blocks if block.end <= fence.start and isinstance(block, Fence)]
        starts += [heading.end for heading in self.headings if heading.end <= fence.start]
        text = self.prose[max(starts, default=0) : fence.start]
        paragraphs = re.split(r"\n[ \t]*\n", re.sub(_LIST_MARK, "", text))
        return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs if paragraph.strip())

    def _of_runbooks(self, fence: Fence, values: dict[str, str]) -> dict[str, Any]:
        names = ("changes", "destroys", "until")
        given: dict[str, Any] = {name: " ".join(values[name].split()) for name in names if name in values}
        for name in (name for name, value in given.items() if not value):
            takes = "the anchor of a later step" if name == "until" else "what, and where"
            self._problem(fence.line, f"{name}: takes {takes}")
        return given

    def _id(self, fence: Fence, way_back: bool) -> str:
        above = [heading.anchor for heading in self.headings if heading.start < fence.start]
        anchor = above[-1] if above else "top"
        if way_back:
            return f"{anchor}.way-back"
        number = self.counts[anchor] = self.counts.get(anchor, 0) + 1
        return f"{anchor}.{number}"

    def _timeout(self, fence: Fence, values: dict[str, str]) -> float | None:
        if "timeout" not in values:
            return None
        try:
            seconds = float(values["timeout"])
        except ValueError:
            seconds = math.nan
        if not 0 < seconds < math.inf:
            self._problem(fence.line, f"timeout: takes a number of seconds, not {values['timeout']!r}")
            return None
        return seconds

    def _fails(self, fence: Fence, language: str, values: dict[str, str]) -> str | None:
        fails = values.get("fails")
        if fails is not None and not re.fullmatch(_STATUS.get(language, r"[1-9]\d{0,2}"), fails):
            self._problem(
                fence.line,
                f"fails: takes an exit status (shell), an SQLSTATE (sql) or an exception (python), not {fails!r}",
            )
        return fails

    def _messages(self, steps: list[Step]) -> None:
        """A block that must fail shows what it says then: the status alone would also fit another failure."""
        for step in steps:
            if step.fails is None or not step.commands:
                continue
            expected = step.commands[-1].expected
            if expected is None or not any(line.strip(" .") for line in expected.text.splitlines()):
                self._problem(
                    step.line,
                    f"a block that fails must show its message: {step.fails} alone would also fit a failure of another "
                    "kind; show what it prints, by more than the wildcard ...",
                )

    def _not_run(self, step: Step, values: dict[str, str]) -> Step:
        if not values["not run"]:
            self._problem(step.line, "a block that is not run needs its reason: <!-- not run: reason -->")
        used = [
            word for word in ALWAYS_RUN_COMMANDS if re.search(rf"(?:(?<![\w./-])|(?<=bin/)){word}(?![\w-])", step.text)
        ]
        if used and step.language not in VALIDATED_LANGUAGES:
            self._problem(step.line, f"a block with {', '.join(used)} must be run; no reason excuses it")
        return replace(step, kind="not run", reason=values["not run"])

    def _output(self, fence: Fence, language: str, values: dict[str, str], steps: list[Step]) -> None:
        if language != "text":
            self._problem(fence.line, f"expected output is a ```text block, not {language!r}")
        if set(values) != {"output"}:
            self._problem(fence.line, "an output block takes no other annotation; put it above the command's block")
        if not steps or steps[-1].kind != "run" or steps[-1].language == "console":
            self._problem(fence.line, "this output follows no bash, sql or python block that is run")
            return
        command = steps[-1].commands[0]
        if command.expected is not None:
            self._problem(fence.line, f"the block {steps[-1].id} has an output already; keep one")
            return
        expected = Expected(fence.text, fence.body_start, fence.body_end, fence.indent, fence.line + 1)
        steps[-1] = replace(steps[-1], commands=(replace(command, expected=expected),))

    def _transcript(self, fence: Fence) -> Iterator[Command]:
        """The prompt lines of a console block; what stands between them is what they must print."""
        lines = [line + "\n" for line in lines_of(fence.text)]
        raw = [line + "\n" for line in lines_of(self.text[fence.body_start : fence.body_end])]
        offsets = [fence.body_start]
        for line in raw:
            offsets.append(offsets[-1] + len(line))
        if not lines or not lines[0].startswith("$ "):
            self._problem(fence.line + 1, "a console block starts with a prompt line, '$ command'")
        index = 0
        while index < len(lines):
            if not lines[index].startswith("$ "):
                index += 1
                continue
            first = index
            command = lines[index][2:]
            index += 1
            while index < len(lines) and lines[index].startswith("> "):
                command += lines[index][2:]
                index += 1
            start = index
            while index < len(lines) and not lines[index].startswith("$ "):
                index += 1
            expected = Expected(
                "".join(lines[start:index]), offsets[start], offsets[index], fence.indent, fence.line + 1 + start
            )
            yield Command(command, fence.line + 1 + first, expected)

    # -- checklists ---------------------------------------------------------------------------------

    def _checklist(self, steps: list[Step], fences: list[Fence]) -> Iterator[ChecklistItem]:
        for item in self.list_items:
            inside = [step for step, fence in zip(steps, fences, strict=True) if item.start < fence.start < item.end]
            manual = _MANUAL.search(item.text)
            checks = [step for step in inside if step.sabotage is not None]
            if manual is None and not checks:
                self._problem(
                    item.line,
                    "this checklist item has no check: put a block with a sabotage below it, or say (manual: why)",
                )
            if manual is not None and inside:
                self._problem(item.line, "this checklist item is manual and has a block; keep one")
            yield ChecklistItem(
                line=item.line,
                text=_MANUAL.sub("", item.text).strip(),
                manual=" ".join(manual["reason"].split()) if manual else None,
                steps=tuple(step.id for step in inside),
            )


def _not_bound(_: object) -> str:
    return "this step was not bound to a page run"
