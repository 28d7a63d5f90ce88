"""backout.pages: which blocks a page has, what each is, and how a page that breaks the contract is described."""

from pathlib import Path
from typing import Any

import markdown
import pytest
from bs4 import BeautifulSoup
from markdown_it import MarkdownIt
from mkdocs.config import load_config

from backout.pages import Page, Step, parse_page, read_page, slug

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "tests" / "samples" / "pages"
CLASSES = (
    "is in no class: run (bash, sh, console, sql, python), validated (yaml, toml, ini, json, mermaid, powershell, "
    'markdown), quoted (title="path"), the output of the block before (<!-- output -->) or not run '
    "(<!-- not run: reason -->)"
)
KNOWN = (
    "known are output, fails: …, timeout: … and not run: … right above a block, and sabotage: … behind a check; "
    "in a runbook also changes: …, destroys: …, until: … and way back, and no way back: … in a step"
)


def sample(name: str) -> Page:
    return read_page(SAMPLES / name, ROOT)


def page(text: str) -> Page:
    return parse_page(text, "page.md")


def sound(text: str) -> Page:
    parsed = page(text)
    assert told(parsed) == []
    return parsed


def told(parsed: Page) -> list[str]:
    return [str(problem) for problem in parsed.problems]


def only(text: str) -> Step:
    (step,) = sound(text).steps
    return step


# -- finding blocks -----------------------------------------------------------------------------------


def test_every_form_of_fence_is_found() -> None:
    forms = sample("forms.md")
    assert told(forms) == []
    assert [(step.line, step.kind, step.language, step.title, step.text) for step in forms.steps] == [
        (5, "run", "sql", None, "SELECT 1;\n"),
        (11, "quoted", "yaml", "mkdocs.yml", "strict: true\n"),
        (17, "run", "python", None, "one = 1\ntwo = 2\n"),
        (24, "run", "python", None, "three = 3\n"),
        (30, "run", "bash", None, "true\n"),
        (36, "run", "bash", None, "true # (1)\n"),
        (44, "quoted", "toml", "pyproject.toml", "keywords = 1\n"),
        (50, "run", "sql", None, "SELECT 2;\n"),
        (56, "validated", "markdown", None, "```bash\nfalse\n```\n"),
        (64, "run", "sql", None, "SELECT 3;\n"),
        (70, "validated", "markdown", None, "```bash\nfalse\n```\n"),
        (80, "run", "bash", None, "if true; then\n  true\nfi\n"),
        (90, "run", "sql", None, "SELECT 4;\n"),
        (98, "run", "bash", None, "echo admonition\n"),
        (110, "run", "python", None, "four = 4\n"),
        (118, "run", "bash", None, "echo one\n"),
        (124, "run", "bash", None, "echo two\n"),
        (130, "quoted", "bash", "a`b", "true\n"),
    ]
    assert forms.steps[13].commands[0].expected is not None


def test_the_site_renders_the_same_blocks() -> None:
    """The inventory is taken from what the renderer sees: a fence that we miss would be shown and never run."""
    forms = sample("forms.md")
    config = load_config(str(ROOT / "mkdocs.yml"))
    html = markdown.markdown(forms.source, extensions=config.markdown_extensions, extension_configs=config.mdx_configs)
    blocks = [code for pre in BeautifulSoup(html, "html.parser").find_all("pre") for code in pre.find_all("code")]
    rendered = [code.get_text().strip("\n").split("\n") for code in blocks]
    assert rendered == fences(forms)


def test_a_forge_renders_the_same_blocks() -> None:
    """CommonMark knows no tabs and boxes; what is in them is not a fence there."""
    forms = sample("forms.md")
    tokens = MarkdownIt("commonmark").parse(forms.source)
    shown = [token.content.strip("\n").split("\n") for token in tokens if token.type == "fence"]
    in_boxes = [["echo admonition"], ["admonition"], ["four = 4"], ["echo one"], ["echo two"]]
    assert shown == [text for text in fences(forms) if text not in in_boxes]


def fences(parsed: Page) -> list[list[str]]:
    blocks = [(step.line, step.text) for step in parsed.steps]
    blocks += [(c.expected.line, c.expected.text) for step in parsed.steps for c in step.commands if c.expected]
    return [text.strip("\n").split("\n") for _, text in sorted(blocks)]


def test_what_only_looks_like_a_block_is_none() -> None:
    hidden = sample("hidden.md")
    assert told(hidden) == []
    assert [(step.line, step.language, step.kind) for step in hidden.steps] == [
        (18, "markdown", "validated"),
        (31, "bash", "run"),
    ]
    assert hidden.items == ()
    assert [(span.line, span.text) for span in hidden.spans] == [
        (15, "<!-- output -->"),
        (16, "<!-- fails: 1 -->"),
        (29, "in a line opens nothing, neither does"),
    ]


@pytest.mark.parametrize("start", [b"\xef\xbb\xbf", b""])
@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
def test_neither_a_byte_order_mark_nor_windows_lines_hide_a_block(tmp_path: Path, start: bytes, newline: bytes) -> None:
    path = tmp_path / "page.md"
    path.write_bytes(
        start + newline.join([b"```sql", b"SELECT 1;", b"```", b"<!-- output -->", b"```text", b"1", b"```", b""])
    )
    (step,) = read_page(path, tmp_path).steps
    assert (step.id, step.line, step.text) == ("top.1", 1, "SELECT 1;\n")
    assert step.commands[0].expected is not None
    assert step.commands[0].expected.text == "1\n"


def test_front_matter_behind_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_bytes(b"\xef\xbb\xbf---\ndatabase: {revision: head}\n---\n")
    assert read_page(path, tmp_path).front.revision == "head"


@pytest.mark.parametrize(
    ("fence", "problem"),
    [
        ("```shell", f"page.md:1: a fence of language 'shell' {CLASSES}"),
        ("```zsh", f"page.md:1: a fence of language 'zsh' {CLASSES}"),
        ("```shell-session", f"page.md:1: a fence of language 'shell-session' {CLASSES}"),
        ("```py", f"page.md:1: a fence of language 'py' {CLASSES}"),
        ("```pycon", f"page.md:1: a fence of language 'pycon' {CLASSES}"),
        ("```postgresql", f"page.md:1: a fence of language 'postgresql' {CLASSES}"),
        ("```psql", f"page.md:1: a fence of language 'psql' {CLASSES}"),
        ("```Bash", f"page.md:1: a fence of language 'Bash' {CLASSES}"),
        ("```yml", f"page.md:1: a fence of language 'yml' {CLASSES}"),
        ("```ps1", f"page.md:1: a fence of language 'ps1' {CLASSES}"),
        ("```text", f"page.md:1: a fence of language 'text' {CLASSES}"),
        ("```", f"page.md:1: a fence of language '' {CLASSES}"),
        ("``` { #anchor }", f"page.md:1: a fence of language '' {CLASSES}"),
        ("~~~diff", f"page.md:1: a fence of language 'diff' {CLASSES}"),
    ],
)
def test_any_other_language_is_in_no_class(fence: str, problem: str) -> None:
    parsed = page(f"{fence}\nx\n{fence[:3]}\n")
    assert told(parsed) == [problem]
    assert parsed.steps == ()


@pytest.mark.parametrize(
    "info", ["bash notest", 'console session="a" b', "python {.x} y", "sql hl_lines=2", 'bash {title="x"}', ".bash x"]
)
def test_words_behind_the_language_are_refused(info: str) -> None:
    assert (
        f"page.md:1: the info line {info!r} would not render; after the language only "
        'key="value" or { .language key="value" } may stand'
    ) in told(page(f"```{info}\n$ x\n```\n"))


def test_a_class_within_a_value_is_no_language() -> None:
    step = only('```{title="see .env" .toml}\nx = 1\n```\n')
    assert (step.language, step.title) == ("toml", "see .env")


@pytest.mark.parametrize(
    "text", ["```bash\ntrue\n", "````bash\ntrue\n```\n", "~~~bash\ntrue\n```\n", "```bash\ntrue\n~~~\n"]
)
def test_an_unclosed_fence(text: str) -> None:
    assert told(page("Text\n\n" + text)) == [
        "page.md:3: this fence is never closed; close it with as many backticks as it opens with"
    ]


@pytest.mark.parametrize("prefix", ["> ", ">", "- ", "1. ", "> - "])
def test_a_fence_that_no_parser_agrees_on(prefix: str) -> None:
    """Rendered here and there; never silently passed over."""
    assert (
        "page.md:3: this fence stands behind a list or quotation mark, where it is not found; "
        "put it on a line of its own"
    ) in told(page(f"Text\n\n{prefix}```bash\n{prefix}false\n{prefix}```\n"))


def test_a_form_feed_does_not_move_lines() -> None:
    parsed = sound("```console\n$ printf 'a\\fb\\n'\na\fb\n$ false\n```\n")
    first, second = parsed.steps[0].commands
    assert first.expected is not None
    assert (first.expected.text, second.line) == ("a\fb\n", 4)


# -- names of blocks ----------------------------------------------------------------------------------


def test_blocks_are_named_by_heading_and_number() -> None:
    assert [step.id for step in sample("duplicates.md").steps] == [
        "top.1",
        "back.1",
        "back.2",
        "before-users-go-really.1",
        "again.1",
        "again_1.1",
        "with-a-link.1",
    ]


def test_names_stay_when_blocks_and_lines_are_added_elsewhere() -> None:
    before = sample("duplicates.md")
    more = "# Something new\n\nText\n\n```bash\nfalse\n```\n\n# Roll back {#back}"
    after = page(before.source.replace("# Roll back {#back}", more))
    assert [step.id for step in after.steps if step.id != "something-new.1"] == [step.id for step in before.steps]
    assert [step.line for step in after.steps][2:] == [step.line + 8 for step in before.steps][1:]


@pytest.mark.parametrize(
    "heading", ["Roll back", "What *is* `backout rehearse`?", "Déjà vu — über", "a_b  c--d", "[a](x.md) & b", "1. One"]
)
def test_names_are_the_anchors_of_the_site(heading: str) -> None:
    html = markdown.markdown(f"# {heading}\n", extensions=["toc"])
    assert slug(heading) == str(BeautifulSoup(html, "html.parser").h1["id"])  # type: ignore[index]


def test_the_document_holds_an_example_for_each_block() -> None:
    duplicates = sample("duplicates.md")
    assert [(example.parsed, example.line) for example in duplicates.document.examples()] == [
        (step, step.line) for step in duplicates.steps
    ]


# -- annotations --------------------------------------------------------------------------------------


def test_annotations() -> None:
    parsed = sound(
        "<!-- fails: 3 -->\n\n<!--timeout: 0.5-->\n```bash\nexit 3\n```\n"
        "<!--\noutput\n-->\n```text\nA message ...\n```\n"
        "<!-- sabotage: rm -f\n  file -->\n"
    )
    (step,) = parsed.steps
    assert (step.fails, step.timeout, step.sabotage) == ("3", 0.5, "rm -f\n  file")
    expected = step.commands[0].expected
    assert expected is not None
    assert (expected.text, expected.line) == ("A message ...\n", 11)
    assert parsed.source[expected.start : expected.end] == expected.text


@pytest.mark.parametrize(
    "comment",
    [
        "ouput",
        "outpt",
        "Output",
        "not-run: reason",
        "notrun: reason",
        "fail: 1",
        "timeuot: 3",
        "sabotge: rm x",
        "anything",
    ],
)
@pytest.mark.parametrize("between", ["", "\n", "<!-- timeout: 3 -->\n"])
def test_an_unknown_annotation_above_a_block(comment: str, between: str) -> None:
    parsed = page(f"<!-- {comment} -->\n{between}```bash\ntrue\n```\n")
    assert told(parsed) == [f"page.md:1: unknown annotation {comment!r}; {KNOWN}"]


def test_a_misspelt_sabotage_behind_its_check() -> None:
    parsed = page("```bash\ntrue\n```\n<!-- sabotge: false -->\n\nText\n")
    assert told(parsed) == [f"page.md:4: unknown annotation 'sabotge: false'; {KNOWN}"]


@pytest.mark.parametrize(
    "comment", ["more", "TODO: write on", "code: x", "code-block:: python", "markdownlint-disable"]
)
def test_other_comments_do_no_harm(comment: str) -> None:
    sound(f"Text\n\n<!-- {comment} -->\n\nText\n\n```bash\ntrue\n```\n\n<!-- {comment} -->\n")


@pytest.mark.parametrize("name", ["output", "fails: 1", "timeout: 3", "not run: reason"])
@pytest.mark.parametrize("end", ["", "Text\n\n```bash\ntrue\n```\n"])
def test_an_annotation_before_no_block(name: str, end: str) -> None:
    word = name.split(":", maxsplit=1)[0]
    assert told(page(f"Text\n\n<!-- {name} -->\n\n{end}")) == [
        f"page.md:3: the annotation '{word}' stands before no block; put it right above its fence"
    ]


def test_two_annotations_of_one_name() -> None:
    assert told(page("<!-- timeout: 3 -->\n<!-- timeout: 4 -->\n```bash\ntrue\n```\n")) == [
        "page.md:2: the annotation 'timeout' stands here twice; keep one"
    ]


@pytest.mark.parametrize("value", ["soon", "0", "-1", "nan", "inf", ""])
def test_a_time_out_that_is_no_number(value: str) -> None:
    assert told(page(f"<!-- timeout: {value} -->\n```bash\ntrue\n```\n")) == [
        f"page.md:2: timeout: takes a number of seconds, not {value!r}"
    ]


@pytest.mark.parametrize("language", ["yaml", 'bash title="Makefile"', "mermaid"])
@pytest.mark.parametrize("annotation", ["fails: 1", "timeout: 3"])
def test_annotations_of_blocks_that_run_above_others(language: str, annotation: str) -> None:
    name = annotation.split(":", maxsplit=1)[0]
    assert told(page(f"<!-- {annotation} -->\n```{language}\nx\n```\n")) == [
        f"page.md:2: the annotation '{name}' belongs above a block that is run"
    ]


@pytest.mark.parametrize("annotation", ["fails: 1", "timeout: 3", "not run: reason"])
def test_output_takes_no_other_annotation(annotation: str) -> None:
    assert told(page(f"```bash\ntrue\n```\n<!-- output -->\n<!-- {annotation} -->\n```text\nx\n```\n")) == [
        "page.md:6: an output block takes no other annotation; put it above the command's block"
    ]


@pytest.mark.parametrize(
    ("block", "problem"),
    [
        ("```bash\nx\n```\n", "page.md:5: expected output is a ```text block, not 'bash'"),
        ("```\nx\n```\n", "page.md:5: expected output is a ```text block, not ''"),
    ],
)
def test_output_is_text(block: str, problem: str) -> None:
    assert told(page("```bash\nx\n```\n<!-- output -->\n" + block)) == [problem]


def test_output_takes_no_value() -> None:
    assert told(page("```bash\nx\n```\n<!-- output: x -->\n```text\nx\n```\n")) == [
        "page.md:4: the annotation 'output' takes no value; the text is the block below it"
    ]


@pytest.mark.parametrize(
    "before", ["", "```yaml\na: 1\n```\n", "```console\n$ x\n```\n", '```bash title="x"\nx\n```\n']
)
def test_output_of_nothing(before: str) -> None:
    line = before.count("\n") + 2
    assert told(page(before + "<!-- output -->\n```text\nx\n```\n")) == [
        f"page.md:{line}: this output follows no bash, sql or python block that is run"
    ]


def test_two_outputs_of_one_block() -> None:
    output = "<!-- output -->\n```text\nx\n```\n"
    assert told(page("```bash\nx\n```\n" + output + output)) == [
        "page.md:9: the block top.1 has an output already; keep one"
    ]


@pytest.mark.parametrize("before", ["", "```yaml\na: 1\n```\n", "```bash\nx\n```\n\nText\n\n"])
def test_a_sabotage_of_nothing(before: str) -> None:
    line = before.count("\n") + 1
    assert told(page(before + "<!-- sabotage: rm x -->\n")) == [
        f"page.md:{line}: this sabotage follows no block that is run; put it right behind its check"
    ]


def test_two_sabotages_and_an_empty_one() -> None:
    assert told(page("```bash\nx\n```\n<!-- sabotage: a -->\n<!-- sabotage: b -->\n")) == [
        "page.md:5: the check top.1 has a sabotage already; keep one"
    ]
    assert told(page("```bash\nx\n```\n<!-- sabotage: -->\n")) == [
        "page.md:4: sabotage: takes the shell command that must make the check fail"
    ]


# -- blocks that are not run --------------------------------------------------------------------------


def test_a_block_that_is_not_run() -> None:
    step = only("<!-- not run: needs the\nproduction server -->\n```ruby\nputs 1\n```\n")
    assert (step.kind, step.reason, step.commands) == ("not run", "needs the\nproduction server", ())


@pytest.mark.parametrize("comment", ["not run", "not run:", "not run: "])
def test_a_block_that_is_not_run_without_a_reason(comment: str) -> None:
    assert told(page(f"<!-- {comment} -->\n```bash\nx\n```\n")) == [
        "page.md:2: a block that is not run needs its reason: <!-- not run: reason -->"
    ]


@pytest.mark.parametrize("language", ["bash", "sh", "console", "sql", "python", "text", "shell", "", 'bash title="x"'])
@pytest.mark.parametrize("command", ["alembic", "make", "psql", "pg_dump", "pg_restore", "curl"])
def test_no_reason_excuses_the_tools_of_this_site(language: str, command: str) -> None:
    for text in (f"$ {command} x", f"$ true && .venv/bin/{command} x", f"$ x | {command}", f"$ ({command} x)"):
        assert told(page(f"<!-- not run: no reason is good enough -->\n```{language}\n{text}\n```\n")) == [
            f"page.md:2: a block with {command} must be run; no reason excuses it"
        ]


@pytest.mark.parametrize("text", ["ls alembic-old", "cat docs/make", "./psql.sh", "remake it", "curlew", "x-make"])
def test_names_that_resemble_those_tools(text: str) -> None:
    assert only(f"<!-- not run: not here -->\n```bash\n{text}\n```\n").kind == "not run"


# -- blocks that fail ---------------------------------------------------------------------------------


MUST_SHOW = (
    "a block that fails must show its message: {} alone would also fit a failure of another kind; "
    "show what it prints, by more than the wildcard ..."
)


@pytest.mark.parametrize(
    ("status", "block"),
    [
        ("1", "```bash\nfalse\n```\n"),
        ("1", "```bash\nfalse\n```\n<!-- output -->\n```text\n```\n"),
        ("1", "```bash\nfalse\n```\n<!-- output -->\n```text\n...\n  ...\n\n......\n```\n"),
        ("22012", "```sql\nSELECT 1/0;\n```\n<!-- output -->\n```text\n...\n```\n"),
        ("ZeroDivisionError", "```python\n1/0\n```\n"),
        ("1", "```console\n$ echo shown\nshown\n$ false\n```\n"),
        ("1", "```console\n$ false\n...\n```\n"),
    ],
)
def test_a_block_that_fails_must_show_its_message(status: str, block: str) -> None:
    assert told(page(f"<!-- fails: {status} -->\n{block}")) == [f"page.md:2: {MUST_SHOW.format(status)}"]


@pytest.mark.parametrize(
    ("status", "block"),
    [
        ("127", "```bash\nx\n```\n<!-- output -->\n```text\n...not found\n```\n"),
        ("42P01", "```sql\nx\n```\n<!-- output -->\n```text\n...\nERROR:  x\n...\n```\n"),
        ("3", "```sql\n\\x\n```\n<!-- output -->\n```text\ninvalid command\n```\n"),
        ("module.Error", "```python\nx\n```\n<!-- output -->\n```text\n...\nError: x\n```\n"),
        ("1", "```console\n$ true\n$ false\nmessage\n```\n"),
    ],
)
def test_a_block_that_shows_its_message(status: str, block: str) -> None:
    assert only(f"<!-- fails: {status} -->\n{block}").fails == status


@pytest.mark.parametrize(
    ("language", "status"),
    [
        ("bash", "0"), ("bash", ""), ("bash", "timeout"), ("bash", "KeyError"), ("console", "1 or 2"), ("bash", "1000"),
        ("sql", "division by zero"), ("sql", "22o12"), ("sql", ""), ("python", "1"), ("python", "Error: message"),
    ],
)  # fmt: skip
def test_a_status_that_no_block_of_the_language_ends_with(language: str, status: str) -> None:
    assert (
        f"page.md:2: fails: takes an exit status (shell), an SQLSTATE (sql) or an exception (python), not {status!r}"
    ) in told(page(f"<!-- fails: {status} -->\n```{language}\n$ x\n```\n"))


# -- console ------------------------------------------------------------------------------------------


def test_a_transcript() -> None:
    parsed = sound(
        "- Item\n\n  ```console\n  $ cat <<END\n  > one\n  > END\n  one\n  $ true\n  $ echo two\n\n  two\n  ```\n"
    )
    (step,) = parsed.steps
    assert [(command.line, command.text) for command in step.commands] == [
        (4, "cat <<END\none\nEND\n"),
        (8, "true\n"),
        (9, "echo two\n"),
    ]
    expected = [command.expected for command in step.commands if command.expected is not None]
    assert [(e.line, e.text, e.indent, parsed.source[e.start : e.end]) for e in expected] == [
        (7, "one\n", "  ", "  one\n"),
        (9, "", "  ", ""),
        (10, "\ntwo\n", "  ", "\n  two\n"),
    ]


@pytest.mark.parametrize(
    ("body", "line"), [("echo one\none\n", 2), ("\n$ echo one\n", 2), ("", 2), ("# x\n$ true\n", 2)]
)
def test_a_transcript_starts_with_a_prompt(body: str, line: int) -> None:
    assert told(page(f"```console\n{body}```\n")) == [
        f"page.md:{line}: a console block starts with a prompt line, '$ command'"
    ]


# -- checklists ---------------------------------------------------------------------------------------


def test_a_checklist() -> None:
    parsed = sound(
        "# List\n\n- [ ] The backup\n  is there\n\n  ```bash\n  make backup\n  ```\n\n"
        "  ```bash\n  test -s backup\n  ```\n"
        "  <!-- sabotage: rm backup -->\n- [x] The team knows (manual: only people\n  can tell)\n\n"
        "Text\n\n```bash\ntrue\n```\n"
    )
    assert [(item.line, item.text, item.manual, item.steps) for item in parsed.items] == [
        (3, "The backup is there", None, ("list.1", "list.2")),
        (14, "The team knows", "only people can tell", ()),
    ]
    first, check, last = parsed.steps
    assert (first.sabotage, check.sabotage, last.sabotage) == (None, "rm backup", None)
    assert parsed.proof_point(check) == check
    assert parsed.proof_point(last) == last


NO_CHECK = "this checklist item has no check: put a block with a sabotage below it, or say (manual: why)"


@pytest.mark.parametrize("mark", ["- [ ]", "- [x]", "* [X]", "+ [ ]", "1. [ ]", "2) [ ]"])
@pytest.mark.parametrize("rest", ["", "\n  ```bash\n  true\n  ```\n", "(manual: )\n", "(manual)\n"])
def test_an_item_without_a_check(mark: str, rest: str) -> None:
    assert told(page(f"Text\n\n{mark} The backup is there {rest}\n")) == [f"page.md:3: {NO_CHECK}"]


def test_the_check_of_the_next_item_is_not_of_this_one() -> None:
    check = "  ```bash\n  true\n  ```\n  <!-- sabotage: false -->\n"
    assert told(page(f"- [ ] One\n- [ ] Two\n{check}")) == [f"page.md:1: {NO_CHECK}"]
    nested = "  - [ ] Inner\n    ```bash\n    true\n    ```\n    <!-- sabotage: false -->\n"
    assert [item.steps for item in sound(f"- [ ] Outer\n{nested}").items] == [("top.1",), ("top.1",)]


def test_a_manual_item_with_a_block() -> None:
    assert told(page("- [ ] One (manual: why)\n  ```bash\n  true\n  ```\n")) == [
        "page.md:1: this checklist item is manual and has a block; keep one"
    ]


def test_checks_are_proved_behind_the_last_block_of_their_list_that_is_run() -> None:
    check = "  ```bash\n  true\n  ```\n  <!-- sabotage: false -->\n"
    parsed = sound(
        f"# One\n\n- [ ] A\n{check}- [ ] B\n{check}\n  ```yaml\n  a: 1\n  ```\n\n"
        "  <!-- not run: x -->\n  ```ruby\n  x\n  ```\n\n"
        f"```bash\ntrue\n```\n\n# Two\n\n- [ ] C\n{check}"
    )
    steps = {step.id: step for step in parsed.steps}
    assert parsed.proof_point(steps["one.1"]) == steps["one.2"]
    assert parsed.proof_point(steps["one.2"]) == steps["one.2"]
    assert parsed.proof_point(steps["two.1"]) == steps["two.1"]


# -- front matter -------------------------------------------------------------------------------------


def test_front_matter() -> None:
    parsed = sound(
        "---\ntitle: T\ndescription: D\ndatabase: {revision: head, rows: sample}\nservices: [api]\n"
        "names: {pg_repack: not installed}\n---\n# H\n"
    )
    front = parsed.front
    assert (front.revision, front.rows, front.services, front.names) == (
        "head", "sample", ("api",), {"pg_repack": "not installed"},
    )  # fmt: skip
    assert sound("# H\n").front == sound("---\ntitle: T\n---\n").front


@pytest.mark.parametrize(
    ("yaml", "problem"),
    [
        ("databse: {}", "unknown front matter databse; known are database, names, runbook, services, title …"),
        ("- a", "the front matter is not a table of keys; write key: value lines"),
        ("database: head", "front matter database: takes {revision: REVISION, rows: sample|none}"),
        ("database: {row: sample}", "front matter database: takes {revision: REVISION, rows: sample|none}"),
        ("database: {revision: head, rows: many}", "front matter rows: is 'many'; it is sample or none"),
        ("database: {rows: sample}", "front matter asks for sample rows at base; they exist at head only"),
        ("database: {revision: 000000000012}", "front matter revision: 10 is not text for YAML; put it in quotes"),
        ("services: api", "front matter services: takes a list of names, [api]"),
        ("names: {pg_repack: }", "front matter names: takes NAME: reason lines"),
        ("names: [pg_repack]", "front matter names: takes NAME: reason lines"),
    ],
)
def test_front_matter_that_makes_no_sense(yaml: str, problem: str) -> None:
    assert told(page(f"---\n{yaml}\n---\n")) == [f"page.md:1: {problem}"]


def test_front_matter_that_is_no_yaml() -> None:
    (problem,) = told(page("---\na: [\n---\n"))
    assert problem.startswith("page.md:1: the front matter is not valid YAML: while parsing a flow node")
    assert problem.endswith("; mend it")


# -- inline code --------------------------------------------------------------------------------------


def test_inline_code() -> None:
    parsed = sound(
        "# The `users` table\n\n`make\nmigrate` and ``a ` b`` and \\`not this\\`\n\n| `in.a_table` |\n|---|\n\n"
        "An odd ` stays\n\nalone ` here.\n\n<!-- `not this` -->\n\nText\n\n```bash\n: `not this`\n```\n"
    )
    assert [(span.line, span.text) for span in parsed.spans] == [
        (1, "users"),
        (3, "make migrate"),
        (4, "a ` b"),
        (6, "in.a_table"),
    ]


def test_problems_are_in_the_order_of_their_lines() -> None:
    parsed = page("- [ ] x\n\n```ruby\n```\n\n```bash\ntrue\n")
    assert [problem.line for problem in parsed.problems] == [1, 3, 6]
    first: Any = parsed.problems[0]
    assert (first.path, first.exit_code) == ("page.md", 2)
