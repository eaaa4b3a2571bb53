"""The service has no colour: no async, no await, no executor, no thread of its own."""

import ast
from pathlib import Path

import pytest

from tests.architecture.source import files, imports, is_in, name, tree

COLOURED = (ast.AsyncFunctionDef, ast.Await, ast.AsyncFor, ast.AsyncWith)
JUGGLERS = (
    "asyncio",
    "concurrent.futures.ProcessPoolExecutor",
    "concurrent.futures.ThreadPoolExecutor",
    "multiprocessing",
    "queue",
    "threading",
)


@pytest.mark.parametrize("path", files("service"), ids=name)
def test_the_service_is_plain_python(path: Path) -> None:
    """Nothing in the syntax says that something waits."""
    found = [node for node in ast.walk(tree(path)) if isinstance(node, COLOURED)]
    coloured = [
        node
        for node in ast.walk(tree(path))
        if isinstance(node, ast.comprehension) and node.is_async
    ]
    assert not found + coloured, f"{name(path)}: {[node.__class__.__name__ for node in found]}"


@pytest.mark.parametrize("path", files("service"), ids=name)
def test_the_service_juggles_no_threads(path: Path) -> None:
    """No executor, no event loop, no thread: green threads come from TaskGroup and go."""
    assert not [it for it in imports(path) if any(is_in(it, other) for other in JUGGLERS)]
    assert "run_in_executor" not in path.read_text()
