"""The application that gunicorn serves in the tests with real processes."""

import gc
import json
import os
import time
from collections.abc import Callable, Iterable
from typing import Any

Environ = dict[str, Any]
Start = Callable[..., Any]

if os.environ.get("COLLECTOR") == "threshold":
    gc.set_threshold(800)
if os.environ.get("COLLECTOR") == "disable":
    gc.disable()


def app(environ: Environ, start_response: Start) -> Iterable[bytes]:
    """Answers by path."""
    handler = {
        "/": describe,
        "/slow": slow,
        "/stream": stream,
        "/busy": busy,
        "/collector": collector,
    }[environ["PATH_INFO"]]
    return handler(environ, start_response)


def describe(environ: Environ, start_response: Start) -> Iterable[bytes]:
    """The environ's strings, the length of the body, and the process."""
    told = {key: value for key, value in environ.items() if isinstance(value, str)}
    length = len(environ["wsgi.input"].read())
    return _json({**told, "length": length, "pid": os.getpid()}, start_response)


def slow(environ: Environ, start_response: Start) -> Iterable[bytes]:
    """Waits as long as it is told to."""
    time.sleep(float(environ["QUERY_STRING"]))
    return _json({"pid": os.getpid()}, start_response)


def busy(environ: Environ, start_response: Start) -> Iterable[bytes]:
    """Holds the hub as long as it is told to."""
    until = time.perf_counter() + float(environ["QUERY_STRING"])
    while time.perf_counter() < until:
        pass
    return _json({"pid": os.getpid()}, start_response)


def collector(environ: Environ, start_response: Start) -> Iterable[bytes]:
    """How the garbage collector is set."""
    seen = {"frozen": gc.get_freeze_count(), "threshold": gc.get_threshold()}
    return _json({**seen, "enabled": gc.isenabled()}, start_response)


def stream(environ: Environ, start_response: Start) -> Iterable[bytes]:
    """Events until the worker drains, and then a farewell."""
    start_response("200 OK", [("Content-Type", "text/event-stream")])
    yield b"hello\n"
    environ["colorless.draining"].wait()
    yield b"bye\n"


def _json(value: Any, start_response: Start) -> Iterable[bytes]:
    body = json.dumps(value).encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
