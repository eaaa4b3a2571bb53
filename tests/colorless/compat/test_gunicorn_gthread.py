"""An application that is patched in a worker of gunicorn's that cannot serve it any more."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests.colorless.server.outside import ROOT
from tests.tools.server import running

PATCHED = """
from colorless.patch import patch_everything
patch_everything()

def app(environ, start_response):
    start_response("200 OK", [("Content-Length", "0")])
    return []
"""


def test_gthread_says_at_boot_what_to_do(tmp_path: Path) -> None:
    """It would hang at its first request, without a word."""
    (tmp_path / "saved.py").write_text(PATCHED)
    command = [sys.executable, "-m", "gunicorn", "--no-control-socket", "-k", "gthread"]
    done = subprocess.run(
        [*command, "--bind", "127.0.0.1:0", "saved:app"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 3
    assert "--worker-class colorless.worker.WSGIWorker" in done.stderr
    assert "gunicorn.conf.py" in done.stderr


@pytest.mark.parametrize(
    "options", [["-k", "sync"], ["-k", "gthread", "--preload"], ["-k", "gthread", "-c", "saved.py"]]
)
def test_where_it_can_serve_it_does(tmp_path: Path, options: list[str]) -> None:
    """The sync worker can, and so can gthread if the arbiter was patched before."""
    (tmp_path / "saved.py").write_text(PATCHED)
    command = ["gunicorn", "--no-control-socket", "--bind", "127.0.0.1:0", *options]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    with running([*command, "saved:app"], cwd=tmp_path, env=environ) as server:
        assert requests.get(server.url, timeout=10).status_code == 200
