"""What is in the wheel and in the sdist."""

import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import colorless
from tests.package.environment import metadata, requirements

ROOT = Path(__file__).parents[2]
REACHED_INTO = ("gevent", "greenlet", "gunicorn", "httptools")


def test_the_wheel_holds_the_runtime_alone(wheel: Path) -> None:
    """It installs the package ``colorless``, whole and with its types, and no other."""
    with zipfile.ZipFile(wheel) as file:
        names = {name for name in file.namelist() if ".dist-info/" not in name}
    source = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "colorless").rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert names == source
    assert "colorless/py.typed" in names


def test_the_wheel_says_what_it_is(wheel: Path) -> None:
    """Name and version, and the extras that users are told of."""
    said = metadata(wheel)
    assert said["Name"] == "colorless-io"
    assert said["Version"] == colorless.__version__
    assert sorted(said.get_all("Provides-Extra") or []) == ["all", "flask", "postgres", "websocket"]
    assert said["License-Expression"] == "MIT"


def test_what_is_reached_into_has_an_upper_bound(wheel: Path) -> None:
    """A release that nobody has tried does not arrive by itself."""
    needed = [Requirement(line) for line in requirements(wheel)]
    core = {each.name: str(each.specifier) for each in needed if each.marker is None}
    assert sorted(core) == sorted(REACHED_INTO)
    assert [name for name, range_ in core.items() if "<" not in range_ or ">=" not in range_] == []


def test_the_extra_all_is_all_extras(wheel: Path) -> None:
    """What any extra installs, ``all`` installs too."""
    by_extra: dict[str, set[str]] = {}
    for line in requirements(wheel):
        what, _, extra = line.partition("; extra == ")
        by_extra.setdefault(extra.strip("\"'"), set()).add(what.replace(" ", ""))
    everything = by_extra.pop("all")
    by_extra.pop("")
    assert everything == set().union(*by_extra.values())


@pytest.fixture(scope="module")
def unpacked(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sdist")
    with tarfile.open(sdist) as file:
        file.extractall(folder, filter="data")
    (top,) = folder.iterdir()
    return top


def test_the_sdist_holds_what_its_pages_link_to(unpacked: Path) -> None:
    """From the README on, each link to a file leads to one that is there."""
    seen: set[Path] = set()
    waiting = [unpacked / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in seen:
            continue
        seen.add(page)
        assert page.exists(), f"{page.relative_to(unpacked)} is linked to, and is not there"
        if page.suffix == ".md":
            waiting += [page.parent / link for link in _links(page)]
    assert len(seen) > 20


def _links(page: Path) -> list[str]:
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8"))
    return [target for target in targets if "://" not in target]


def test_the_sdist_holds_what_its_commands_need(unpacked: Path) -> None:
    """A person who unpacks it can build, test and serve."""
    for name in ("Makefile", "pyproject.toml", "LICENSE", "gunicorn.conf.py", "service/wsgi.py"):
        assert (unpacked / name).is_file(), name
    for folder in ("service", "tests", "comparison", "docs"):
        there = {str(path.relative_to(unpacked)) for path in (unpacked / folder).rglob("*.*")}
        tracked = _tracked(folder)
        assert tracked - there == set()


def _tracked(folder: str) -> set[str]:
    listed = subprocess.run(
        ["git", "ls-files", folder], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode != 0:
        pytest.skip("not a checkout")
    # What a report was made from is kept in the repository, and linked to by no page.
    return {name for name in listed.stdout.splitlines() if "/results/" not in name}


def test_the_version_is_said_once() -> None:
    """The command, the module and the change log agree."""
    said = subprocess.run(
        [sys.executable, "-m", "colorless", "--version"], capture_output=True, text=True, check=True
    ).stdout
    assert said == f"colorless {colorless.__version__}\n"
    headings = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[:2] == ["Unreleased", colorless.__version__]
