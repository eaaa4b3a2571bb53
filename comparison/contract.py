"""The contract as data: what every contender must answer, and what the generators ask for.

The rows behind the answers follow from their numbers (workload/schema.sql), so an expected answer
is computed here and never read back from a server.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

ANY = object()
"""Stands in an expected answer for a value that only the server can know."""

PASSWORD = "correct horse battery staple"
PASSWORD_HASH = (
    "$argon2id$v=19$m=19456,t=2,p=1$bGFib3JhdG9yeS1zYWx0$"
    "SKqs4NEoObCeam2C1xWsl4JpWlnaBa2QVdkNMXQolg8"
)

Json = dict[str, Any]


@dataclass(frozen=True)
class Exchange:
    """One request and the answer it must get."""

    path: str
    answer: Json | str
    method: str = "GET"
    body: Json | None = None
    status: int = 200
    needle: str = ""
    """A piece of the compact JSON that tells this answer from another's: checked under load."""

    @property
    def prefix(self) -> str:
        """How the answer begins: all that a closed loop can check, since it asks in no order."""
        return self.answer if isinstance(self.answer, str) else f'{{"{next(iter(self.answer))}":'


@dataclass(frozen=True)
class Endpoint:
    """A route, and a source of exchanges for it. `sample(n)` walks through the data with n."""

    name: str
    route: str
    about: str
    sample: Callable[[int], Exchange]


def message(number: int) -> Json:
    """Row `number` of the seeded messages."""
    return {
        "id": number,
        "room": (number - 1) % 100 + 1,
        "user": (number - 1) % 1000 + 1,
        "body": f"message {number}: the quick brown fox jumps over the lazy dog, and back again",
        "created_ms": 1_700_000_000_000 + number * 1000,
    }


def _message(n: int) -> Exchange:
    number = n * 7919 % 50_000 + 1
    return Exchange(f"/message/{number}", message(number), needle=f'"id":{number},')


def _history(n: int) -> Exchange:
    room = n * 37 % 100 + 1
    newest = [message(room + 100 * page) for page in range(499, 449, -1)]
    path = f"/rooms/{room}/messages?limit=50"
    return Exchange(path, {"messages": newest}, needle=f'"id":{room + 45_000},')


def _post(n: int) -> Exchange:
    room, user = n * 37 % 100 + 101, n * 7 % 1000 + 1001
    body = f"written {n}"
    answer = {"id": ANY, "room": room, "user": user, "body": body, "created_ms": ANY}
    return Exchange(
        f"/rooms/{room}/messages",
        answer,
        method="POST",
        body={"user": user, "body": body},
        status=201,
        needle=f'"body":"{body}"',
    )


def _home(n: int) -> Exchange:
    user = n * 331 % 1000 + 1
    rooms = sorted((user + k * 7) % 100 + 1 for k in range(10))
    latest = [message(user + 1000 * page) for page in range(49, 39, -1)]
    answer = {
        "user": {"id": user, "name": f"user {user}"},
        "rooms": [{"id": room, "name": f"room {room}"} for room in rooms],
        "unseen": user % 5,
        "latest": [{"id": row["id"], "body": row["body"]} for row in latest],
    }
    return Exchange(f"/home/{user}", answer, needle=f'"id":{user + 40_000},')


def _login(n: int) -> Exchange:
    body = {"user": n * 7 % 1000 + 1, "password": PASSWORD}
    return Exchange("/login", {"ok": True}, method="POST", body=body, needle='"ok":true')


def slow(ms: int) -> Callable[[int], Exchange]:
    """One query that takes `ms` milliseconds in the database and no CPU to speak of."""
    return lambda n: Exchange(f"/slow?ms={ms}", {"slept": ms}, needle=f'"slept":{ms}')


def mixed(ms: int) -> Callable[[int], Exchange]:
    """One NATS request, then one query of `ms` milliseconds."""
    answer = {"reply": "pong", "slept": ms}
    return lambda n: Exchange(f"/mixed?ms={ms}", answer, needle='"reply":"pong"')


def preview(stub: str, delay_ms: int) -> Callable[[int], Exchange]:
    """One call to the stub at `host:port`, which answers after `delay_ms`, and one insert."""

    def sample(n: int) -> Exchange:
        url = f"http://{stub}/page/{n % 1000}/{delay_ms}"
        title = f"page {n % 1000}"
        return Exchange(
            f"/preview?url={url}", {"url": url, "title": title}, needle=f'"title":"{title}"'
        )

    return sample


LIVEZ = Endpoint(
    "livez", "GET /livez", "touches nothing", lambda n: Exchange("/livez", "ok", needle="ok")
)
JSON = Endpoint(
    "json",
    "GET /json",
    "the framework's floor",
    lambda n: Exchange("/json", {"message": "Hello, World!"}, needle='"Hello, World!"'),
)
MESSAGE = Endpoint("message", "GET /message/{id}", "one indexed row", _message)
HISTORY = Endpoint("history", "GET /rooms/{id}/messages?limit=50", "50 rows", _history)
POST = Endpoint("post", "POST /rooms/{id}/messages", "one insert, committed before 201", _post)
HOME = Endpoint("home", "GET /home/{user}", "four independent queries", _home)
LOGIN = Endpoint("login", "POST /login", "argon2id, CPU-bound", _login)
SLOW = Endpoint("slow", "GET /slow?ms=50", "one pg_sleep query", slow(50))
MIXED = Endpoint("mixed", "GET /mixed?ms=20", "a NATS request and a query", mixed(20))


def endpoints(stub: str) -> tuple[Endpoint, ...]:
    """Every request-and-answer route. The stream and the WebSocket are checked by the test."""
    about = "a call to the outside (100 ms) and an insert"
    outside = Endpoint("preview", "GET /preview?url=", about, preview(stub, 100))
    return (LIVEZ, JSON, SLOW, MESSAGE, HISTORY, POST, HOME, outside, MIXED, LOGIN)


REFUSALS = (
    Exchange("/message/999999999", {"error": "not found"}, status=404),
    Exchange(
        "/login",
        {"ok": False},
        method="POST",
        body={"user": 1, "password": "wrong"},
        status=401,
    ),
)
"""Requests that a contender must refuse, and how."""


def mismatch(expected: Any, given: Any, at: str = "answer") -> str | None:
    """Where `given` first differs from `expected`; None when it does not."""
    if expected is ANY:
        return None if given is not None else f"{at} is missing"
    if isinstance(expected, dict) and isinstance(given, dict):
        if expected.keys() != given.keys():
            return f"{at} has keys {sorted(given)}, not {sorted(expected)}"
        pairs = [(f"{at}.{key}", expected[key], given[key]) for key in expected]
    elif isinstance(expected, list) and isinstance(given, list) and len(expected) == len(given):
        pairs = [(f"{at}[{i}]", a, b) for i, (a, b) in enumerate(zip(expected, given, strict=True))]
    else:
        return None if expected == given else f"{at} is {given!r:.80}, not {expected!r:.80}"
    return next((text for where, a, b in pairs if (text := mismatch(a, b, where))), None)
