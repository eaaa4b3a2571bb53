"""An environment with a wheel and what the wheel says that it requires, and nothing else.

It is made without the network: what is required is taken from the environment that the tests run
in, by links. So what the wheel forgets to require is not there.
"""

import email
import subprocess
import sys
import venv
import zipfile
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement


def make_environment(home: Path, wheel: Path, extra: str = "") -> Path:
    """Make it in the folder ``home``; returns its Python."""
    venv.create(home, symlinks=True)
    python = home / "bin" / "python"
    (site,) = home.glob("lib/python*/site-packages")
    for name in sorted(_closure(_needed(requirements(wheel), extra))):
        _link(name, site)
    pip(python, "install", "--quiet", "--no-index", "--no-deps", str(wheel))
    return python


def requirements(wheel: Path) -> list[str]:
    """What the wheel says that it requires, extras included."""
    return metadata(wheel).get_all("Requires-Dist") or []


def metadata(wheel: Path) -> email.message.Message:
    """What the wheel says of itself."""
    with zipfile.ZipFile(wheel) as file:
        (name,) = (name for name in file.namelist() if name.endswith(".dist-info/METADATA"))
        return email.message_from_bytes(file.read(name))


def pip(python: Path, *arguments: str) -> str:
    """Run the tests' own pip on the environment of ``python``; returns what it prints."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(python)]
    done = subprocess.run(
        [*command, *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _needed(lines: list[str], extra: str) -> Iterator[Requirement]:
    for requirement in map(Requirement, lines):
        if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
            yield requirement


def _closure(needed: Iterator[Requirement]) -> set[str]:
    """The names of the distributions that are needed, and of those that these need."""
    found: set[str] = set()
    waiting = [requirement.name for requirement in needed]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            lines = distribution(name).requires or []
            waiting += [requirement.name for requirement in _needed(lines, "")]
    return found


def _link(name: str, site: Path) -> None:
    """Put what the distribution has installed into ``site``, but for its commands."""
    there = distribution(name)
    for top in {file.parts[0] for file in there.files or ()} - {"..", "__pycache__"}:
        if not (site / top).exists():
            (site / top).symlink_to(Path(str(there.locate_file(top))))
