"""The import graph of the house, types and imports inside of functions included, and the maps that
packages draw of it in their docstrings."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tests.architecture.source import ROOT, files, name, tree

# A line of a map: the names of one layer, two spaces or more, and what they are.
_LAYER = re.compile(r"(?: {4})?(\w+/?(?:, \w+/?)*) {2,}(?!#)\S")
# An import that a map forbids, and why it has to be: in a comment on its line.
_MARK = "# upwards: "


class Import(NamedTuple):
    """One module that a file imports."""

    path: Path
    line: int
    module: str

    def __str__(self) -> str:
        return f"{name(self.path)}:{self.line} imports {self.module}"


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@cache
def modules(*tops: str) -> Mapping[str, Path]:
    return {module_of(path): path for path in files(*tops)}


@cache
def imports_of(path: Path, *tops: str) -> tuple[Import, ...]:
    """The modules of the house that a file imports, except for marked imports."""
    known = modules(*tops)
    lines = path.read_text(encoding="utf-8").splitlines()
    return tuple(
        Import(path, line, module)
        for line, module in dict.fromkeys(_named(path, known))
        if module in known and module != module_of(path) and _MARK not in lines[line - 1]
    )


def _named(path: Path, known: Mapping[str, Path]) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield node.lineno, inner if inner in known else str(node.module)


def circles(graph: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """The groups of modules that reach each other (Tarjan's strongly connected components)."""
    found: list[list[str]] = []
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}
    open_: list[str] = []

    def visit(module: str) -> None:
        number[module] = lowest[module] = len(number)
        open_.append(module)
        for other in graph[module]:
            if other not in number:
                visit(other)
            if other in open_:
                lowest[module] = min(lowest[module], lowest[other])
        if lowest[module] == number[module]:
            group = open_[open_.index(module) :]
            del open_[open_.index(module) :]
            if len(group) > 1:
                found.append(sorted(group))

    for module in graph:
        if module not in number:
            visit(module)
    return found


def layers_in(docstring: str) -> list[list[str]]:
    """The map in a package's docstring: its layers from the ground up, with their names."""
    matches = filter(None, map(_LAYER.match, docstring.splitlines()))
    return [[each.rstrip("/") for each in match[1].split(", ")] for match in matches]


def contradictions(package: str, layers: list[list[str]], imports: Iterable[Import]) -> list[str]:
    """The imports between rooms of ``package`` that go upwards or sideways."""
    level = {room: number for number, rooms in enumerate(layers) for room in rooms}
    found = []
    for each in imports:
        room, other = _room(package, module_of(each.path)), _room(package, each.module)
        # The package itself gathers what its rooms have, so it is above them all.
        if room in ("", "__main__") or room == other or not _is_below(package, each.module):
            continue
        if other == "" or level.get(other, -1) >= level.get(room, len(layers)):
            found.append(str(each))
    return found


def _is_below(package: str, module: str) -> bool:
    return module == package or module.startswith(package + ".")


def _room(package: str, module: str) -> str:
    return module.removeprefix(package).removeprefix(".").partition(".")[0]
