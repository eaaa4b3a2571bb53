"""PostgreSQL goes away and comes back: the service says so, and serves again by itself."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from colorless.tasks import TaskGroup
from tests.tools.chat import chat_of, done, refused, sign_in
from tests.tools.proxy import Proxy

MakeApp = Callable[..., Flask]

PATHS = ("/rooms", "/home", "/unread", "/search?q=x")


@pytest.fixture
def proxy(migrated_url: str) -> Iterator[Proxy]:
    """What stands between the service and its database, and can be broken."""
    with Proxy.before(migrated_url) as proxy:
        yield proxy


@pytest.fixture
def behind(make_app: MakeApp, proxy: Proxy) -> Flask:
    """A service whose every connection leads through the proxy."""
    return make_app(database_url=proxy.dsn, request_timeout=5, pool_size=4)


def test_away_is_a_503_and_back_is_a_200(behind: Flask, proxy: Proxy) -> None:
    """While PostgreSQL is away every request gets 503, liveness stays, readiness goes; when it is
    back the very next request is served."""
    ada = sign_in(behind)
    probe = behind.test_client()
    for path in PATHS:
        done(ada.call("GET", path), 200)
    assert probe.get("/readyz").status_code == 200

    proxy.refuse()
    proxy.cut()
    for path in PATHS * 2:
        answer = ada.call("GET", path)
        refused(answer, 503)
        assert answer.headers["Retry-After"]
    assert probe.get("/livez").status_code == 200
    assert probe.get("/readyz").status_code == 503

    proxy.listen()
    for path in PATHS:
        done(ada.call("GET", path), 200)
    assert probe.get("/readyz").status_code == 200


def test_a_storm_of_failures_leaves_the_pool_whole(behind: Flask, proxy: Proxy) -> None:
    """Many requests at once find PostgreSQL away: all get 503, and no slot is lost."""
    ada = sign_in(behind)
    proxy.refuse()
    proxy.cut()
    with TaskGroup() as group:
        tries = [group.go(ada.get, "/home") for _ in range(50)]
    assert {each.get().status_code for each in tries} == {503}
    stats = chat_of(behind).db.stats()
    assert (stats["in_use"], stats["size"]) == (0, 0)
    proxy.listen()
    with TaskGroup() as group:
        tries = [group.go(ada.get, "/home") for _ in range(50)]
    assert {each.get().status_code for each in tries} == {200}


def test_a_server_that_does_not_answer_is_a_503(
    make_app: MakeApp, migrated_url: str, proxy: Proxy
) -> None:
    """A dead route, on which nothing is refused and nothing arrives, ends at the deadline."""
    app = make_app(database_url=proxy.dsn, request_timeout=0.5)
    ada = sign_in(app)
    proxy.swallow()
    proxy.cut()
    refused(ada.get("/rooms"), 503)
    refused(ada.get("/home"), 503)
    assert app.test_client().get("/livez").status_code == 200
    proxy.swallow(False)
    proxy.cut()
    done(ada.get("/rooms"), 200)
