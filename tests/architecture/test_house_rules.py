"""What CONTRIBUTING asks of every file, checked by a machine so that no person has to."""

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.settings import as_table
from tests.architecture.source import ROOT, files, is_in, name, tree

LONGEST_FILE = 300  # lines
LONGEST_FUNCTION = 40  # lines, without its docstring

# Longer, because what asyncio asks of an event loop is so many methods of one class.
LONG_FILES = {"colorless/loop/hubloop.py"}


@pytest.mark.parametrize("path", files("colorless", "service"), ids=name)
def test_files_are_short(path: Path) -> None:
    """A file is one idea, and one idea fits in three hundred lines."""
    lines = len(path.read_text().splitlines())
    assert lines <= LONGEST_FILE or name(path) in LONG_FILES, f"{name(path)} has {lines} lines"


@pytest.mark.parametrize("path", files("colorless", "service"), ids=name)
def test_functions_are_short(path: Path) -> None:
    """A function is read in one look."""
    long = [
        f"{name(path)}: {node.name} has {length} lines"
        for node in _functions(path)
        if (length := _length(node)) > LONGEST_FUNCTION
    ]
    assert not long


@pytest.mark.parametrize("path", [p for p in files("tests") if "test_" in p.name], ids=name)
def test_every_test_makes_a_promise(path: Path) -> None:
    """Each test function begins with what it promises, in a sentence."""
    silent = [
        node.name
        for node in _functions(path)
        if node.name.startswith("test_") and not (ast.get_docstring(node) or "").endswith(".")
    ]
    assert not silent


@pytest.mark.parametrize("path", files("colorless", "service"), ids=name)
def test_exported_names_are_there(path: Path) -> None:
    """What ``__all__`` promises exists, once, in order."""
    assigned = [
        node
        for node in tree(path).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    ]
    for node in assigned:
        exported = ast.literal_eval(node.value)
        module = importlib.import_module(_module(path))
        assert exported == sorted(set(exported), key=_as_ruff_sorts)
        assert all(hasattr(module, each) for each in exported)


def test_public_packages_export_what_they_import() -> None:
    """A name that a package's ``__init__`` takes from the package's files is in its ``__all__``."""
    for package in ("colorless", "colorless.postgres"):
        module = importlib.import_module(package)
        path = ROOT / package.replace(".", "/") / "__init__.py"
        taken = {
            alias.asname or alias.name
            for node in _at_the_top(path)
            if isinstance(node, ast.ImportFrom) and is_in(node.module or "", package)
            for alias in node.names
        }
        assert taken <= set(module.__all__), package


def test_the_readme_has_every_setting() -> None:
    """The table in the README is the one that the settings make of themselves."""
    assert as_table() in (ROOT / "README.md").read_text(encoding="utf-8")


def _at_the_top(path: Path) -> Iterator[ast.stmt]:
    """The statements of a module, those in its ``with`` blocks included."""
    for node in tree(path).body:
        yield from node.body if isinstance(node, ast.With) else [node]


def _functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    first = node.body[0]
    documented = ast.get_docstring(node, clean=False) is not None
    docstring = (first.end_lineno or 0) - first.lineno + 1 if documented else 0
    return (node.end_lineno or 0) - node.lineno + 1 - docstring


def _module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def _as_ruff_sorts(text: str) -> tuple[int, str]:
    """Constants, then classes, then the rest."""
    kind = 0 if text.isupper() else 1 if text[0].isupper() else 2
    return kind, text
