"""Holds a running contender to the contract: answers, refusals, the stream, the socket."""

import http.client
import json

from websockets.sync.client import connect

from comparison import contract
from comparison.backends import Backends
from comparison.contract import Exchange
from comparison.process import Server

SAMPLES = 3
"""How many requests of each endpoint are compared in full."""

STREAMED_ROOM = 201


def violations(server: Server, backends: Backends) -> list[str]:
    """What the contender does wrong, in words; an empty list means that it may be measured."""
    exchanges = [
        (endpoint.name, endpoint.sample(n))
        for endpoint in contract.endpoints(f"127.0.0.1:{backends.stub_port}")
        for n in range(SAMPLES)
    ]
    exchanges += [("refusal", exchange) for exchange in contract.REFUSALS]
    found = [f"{name}: {text}" for name, x in exchanges if (text := _violation(server, x))]
    found += [f"stream: {text}" for text in _stream(server)]
    return found + [f"ws: {text}" for text in _websocket(server)]


def _violation(server: Server, exchange: Exchange) -> str | None:
    status, text = _ask(server, exchange)
    if status != exchange.status:
        return f"{exchange.path} answered {status}, not {exchange.status}: {text[:200]}"
    if exchange.needle not in text or not text.startswith(exchange.prefix):
        wanted = f"{exchange.prefix} first and {exchange.needle} in it, as compact JSON"
        return f"{exchange.path} should have {wanted}: {text[:200]}"
    if isinstance(exchange.answer, str):
        return contract.mismatch(exchange.answer, text)
    return contract.mismatch(exchange.answer, json.loads(text))


def _ask(server: Server, exchange: Exchange) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=15)
    body = None if exchange.body is None else json.dumps(exchange.body)
    headers = {"Content-Type": "application/json"} if body else {}
    try:
        connection.request(exchange.method, exchange.path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def _post(server: Server, text: str) -> None:
    body = {"user": 1001, "body": text}
    path = f"/rooms/{STREAMED_ROOM}/messages"
    _ask(server, Exchange(path, {}, method="POST", body=body, status=201))


def _stream(server: Server) -> list[str]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=15)
    connection.request("GET", f"/rooms/{STREAMED_ROOM}/stream")
    stream = connection.getresponse()
    found = []
    if (kind := stream.getheader("Content-Type", "")).split(";")[0] != "text/event-stream":
        found.append(f"its type is {kind}")
    if (line := stream.readline()) != b": ok\n":
        return [*found, f"it begins with {line!r}, not with ': ok'"]
    stream.readline()
    _post(server, "to the stream")
    line = stream.readline()
    # The socket is closed under the answer, which has no end of its own.
    connection.close()
    if not line.startswith(b"data: ") or not _is_message(line[6:], "to the stream"):
        found.append(f"it sent {line!r}")
    return found


def _websocket(server: Server) -> list[str]:
    with connect(f"ws://{server.address}/rooms/{STREAMED_ROOM}/ws", proxy=None) as socket:
        # The handshake may be answered before the subscription stands, so a lost first message
        # is not yet a violation.
        for attempt in range(20):
            _post(server, f"to the socket {attempt}")
            try:
                text = socket.recv(timeout=0.5)
            except TimeoutError:
                continue
            return [] if _is_message(text, "to the socket") else [f"it sent {text!r}"]
    return ["nothing arrived"]


def _is_message(text: str | bytes, body: str) -> bool:
    message = json.loads(text)
    return set(message) == {"id", "room", "user", "body", "created_ms"} and message[
        "body"
    ].startswith(body)
