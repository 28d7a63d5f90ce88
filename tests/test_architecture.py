"""The layers of docs/architecture.md are the ones that the imports follow."""

import ast
import re
from collections.abc import Collection, Iterator
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "backout"


def layers() -> dict[str, int]:
    rows = re.findall(r"^\| (\d+) \| (.*) \|$", (ROOT / "docs/architecture.md").read_text(), re.MULTILINE)
    return {module: int(number) for number, names in rows for module in re.findall(r"`(\w+)`", names)}


def files() -> Iterator[tuple[str, Path]]:
    """Every module of backout, as ``seed`` or ``seed.rows``, with its file. Specimens are data."""
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        if parts[0] not in ("catalogue", "kinds") and parts != ("__init__",):
            yield ".".join(part for part in parts if part != "__init__"), path


MODULES = dict(files())


def imported(path: Path, of: Collection[str] = ()) -> set[str]:
    """Modules of any package that a file imports, those of backout as ``backout.x`` or ``backout.x.y``.

    :param of: modules of backout, to tell ``from backout.x import module`` from ``from backout.x import name``.
    """
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = [name for alias in node.names if (name := f"{node.module}.{alias.name}").partition(".")[2] in of]
            names |= set(inner)
            if len(inner) < len(node.names) and node.module != "backout":
                names.add(node.module)
    return names


def neighbours(module: str) -> set[str]:
    """What a module of backout imports of backout, without the prefix."""
    names = imported(MODULES[module], MODULES)
    return {name.partition(".")[2] for name in names if name.startswith("backout.")}


def test_every_module_or_package_has_a_layer() -> None:
    assert layers().keys() == {module.partition(".")[0] for module in MODULES}


def test_imports_point_to_a_strictly_lower_layer() -> None:
    layer = layers()
    wrong = [
        f"{module} (layer {layer[own]}) imports {name} (layer {layer[other]})"
        for module in MODULES
        for own in [module.partition(".")[0]]
        for name in sorted(neighbours(module))
        for other in [name.partition(".")[0]]
        if other != own and layer[other] >= layer[own]
    ]
    assert wrong == []


def test_no_module_imports_itself_by_way_of_another() -> None:
    order = tuple(TopologicalSorter({module: neighbours(module) - {module} for module in MODULES}).static_order())
    assert set(order) == MODULES.keys()  # a circle raises CycleError, which names it


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
    waiting = {"mkdocs_plugin"}
    while waiting:
        module = waiting.pop()
        reached.add(module)
        package = module.partition(".")[0]
        waiting |= (neighbours(module) | {package}) - reached
        reached |= {name.partition(".")[0] for name in imported(MODULES[module]) if not name.startswith("backout")}
    assert reached & {"sqlalchemy", "alembic", "psycopg", "postgres"} == set()
    assert "pages" in reached


def test_what_runs_beside_other_peoples_code_needs_only_the_standard_library() -> None:
    allowed = {"json", "os", "sys", "traceback", "pathlib", "typing"}
    assert {name.partition(".")[0] for name in imported(MODULES["interpreter"])} <= allowed
