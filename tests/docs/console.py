"""Run what a ``console`` block shows: commands after ``$``, and below each what it prints."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import gevent

from tests.docs.pages import ROOT

SECONDS = 60
_SERVERS = re.compile(r"(colorless run|gunicorn) (?!.*--check-config)")


class Console:
    """A terminal in ``folder``. A server goes on until another is started, or the end."""

    def __init__(self, folder: Path, env: Mapping[str, str]) -> None:
        self._folder = folder
        self._env = env
        self._server: subprocess.Popen[bytes] | None = None

    def run(self, text: str) -> None:
        """Run the commands of a block; fails where one fails, or prints something else."""
        for command, expected in _commands(text):
            if _SERVERS.match(command):
                self._serve(command, expected)
            elif command.startswith("make "):
                # The suite cannot run itself: make says whether it could.
                self._call(f"make --dry-run {command.removeprefix('make ')} >/dev/null", "", ROOT)
            else:
                self._call(command, expected, self._folder)

    def close(self) -> None:
        """Stop the server as Ctrl-C does."""
        server, self._server = self._server, None
        if server is not None:
            server.send_signal(signal.SIGINT)
            try:
                server.wait(SECONDS)
            finally:
                server.kill()

    def _call(self, command: str, expected: str, folder: Path) -> None:
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=folder,
            env=self._env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"$ {command}\n{done.stdout}"
        if expected:
            assert _pattern(expected).fullmatch(done.stdout.strip()), (
                f"$ {command}\nprints\n{done.stdout}\nand not\n{expected}"
            )

    def _serve(self, command: str, expected: str) -> None:
        self.close()
        log = self._folder / "server.log"
        with log.open("wb") as file:
            self._server = subprocess.Popen(
                ["sh", "-c", f"exec {command}"],
                cwd=self._folder,
                env=self._env,
                stdout=file,
                stderr=subprocess.STDOUT,
            )
        pattern = _pattern(expected or "… Listening at: …")
        last = time.monotonic() + SECONDS
        while not pattern.search(log.read_text()):
            assert self._server.poll() is None, f"$ {command}\n{log.read_text()}"
            assert time.monotonic() < last, f"$ {command}\nprints\n{log.read_text()}"
            gevent.sleep(0.02)


def _commands(text: str) -> Iterator[tuple[str, str]]:
    """Each command and what it is to print."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, expected = part.replace("\\\n", " ").partition("\n")
        yield command.partition("  # ")[0].strip(), expected.strip()


def _pattern(expected: str) -> re.Pattern[str]:
    """Matches what is printed, whatever stands in it for ``…``."""
    return re.compile(".*?".join(map(re.escape, re.split(r"\s*…\s*", expected))), re.DOTALL)
