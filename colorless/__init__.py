"""Colorless: ordinary synchronous Python that never blocks. Importing this never patches anything.

The layers, each importing only those above it:

    compat/     private names of other packages: each stands there, once
    patch       make the standard library and psycopg2 cooperative
    deadlines   fail_after, move_on_after
    greenthreads  green threads, used again where nobody can tell
    tasks       go, TaskGroup
    extras      which extra of the distribution a module needs
    forks       which process this is
    sockets     what it takes to use a socket that never blocks
    import_hooks  call a function when a module is imported
    offload     CPU-bound work on real threads
    loop        an asyncio event loop that is the gevent hub
    processes   multiprocessing's pipes and locks
    password_hashes  password hashes, on real threads
    psycopg2_wait  make psycopg2 wait green when it is imported
    bridge      await_, iterate, entered: async-only libraries from plain code
    postgres/   the green connection pool
    integrations/  Flask with less work for each request, a lean HTTP client;
                imported as colorless.flask and colorless.http
    server/     an HTTP server for WSGI and for ASGI; its gunicorn workers are imported
                from colorless.worker
    cpus        how many CPUs this process may use
    cli         colorless run
"""

from typing import TYPE_CHECKING, Any

from colorless.deadlines import DeadlineExceeded, fail_after, move_on_after
from colorless.offload import offload
from colorless.patch import NotPatchedError, PatchedTooLateError, patch_everything
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
