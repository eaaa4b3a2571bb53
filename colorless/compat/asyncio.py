"""asyncio's private and undocumented names: all that the event loop needs of them.

Each stands here once, with what it is for and what to do when it goes. They are of four kinds:
functions and classes that are used, fields and methods that are inherited, methods that are
replaced (:data:`REPLACED_METHODS`) and what asyncio makes event loops by. The tests hold the rest
of the package to these lists, and the lists to the asyncio that runs.
"""

from __future__ import annotations

import asyncio
from asyncio import base_events, events, futures, log, selector_events, tasks, unix_events
from asyncio.base_subprocess import BaseSubprocessTransport
from typing import TYPE_CHECKING, Any, Protocol

__all__ = [
    "REPLACED_METHODS",
    "AsyncioLoop",
    "BaseSubprocessTransport",
    "ChildWatcher",
    "DefaultPolicy",
    "HandleFields",
    "PolicyFields",
    "RunnerFields",
    "SelectorSocketTransport",
    "as_future_error",
    "enter_task",
    "leave_task",
    "logger",
    "running_loop",
    "set_default_policy",
    "set_running_loop",
    "warn_of_slow_callback",
]

# The event loop that runs in this thread, or None. Each step of a task sets it, and takes it off
# while it waits. asyncio's documentation does not have them, but each event loop needs them:
# uvloop calls them too. When they go, an event loop will have another way to say that it runs.
running_loop: Any = events._get_running_loop
set_running_loop: Any = events._set_running_loop

# The current task of a loop: parked with the step that waits. Documented, for who writes tasks of
# a kind of their own (“Extending”), where their names begin with an underscore as well.
enter_task: Any = tasks._enter_task
leave_task: Any = tasks._leave_task

# concurrent.futures' errors as asyncio's, for run_in_executor. When it goes: the three classes of
# errors are aliases of each other's by then, or a table of three lines does it.
as_future_error: Any = futures._convert_future_exc  # type: ignore[attr-defined]

# Where asyncio's warnings go. When it goes: logging.getLogger("asyncio").
logger = log.logger


def warn_of_slow_callback(handle: asyncio.Handle, seconds: float) -> None:
    """What debug mode says of a callback that ran long, in asyncio's words and by its logger.

    When ``_format_handle`` goes: ``repr()``.
    """
    asyncios: Any = base_events
    description = asyncios._format_handle(handle)
    asyncios.logger.warning("Executing %s took %.3f seconds", description, seconds)


# asyncio's watchers of child processes listen to SIGCHLD, as the hub does; ours leaves them deaf.
# Gone since Python 3.14.
ChildWatcher: type | tuple[()] = getattr(unix_events, "BaseChildWatcher", ())

# The policy by which asyncio makes event loops, and how one is set. To use the public names warns
# since Python 3.14, and with 3.16 policies go: then asyncio.EventLoop is what it makes.
set_default_policy: Any = getattr(events, "_set_event_loop_policy", asyncio.set_event_loop_policy)


class PolicyFields(Protocol):
    """What a policy keeps for each thread; ours keeps it for each green thread."""

    _loop: asyncio.AbstractEventLoop | None
    _set_called: bool  # whether set_event_loop() was called; gone since Python 3.14


class RunnerFields(Protocol):
    """What is read of an ``asyncio.Runner``. When it goes: its ``get_loop()``, which makes one."""

    _loop: asyncio.AbstractEventLoop | None


class HandleFields(Protocol):
    """The fields of asyncio's Handle and TimerHandle.

    ``call_soon`` and ``call_at`` fill them in, which takes half the time that the constructors
    take, and the ready queue reads them. When they change: make handles by their constructors, and
    run them by what asyncio's own loop runs them by.
    """

    _callback: Any
    _args: Any
    _loop: Any
    _context: Any
    _cancelled: bool
    _source_traceback: Any
    _repr: Any
    _when: float  # of a timer
    _scheduled: bool  # of a timer: whether it is in its loop's heap


if TYPE_CHECKING:

    class AsyncioLoop(asyncio.SelectorEventLoop):
        """asyncio's event loop, with what its type stubs leave out of it.

        What it keeps and checks is left to it. When one of these goes, ours keeps its own.
        """

        _selector: Any  # what get_map() of the tests asks; ours selects nothing
        _ready: Any  # the queue of handles
        _scheduled: Any  # the heap of timers
        _timer_cancelled_count: int  # those in the heap that were cancelled
        _clock_resolution: float  # how much too early a timer may ring, in seconds
        _thread_id: int | None  # set while the loop runs
        _closed: bool
        _stopping: bool
        _debug: bool
        _current_handle: Any  # in debug mode, what runs: an exception handler is told of it
        _task_factory: Any
        _default_executor: Any
        _executor_shutdown_called: bool
        _signal_handlers: dict[int, asyncio.Handle]

        def _ensure_fd_no_transport(self, fd: Any) -> None:
            """Refuse what a transport uses already."""

        def _check_closed(self) -> None:
            """Refuse to go on with a closed loop."""

        def _check_callback(self, callback: Any, method: str) -> None:
            """Refuse a coroutine in a callback's place."""

        def _check_default_executor(self) -> None:
            """Refuse work after shutdown_default_executor()."""

        def _check_signal(self, sig: int) -> None:
            """Refuse what is no signal."""

        def _handle_signal(self, sig: int) -> None:
            """Put a signal's handler on the ready queue."""

        def _set_coroutine_origin_tracking(self, enabled: bool) -> None:
            """In debug mode, let coroutines know where they were made."""

        def _asyncgen_firstiter_hook(self, agen: Any) -> None:
            """Remember an asynchronous generator, for shutdown_asyncgens()."""

        def _asyncgen_finalizer_hook(self, agen: Any) -> None:
            """Close an asynchronous generator that nobody refers to any more."""

    class SelectorSocketTransport(asyncio.Transport):
        """asyncio's transport of a connection, with what type stubs leave out.

        Ours goes a shorter way through it, and asks it for all else. When it goes: a transport of
        our own, as uvloop has one.
        """

        _loop: Any
        _protocol: Any
        _buffer: Any  # what waits to be sent
        _conn_lost: int  # how often the connection was found lost
        _eof: bool  # whether write_eof() was called
        _empty_waiter: Any  # of sendfile, which waits until the buffer is empty

        def __init__(self, loop: Any, sock: Any, *args: Any, **kwargs: Any) -> None: ...

        def _read_ready__get_buffer(self) -> None:
            """Read into the buffer of a BufferedProtocol."""

        def _read_ready__on_eof(self) -> None:
            """The other side has ended."""

        def _fatal_error(self, error: BaseException, message: str) -> None:
            """Tell of an error, and close."""

    class DefaultPolicy(asyncio.DefaultEventLoopPolicy):
        """asyncio's policy; a subclass of it, or it itself, says what it makes and keeps."""

        _loop_factory: Any
        _local: PolicyFields

else:
    DefaultPolicy = unix_events._UnixDefaultEventLoopPolicy
    AsyncioLoop = asyncio.SelectorEventLoop
    SelectorSocketTransport = selector_events._SelectorSocketTransport


# asyncio's private methods that a class of ours replaces, by the class that it has them from. It
# is asyncio that calls each of them, and a test sees it do so: one that is renamed or no longer
# called fails there, and does not pass ours by in silence.
REPLACED_METHODS: dict[type, dict[str, str]] = {
    AsyncioLoop: {
        "_add_reader": "the hub watches descriptors, not a selector",
        "_add_writer": "the same",
        "_remove_reader": "the same",
        "_remove_writer": "the same",
        "_make_self_pipe": "other threads wake the hub, not a selector",
        "_close_self_pipe": "the same",
        "_write_to_self": "the same",
        "_check_running": "a loop may run inside of another one's callback",
        "_check_thread": "in debug mode; a loop belongs to a hub, not to a thread's ident",
        "_make_socket_transport": "connections are SocketTransports",
        "_make_ssl_transport": "a closed socket is refused, which gevent's is not by itself",
        "_make_subprocess_transport": "gevent starts processes and waits for them",
    },
    SelectorSocketTransport: {
        "_read_ready": "reads into memory that is there already",
    },
    BaseSubprocessTransport: {
        "_start": "by subprocess.Popen as gevent patches it",
    },
}
