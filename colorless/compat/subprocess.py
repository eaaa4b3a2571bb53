"""The standard library's ``subprocess``, as it was before gevent's patch, for one start.

It needs three names that the patch replaces: ``subprocess._fork_exec``, in C, which gevent sets to
``None`` since its own ``Popen`` forks in Python; ``os.close``, which gevent puts off until the
hub's next turn (from 25.8.1 on), while ``Popen`` reads a pipe whose other end it has just closed;
and ``os.waitpid``, for a child whose program could not be started. If ``_fork_exec`` goes,
``get_original`` fails when this is imported.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gevent.monkey import get_original

if TYPE_CHECKING:
    StandardPopen = subprocess.Popen[bytes]
else:
    StandardPopen = get_original("subprocess", "Popen")

_NAMES = ((subprocess, "_fork_exec"), (os, "close"), (os, "waitpid"))
_originals = [(module, name, get_original(module.__name__, name)) for module, name in _NAMES]


@contextmanager
def unpatched() -> Iterator[None]:
    """What ``StandardPopen`` needs is unpatched in this block, which must not wait green."""
    patched = [(module, name, getattr(module, name)) for module, name in _NAMES]
    for module, name, original in _originals:
        setattr(module, name, original)
    try:
        yield
    finally:
        for module, name, replacement in patched:
            setattr(module, name, replacement)
