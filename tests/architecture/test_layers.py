"""Imports go one way: no circles of files, and each package's map of its layers is true."""

import ast
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.architecture.layers import (
    Import,
    circles,
    contradictions,
    imports_of,
    layers_in,
    modules,
)
from tests.architecture.source import ROOT, tree

HOUSE = ("colorless", "service")

# Circles that are being broken. Nothing is added here; what is broken is taken out.
PENDING_CIRCLES = [
    {"colorless.loop.ready_queue", "colorless.loop.runner", "colorless.loop.tasks"},
]
# Packages whose map is being drawn.
PENDING_MAPS = {
    "colorless.loop",
}

PACKAGES = sorted(
    module
    for module, path in modules(*HOUSE).items()
    if path.name == "__init__.py" and len(list(path.parent.glob("*.py"))) > 2
)


def test_no_circle_of_files() -> None:
    """No file imports, by way of others, itself: not for types, nor inside of a function."""
    known = modules(*HOUSE)
    graph = {
        module: [each.module for each in imports_of(path, *HOUSE)] for module, path in known.items()
    }
    new = [
        circle
        for circle in circles(graph)
        if not any(set(circle) <= pending for pending in PENDING_CIRCLES)
    ]
    assert not new


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_imports_as_its_map_says(package: str) -> None:
    """Each room of a package imports only those that stand above it in the package's docstring."""
    if package in PENDING_MAPS:
        return
    init = modules(*HOUSE)[package]
    layers = layers_in(ast.get_docstring(tree(init)) or "")
    assert layers, f"{package} has no map: write its layers into the docstring"
    listed = sorted(room for rooms in layers for room in rooms)
    assert listed == sorted(_rooms(init.parent)), "the map lists what is there"
    imports = [each for path in init.parent.rglob("*.py") for each in imports_of(path, *HOUSE)]
    assert not contradictions(package, layers, imports)


def test_pending_maps_are_of_packages_that_exist() -> None:
    """What was renamed or removed does not stay in the list."""
    assert set(PACKAGES) >= PENDING_MAPS


def test_the_graph_sees_a_circle() -> None:
    """Modules that reach each other are one circle, however long the way; others are none."""
    graph = {"a": ["b"], "b": ["c"], "c": ["b", "d"], "d": [], "e": ["f"], "f": ["e"]}
    assert sorted(circles(graph)) == [["b", "c"], ["e", "f"]]


@pytest.mark.parametrize(
    "room, module, fits",
    [
        ("upper", "p.lower", True),
        ("upper", "p.lower.deep", True),
        ("upper", "p.upper", True),  # its own room, which may be a package
        ("lower", "p.upper", False),
        ("beside", "p.upper", False),  # the same layer
        ("upper", "p", False),  # the package gathers its rooms, and so is above them
        ("upper", "other", True),
        ("unlisted", "p.lower", True),
        ("lower", "p.unlisted", True),
    ],
)
def test_a_map_is_read(room: str, module: str, fits: bool) -> None:
    """A room may import those of the lines above it, and nothing else of its package."""
    docstring = "P.\n\nThe layers:\n\n    lower/   what is below\n    upper, beside  more\n\nEnd."
    imports = [Import(ROOT / "p" / f"{room}.py", 1, module)]
    assert (contradictions("p", layers_in(docstring), imports) == []) is fits


def _rooms(folder: Path) -> Iterable[str]:
    return {
        path.stem
        for path in folder.iterdir()
        if (path.suffix == ".py" or (path / "__init__.py").exists())
        and path.stem not in ("__init__", "__main__")
    }
