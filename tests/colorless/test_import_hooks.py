"""A function is called when a module is imported, and nobody else notices."""

import copy
import importlib
import importlib.util
import sys
import zipfile
from collections.abc import Iterator
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import ModuleType

import pytest

from colorless.import_hooks import when_imported


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder to import from; what is imported from it is forgotten."""
    known = set(sys.modules)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    for name in set(sys.modules) - known:
        del sys.modules[name]


def test_the_function_gets_the_module_once_it_has_run(place: Path) -> None:
    """It sees what the module has defined."""
    (place / "hooked_a.py").write_text("VALUE = 42")
    seen: list[int] = []
    when_imported("hooked_a", lambda module: seen.append(module.VALUE))
    assert seen == []
    importlib.import_module("hooked_a")
    assert seen == [42]


def test_a_module_that_is_there_is_handed_over_at_once() -> None:
    """Who comes too late for the import is called all the same."""
    seen: list[ModuleType] = []
    when_imported(__name__, seen.append)
    assert seen == [sys.modules[__name__]]


def test_a_reloaded_module_is_handed_over_again(place: Path) -> None:
    """A reload runs the module anew, and so what the function did to it is done anew."""
    (place / "hooked_b.py").write_text("VALUE = 42")
    when_imported("hooked_b", lambda module: setattr(module, "VALUE", module.VALUE + 1))
    module = importlib.import_module("hooked_b")
    assert importlib.reload(module).VALUE == 43


def test_the_module_has_the_loader_that_was_found(place: Path) -> None:
    """Its source, its resources and its spec are asked of the loader that would have loaded it."""
    (place / "hooked_c.py").write_text("VALUE = 42")
    when_imported("hooked_c", lambda module: None)
    found = importlib.util.find_spec("hooked_c")
    assert found is not None
    assert found.loader is not None
    assert found.loader.get_source("hooked_c") == "VALUE = 42"  # type: ignore[attr-defined]
    assert type(copy.deepcopy(found).loader) is SourceFileLoader
    module = importlib.import_module("hooked_c")
    assert type(module.__loader__) is SourceFileLoader
    assert module.__spec__ is not None
    assert module.__spec__.loader is module.__loader__


def test_a_loader_that_modules_share_is_left_alone(place: Path) -> None:
    """All modules of one folder of a zip archive have one loader; only one of them has a hook."""
    archive = place / "archive.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("hooked_d/__init__.py", "")
        file.writestr("hooked_d/one.py", "VALUE = 1")
        file.writestr("hooked_d/other.py", "VALUE = 2")
    sys.path.insert(0, str(archive))
    seen: list[str] = []
    when_imported("hooked_d.one", lambda module: seen.append(module.__name__))
    try:
        assert importlib.import_module("hooked_d.one").VALUE == 1
        assert importlib.import_module("hooked_d.other").VALUE == 2
    finally:
        sys.path.remove(str(archive))
    assert seen == ["hooked_d.one"]


def test_two_finders_of_this_kind_ask_each_other_once(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another finder that asks all but itself gets an answer."""

    class Other:
        def find_spec(self, name: str, path: object, target: object = None) -> ModuleSpec | None:
            if name != "hooked_e" or getattr(self, "asked", False):
                return None
            self.asked = True
            specs = (finder.find_spec(name, None) for finder in sys.meta_path if finder is not self)
            return next(filter(None, specs), None)

    (place / "hooked_e.py").write_text("VALUE = 42")
    seen: list[ModuleType] = []
    when_imported("hooked_e", seen.append)
    monkeypatch.setattr(sys, "meta_path", [Other(), *sys.meta_path])
    assert importlib.import_module("hooked_e").VALUE == 42
    assert len(seen) == 1


def test_a_module_that_fails_is_not_handed_over(place: Path) -> None:
    """An import error is the module's own."""
    (place / "hooked_f.py").write_text("1 / 0")
    seen: list[ModuleType] = []
    when_imported("hooked_f", seen.append)
    with pytest.raises(ZeroDivisionError):
        importlib.import_module("hooked_f")
    assert seen == []
