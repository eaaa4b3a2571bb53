"""Run a page's Python blocks, in their order, as one program in a patched process of its own.

``python -m tests.docs.program`` reads them from standard input, as JSON.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from colorless.patch import patch_everything
from tests.docs.pages import ROOT, Block

SECONDS = 60
# What a page says that a line prints: print(…)    # this
_PRINTS = re.compile(r"^ *print\(.*\) +# (.+)$", re.MULTILINE)


def run(page: Path, blocks: Sequence[Block], folder: Path, env: Mapping[str, str]) -> None:
    """Fails with the traceback, whose lines are the page's."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.docs.program"],
        input=json.dumps([str(page), [(block.line, block.text) for block in blocks]]),
        cwd=folder,
        env={**env, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    printed = iter(done.stdout.splitlines())
    for block in blocks:
        for expected in _PRINTS.findall(block.text):
            assert expected in printed, f"{expected!r} is not printed, or too early:\n{done.stdout}"


def main() -> None:
    """Run what is on standard input."""
    page, texts = json.load(sys.stdin)
    patch_everything()
    names: dict[str, Any] = {"__name__": "__main__"}
    for line, text in texts:
        exec(compile("\n" * (line - 1) + text, page, "exec"), names)


if __name__ == "__main__":
    main()
