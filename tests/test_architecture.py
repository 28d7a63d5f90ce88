"""The layers of docs/architecture.md are the ones that the imports follow."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "backout"


def layers() -> dict[str, int]:
    rows = re.findall(r"^\| (\d+) \| (.*) \|$", (ROOT / "docs/architecture.md").read_text(), re.MULTILINE)
    return {module: int(number) for number, names in rows for module in re.findall(r"`(\w+)`", names)}


def imported(path: Path) -> set[str]:
    """Top-level modules of any package that a file imports, those of backout as ``backout.x``."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module == "backout":
            names |= {f"backout.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return {name for name in names if name != "backout.__version__"}


def test_every_module_has_a_layer() -> None:
    assert layers().keys() == {path.stem for path in PACKAGE.glob("*.py")} - {"__init__"}


def test_imports_point_to_a_strictly_lower_layer() -> None:
    layer = layers()
    wrong = [
        f"{path.stem} (layer {layer[path.stem]}) imports {name} (layer {layer[name.split('.')[1]]})"
        for path in sorted(PACKAGE.glob("*.py"))
        if path.stem != "__init__"
        for name in sorted(imported(path))
        if name.startswith("backout.") and layer[name.split(".")[1]] >= layer[path.stem]
    ]
    assert wrong == []


def test_engine_and_application_do_not_import_each_other() -> None:
    crossing = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sorted((ROOT / "src").rglob("*.py"))
        for name in imported(path)
        if name.split(".")[0] in ("backout", "content_creation_crew")
        and name.split(".")[0] != path.relative_to(ROOT / "src").parts[0]
    ]
    assert crossing == []


def test_the_site_plugin_reaches_no_database() -> None:
    reached: set[str] = set()
    waiting = ["mkdocs_plugin"]
    while waiting:
        for name in imported(PACKAGE / f"{waiting.pop()}.py"):
            module = name.split(".")[1] if name.startswith("backout.") else None
            if module and module not in reached:
                waiting.append(module)
            reached.add(module or name.split(".")[0])
    assert reached & {"sqlalchemy", "alembic", "psycopg", "postgres"} == set()
    assert "pages" in reached


def test_interpreter_needs_only_the_standard_library() -> None:
    assert imported(PACKAGE / "interpreter.py") <= {"json", "os", "sys", "traceback", "pathlib", "typing"}
