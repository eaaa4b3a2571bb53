"""Call a function when a module is imported, and at once if it has been imported already.

Python has no such hook. A finder at the front of ``sys.meta_path`` lets the other finders find the
module, and puts a loader in front of theirs that calls the function once the module has run. The
module itself gets the loader that was found: whoever asks it for its source or its resources,
copies its spec or reloads it sees nothing of this.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

Hook = Callable[[ModuleType], None]


def when_imported(name: str, hook: Hook) -> None:
    """Call ``hook`` with the module called ``name`` each time that it is loaded."""
    if name in sys.modules:
        hook(sys.modules[name])
    _finder.hooks.setdefault(name, []).append(hook)
    if _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)


class _Finder(MetaPathFinder):
    """Asks the other finders for a module that has hooks, and wraps the loader that they find."""

    def __init__(self) -> None:
        self.hooks: dict[str, list[Hook]] = {}
        self._searched: set[str] = set()

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        # Another finder like this one asks all other finders too: do not ask each other for ever.
        if name not in self.hooks or name in self._searched:
            return None
        self._searched.add(name)
        try:
            spec = _first_spec(name, path, target)
        finally:
            self._searched.discard(name)
        if spec is not None and hasattr(spec.loader, "exec_module"):
            spec.loader = _HookedLoader(spec.loader, self.hooks[name])
        return spec


def _first_spec(
    name: str, path: Sequence[str] | None, target: ModuleType | None
) -> ModuleSpec | None:
    for finder in list(sys.meta_path):
        find_spec = getattr(finder, "find_spec", None)
        if find_spec is not None and (spec := find_spec(name, path, target)) is not None:
            return spec
    return None


class _HookedLoader(Loader):
    """Wraps the loader that was found: runs the module, then the hooks.

    One for each import, since many modules may share the loader that was found.
    """

    def __init__(self, found: Any, hooks: Sequence[Hook]) -> None:
        self._found = found
        self._hooks = hooks

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        module: ModuleType | None = self._found.create_module(spec)
        return module

    def exec_module(self, module: ModuleType) -> None:
        assert module.__spec__ is not None
        module.__spec__.loader = module.__loader__ = self._found
        self._found.exec_module(module)
        for hook in self._hooks:
            hook(module)

    def __getattr__(self, name: str) -> Any:
        # The loader's other methods, such as get_source.
        return getattr(self._found, name)

    def __reduce__(self) -> tuple[Callable[[Any], Any], tuple[Any]]:
        # Copying or pickling the spec gives the loader that was found.
        return _as_it_is, (self._found,)


def _as_it_is(loader: Any) -> Any:
    return loader


_finder = _Finder()
