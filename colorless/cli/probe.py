"""Import an application in a process of its own, to tell what it is.

``python -m colorless.cli.probe module:app`` answers with one line of JSON on what is its standard
output when it starts; what the application prints goes to standard error. Whoever asks has not
imported the application. It may do anything while it is imported: print, start threads, register
exit handlers, fork, exit. So the answer is written and the process left at once, and all that it
has started is ended with it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from tempfile import TemporaryFile
from typing import IO, Any

from colorless.cli.interface import Interface, InterfaceError, interface_of, is_interface

# Seconds for an import; guessed: large models take half a minute to load.
LONGEST_IMPORT = 90.0
# What ends the process that asks, and with it the one that is asked.
_ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)
_SHOWN = 4000  # bytes of the end of what the import has printed


def interface_of_import(
    uri: str, environ: Mapping[str, str], seconds: float = LONGEST_IMPORT
) -> Interface:
    """Which of the two ``module:app`` is, imported in another process, with this environment.

    Raises :class:`InterfaceError`, also after ``seconds``.
    """
    command = [sys.executable, "-m", "colorless.cli.probe", uri]
    # Files, not pipes: whatever the import leaves behind would keep a pipe open.
    with TemporaryFile() as answer, TemporaryFile() as printed:
        with _group(command, stdout=answer, stderr=printed, env=environ) as process:
            try:
                status = process.wait(seconds)
            except subprocess.TimeoutExpired:
                raise InterfaceError(
                    f"{uri} is not imported after {seconds:.0f} seconds: say which it is with "
                    f"--interface wsgi or --interface asgi{_shown(printed)}"
                ) from None
        answer.seek(0)
        said: dict[str, str] = json.loads(answer.readline() or b"{}")
        found = said.get("interface")
        if is_interface(found):
            return found
        reason = said.get("error", f"its import ended the process with status {status}")
        raise InterfaceError(f"{reason}{_shown(printed)}")


@contextmanager
def _group(command: list[str], **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A process in a group of its own, all of which ends with the block, signals included."""

    def end(number: int, frame: Any) -> None:
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, end) for number in _ENDING}
    try:
        process = subprocess.Popen(command, start_new_session=True, **options)
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _shown(printed: IO[bytes]) -> str:
    """The end of what was printed, on lines of its own."""
    size = printed.seek(0, os.SEEK_END)
    printed.seek(max(size - _SHOWN, 0))
    text = printed.read().decode(errors="replace").strip()
    return f"\n{text}" if text else ""


def _answer(uri: str) -> dict[str, str]:
    from colorless.compat.gunicorn import AppImportError, import_app

    try:
        return {"interface": interface_of(import_app(uri), uri)}
    except InterfaceError as error:
        return {"error": str(error)}
    except AppImportError as error:
        return {"error": f"cannot import {uri}: {error}"}
    except SystemExit as error:
        return {"error": f"cannot import {uri}: it exits with {error.code!r} when it is imported"}
    except BaseException:
        return {"error": f"cannot import {uri}:\n{traceback.format_exc()}"}


def main() -> None:
    """Answer, and leave without waiting for anything."""
    answer = os.dup(1)
    os.dup2(2, 1)
    started = os.getpid()
    from colorless.patch import patch_everything

    patch_everything()
    sys.path.insert(0, "")
    said = _answer(sys.argv[1])
    # A child that the application has forked while it was imported has nothing to say.
    if os.getpid() == started:
        os.write(answer, json.dumps(said).encode() + b"\n")
        for stream in (sys.stdout, sys.stderr):
            with suppress(Exception):
                stream.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
