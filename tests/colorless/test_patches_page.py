"""docs/patches.md names all that the patch changes, and tells the truth about each of them."""

import json
import re
from pathlib import Path

import pytest

from tests.tools.fresh import output_of

PAGE = (Path(__file__).parents[2] / "docs" / "patches.md").read_text(encoding="utf-8")
PATCH = "from colorless.patch import patch_everything; patch_everything()\n"
IMPORTS = """
import sys, warnings
import gevent, gevent.monkey, gevent.select, gevent.threading
import asyncio, greenlet, hashlib, select, socket, ssl, threading, subprocess, queue
import concurrent.futures, multiprocessing.connection, multiprocessing.synchronize
import multiprocessing.util
warnings.simplefilter("ignore")
concurrent.futures.ThreadPoolExecutor  # put into its module when it is first asked for
"""

# Every function, class and property of the modules that are loaded, and of the classes in them,
# by name: the thing itself, and what of a function can be replaced.
CHANGES = """
def parts(value):
    return value, getattr(value, "__code__", None), getattr(value, "__defaults__", None)

def snapshot(modules):
    found = {}
    for module in modules:
        for name, value in list(vars(sys.modules[module]).items()):
            if callable(value):
                found[f"{module}.{name}"] = parts(value)
            if isinstance(value, type) and value.__module__ == module:
                for inner, it in list(vars(value).items()):
                    if callable(it) or isinstance(it, property):
                        found[f"{module}.{name}.{inner}"] = parts(it)
    return found

gevent.monkey.patch_all()
modules = [name for name in sys.modules if not name.startswith(("colorless", "__m"))]
before = snapshot(modules)
from colorless.patch import patch_everything
patch_everything()
after = snapshot(modules)

def changed(name):
    old, new = before.get(name), after[name]
    return old is None or any(one is not other for one, other in zip(old, new))

import json
print(json.dumps(sorted(filter(changed, after))))
"""


def rows() -> list[list[str]]:
    lines = [line for line in PAGE.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines[1:]]


def test_each_row_can_be_seen() -> None:
    """Its expression is true in a patched process, and false in one that is not."""
    shown = [row[2].strip("`") for row in rows()]
    assert len(shown) > 10
    look = f"import psycopg2.extensions\nprint(*[bool(eval(it)) for it in {shown!r}])"
    patched = output_of(PATCH + IMPORTS + look).split()
    plain = output_of(IMPORTS + look).split()
    assert [it for it, seen in zip(shown, patched, strict=True) if seen != "True"] == []
    assert [it for it, seen in zip(shown, plain, strict=True) if seen != "False"] == []


def test_whatever_changes_is_named() -> None:
    """Beyond gevent's own patch nothing is replaced that the page does not name."""
    changes = json.loads(output_of(IMPORTS + CHANGES))
    assert "select.poll" in changes
    assert "threading._RLock.acquire" in changes
    assert [name for name in changes if not is_named(name)] == []


def is_named(name: str) -> bool:
    """``module.name`` or ``module.Class.name`` stands there, under any name of the module; or
    ``module.Class``, where all of a class changes."""
    first, *rest = name.split(".")
    tails = [".".join(rest[-2:]), rest[-1]] if rest else [first]
    patterns = [rf"(?:\w+\.)*{re.escape(tail)}" for tail in tails]
    if len(rest) > 1:
        patterns.append(rf"(?:\w+\.)+{re.escape(rest[-2])}")
    return any(re.search(f"`{pattern}`", PAGE) for pattern in patterns)


@pytest.mark.parametrize(
    "name, named",
    [
        ("asyncio.runners.Runner.run", True),
        ("threading._RLock.acquire", True),
        ("asyncio.runners.Runner.get_loop", False),
        ("socket.socket.connect", False),
    ],
)
def test_a_name_is_looked_for(name: str, named: bool) -> None:
    """That a module or another name of the class stands on the page is not enough."""
    assert is_named(name) is named
