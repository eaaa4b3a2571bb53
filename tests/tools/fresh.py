"""Run a piece of Python in a fresh interpreter: for what can only be seen before any patch."""

import subprocess
import sys
import textwrap


def run_fresh(code: str, timeout: float = 150) -> subprocess.CompletedProcess[str]:
    """The finished process; its text streams are in ``stdout`` and ``stderr``."""
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def output_of(code: str, timeout: float = 150) -> str:
    """What a fresh interpreter prints; fails with its error text if it does not exit well."""
    done = run_fresh(code, timeout)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
