"""Make psycopg2 wait green, without importing it for programs that never use it.

The callback that psycopg2 calls for its waits is set when psycopg2 is imported. What it runs is in
:mod:`colorless.postgres.wait_callback`, and is loaded when the first connection waits.
"""

from __future__ import annotations

import os
from types import ModuleType
from typing import Any

from colorless.import_hooks import when_imported

# Listed here, so that another name is refused at the start; what they run is in
# :mod:`colorless.postgres.wait_callback`.
WAYS = ("kept", "psycogreen")


def install() -> None:
    """Make psycopg2 wait green when it is imported, and now if it has been.

    Raises ``ValueError`` if ``COLORLESS_WAIT`` in the environment names no way to wait.
    """
    way()
    when_imported("psycopg2", _set_callback)


def way() -> str:
    """The way to wait that ``COLORLESS_WAIT`` in the environment names, or ``kept``."""
    name = os.environ.get("COLORLESS_WAIT", "kept")
    if name not in WAYS:
        raise ValueError(f"COLORLESS_WAIT is {name!r}: set it to one of {', '.join(WAYS)}")
    return name


def _set_callback(psycopg2: ModuleType) -> None:
    psycopg2.extensions.set_wait_callback(_first_wait)


def _first_wait(connection: Any) -> None:
    """The callback until a connection waits: replaces itself by the one that was chosen."""
    from colorless.postgres import wait_callback  # upwards: loaded when a connection waits

    wait_callback.install()(connection)
