"""What the lab's tests share: a lab that is installed, and its commands in fresh processes."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from comparison import install
from comparison.paths import REPOSITORY

Lab = Callable[..., str]


@pytest.fixture(scope="session")
def tools() -> None:
    """The generators. Skips where the system lacks what only it can bring."""
    try:
        install.lab()
    except install.Absent as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def lab(tools: None, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """Runs a command of the lab, in an interpreter that nobody has patched, and returns its text.

    Its results go to a folder of this test session: `lab.results` would be the repository's.
    """
    results = tmp_path_factory.mktemp("results")

    def run(*arguments: str, results: Path = results) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "comparison", *arguments],
            cwd=REPOSITORY,
            env={**os.environ, "LAB_RESULTS": str(results), "COLUMNS": "200"},
            capture_output=True,
            text=True,
            check=False,
            timeout=900,
        )
        return done.stdout + done.stderr

    return run
