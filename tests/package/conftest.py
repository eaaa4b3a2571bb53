"""The sdist and the wheel, built once, and environments with the wheel alone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.package.environment import make_environment

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the sdist and the wheel; ``DIST`` names one where they have been built."""
    if given := os.environ.get("DIST"):
        return Path(given).resolve()
    folder = tmp_path_factory.mktemp("dist")
    done = subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="session")
def wheel(dist: Path) -> Path:
    (path,) = dist.glob("*.whl")
    return path


@pytest.fixture(scope="session")
def sdist(dist: Path) -> Path:
    (path,) = dist.glob("*.tar.gz")
    return path


@pytest.fixture(scope="session")
def core(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that ``pip install colorless-io`` would have made."""
    return make_environment(tmp_path_factory.mktemp("core"), wheel)


@pytest.fixture(scope="session")
def full(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that ``pip install 'colorless-io[all]'`` would have made."""
    return make_environment(tmp_path_factory.mktemp("all"), wheel, "all")
