"""Imports point one way: service.api → service.chat → service.db → colorless."""

import subprocess
import sys
from collections.abc import Collection

import pytest

from tests.architecture.source import files, imports, is_in, name

# Who may not import whom.
FORBIDDEN: list[tuple[str, Collection[str]]] = [
    ("colorless", ("service", "comparison", "tests", "flask", "werkzeug", "msgspec")),
    ("service/db", ("service.api", "service.chat", "service.app", "service.web", "flask")),
    ("service/chat", ("service.api", "service.app", "service.web", "flask", "werkzeug")),
    ("service/api", ("service.app", "service.serve", "service.wsgi")),
    ("service", ("comparison", "tests")),
    ("comparison/contenders", ("service", "tests")),
]
# The runtime works with any framework; what it has for one stands in a room that nobody enters
# but who uses that framework.
FOR_FLASK = ("colorless/flask.py", "colorless/integrations/flask/")


@pytest.mark.parametrize("folder, packages", FORBIDDEN, ids=[folder for folder, _ in FORBIDDEN])
def test_imports_point_one_way(folder: str, packages: Collection[str]) -> None:
    """No file of the folder imports from a room that lies above it, not even inside a function."""
    found = [
        f"{name(path)} imports {module}"
        for path in files(folder)
        if not (folder == "colorless" and name(path).startswith(FOR_FLASK))
        for module in imports(path)
        if any(is_in(module, package) for package in packages)
    ]
    assert not found


def test_only_who_uses_flask_imports_what_is_for_flask() -> None:
    """Nothing else in the runtime imports ``colorless.flask``, which needs Flask; and that imports
    nothing of the rooms above."""
    for path in files("colorless"):
        if name(path).startswith(FOR_FLASK):
            assert not [it for it in imports(path) if is_in(it, "service")]
        else:
            assert not [it for it in imports(path) if is_in(it, "colorless.flask")]


@pytest.mark.parametrize("module", ["errors", "settings"])
def test_what_all_rooms_share_knows_none_of_them(module: str) -> None:
    """The error tree and the settings are below every room, so they import none."""
    (path,) = (path for path in files("service") if name(path) == f"service/{module}.py")
    assert not [it for it in imports(path) if is_in(it, "service") or is_in(it, "flask")]


def test_the_environment_is_read_in_one_place() -> None:
    """``os.environ`` is handed to Settings where a program starts, and looked at nowhere else."""
    readers = {
        name(path)
        for path in files("service")
        if any(word in path.read_text() for word in ("os.environ", "getenv"))
    }
    starts = {"service/__main__.py", "service/wsgi.py", "service/serve.py"}
    assert readers <= starts, f"these read the environment: {sorted(readers - starts)}"


@pytest.mark.parametrize("package", ["colorless", "colorless.postgres", "service.chat.models"])
def test_importing_never_patches(package: str) -> None:
    """Who only imports is not patched; that is the program's own decision."""
    code = (
        f"import {package}; from gevent.monkey import is_module_patched; "
        "assert not is_module_patched('socket')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
