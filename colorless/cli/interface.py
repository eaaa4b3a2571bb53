"""Tell a WSGI application from an ASGI one.

``python -m colorless.cli.interface module:app`` imports the application in a process of its own and
prints which it is, so that whoever asks has not imported it.
"""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any, Literal

from colorless.patch import patch_everything

Interface = Literal["wsgi", "asgi"]

_WSGI_ARGUMENTS = 2  # environ, start_response (PEP 3333)
_ASGI_ARGUMENTS = 3  # scope, receive, send (ASGI 3.0)


class InterfaceError(ValueError):
    """The application cannot be imported, or it cannot be told what it is."""


def interface_of(app: Callable[..., Any]) -> Interface:
    """Which of the two ``app`` is. Raises :class:`InterfaceError` where it cannot be told."""
    call = app if inspect.isroutine(app) else type(app).__call__
    if inspect.iscoroutinefunction(app) or inspect.iscoroutinefunction(call):
        return "asgi"
    try:
        parameters = inspect.signature(app).parameters.values()
    except (TypeError, ValueError):
        parameters = ()  # type: ignore[assignment]
    needed = [
        parameter
        for parameter in parameters
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
        and parameter.default is parameter.empty
    ]
    if len(needed) == _WSGI_ARGUMENTS:
        return "wsgi"
    if len(needed) == _ASGI_ARGUMENTS:
        return "asgi"
    raise InterfaceError(
        f"{app!r} takes neither (environ, start_response) nor (scope, receive, send): "
        "say which it is with --interface wsgi or --interface asgi"
    )


def interface_of_import(uri: str, environ: Mapping[str, str]) -> Interface:
    """Which of the two ``module:app`` is, found out in a process of its own, with this environment.

    Raises :class:`InterfaceError` with that process's error text.
    """
    done = subprocess.run(
        [sys.executable, "-m", "colorless.cli.interface", uri],
        capture_output=True,
        text=True,
        check=False,
        env=environ,
    )
    # The application may print while it is imported; the answer is the last line.
    lines = done.stdout.splitlines()
    if done.returncode != 0 or not lines or lines[-1] not in ("wsgi", "asgi"):
        raise InterfaceError(f"cannot import {uri}:\n{done.stderr}")
    return "wsgi" if lines[-1] == "wsgi" else "asgi"


if __name__ == "__main__":
    patch_everything()
    from colorless.compat.gunicorn import AppImportError, import_app

    sys.path.insert(0, "")
    try:
        print(interface_of(import_app(sys.argv[1])))
    except (InterfaceError, AppImportError) as error:
        sys.exit(str(error))
