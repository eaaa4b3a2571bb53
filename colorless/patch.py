"""Make the standard library and psycopg2 cooperative: once, in the right order, or not at all.

    from colorless.patch import patch_everything
    patch_everything()

These two lines come before every other import of the program, because ``from ssl import
SSLContext`` copies a reference that no later patch can reach. Whoever imported too early is
named, with the line to move.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Collection, Iterator
from typing import Any

from colorless.compat.gevent import originals
from colorless.patched import (
    THE_LINE,
    NotPatchedError,
    is_patched,
    mark_patched,
    require_patched,
)

__all__ = [
    "NotPatchedError",
    "PatchedTooLateError",
    "is_patched",
    "patch_everything",
    "require_patched",
]

# psycopg 3 chooses how it waits when it is imported (psycopg issue 527), so a patch that comes
# later leaves it blocking, and no reference of the standard library's gives that away.
_DECIDE_AT_IMPORT = ("psycopg",)


class PatchedTooLateError(RuntimeError):
    """A module was imported before the patch and keeps functions that block. The message names it,
    and the line to move."""


def patch_everything(*, tolerate: Collection[str] = ()) -> None:
    """Patch the standard library, psycopg2's wait callback, asyncio's event loop, multiprocessing
    and password hashes. docs/patches.md lists every name that changes.

    To be called before all other imports of the program; calling it again does nothing.

    :param tolerate: top-level packages that may have been imported before and go on to block: a
        test runner or a debugger, say.
    :raises PatchedTooLateError: a module that is already imported, and is not tolerated, keeps
        functions that block.
    """
    if is_patched():
        return
    _refuse_threaded_worker()
    _refuse_modules_that_decide_at_import()
    _patch_standard_library()
    _refuse_stale_references(tolerate)
    from colorless import deferred_close, loop, password_hashes, processes, psycopg2_wait

    deferred_close.install()
    psycopg2_wait.install()
    loop.install_policy()
    processes.install()
    password_hashes.install()
    mark_patched()


def _patch_standard_library() -> None:
    from gevent import monkey

    with warnings.catch_warnings():
        warnings.simplefilter("error", monkey.MonkeyPatchWarning)
        try:
            monkey.patch_all()
        except monkey.MonkeyPatchWarning as warning:
            raise PatchedTooLateError(_move_up(str(warning))) from None
    _name_socket_types()


def _name_socket_types() -> None:
    """gevent's sockets give their type as a number; the standard library's give a SocketKind."""
    import socket

    patched: Any = socket.socket
    number = patched.type.fget
    kinds = {int(kind): kind for kind in socket.SocketKind}
    patched.type = property(lambda self: kinds.get(number(self), number(self)))


def _refuse_modules_that_decide_at_import() -> None:
    early = [name for name in _DECIDE_AT_IMPORT if name in sys.modules]
    if early:
        raise PatchedTooLateError(
            _move_up(
                f"{', '.join(early)} chose how to wait when it was imported, and chose to block."
            )
        )


def _refuse_threaded_worker() -> None:
    from colorless.compat.gunicorn_gthread import is_threaded_worker

    if is_threaded_worker():
        raise PatchedTooLateError(
            "This is a worker of gunicorn's class gthread, which has made its threads and its "
            "selector already: patched now, it would hang at its first request. Serve with "
            f"--worker-class colorless.worker.WSGIWorker, or put this line into gunicorn.conf.py:\n"
            f"    {THE_LINE}"
        )


def _refuse_stale_references(tolerate: Collection[str]) -> None:
    stale = sorted(_stale_references(_NOT_SCANNED.union(tolerate)))
    if stale:
        raise PatchedTooLateError(
            _move_up(
                f"These names were copied before the patch and still block: {', '.join(stale)}."
            )
        )


def _stale_references(not_scanned: Collection[str]) -> Iterator[str]:
    """Names in imported modules that still are the originals of patched functions.

    The standard library's own modules are gevent's business (it patches them one by one).
    """
    known = {
        id(original): f"{module}.{name}"
        for module, items in originals().items()
        for name, original in items.items()
        if callable(original)
    }
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in not_scanned:
            continue
        for attribute, value in list(getattr(module, "__dict__", {}).items()):
            if id(value) in known:
                yield f"{name}.{attribute} (which is {known[id(value)]})"


# Packages that keep original functions on purpose.
_HOUSE = {"__main__", "colorless", "gevent", "greenlet", "zope"}

_NOT_SCANNED = frozenset(sys.stdlib_module_names) | _HOUSE


def _move_up(what: str) -> str:
    return (
        f"{what}\nPatch before these imports: put this line above them, at the very top of the "
        f"program (of gunicorn.conf.py under gunicorn):\n    {THE_LINE}"
    )
