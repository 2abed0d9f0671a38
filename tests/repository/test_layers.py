"""What the packages of generator/ may import: those on floors below, and nothing else of ours."""

from __future__ import annotations

import ast
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

PROJECT = Path(__file__).parents[2]

FLOORS = (
    ("generator", "bars", "durations", "errors", "escaping", "quoting"),
    ("registry", "database", "embedded"),
    ("render", "report"),
    ("deploy",),
    ("operate",),
    ("demo",),
    ("cli",),
    ("__main__",),
)
"""Packages and single modules, the lowest floor first; "generator" is what __init__.py holds.

None imports another of its own floor.
"""

LEVEL = {part: level for level, floor in enumerate(FLOORS) for part in floor}

Graph = dict[str, set[str]]
"""The modules that each module imports."""


def modules(folder: Path) -> dict[str, Path]:
    """The files of a package, its folders' included, by the names of their modules."""
    found = {}
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(folder.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported(node: ast.AST, known: dict[str, Path]) -> set[str]:
    """The modules that a statement imports, as far as they are known; else their packages."""
    names: set[str] = set()
    if isinstance(node, ast.Import):
        names = {alias.name for alias in node.names}
    elif isinstance(node, ast.ImportFrom):
        assert node.level == 0, f"a relative import in line {node.lineno}"
        assert node.module is not None
        for alias in node.names:
            full = f"{node.module}.{alias.name}"
            names.add(full if full in known else node.module)
    return names


def statements(node: ast.AST, *, of_types: bool) -> Iterator[ast.AST]:
    """All below a node, in functions too; those for the type checker alone only `of_types`."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            if of_types:
                yield from statements(child, of_types=of_types)
            continue
        yield child
        yield from statements(child, of_types=of_types)


def graph(folder: Path, *, of_types: bool) -> Graph:
    known = modules(folder)
    return {
        name: {
            one
            for node in statements(ast.parse(path.read_text("utf-8")), of_types=of_types)
            for one in imported(node, known)
        }
        for name, path in known.items()
    }


def part(module: str) -> str | None:
    """The package or module right below generator/ that a module belongs to; None of others'."""
    top, _, rest = module.partition(".")
    if top != "generator":
        return None
    return rest.split(".")[0] if rest else "generator"


def wrong(imports: Graph) -> list[str]:
    """The imports of another part that is not on a floor below."""
    return [
        f"{module} imports {name}"
        for module, names in sorted(imports.items())
        for name in sorted(names)
        if (own := part(module)) is not None
        and (other := part(name)) is not None
        and own != other
        and LEVEL[own] <= LEVEL[other]
    ]


def reached(imports: Graph, start: str) -> set[str]:
    """All modules that are loaded with one, those of packages above it included."""
    found: set[str] = set()
    left = [start]
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += imports.get(name, ())
            left += [name.rpartition(".")[0]] if "." in name else []
    return found


ALL = graph(PROJECT / "generator", of_types=True)
AT_RUN_TIME = graph(PROJECT / "generator", of_types=False)


def test_every_package_stands_on_one_floor() -> None:
    assert {part(one) for one in ALL} == set(LEVEL)
    assert len(LEVEL) == sum(map(len, FLOORS))


def test_no_package_imports_one_of_its_own_floor_or_above() -> None:
    assert wrong(ALL) == []


def test_no_module_imports_itself_by_way_of_others() -> None:
    TopologicalSorter(AT_RUN_TIME).prepare()


@pytest.mark.parametrize(
    "module", [one for one in AT_RUN_TIME if part(one) in ("registry", "render")]
)
def test_reading_a_registry_and_rendering_it_load_nothing_that_connects(module: str) -> None:
    loaded = reached(AT_RUN_TIME, module)
    assert "generator.database.connection" not in loaded
    assert {one.split(".")[0] for one in loaded} <= {
        *("generator", "jinja2", "pydantic"),
        *sys.stdlib_module_names,
    }


@pytest.mark.parametrize(
    "text",
    [
        "from generator.deploy import plan",
        "from generator.deploy.plan import plan",
        "import generator.deploy.plan",
        "from generator import deploy",
        "def later() -> None:\n    from generator.deploy.plan import plan",
        "if TYPE_CHECKING:\n    from generator.deploy.plan import Plan",
        "if here:\n    pass\nelif TYPE_CHECKING:\n    from generator.deploy.plan import Plan",
        "from generator.report import queries",
    ],
)
def test_an_import_upwards_or_sideways_is_found(text: str, tmp_path: Path) -> None:
    folder = tmp_path / "generator"
    for name in ("__init__", "render/__init__", "render/objects", "deploy/__init__", "deploy/plan"):
        path = folder / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    assert wrong(graph(folder, of_types=True)) == []
    (folder / "render" / "objects.py").write_text(text)
    found = wrong(graph(folder, of_types=True))
    assert len(found) == 1
    assert found[0].startswith("generator.render.objects imports generator.")


def test_a_circle_of_modules_is_found(tmp_path: Path) -> None:
    folder = tmp_path / "generator"
    folder.mkdir()
    (folder / "one.py").write_text("from generator import other")
    (folder / "other.py").write_text("from generator.one import name")
    with pytest.raises(CycleError):
        TopologicalSorter(graph(folder, of_types=False)).prepare()
