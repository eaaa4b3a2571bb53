"""What the worker leaves to the cyclic garbage collector, and what it tells it."""

import gc
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.colorless.server.inside import Client, serving
from tests.colorless.server.outside import gunicorn
from tests.colorless.server.test_serving import GET, echo, hello

POST = b"POST / HTTP/1.1\r\nHost: chat.example\r\nContent-Length: 2\r\n\r\nhi"


@contextmanager
def uncollected() -> Iterator[None]:
    """Nothing is collected meanwhile but by whoever asks."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@pytest.mark.parametrize(
    ("app", "request_"), [(hello, GET), (echo, POST)], ids=["no body", "with a body"]
)
def test_a_request_leaves_no_cyclic_garbage(app: Callable[..., Any], request_: bytes) -> None:
    """What a request was made of is freed with it, without the collector."""
    with serving(app) as inside:
        client = inside.connect()
        exchange(client, request_)
        with uncollected():
            for _ in range(50):
                exchange(client, request_)
            assert gc.collect() < 50


def exchange(client: Client, request: bytes) -> None:
    client.send(request)
    assert client.answer()[0] == 200


def test_what_was_loaded_is_out_of_the_collectors_sight() -> None:
    """A worker freezes the application that it has loaded, and looks for garbage less often."""
    with gunicorn() as server:
        seen = collector_of(server.connect())
        assert seen["frozen"] > 1000
        assert seen["threshold"][0] > gc.get_threshold()[0]


@pytest.mark.parametrize("setting", ["threshold", "disable"])
def test_an_application_may_have_settings_of_its_own(
    setting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The collector is left as the application set it."""
    monkeypatch.setenv("COLLECTOR", setting)
    with gunicorn() as server:
        seen = collector_of(server.connect())
        assert seen["frozen"] == 0
        assert seen["enabled"] is (setting != "disable")
        if setting == "threshold":
            assert seen["threshold"][0] == 800


def collector_of(client: Client) -> dict[str, Any]:
    client.send(b"GET /collector HTTP/1.1\r\n\r\n")
    seen: dict[str, Any] = json.loads(client.answer()[2])
    return seen
