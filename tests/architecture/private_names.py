"""Other packages' private names in the source of the house, and what undoes the search for them."""

from __future__ import annotations

import ast
import importlib
import inspect
import textwrap
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from tests.architecture.layers import module_of
from tests.architecture.source import files, tree

HOUSE = ("colorless", "service")

# Names that look private and are documented.
DOCUMENTED = {
    "_thread": "a module of the library reference",
    "_replace": "named tuples' own, named so that it cannot be a field",
    "_asdict": "as _replace",
    "_getframe": "of sys",
    "_exit": "of os",
    "_run": "gevent.Greenlet's hook for subclasses",
}

# Modules that do not look private, and are not documented.
UNDOCUMENTED_MODULES = (
    "asyncio.base_events",
    "asyncio.base_subprocess",
    "asyncio.selector_events",
    "asyncio.sslproto",
    "asyncio.unix_events",
    "gevent.libev",
    "multiprocessing.synchronize",
    "multiprocessing.util",
)


def is_private(text: object) -> bool:
    return (
        isinstance(text, str)
        and text.startswith("_")
        and not text.startswith("__")
        and text not in DOCUMENTED
    )


def is_ours(module: str) -> bool:
    return module.partition(".")[0] in HOUSE


# What the house declares.


@cache
def own_names(*folders: str) -> frozenset[str]:
    """The private names that the house itself declares, anywhere."""
    return frozenset(each for path in files(*folders) for each in declared(tree(path)))


def declared(module: ast.Module) -> Iterator[str]:
    """The private names of functions, classes, variables, slots and attributes of ``self``."""
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
            if isinstance(node, ast.Name):
                yield node.id
            elif _is_self(node.value):
                yield node.attr
        elif isinstance(node, ast.Assign) and _is_name(node.targets[0], "__slots__"):
            yield from (
                each.value
                for each in ast.walk(node.value)
                if isinstance(each, ast.Constant) and isinstance(each.value, str)
            )


# What one file touches.


def touched(module: ast.Module, own: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Line and name of each private name of others that a file imports, or takes from an object.

    A name is ours if the house declares it (it is in ``own``) and it is not taken from a module
    of others. What a class inherits is :func:`inherited`'s business, so ``self`` is passed over.
    """
    own = set(own)
    others = set()  # the local names of others' modules, and of what comes from them
    for node in ast.walk(module):
        if isinstance(node, ast.Import | ast.ImportFrom):
            for full, local in _imported(node):
                if is_ours(full):
                    continue
                others.add(local)
                if any(map(is_private, full.split("."))) or _is_undocumented(full):
                    yield node.lineno, full
    for node in ast.walk(module):
        line = getattr(node, "lineno", 0)
        for name, owner in _taken(node):
            if not is_private(name) or _is_self(owner):
                continue
            if name not in own or _root(owner) in others:
                yield line, f"{ast.unparse(owner)}.{name}"


def _root(owner: ast.expr) -> str | None:
    """The name that a dotted path begins with."""
    while isinstance(owner, ast.Attribute):
        owner = owner.value
    return owner.id if isinstance(owner, ast.Name) else None


def _imported(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, str]]:
    for alias in node.names:
        full = alias.name if isinstance(node, ast.Import) else f"{node.module}.{alias.name}"
        yield full, alias.asname or alias.name.partition(".")[0]


def _is_undocumented(full: str) -> bool:
    return any(full == it or full.startswith(it + ".") for it in UNDOCUMENTED_MODULES)


def _taken(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """The names that a node takes from an object: by a dot, ``getattr`` or its dictionary."""
    match node:
        case ast.Attribute(attr=name, value=owner):
            yield name, owner
        case ast.Call(
            func=ast.Name(id="getattr" | "setattr" | "hasattr" | "delattr"),
            args=[owner, ast.Constant(value=str(name)), *_],
        ):
            yield name, owner
        case ast.Subscript(
            value=ast.Attribute(attr="__dict__", value=owner), slice=ast.Constant(value=str(name))
        ):
            yield name, owner
        case ast.Subscript(
            value=ast.Call(func=ast.Name(id="vars"), args=[owner]),
            slice=ast.Constant(value=str(name)),
        ):
            yield name, owner


def _is_self(owner: ast.expr) -> bool:
    if isinstance(owner, ast.Call):
        return _is_name(owner.func, "super")
    return _is_name(owner, "self") or _is_name(owner, "cls")


def _is_name(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


# What a class inherits.


def inherited(path: Path) -> Iterator[tuple[int, str]]:
    """Line and name of each private name of a foreign base that a class of the file overrides or
    uses through ``self``. The classes are looked at as they are, so the file is imported."""
    classes = [it for it in ast.walk(tree(path)) if isinstance(it, ast.ClassDef) and it.bases]
    module = importlib.import_module(module_of(path)) if classes else None
    for node in classes:
        cls = getattr(module, node.name, None)
        theirs = foreign_names(cls) if isinstance(cls, type) else {}
        yield from (
            (line, f"{theirs[name]}.{name}")
            for line, name in sorted(set(_of_self(node)))
            if name in theirs
        )


def _of_self(cls: ast.ClassDef) -> Iterator[tuple[int, str]]:
    for node in ast.walk(cls):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.Attribute) and _is_self(node.value):
            yield node.lineno, node.attr


def foreign_names(cls: type) -> dict[str, str]:
    """The private names that ``cls`` has from classes of others, and the class that has each."""
    found: dict[str, str] = {}
    for base in cls.__mro__:
        if not is_ours(base.__module__) and base is not object:
            for name in filter(is_private, _names_of(base)):
                found.setdefault(name, f"{base.__module__}.{base.__qualname__}")
    return found


@cache
def _names_of(base: type) -> frozenset[str]:
    annotations = vars(base).get("__annotations__")
    names = {*vars(base), *(annotations if isinstance(annotations, dict) else ())}
    try:
        source = ast.parse(textwrap.dedent(inspect.getsource(base)))
    except (OSError, TypeError):  # compiled: what it has is in its dictionary
        return frozenset(names)
    return frozenset(names.union(declared(source)))
