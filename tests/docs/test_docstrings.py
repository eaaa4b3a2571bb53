"""The docstrings of public functions and classes say what a caller has to know."""

import inspect
import re
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import pytest

from tests.docs.test_site import PUBLIC

# gunicorn, asyncio and Flask make these, call them, and describe what they are called with.
OF_OTHERS = {
    "ASGIWorker",
    "Flask",
    "HubLoop",
    "HubPolicy",
    "Response",
    "StockASGIWorker",
    "WSGIWorker",
}
# `go`, a pool and a caller's own classes make these; the last one describes its fields beside them.
NOT_MADE = {"colorless.Task", "colorless.tasks.Task", "colorless.postgres.Connection"}
NOT_MADE |= {"colorless.lowlevel.HasFileno", "colorless.worker.Limits"}


def calls() -> Iterator[tuple[str, Callable[..., Any], str]]:
    """Each public function, class and method: its name, and what describes it."""
    for module in map(import_module, PUBLIC):
        for name in module.__all__:
            value, full = getattr(module, name), f"{module.__name__}.{name}"
            if name in OF_OTHERS or not callable(value):
                continue
            if full not in NOT_MADE and not is_error_or_tuple(value):
                yield full, value, value.__doc__ or ""
            if inspect.isclass(value):
                for method, function in methods(value):
                    yield f"{full}.{method}", function, f"{function.__doc__}\n{value.__doc__}"


def is_error_or_tuple(value: Any) -> bool:
    """Callers get these, and make none."""
    return inspect.isclass(value) and issubclass(value, BaseException | tuple)


def methods(value: type) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Those that no class of another package has: that package describes them."""
    others = [base for base in value.__mro__ if not base.__module__.startswith("colorless")]
    for name, function in vars(value).items():
        inherited = any(hasattr(base, name) for base in others)
        if inspect.isfunction(function) and not name.startswith("_") and not inherited:
            yield name, function


CALLS = list(calls())


@pytest.mark.parametrize(("name", "function", "text"), CALLS, ids=[name for name, *_ in CALLS])
def test_each_parameter_is_described(name: str, function: Callable[..., Any], text: str) -> None:
    """Its name stands in the docstring, of the function or of its class."""
    parameters = inspect.signature(function).parameters.values()
    many = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    named = {it.name for it in parameters if it.kind not in many} - {"self"}
    assert {each for each in named if not re.search(rf"\b{each}\b", text)} == set(), name


def test_what_callers_use_is_looked_at() -> None:
    """Functions, classes and methods alike."""
    assert {
        "colorless.go",
        "colorless.TaskGroup.go",
        "colorless.http.Client",
        "colorless.postgres.Pool.close",
        "colorless.postgres.Connection.fetch_all",
    } <= {name for name, *_ in CALLS}
