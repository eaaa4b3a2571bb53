"""Colorless: ordinary synchronous Python that never blocks. Importing this never patches anything.

The layers, each importing only those above it:

    patched          whether this process is patched; require_patched
    forks            which process this is
    cpus             how many CPUs this process may use
    extras           which extra of the distribution a module needs
    import_hooks     call a function when a module is imported
    compat/          other packages' private names, each with its reason
    deadlines        fail_after, move_on_after
    sockets          what it takes to use a socket that never blocks
    lowlevel         for authors of pools and drivers: time left, waiting for a descriptor
    greenthreads     green threads, used again where nobody can tell
    tasks/           go, TaskGroup
    offload          CPU-bound work on real threads
    loop/            an asyncio event loop that is the gevent hub
    bridge/          await_, iterate, entered: async-only libraries from plain code
    deferred_close   os.close, without the hub asleep before it is done
    processes        multiprocessing's pipes and locks
    password_hashes  password hashes, on real threads
    psycopg2_wait    make psycopg2 wait green when it is imported
    postgres/        the green connection pool
    integrations/    Flask with less work for each request, a lean HTTP client
    patch            make the standard library and psycopg2 cooperative
    server/          an HTTP server for WSGI and for ASGI, under gunicorn
    flask, http, worker/  the names to import integrations and server by
    cli/             colorless run
"""

from typing import TYPE_CHECKING, Any

from colorless.deadlines import DeadlineExceeded, fail_after, move_on_after
from colorless.offload import offload
from colorless.patch import PatchedTooLateError, patch_everything
from colorless.patched import NotPatchedError
from colorless.tasks import Task, TaskCancelled, TaskGroup, go

if TYPE_CHECKING:
    from colorless.bridge import await_, entered, iterate

__version__ = "0.2.0"

__all__ = [
    "DeadlineExceeded",
    "NotPatchedError",
    "PatchedTooLateError",
    "Task",
    "TaskCancelled",
    "TaskGroup",
    "await_",
    "entered",
    "fail_after",
    "go",
    "iterate",
    "move_on_after",
    "offload",
    "patch_everything",
]


if not TYPE_CHECKING:  # a type checker would take every name for one that this knows

    def __getattr__(name: str) -> Any:
        # The bridge imports asyncio, and with it ssl, which must not come before the patch.
        if name in ("await_", "entered", "iterate"):
            from colorless import bridge

            return getattr(bridge, name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
