"""Other packages' private names stand in ``colorless/compat/`` and nowhere else."""

import ast
from pathlib import Path

import gevent
import pytest

from tests.architecture.private_names import (
    HOUSE,
    foreign_names,
    inherited,
    own_names,
    touched,
)
from tests.architecture.source import files, name, tree

# Folders and files whose names are on their way to compat. Nothing is added here.
PENDING = ("colorless/loop/", "colorless/bridge/shared.py")

OUTSIDE = [path for path in files(*HOUSE) if "compat" not in path.parts]


@pytest.mark.parametrize("path", OUTSIDE, ids=name)
def test_no_private_name_of_others(path: Path) -> None:
    """No file imports one, takes one from an object, overrides one or uses one it inherits."""
    if name(path).startswith(PENDING) or path.name == "__main__.py":
        return
    found = [*touched(tree(path), own_names(*HOUSE)), *inherited(path)]
    assert [f"{name(path)}:{line}: {what}" for line, what in found] == []


@pytest.mark.parametrize(
    "code",
    [
        "from gevent._hub_local import get_hub_if_exists",
        "from asyncio.tasks import _enter_task",
        "import gevent._util",
        "from gevent.libev.corecext import watcher",
        "from asyncio import selector_events",
        "import asyncio.unix_events as unix",
        "import threading; threading._active",
        "from threading import _active",
        "from asyncio import events\ndef f(): return events._get_running_loop()",
        "def f(transport): transport._wait()",
        "def f(hub): hub.loop._callbacks = 1",
        "def f(hub): return getattr(hub.loop, '_callbacks', ())",
        "def f(loop): setattr(loop, '_ready', 1)",
        "def f(loop): return loop.__dict__['_ready']",
        "def f(loop): return vars(loop)['_ready']",
        # The house has a name like it, and this is not that one.
        "import threading\ndef f(): return threading._own",
    ],
)
def test_each_way_to_touch_one_is_seen(code: str) -> None:
    """Whatever the syntax, and inside of functions too."""
    assert len(list(touched(ast.parse(code), {"_own"}))) == 1


@pytest.mark.parametrize(
    "code",
    [
        "from colorless.deadlines import _current",
        "def f(pool): return pool._own",
        "class A:\n    def f(self): return self._anything",
        "import asyncio\ndef f(): return asyncio.current_task()._own",
        "def f(row): return row._replace(a=1)",
        "import _thread",
        "def f(x): return x.__dict__, x.__class__",
    ],
)
def test_own_and_documented_names_are_let_through(code: str) -> None:
    """What the house declares, what ``self`` has, and what is documented."""
    assert list(touched(ast.parse(code), {"_own"})) == []


def test_inherited_names_are_known() -> None:
    """Those in a base's dictionary, and those that its methods give to ``self``."""

    class Timer(gevent.Timeout): ...

    class Parser(ast.NodeVisitor): ...

    assert "_on_expiration" in foreign_names(Timer)
    assert not foreign_names(Parser)
